/* SPDX-License-Identifier: MIT
 * forest.c - what an event costs the isolation forest.
 *
 *     forest              a table over profiles, widths and code paths
 *     forest --policies   rows beside the loop, by learning policy
 *     forest --json       one line of JSON for profiles at 10 features (forest_peers.py reads it)
 *     forest --ordinary   percent of ordinary events flagged with contamination=0, by distribution
 *     forest --drift      mean score and share flagged while the stream changes, as CSV (forest_drift.py draws it)
 *
 * Standard normal events. "event" is anomaly_update() one by one, "rows" anomaly_update_rows(), "score" anomaly_score_rows();
 * nanoseconds of CPU an event in a full window, best of five runs; the growing of trees is in it. "worst" is the largest over
 * the events of one run, filling the window included, of the least time that the event took in several replays, beside the
 * median. "calls" counts allocations after the window is full. */
#include "anomaly.h"
#include "distributions.h"
#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FILL = 4096, TIMED = 16384, RUNS = 5, WORST = 8192, REPLAYS = 7 };

typedef struct cost {
    double event, rows, score, median, worst, worst_reserved; /* ns; reserved: with reserve=1 */
    size_t bytes;
    unsigned calls;
} cost;

typedef struct bench {
    anomaly_config config;
    double *x, *out;
    unsigned calls;
} bench;

static void fail(const char *what)
{
    fprintf(stderr, "forest: %s\n", what);
    exit(1);
}

static void *take(void *ctx, size_t bytes)
{
    ++*(unsigned *)ctx;
    return malloc(bytes);
}

static void give(void *ctx, void *memory, size_t bytes)
{
    (void)ctx;
    (void)bytes;
    free(memory);
}

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static anomaly_detector *create(bench *b)
{
    anomaly_detector *d;
    anomaly_allocator allocator = {take, give, &b->calls};
    if (anomaly_create(&b->config, &allocator, &d, NULL) != ANOMALY_OK)
        fail("cannot create the detector");
    return d;
}

static void keep_least(double *least, double value)
{
    if (*least == 0 || value < *least)
        *least = value;
}

static anomaly_rows rows_of(const bench *b, size_t from, size_t count)
{
    return (anomaly_rows){.count = count, .values = b->x + from * b->config.features};
}

static void update_all(const bench *b, anomaly_detector *d, size_t from, size_t to)
{
    anomaly_verdict v;
    for (size_t i = from; i < to; i++) {
        if (anomaly_update(d, b->x + i * b->config.features, ANOMALY_NO_TIME, &v) != ANOMALY_OK)
            fail("update");
        b->out[i] = v.score;
    }
}

