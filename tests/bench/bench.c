/* SPDX-License-Identifier: MIT
 * bench.c - what an event costs, as ratios to a naive sliding Welford in the same run.
 *
 *   bench [--json] [--repeats N] [PART ...]     PART: update rows percentile time stages mahalanobis watch words worst
 *                                               late growth memory; all by default
 *
 * Exit 0: every bar holds; 1: one does not; 2: usage. */
#include "contest.h"
#include "latency.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t WINDOWS[] = {100, 1000, 10000, 100000, 1000000};
enum { WINDOW_COUNT = 5, ORDER_WINDOWS = 4 };

static result result_of(const contest *c, int who, int to, const char *part, const char *what, size_t window, int simd)
{
    result r = {.part = part, .window = window, .shape = c->shape->name, .path = path_name(simd)};
    (void)snprintf(r.what, sizeof r.what, "%s", what);
    r.ns = contest_ns(c, who);
    r.to = "naive";
    r.ratio = contest_ratio(c, who, to);
    r.allocations = c->of[who].allocations;
    return r;
}

/* ---- z-score ---- */

/* Two contestants only, so that a large ring has the caches it would have in use. Returns ns. */
static double bench_update_of(int repeats, const shape_kind *kind, size_t window)
{
    contest *c = contest_new(kind, window, repeats);
    anomaly_config config = config_for(ANOMALY_ZSCORE, window, 0, ANOMALY_SIMD_AUTO);
    int yardstick = contest_add_naive(c, window), own = contest_add(c, UPDATE, &config);
    contest_run(c);
    result r = result_of(c, own, yardstick, "update", "zscore update", window, ANOMALY_SIMD_SCALAR);
    r.bar = 10;
    report(&r);
    contest_free(c);
    return r.ns;
}

/* How much the dearest window costs more than the cheapest. */
static void report_growth(const shape_kind *kind, const double *ns, int count)
{
    double least = ns[0], most = ns[0];
    for (int i = 1; i < count; i++) {
        least = ns[i] < least ? ns[i] : least;
        most = ns[i] > most ? ns[i] : most;
    }
    result r = {.part = "update",
                .window = WINDOWS[count - 1],
                .shape = kind->name,
                .path = path_name(ANOMALY_SIMD_SCALAR),
                .ns = most};
    (void)snprintf(r.what, sizeof r.what, "dearest window");
    r.to = "cheapest";
    r.ratio = most / least;
    r.bar = 1.5;
    report(&r);
}

static void bench_update(int repeats)
{
    double ns[WINDOW_COUNT];
    for (int w = 0; w < WINDOW_COUNT; w++)
        ns[w] = bench_update_of(repeats, &SHAPES[0], WINDOWS[w]);
    report_growth(&SHAPES[0], ns, WINDOW_COUNT);
    for (int k = 1; k < SHAPE_COUNT; k++)
        for (int w = 0; w < 3; w++)
            (void)bench_update_of(repeats, &SHAPES[k], WINDOWS[w]);
}

static void bench_rows_of(int repeats, size_t window, int simd)
{
    static const double BAR[] = {0, 0, 3, 2, 1.2}; /* by path */
    contest *c = contest_new(&SHAPES[0], window, repeats);
    anomaly_config config = config_for(ANOMALY_ZSCORE, window, 0, simd);
    int yardstick = contest_add_naive(c, window);
    int score = contest_add(c, ROWS_SCORE, &config), all = contest_add(c, ROWS_ALL, &config);
    contest_run(c);
    result r = result_of(c, score, yardstick, "rows", "zscore rows, score", window, simd);
    r.bar = BAR[simd];
    report(&r);
    r = result_of(c, all, yardstick, "rows", "zscore rows, all fields", window, simd);
    report(&r);
    contest_free(c);
}

static void bench_rows(int repeats)
{
    for (int w = 0; w < WINDOW_COUNT; w++)
        for (int simd = ANOMALY_SIMD_PORTABLE; simd <= best_path(); simd++)
            bench_rows_of(repeats, WINDOWS[w], simd);
}

/* ---- percentile and robust ---- */

static double percentile_bar(int w, const shape_kind *shape)
{
    static const double ANY[] = {20, 30, 45, 80};
    return shape->stationary && w > 0 ? ANY[w] / 2 : ANY[w];
}

