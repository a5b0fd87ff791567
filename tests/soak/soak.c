/* SPDX-License-Identifier: MIT
 * soak.c - the error after 1e9 events is that after 1e3.
 *
 *   soak [EVENTS]     1000000000 by default
 *
 * Streams run through windows of 1000 by the single call, by rows and by time; at every power of ten the next few hundred
 * windows are compared with exact ones: standard deviation and mean in 113-bit floating point, quantiles by sorting.
 * Ends with `N passed, N failed`. */
#include "../support/exact.h"
#include "../support/random.h"

#include "anomaly.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WINDOW = 1000, LOOKS = 200, ROWS = 512 };

typedef struct soak {
    const char *name;
    int kind, robust, timed, by_rows;
    double (*next)(random_state *r, uint64_t i);
} soak;

typedef struct state {
    anomaly_detector *d;
    random_state r;
    double ring[WINDOW], sorted[WINDOW], scratch[WINDOW];
    double block[ROWS];
    int64_t times[ROWS];
    uint64_t done;
} state;

static int passed, failed;

static void verdict_on(int good, const char *what)
{
    passed += good;
    failed += !good;
    if (!good)
        printf("FAILED: %s\n", what);
}

/* ---- streams ---- */

static double next_offset(random_state *r, uint64_t i)
{
    (void)i;
    return 1e9 + 1e-3 * random_unit(r);
}

/* Noise with a spike of 1e12 now and then and levels that change. */
static double next_spiky(random_state *r, uint64_t i)
{
    double x = random_unit(r) + (double)((i / 5000) % 7) * 100;
    return i % 7919 == 0 ? 1e12 : x;
}

static double next_plain(random_state *r, uint64_t i)
{
    (void)i;
    return random_unit(r) * random_unit(r) - 0.25;
}

static double next_stretches(random_state *r, uint64_t i)
{
    return (i / 700) % 3 == 0 ? (double)((i / 700) % 2) : random_unit(r);
}

static const soak SOAKS[] = {
    {"z-score, offset 1e9", ANOMALY_ZSCORE, 0, 0, 0, next_offset},
    {"z-score, spikes of 1e12 and steps", ANOMALY_ZSCORE, 0, 0, 0, next_spiky},
    {"z-score by rows, offset 1e9", ANOMALY_ZSCORE, 0, 0, 1, next_offset},
    {"z-score by time, spikes and steps", ANOMALY_ZSCORE, 0, 1, 0, next_spiky},
    {"percentile, noise", ANOMALY_PERCENTILE, 0, 0, 0, next_plain},
    {"percentile, two values and noise", ANOMALY_PERCENTILE, 0, 0, 0, next_stretches},
    {"robust, two values and noise", ANOMALY_ZSCORE, 1, 0, 0, next_stretches},
};

/* ---- running ---- */

static void stop(const char *why)
{
    fprintf(stderr, "soak: %s\n", why);
    exit(1);
}

static void begin(state *s, const soak *what)
{
    anomaly_config config;
    memset(s, 0, sizeof *s);
    s->r.s = 42;
    if (anomaly_config_init(&config, sizeof config, what->kind) != ANOMALY_OK)
        stop("no configuration");
    config.window_events = what->timed ? 2 * WINDOW : WINDOW;
    config.window_ns = what->timed ? WINDOW - 1 : 0;
    config.robust = what->robust;
    if (anomaly_create(&config, NULL, &s->d, NULL) != ANOMALY_OK)
        stop("no detector");
}

static void run_single(state *s, const soak *what, uint64_t to)
{
    for (; s->done < to; s->done++) {
        double x = what->next(&s->r, s->done);
        anomaly_verdict v;
        s->ring[s->done % WINDOW] = x;
        if (anomaly_update(s->d, &x, (int64_t)s->done, &v) != ANOMALY_OK)
            stop("an update failed");
    }
}