/* Rows and single events are timed in turn, so that a busy machine does the same to both. */
static void time_run(bench *b, cost *c)
{
    anomaly_detector *one = create(b), *many = create(b);
    anomaly_rows fill = rows_of(b, 0, FILL), timed = rows_of(b, FILL, TIMED);
    anomaly_verdicts out = {.score = b->out + FILL};
    double begin;
    update_all(b, one, 0, FILL);
    anomaly_update_rows(many, &fill, NULL, NULL);
    b->calls = 0;
    begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
    update_all(b, one, FILL, FILL + TIMED);
    keep_least(&c->event, (seconds(CLOCK_PROCESS_CPUTIME_ID) - begin) / TIMED * 1e9);
    begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
    anomaly_update_rows(many, &timed, &out, NULL);
    keep_least(&c->rows, (seconds(CLOCK_PROCESS_CPUTIME_ID) - begin) / TIMED * 1e9);
    begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
    anomaly_score_rows(many, &timed, &out, NULL);
    keep_least(&c->score, (seconds(CLOCK_PROCESS_CPUTIME_ID) - begin) / TIMED * 1e9);
    c->calls = b->calls;
    anomaly_destroy(one);
    anomaly_destroy(many);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double time_worst(bench *b, double *median)
{
    static double least[WORST];
    memset(least, 0, sizeof least);
    for (int replay = 0; replay < REPLAYS; replay++) {
        anomaly_detector *d = create(b);
        for (size_t i = 0; i < WORST; i++) {
            double begin = seconds(CLOCK_MONOTONIC);
            update_all(b, d, i, i + 1);
            keep_least(&least[i], (seconds(CLOCK_MONOTONIC) - begin) * 1e9);
        }
        anomaly_destroy(d);
    }
    qsort(least, WORST, sizeof *least, by_size);
    *median = least[WORST / 2];
    return least[WORST - 1];
}

static int measure(const char *profile, uint32_t features, const char *path, const char *learn, int worst, cost *c)
{
    bench b = {.calls = 0};
    random_state r = {42};
    *c = (cost){0};
    anomaly_config_init(&b.config, sizeof b.config, ANOMALY_IFOREST);
    anomaly_config_set(&b.config, "profile", profile, NULL);
    anomaly_config_set(&b.config, "simd", path, NULL);
    anomaly_config_set(&b.config, "learn", learn, NULL);
    b.config.features = features;
    if (anomaly_memory_needed(&b.config, &c->bytes) != ANOMALY_OK)
        return 0; /* this processor does not have the path */
    b.x = malloc((size_t)(FILL + TIMED) * features * sizeof *b.x);
    b.out = malloc((size_t)(FILL + TIMED) * sizeof *b.out);
    if (b.x == NULL || b.out == NULL)
        fail("no memory");
    for (size_t i = 0; i < (size_t)(FILL + TIMED) * features; i++)
        b.x[i] = random_normal(&r);
    for (int run = 0; run < RUNS; run++)
        time_run(&b, c);
    for (b.config.reserve = 1; worst && b.config.reserve >= 0; b.config.reserve--)
        *(b.config.reserve ? &c->worst_reserved : &c->worst) = time_worst(&b, &c->median);
    free(b.x);
    free(b.out);
    return 1;
}

static void table(void)
{
    static const char *const PROFILES[] = {"fast", "balanced", "accurate"};
    static const char *const PATHS[] = {"auto", "avx512", "avx2", "portable", "scalar"};
    cost c;
    puts("| profile | features | path | event | rows | event / rows | score | worst | median | worst / median | with "
         "reserve=1 | kB | calls "
         "|\n"
         "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (size_t p = 0; p < 3; p++)
        for (uint32_t features = 10; features <= 100; features += 90)
            for (size_t k = 0; k < (p == 1 ? 5 : 1); k++)
                if (measure(PROFILES[p], features, PATHS[k], "always", 1, &c)) {
                    printf("| %s | %u | %s | %.0f | %.0f | %.2f | %.0f | %.0f | %.0f | %.1f | %.1f | %.0f | %u |\n",
                           PROFILES[p], features, PATHS[k], c.event, c.rows, c.event / c.rows, c.score, c.worst, c.median,
                           c.worst / c.median, c.worst_reserved / c.median, (double)c.bytes / 1e3, c.calls);
                    fflush(stdout);
                }
}

static void policies(void)
{
    static const char *const PROFILES[] = {"fast", "balanced", "accurate"};
    static const char *const LEARN[] = {"always", "normal", "normal:50"};
    cost c;
    puts("| profile | features | learn | event | rows | event / rows |\n| --- | --- | --- | --- | --- | --- |");
    for (size_t p = 0; p < 3; p++)
        for (uint32_t features = 10; features <= 100; features += 90)
            for (size_t k = 0; k < 3; k++) {
                measure(PROFILES[p], features, "auto", LEARN[k], 0, &c);
                printf("| %s | %u | %s | %.0f | %.0f | %.2f |\n", PROFILES[p], features, LEARN[k], c.event, c.rows,
                       c.event / c.rows);
            }
}

static void json(void)
{
    static const char *const PROFILES[] = {"fast", "balanced", "accurate"};
    cost c;
    for (int p = 0; p < 3; p++) {
        measure(PROFILES[p], 10, "auto", "always", 0, &c);
        printf("%s\"%s\":{\"event\":%.1f,\"rows\":%.1f,\"score_rows\":%.1f}", p == 0 ? "{" : ",", PROFILES[p], c.event,
               c.rows, c.score);
    }
    puts("}");
}

/* ---- drift ---- */

enum { CHANGE = 6144, END = 12288, STEP = 64, STREAMS = 40, WIDTH = 5, SEEN = 4096 };

/* Five features; at CHANGE the mean moves by two standard deviations, or the spread becomes three times as large. */
static void drift(int spread)
{
    static double sum[END / STEP], share[END / STEP];
    memset(sum, 0, sizeof sum);
    memset(share, 0, sizeof share);
    for (uint64_t stream = 0; stream < STREAMS; stream++) {
        bench b = {.calls = 0};
        random_state r = {stream};
        anomaly_config_init(&b.config, sizeof b.config, ANOMALY_IFOREST);
        b.config.features = WIDTH;
        b.config.seed = stream + 1;
        anomaly_detector *d = create(&b);
        for (int i = 0; i < END; i++) {
            double x[WIDTH];
            anomaly_verdict v;
            for (int f = 0; f < WIDTH; f++)
                x[f] = random_normal(&r) * (i >= CHANGE && spread ? 3 : 1) + (i >= CHANGE && !spread ? 2 : 0);
            anomaly_update(d, x, ANOMALY_NO_TIME, &v);
            sum[i / STEP] += v.score / STEP / STREAMS;
            share[i / STEP] += (v.flags & ANOMALY_IS_ANOMALY ? 1.0 : 0.0) / STEP / STREAMS;
        }
        anomaly_destroy(d);
    }
    for (int k = SEEN / STEP; k < END / STEP; k++)
        printf("%s,%d,%.5f,%.5f\n", spread ? "spread" : "mean", k * STEP + STEP / 2 - CHANGE, sum[k], share[k]);
}

static double percent_flagged(double (*next)(random_state *), uint32_t features)
{
    enum { EVENTS = 20000 };
    bench b = {.calls = 0};
    random_state r = {features};
    int flagged = 0;
    anomaly_config_init(&b.config, sizeof b.config, ANOMALY_IFOREST);
    b.config.features = features;
    b.config.contamination = 0;
    anomaly_detector *d = create(&b);
    for (int i = 0; i < EVENTS; i++) {
        double x[100];
        anomaly_verdict v;
        for (uint32_t f = 0; f < features; f++)
            x[f] = next(&r);
        anomaly_update(d, x, ANOMALY_NO_TIME, &v);
        flagged += (v.flags & ANOMALY_IS_ANOMALY) != 0;
    }
    anomaly_destroy(d);
    return 100.0 * flagged / EVENTS;
}

static void ordinary(void)
{
    static const uint32_t FEATURES[] = {1, 2, 3, 5, 10, 30, 100};
    printf("| features |");
    for (size_t w = 0; w < sizeof FEATURES / sizeof *FEATURES; w++)
        printf(" %u |", FEATURES[w]);
    puts("\n| --- | --- | --- | --- | --- | --- | --- | --- |");
    for (size_t k = 0; k < sizeof ORDINARY / sizeof *ORDINARY; k++) {
        printf("| %s |", ORDINARY[k].name);
        for (size_t w = 0; w < sizeof FEATURES / sizeof *FEATURES; w++)
            printf(" %.3f |", percent_flagged(ORDINARY[k].next, FEATURES[w]));
        puts("");
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--json") == 0) {
        json();
    } else if (argc > 1 && strcmp(argv[1], "--drift") == 0) {
        puts("change,event,score,flagged");
        drift(0);
        drift(1);
    } else if (argc > 1 && strcmp(argv[1], "--ordinary") == 0) {
        ordinary();
    } else if (argc > 1 && strcmp(argv[1], "--policies") == 0) {
        policies();
    } else if (argc > 1) {
        fail("usage: forest [--ordinary | --policies | --json | --drift]");
    } else {
        table();
    }
    return 0;
}
