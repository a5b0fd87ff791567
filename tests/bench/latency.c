/* SPDX-License-Identifier: MIT
 * latency.c - single events.
 *
 * The worst event: the same stream is replayed REPLAYS times through the same detector (anomaly_reset() between), every event
 * timed, and of each event the least time counts: what the machine does to an event it does not do to the same one five
 * times. The clock's own cost is taken off. */
#include "latency.h"

#include "contest.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SECOND INT64_C(1000000000)
enum { REPLAYS = 5 };

static int64_t clock_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

/* What taking the time costs at least. */
static double clock_cost(void)
{
    int64_t least = SECOND;
    for (int i = 0; i < 10000; i++) {
        int64_t start = clock_ns(), took = clock_ns() - start;
        least = took < least ? took : least;
    }
    return (double)least;
}

typedef struct replay {
    size_t count;
    double *x;
    int64_t *t;
    double *least; /* ns, by event */
} replay;

static replay replay_new(size_t count, const shape_kind *kind, size_t window)
{
    replay r = {count, malloc(count * sizeof *r.x), malloc(count * sizeof *r.t), malloc(count * sizeof *r.least)};
    must(r.x && r.t && r.least ? ANOMALY_OK : ANOMALY_E_NOMEM, "replay");
    series stream = shape_start(window);
    shape_fill(kind, &stream, r.x, count);
    for (size_t i = 0; i < count; i++) {
        r.t[i] = (int64_t)i * SECOND;
        r.least[i] = 1e18;
    }
    return r;
}

static void replay_free(replay *r)
{
    free(r->x);
    free(r->t);
    free(r->least);
}

static void replay_once(replay *r, anomaly_detector *detector)
{
    anomaly_verdict verdict;
    int64_t before = clock_ns();
    for (size_t i = 0; i < r->count; i++) {
        (void)anomaly_update(detector, &r->x[i], r->t[i], &verdict);
        int64_t after = clock_ns();
        double took = (double)(after - before);
        r->least[i] = took < r->least[i] ? took : r->least[i];
        before = after;
    }
}

static void replay_all(replay *r, const anomaly_config *config, uint64_t *allocations)
{
    anomaly_detector *detector;
    anomaly_allocator allocator = counting_allocator(allocations);
    must(anomaly_create(config, &allocator, &detector, NULL), "create");
    *allocations = 0;
    for (int i = 0; i < REPLAYS; i++) {
        replay_once(r, detector);
        anomaly_reset(detector);
    }
    anomaly_destroy(detector);
}

/* The dearest of the events [from, count). */
static double worst_of(const replay *r, size_t from)
{
    double worst = 0;
    for (size_t i = from; i < r->count; i++)
        worst = r->least[i] > worst ? r->least[i] : worst;
    return worst - clock_cost();
}

static void report_ns(const char *part, const char *what, size_t window, const char *shape, double ns, double bar,
                      uint64_t allocations)
{
    result r = {.part = part, .window = window, .shape = shape, .path = path_name(best_path()), .ns = ns, .bar = bar};
    (void)snprintf(r.what, sizeof r.what, "%s", what);
    r.allocations = allocations;
    report(&r);
}

/* ---- the worst event ---- */

static void worst_by_count(int kind, int robust, size_t window, const shape_kind *shape, double bar)
{
    static const char *const WHAT[] = {"zscore", "robust zscore", "p1+p99"};
    anomaly_config config = config_for(kind, window, 0, ANOMALY_SIMD_AUTO);
    uint64_t allocations;
    config.robust = robust;
    config.reserve = 1;
    replay r = replay_new(window * 3, shape, window);
    replay_all(&r, &config, &allocations);
    report_ns("worst", WHAT[kind == ANOMALY_PERCENTILE ? 2 : robust], window, shape->name, worst_of(&r, 0), bar,
              allocations);
    replay_free(&r);
}

/* A gap, so that the event after it lets all of the window go but the last `kept`. */
static void worst_after_gap(int kind, size_t window, size_t kept, double bar)
{
    anomaly_config config = config_for(kind, window, 1, ANOMALY_SIMD_AUTO);
    uint64_t allocations;
    char what[40];
    config.reserve = 1;
    replay r = replay_new(window * 2, &SHAPES[0], window);
    for (size_t i = window * 3 / 2; i < r.count; i++)
        r.t[i] += (int64_t)(window - kept) * SECOND;
    replay_all(&r, &config, &allocations);
    (void)snprintf(what, sizeof what, "%s, %zu kept", kind == ANOMALY_ZSCORE ? "zscore" : "p1+p99", kept);
    report_ns("worst", what, window, "gap", worst_of(&r, 0), bar, allocations);
    replay_free(&r);
}

void bench_worst(int repeats)
{
    static const size_t KEPT[] = {0, 10, 1000, 500000, 999000};
    (void)repeats;
    worst_by_count(ANOMALY_ZSCORE, 0, 1000, &SHAPES[0], 0);
    worst_by_count(ANOMALY_ZSCORE, 0, 100000, &SHAPES[0], 0);
    for (int k = 0; k < 4; k++)
        worst_by_count(ANOMALY_ZSCORE, 0, 1000000, &SHAPES[k], 50000);
    for (int k = 0; k < 5; k++)
        worst_after_gap(ANOMALY_ZSCORE, 1000000, KEPT[k], 50000);
    for (int k = 0; k < SHAPE_COUNT; k++)
        worst_by_count(ANOMALY_PERCENTILE, 0, 100000, &SHAPES[k], 100000);
    worst_by_count(ANOMALY_ZSCORE, 1, 100000, &SHAPES[0], 0);
    worst_by_count(ANOMALY_ZSCORE, 1, 100000, &SHAPES[SHAPE_COUNT - 1], 0);
    for (int k = 0; k < 3; k++)
        worst_after_gap(ANOMALY_PERCENTILE, 100000, KEPT[k], 100000);
    worst_after_gap(ANOMALY_PERCENTILE, 100000, 50000, 0); /* as many leave as at once can: no bar asks for it */
}

