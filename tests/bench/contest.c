/* SPDX-License-Identifier: MIT
 * contest.c - runs contestants in turn on chunks of one stream and takes the time. */
#include "contest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000000)

static double chunk[CHUNK];
static int64_t times[CHUNK];
static double column[5][CHUNK];
static uint32_t flags[CHUNK], feature[CHUNK];
static uint64_t events[CHUNK];
static volatile double sink; /* so that no result is for nothing */

void must(int status, const char *what)
{
    if (status == ANOMALY_OK)
        return;
    (void)fprintf(stderr, "bench: %s: %s\n", what, anomaly_status_text(status));
    exit(2);
}

double cpu_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void *count_alloc(void *ctx, size_t bytes)
{
    ++*(uint64_t *)ctx;
    return malloc(bytes);
}

static void count_free(void *ctx, void *memory, size_t bytes)
{
    (void)ctx, (void)bytes;
    free(memory);
}

anomaly_allocator counting_allocator(uint64_t *count)
{
    return (anomaly_allocator){count_alloc, count_free, count};
}

anomaly_config config_for(int kind, size_t window, int timed, int simd)
{
    anomaly_config config;
    must(anomaly_config_init(&config, sizeof config, kind), "config_init");
    config.window_events = timed ? 2 * window : window;
    config.window_ns = timed ? (int64_t)window * SECOND : 0;
    config.reserve = timed; /* its count wavers, and with it the ring would grow now and then */
    config.simd = simd;
    return config;
}

contest *contest_new(const shape_kind *shape, size_t window, int repeats)
{
    contest *c = calloc(1, sizeof *c);
    must(c ? ANOMALY_OK : ANOMALY_E_NOMEM, "contest");
    c->shape = shape;
    c->window = window;
    c->repeats = repeats < REPEATS_MOST ? repeats : REPEATS_MOST;
    return c;
}

int contest_add_naive(contest *c, size_t window)
{
    contestant *own = &c->of[c->count];
    own->manner = NAIVE;
    own->ring = calloc(window, sizeof(double));
    must(own->ring ? ANOMALY_OK : ANOMALY_E_NOMEM, "naive");
    naive_init(&own->naive, own->ring, window);
    return c->count++;
}

int contest_add(contest *c, enum manner manner, const anomaly_config *config)
{
    contestant *own = &c->of[c->count];
    anomaly_allocator allocator = counting_allocator(&own->allocations);
    own->manner = manner;
    own->timed = anomaly_needs_times(config);
    must(anomaly_create(config, &allocator, &own->detector, NULL), "create");
    return c->count++;
}

void contest_free(contest *c)
{
    for (int i = 0; i < c->count; i++) {
        anomaly_destroy(c->of[i].detector);
        free(c->of[i].ring);
    }
    free(c);
}

/* ---- running ---- */

static void run_naive(contestant *own)
{
    double sum = 0;
    for (size_t i = 0; i < CHUNK; i++)
        sum += naive_update(&own->naive, chunk[i]);
    sink = sum;
}

static void run_update(contestant *own)
{
    anomaly_verdict verdict;
    double sum = 0;
    for (size_t i = 0; i < CHUNK; i++) {
        (void)anomaly_update(own->detector, &chunk[i], own->timed ? times[i] : ANOMALY_NO_TIME, &verdict);
        sum += verdict.score;
    }
    sink = sum;
}

static void run_rows(contestant *own)
{
    anomaly_rows rows = {.count = CHUNK, .values = chunk, .times = own->timed ? times : NULL};
    anomaly_verdicts out = {.score = column[0]};
    size_t done;
    if (own->manner == ROWS_ALL) {
        out.threshold = column[1];
        out.expected = column[2];
        out.lower = column[3];
        out.upper = column[4];
        out.flags = flags;
        out.feature = feature;
        out.events = events;
    }
    must(anomaly_update_rows(own->detector, &rows, &out, &done), "update_rows");
}

static void run_one(contestant *own)
{
    switch (own->manner) {
    case NAIVE: run_naive(own); break;
    case UPDATE: run_update(own); break;
    default: run_rows(own); break;
    }
}

/* A second an event on average. */
static void fill_times(random_state *r, int64_t *clock)
{
    for (size_t i = 0; i < CHUNK; i++)
        times[i] = *clock += (int64_t)random_below(r, 2 * SECOND);
}

/* `events` of the stream; time goes to sample[at], but for at < 0. */
static void run_stretch(contest *c, series *stream, int64_t *clock, size_t length, int at)
{
    double spent[CONTESTANTS] = {0};
    size_t done = 0;
    for (; done < length; done += CHUNK) {
        shape_fill(c->shape, stream, chunk, CHUNK);
        fill_times(&stream->r, clock);
        for (int i = 0; i < c->count; i++) {
            double start = cpu_ns();
            run_one(&c->of[i]);
            spent[i] += cpu_ns() - start;
        }
    }
    for (int i = 0; at >= 0 && i < c->count; i++)
        c->of[i].sample[at] = spent[i] / (double)done;
}

void contest_run(contest *c)
{
    series stream = shape_start(c->window);
    int64_t clock = 0;
    run_stretch(c, &stream, &clock, 3 * c->window, -1);
    for (int i = 0; i < c->count; i++)
        c->of[i].allocations = 0;
    for (int at = 0; at < c->repeats; at++)
        run_stretch(c, &stream, &clock, c->shape->stationary ? 4 * CHUNK : 2 * c->window, at);
}

/* ---- results ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median_of(const double *values, int count)
{
    double sorted[REPEATS_MOST];
    memcpy(sorted, values, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, compare_doubles);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

double contest_ns(const contest *c, int who)
{
    return median_of(c->of[who].sample, c->repeats);
}

double contest_ratio(const contest *c, int who, int to)
{
    double ratio[REPEATS_MOST];
    for (int i = 0; i < c->repeats; i++)
        ratio[i] = c->of[who].sample[i] / c->of[to].sample[i];
    return median_of(ratio, c->repeats);
}

double contest_extra(const contest *c, int who, int less, int to)
{
    double ratio[REPEATS_MOST];
    for (int i = 0; i < c->repeats; i++)
        ratio[i] = (c->of[who].sample[i] - c->of[less].sample[i]) / c->of[to].sample[i];
    return median_of(ratio, c->repeats);
}