static void bench_order_of(int repeats, int w, const shape_kind *shape)
{
    static const double ROBUST_BAR[] = {3, 4, 5, 9};
    anomaly_config best = config_for(ANOMALY_PERCENTILE, WINDOWS[w], 0, ANOMALY_SIMD_AUTO);
    anomaly_config portable = config_for(ANOMALY_PERCENTILE, WINDOWS[w], 0, ANOMALY_SIMD_PORTABLE);
    anomaly_config robust = config_for(ANOMALY_ZSCORE, WINDOWS[w], 0, ANOMALY_SIMD_AUTO);
    robust.robust = 1;
    contest *c = contest_new(shape, WINDOWS[w], repeats);
    int naive_one = contest_add_naive(c, WINDOWS[w]);
    int best_one = contest_add(c, UPDATE, &best), portable_one = contest_add(c, UPDATE, &portable),
        robust_one = contest_add(c, UPDATE, &robust);
    contest_run(c);
    result r = result_of(c, best_one, naive_one, "percentile", "p1+p99 update", WINDOWS[w], best_path());
    r.bar = percentile_bar(w, shape);
    report(&r);
    r = result_of(c, portable_one, best_one, "percentile", "p1+p99 update", WINDOWS[w], ANOMALY_SIMD_PORTABLE);
    r.to = "simd path";
    r.bar = 2;
    report(&r);
    r = result_of(c, robust_one, best_one, "percentile", "robust zscore update", WINDOWS[w], best_path());
    r.to = "p1+p99";
    r.bar = ROBUST_BAR[w];
    report(&r);
    contest_free(c);
}

static void bench_percentile(int repeats)
{
    for (int w = 0; w < ORDER_WINDOWS; w++)
        for (int k = 0; k < SHAPE_COUNT; k++)
            bench_order_of(repeats, w, &SHAPES[k]);
}

/* ---- time windows ---- */

static void bench_time_of(int repeats, int kind, size_t window)
{
    contest *c = contest_new(&SHAPES[0], window, repeats);
    anomaly_config counted = config_for(kind, window, 0, ANOMALY_SIMD_AUTO),
                   timed = config_for(kind, window, 1, ANOMALY_SIMD_AUTO);
    int by_count = contest_add(c, UPDATE, &counted), by_time = contest_add(c, UPDATE, &timed);
    contest_run(c);
    result r = result_of(c, by_time, by_count, "time",
                         kind == ANOMALY_ZSCORE ? "zscore, time window" : "p1+p99, time window", window, best_path());
    r.to = "count window";
    r.bar = 2;
    report(&r);
    contest_free(c);
}

static void bench_time(int repeats)
{
    for (int kind = ANOMALY_ZSCORE; kind <= ANOMALY_PERCENTILE; kind++)
        for (int w = 0; w < (kind == ANOMALY_ZSCORE ? WINDOW_COUNT : ORDER_WINDOWS); w++)
            bench_time_of(repeats, kind, WINDOWS[w]);
}

/* ---- stages: how much more an event takes than without; seasons of an hour are known when a measurement begins ---- */

static const struct {
    const char *what, *name, *value;
    double bar;
} STAGES[] = {
    {"budget", "alarm_rate", "0.001", 20},
    {"season", "season", "1h", 3},
    {"transform", "transform", "log1p", 1},
    {"decision", "rest", "150", 0.5},
};
enum { STAGE_COUNT = sizeof STAGES / sizeof *STAGES };

static void bench_stages_of(int repeats, const shape_kind *shape)
{
    enum { WINDOW = 10000 };
    contest *c = contest_new(shape, WINDOW, repeats);
    anomaly_config config = config_for(ANOMALY_ZSCORE, WINDOW, 0, ANOMALY_SIMD_AUTO);
    int yardstick = contest_add_naive(c, WINDOW), bare = contest_add(c, UPDATE, &config), own[STAGE_COUNT];
    for (int i = 0; i < STAGE_COUNT; i++) {
        anomaly_config staged = config;
        must(anomaly_config_set(&staged, STAGES[i].name, STAGES[i].value, NULL), STAGES[i].what);
        own[i] = contest_add(c, UPDATE, &staged);
    }
    contest_run(c);
    for (int i = 0; i < STAGE_COUNT; i++) {
        result r = result_of(c, own[i], yardstick, "stages", STAGES[i].what, WINDOW, ANOMALY_SIMD_SCALAR);
        r.to = "naive, more";
        r.ratio = contest_extra(c, own[i], bare, yardstick);
        r.bar = STAGES[i].bar;
        report(&r);
    }
    contest_free(c);
}

static void bench_stages(int repeats)
{
    for (int k = 0; k < SHAPE_COUNT; k++)
        if (SHAPES[k].stationary)
            bench_stages_of(repeats, &SHAPES[k]);
}