/* ---- late events ---- */

/* Every hundredth event comes so many events late. */
static void late_by(int kind, size_t window, size_t behind)
{
    enum { EVERY = 100 };
    anomaly_config config = config_for(kind, window, 1, ANOMALY_SIMD_AUTO);
    double late[CHUNK], sum = 0;
    uint64_t allocations;
    size_t count = 0;
    char what[40];
    config.reserve = 1;
    replay r = replay_new(window * 2 + 4000, &SHAPES[0], window);
    for (size_t i = window * 2; i < r.count; i += EVERY)
        r.t[i] -= (int64_t)behind * SECOND - SECOND / 2;
    replay_all(&r, &config, &allocations);
    for (size_t i = window * 2; i < r.count; i += EVERY)
        late[count++] = r.least[i];
    for (size_t i = 0; i < count; i++)
        sum += late[i];
    (void)snprintf(what, sizeof what, "%s, %zu behind", kind == ANOMALY_ZSCORE ? "zscore" : "p1+p99", behind);
    report_ns("late", what, window, "normal", sum / (double)count - clock_cost(), 0, allocations);
    replay_free(&r);
}

void bench_late(int repeats)
{
    static const size_t WINDOWS[] = {1000, 10000, 100000, 1000000};
    (void)repeats;
    for (int kind = ANOMALY_ZSCORE; kind <= ANOMALY_PERCENTILE; kind++)
        for (int w = 0; w < (kind == ANOMALY_ZSCORE ? 4 : 3); w++) {
            late_by(kind, WINDOWS[w], 2);
            late_by(kind, WINDOWS[w], WINDOWS[w] / 2);
        }
}

/* ---- growth ---- */

/* Without reserve: the events at which the ring doubles. A new detector each time. */
static void growth_of(int kind, size_t window)
{
    anomaly_config config = config_for(kind, window, 0, ANOMALY_SIMD_AUTO);
    replay r = replay_new(window, &SHAPES[0], window);
    uint64_t allocations = 0;
    for (int i = 0; i < REPLAYS; i++) {
        anomaly_detector *detector;
        anomaly_allocator allocator = counting_allocator(&allocations);
        must(anomaly_create(&config, &allocator, &detector, NULL), "create");
        allocations = 0;
        replay_once(&r, detector);
        anomaly_destroy(detector);
    }
    char what[40];
    (void)snprintf(what, sizeof what, "%s, %d allocations", kind == ANOMALY_ZSCORE ? "zscore" : "p1+p99", (int)allocations);
    report_ns("growth", what, window, "normal", worst_of(&r, 0), 0, 0);
    replay_free(&r);
}

void bench_growth(int repeats)
{
    (void)repeats;
    for (size_t window = 1000; window <= 1000000; window *= 10)
        growth_of(ANOMALY_ZSCORE, window);
    for (size_t window = 1000; window <= 100000; window *= 10)
        growth_of(ANOMALY_PERCENTILE, window);
}

/* ---- memory ---- */

static void memory_of(const char *what, const anomaly_config *config, size_t window)
{
    size_t bytes;
    must(anomaly_memory_needed(config, &bytes), "memory_needed");
    result r = {.part = "memory", .window = window, .shape = "", .path = "", .ns = (double)bytes, .to = "slot"};
    (void)snprintf(r.what, sizeof r.what, "%s, bytes", what);
    r.ratio = (double)bytes / (double)window;
    report(&r);
}

static void memory_with(const char *what, anomaly_config config, const char *name, const char *value)
{
    must(anomaly_config_set(&config, name, value, NULL), what);
    memory_of(what, &config, config.window_events);
}

/* The kinds with defaults of their own, and what a budget adds to one. */
static void memory_of_defaults(void)
{
    static const char *const FEATURES[] = {"1", "2", "4", "38", "64", "128"};
    for (size_t i = 0; i < sizeof FEATURES / sizeof *FEATURES; i++) {
        char what[24];
        (void)snprintf(what, sizeof what, "mahalanobis, %s", FEATURES[i]);
        memory_with(what, config_for(ANOMALY_MAHALANOBIS, 8192, 0, ANOMALY_SIMD_AUTO), "features", FEATURES[i]);
    }
    memory_with("mahalanobis, budget", config_for(ANOMALY_MAHALANOBIS, 8192, 0, ANOMALY_SIMD_AUTO), "alarms", "auto");
    memory_with("watch", config_for(ANOMALY_WATCH, 4000, 0, ANOMALY_SIMD_AUTO), "features", "1");
    memory_with("iforest", config_for(ANOMALY_IFOREST, 2048, 0, ANOMALY_SIMD_AUTO), "features", "1");
}

/* Windows of a power of two, as rings are: per event otherwise up to twice as much. */
void bench_memory(int repeats)
{
    (void)repeats;
    for (size_t window = 128; window <= 1048576; window *= window < 1024 ? 8 : 32) {
        anomaly_config config = config_for(ANOMALY_ZSCORE, window, 0, ANOMALY_SIMD_AUTO);
        memory_of("zscore", &config, window);
        config.window_ns = SECOND;
        memory_of("zscore, time window", &config, window);
        config = config_for(ANOMALY_PERCENTILE, window, 0, ANOMALY_SIMD_AUTO);
        memory_of("p1+p99 or robust", &config, window);
        config.window_ns = SECOND;
        memory_of("p1+p99, time window", &config, window);
    }
    memory_of_defaults();
}