static void run_rows(state *s, const soak *what, uint64_t to)
{
    while (s->done < to) {
        size_t count = to - s->done < ROWS ? (size_t)(to - s->done) : ROWS;
        anomaly_rows rows = {.count = count, .values = s->block};
        double score[ROWS];
        anomaly_verdicts out = {.score = score};
        for (size_t i = 0; i < count; i++, s->done++)
            s->block[i] = s->ring[s->done % WINDOW] = what->next(&s->r, s->done);
        if (anomaly_update_rows(s->d, &rows, &out, NULL) != ANOMALY_OK)
            stop("rows failed");
    }
}

static void run(state *s, const soak *what, uint64_t to)
{
    if (what->by_rows)
        run_rows(s, what, to);
    else
        run_single(s, what, to);
}

/* ---- looking ---- */

static double error_of_moments(state *s)
{
    exact_moments e = exact_of(s->ring, WINDOW);
    quad stddev = exact_stddev(&e, 1), off;
    anomaly_stats got;
    double error, mean;
    if (anomaly_window_stats(s->d, 0, &got) != ANOMALY_OK || got.count != WINDOW)
        return INFINITY;
    off = (quad)got.mean - e.mean;
    mean = (double)((off < 0 ? -off : off) / (stddev + (e.mean < 0 ? -e.mean : e.mean)));
    error = exact_error(got.stddev, stddev);
    return error > mean ? error : mean;
}

/* 0: every quantile, or the verdict's median and MAD, has the bits of the sorted window. */
static double error_of_order(state *s, const soak *what)
{
    static const double Q[] = {0, 0.01, 0.25, 0.5, 0.75, 0.99, 1};
    double got = 0, median, spread, x = 12345;
    anomaly_verdict v;
    memcpy(s->sorted, s->ring, sizeof s->ring);
    exact_robust(s->sorted, WINDOW, s->scratch, &median, &spread);
    for (size_t i = 0; i < sizeof Q / sizeof *Q; i++)
        if (anomaly_quantile(s->d, 0, Q[i], &got) != ANOMALY_OK || got != exact_linear(s->sorted, WINDOW, Q[i]))
            return 1;
    if (!what->robust)
        return 0;
    if (anomaly_score(s->d, &x, ANOMALY_NO_TIME, &v) != ANOMALY_OK || v.expected != median)
        return 1;
    return spread > 0 && v.score != (x - median) / spread;
}

/* The worst of a few hundred windows from here on. */
static double look(state *s, const soak *what)
{
    double worst = 0;
    for (int i = 0; i < LOOKS; i++) {
        double error = what->robust || what->kind == ANOMALY_PERCENTILE ? error_of_order(s, what) : error_of_moments(s);
        worst = error > worst ? error : worst;
        run(s, what, s->done + 1);
    }
    return worst;
}

static void soak_one(const soak *what, uint64_t events)
{
    state *s = malloc(sizeof *s);
    double first = -1, worst = 0;
    clock_t start = clock();
    if (s == NULL)
        stop("out of memory");
    begin(s, what);
    printf("%s\n", what->name);
    for (uint64_t at = WINDOW; at <= events; at *= 10) {
        run(s, what, at);
        worst = look(s, what);
        first = first < 0 ? worst : first;
        printf("  after %10llu events: worst error %.2g\n", (unsigned long long)at, worst);
        fflush(stdout);
        verdict_on(worst <= 1e-14, "the error is larger than 1e-14");
        verdict_on(worst <= 2 * first + 5e-16, "the error has grown since the first 1000 events");
    }
    printf("  %.0f s\n", (double)(clock() - start) / CLOCKS_PER_SEC);
    anomaly_destroy(s->d);
    free(s);
}

int main(int argc, char **argv)
{
    double events = argc > 1 ? atof(argv[1]) : 1e9;
    if (!(events >= WINDOW && events <= 1e15)) {
        fprintf(stderr, "usage: soak [EVENTS]   from 1000 on\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof SOAKS / sizeof *SOAKS; i++)
        soak_one(&SOAKS[i], (uint64_t)events);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