/* ---- distances ---- */

static void bench_mahalanobis(int repeats)
{
    enum { WINDOW = 8192 };
    for (int k = 0; k < SHAPE_COUNT; k++) {
        contest *c = contest_new(&SHAPES[k], WINDOW, repeats);
        anomaly_config config = config_for(ANOMALY_MAHALANOBIS, WINDOW, 0, ANOMALY_SIMD_AUTO);
        int yardstick = contest_add_naive(c, WINDOW), own = contest_add(c, UPDATE, &config);
        contest_run(c);
        result r = result_of(c, own, yardstick, "mahalanobis", "pyramid update", WINDOW, ANOMALY_SIMD_SCALAR);
        r.bar = 20;
        report(&r);
        contest_free(c);
    }
}

/* ---- watch ---- */

static void bench_watch(int repeats)
{
    for (int k = 0; k < SHAPE_COUNT; k++) {
        contest *c = contest_new(&SHAPES[k], 4000, repeats);
        anomaly_config config = config_for(ANOMALY_WATCH, 4000, 0, ANOMALY_SIMD_AUTO);
        int yardstick = contest_add_naive(c, 4000), own = contest_add(c, UPDATE, &config);
        contest_run(c);
        result r = result_of(c, own, yardstick, "watch", "watch update", 4000, best_path());
        r.bar = 400;
        report(&r);
        contest_free(c);
    }
}

/* ---- words: how much more an event takes that is flagged, and so gets its word ---- */

static void bench_words_of(int repeats, int kind, const char *name, size_t window)
{
    contest *c = contest_new(&SHAPES[0], window, repeats);
    anomaly_config config = config_for(kind, window, 0, ANOMALY_SIMD_AUTO), all = config;
    must(anomaly_config_set(&config, "threshold", "1e9", NULL), "threshold");
    must(anomaly_config_set(&all, "threshold", "-1", NULL), "threshold"); /* flags every event */
    int yardstick = contest_add_naive(c, window), none = contest_add(c, UPDATE, &config), own = contest_add(c, UPDATE, &all);
    contest_run(c);
    result r = result_of(c, own, yardstick, "words", name, window, ANOMALY_SIMD_SCALAR);
    r.to = "naive, more";
    r.ratio = contest_extra(c, own, none, yardstick);
    r.ns -= contest_ns(c, none);
    report(&r);
    contest_free(c);
}

/* A thousand times the yardstick: a few repeats will do. */
static void bench_words(int repeats)
{
    int few = repeats < 3 ? repeats : 3;
    bench_words_of(few, ANOMALY_MAHALANOBIS, "mahalanobis", 8192);
    bench_words_of(few, ANOMALY_WATCH, "watch", 4000);
}

/* ---- the program ---- */

static const struct part {
    const char *name;
    void (*run)(int repeats);
} PARTS[] = {
    {"update", bench_update}, {"rows", bench_rows},     {"percentile", bench_percentile},
    {"time", bench_time},     {"stages", bench_stages}, {"mahalanobis", bench_mahalanobis},
    {"watch", bench_watch},   {"words", bench_words},   {"worst", bench_worst},
    {"late", bench_late},     {"growth", bench_growth}, {"memory", bench_memory},
};
enum { PART_COUNT = sizeof PARTS / sizeof *PARTS };

static int usage(void)
{
    (void)fputs("usage: bench [--json] [--repeats N] [PART ...]\nparts:", stderr);
    for (int i = 0; i < PART_COUNT; i++)
        (void)fprintf(stderr, " %s", PARTS[i].name);
    (void)fputs("\n", stderr);
    return 2;
}

static int part_named(const char *name)
{
    for (int i = 0; i < PART_COUNT; i++)
        if (strcmp(PARTS[i].name, name) == 0)
            return i;
    return -1;
}

int main(int argc, char **argv)
{
    int json = 0, repeats = 15, wanted[PART_COUNT] = {0}, any = 0;
    for (int i = 1; i < argc; i++) {
        int part = part_named(argv[i]);
        if (strcmp(argv[i], "--json") == 0)
            json = 1;
        else if (strcmp(argv[i], "--repeats") == 0 && i + 1 < argc && atoi(argv[i + 1]) > 0)
            repeats = atoi(argv[++i]);
        else if (part >= 0)
            wanted[part] = any = 1;
        else
            return usage();
    }
    report_start(json);
    for (int i = 0; i < PART_COUNT; i++)
        if (!any || wanted[i])
            PARTS[i].run(repeats);
    return report_end() ? 1 : 0;
}
