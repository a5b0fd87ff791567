/* SPDX-License-Identifier: MIT
 * streams.c - random detectors on random streams, call by call beside the slow model: verdicts,
 * counters, statistics and quantiles. Quantiles and what follows from them are compared bit for
 * bit, what follows from mean and standard deviation within 1e-13. */
#include "../support/test.h"

#include "../support/model.h"
#include "../support/random.h"
#include "../support/stream.h"

static const double TOLERANCE = 1e-13;

typedef struct pair {
    anomaly_detector *d;
    model m;
    uint64_t seed, step;
} pair;

/* ---- comparisons ---- */

static void explain(const pair *p, const char *what)
{
    static const char *const NAMES[] = {"window", "warmup",   "threshold", "compare",  "side",       "include_self",
                                        "ddof",   "robust",   "flat",      "learn",    "min_stddev", "lower",
                                        "upper",  "quantile", "max_late",  "max_jump", "features",   "simd"};
    print_error("seed %llu, call %llu: %s differs; kind %d", (unsigned long long)p->seed, (unsigned long long)p->step, what,
                p->m.config.kind);
    for (size_t i = 0; i < ARRAY_COUNT(NAMES); i++) {
        char text[64];
        if (anomaly_config_get(&p->m.config, NAMES[i], text, sizeof text) == ANOMALY_OK)
            print_error(" %s=%s", NAMES[i], text);
    }
    print_error("\n");
}

static void differs(const pair *p, const char *what, double got, double want)
{
    explain(p, what);
    print_error("got %.17g, the model says %.17g\n", got, want);
    fail();
}

static int close_enough(double got, double want, double room)
{
    return same_double(got, want) || got == want || fabs(got - want) <= room;
}

static void compare_number(const pair *p, const char *what, double got, double want, double room)
{
    if (!close_enough(got, want, room))
        differs(p, what, got, want);
}

/* Bits that a rounding may turn: the direction of a value that lies on the mean. */
static uint32_t loose_flags(const model_verdict *want)
{
    if (want->scale != 0 && fabs(want->v.score) <= TOLERANCE)
        return ANOMALY_ABOVE | ANOMALY_BELOW;
    return 0;
}

/* Another feature is right too when its score is the same but for rounding. */
static int same_feature(const pair *p, const anomaly_verdict *got, const anomaly_verdict *want)
{
    if (got->feature == want->feature)
        return 1;
    if (model_ordered(&p->m) || got->feature >= p->m.config.features || !isfinite(want->score))
        return 0;
    return fabs(got->score - want->score) <= 1e-12 * (1 + fabs(want->score));
}

static void compare_verdict(const pair *p, const anomaly_verdict *got, const model_verdict *want)
{
    const anomaly_verdict *w = &want->v;
    double room = model_ordered(&p->m) ? 0 : TOLERANCE;
    double unit = room * (want->scale + 10 * fabs(w->expected) * 0x1p-9);
    uint32_t loose = loose_flags(want);
    if (!same_feature(p, got, w))
        differs(p, "feature", got->feature, w->feature);
    if (got->feature != w->feature)
        return;
    if (room == 0 && !same_double(got->score + 0.0, w->score + 0.0)) /* whatever the sign of a zero */
        differs(p, "score", got->score, w->score);
    compare_number(p, "score", got->score, w->score, room * (1 + fabs(w->score)));
    compare_number(p, "expected", got->expected, w->expected, unit);
    compare_number(p, "lower", got->lower, w->lower, unit * (1 + fabs(w->threshold)));
    compare_number(p, "upper", got->upper, w->upper, unit * (1 + fabs(w->threshold)));
    compare_number(p, "threshold", got->threshold, w->threshold, 0);
    if ((got->flags & ~loose) != (w->flags & ~loose)) {
        explain(p, "flags");
        print_verdict("got  ", got);
        print_verdict("model", w);
        fail();
    }
    compare_number(p, "events", (double)got->events, (double)w->events, 0);
}

static void compare_stats(const pair *p, uint32_t f)
{
    anomaly_stats got = stats_of(p->d, f);
    size_t n = model_values(&p->m, f);
    exact_moments e = exact_of(p->m.sorted, n);
    double scale, room;
    compare_number(p, "count", (double)got.count, (double)n, 0);
    if (n == 0) {
        if (!isnan(got.mean) || !isnan(got.stddev) || !isnan(got.min) || !isnan(got.max))
            differs(p, "statistics of an empty window", got.mean, NAN);
        return;
    }
    if (exact_constant(p->m.sorted, n))
        e.m2 = 0;
    exact_sort(p->m.sorted, n);
    compare_number(p, "min", got.min, p->m.sorted[0], 0);
    compare_number(p, "max", got.max, p->m.sorted[n - 1], 0);
    scale = n > (size_t)p->m.config.ddof ? (double)exact_stddev(&e, p->m.config.ddof) : NAN;
    room = TOLERANCE * (isnan(scale) ? 0 : scale);
    compare_number(p, "mean", got.mean, (double)e.mean, room + 0x1p-52 * fabs((double)e.mean));
    compare_number(p, "stddev", got.stddev, scale, room);
    compare_number(p, "variance", got.variance, scale * scale, 3 * room * scale);
}

static void compare_quantile(const pair *p, uint32_t f, double q)
{
    double got = -7, want;
    size_t n = model_values(&p->m, f);
    int status = anomaly_quantile(p->d, f, q, &got);
    if (!model_ordered(&p->m)) {
        assert_error(status, ANOMALY_E_KIND);
        return;
    }
    if (n == 0) {
        assert_error(status, ANOMALY_E_EMPTY);
        assert_true(got == -7);
        return;
    }
    assert_ok(status);
    exact_sort(p->m.sorted, n);
    want = model_quantile_of(&p->m, p->m.sorted, n, q, 1);
    if (!same_double(got, want))
        differs(p, "quantile", got, want);
}

static void compare_counters(const pair *p)
{
    anomaly_counts got = counters_of(p->d);
    const uint64_t *g = (const uint64_t *)&got, *w = (const uint64_t *)&p->m.counts;
    static const char *const NAMES[] = {"events", "anomalies", "learned", "warming_up", "missing",  "nonfinite",
                                        "late",   "jumped",    "flat",    "skipped",    "truncated"};
    for (size_t i = 0; i < ARRAY_COUNT(NAMES); i++)
        compare_number(p, NAMES[i], (double)g[i], (double)w[i], 0);
}

/* ---- calls ---- */

static void call_update(pair *p, const double *x, int64_t t)
{
    anomaly_verdict got;
    model_verdict want;
    assert_ok(anomaly_update(p->d, x, t, &got));
    want = model_update(&p->m, x, t, got.flags);
    compare_verdict(p, &got, &want);
}

static void call_score(pair *p, const double *x, int64_t t)
{
    anomaly_verdict got;
    model_verdict want = model_score(&p->m, x, t);
    assert_ok(anomaly_score(p->d, x, t, &got));
    want.v.flags = model_settle(&want, got.flags);
    compare_verdict(p, &got, &want);
}

/* The flags of an event about to be learned, where only the library can know: by the steps. */
static uint32_t ask_flags(pair *p, const double *x, int64_t t)
{
    anomaly_verdict v;
    if (!model_is_jump(&p->m, t))
        assert_ok(anomaly_advance(p->d, t));
    assert_ok(anomaly_score(p->d, x, t, &v));
    return v.flags;
}

static void call_learn(pair *p, const double *x, int64_t t)
{
    uint32_t hint = 0;
    int uncertain = model_prepare(&p->m, x, t).uncertain;
    if (uncertain)
        hint = ask_flags(p, x, t);
    assert_ok(anomaly_learn(p->d, x, t));
    model_learn(&p->m, x, t, hint);
}

static void call_advance(pair *p, random_state *r, int64_t t)
{
    t += (int64_t)random_below(r, 5) * STREAM_SECOND;
    assert_ok(anomaly_advance(p->d, t));
    model_advance(&p->m, t);
}

static void call_rare(pair *p, random_state *r)
{
    if (one_in(r, 4)) {
        anomaly_reset(p->d);
        model_reset(&p->m);
    } else {
        p->m.config.threshold = 0.5 * (double)(random_below(r, 6));
        assert_ok(anomaly_set_threshold(p->d, p->m.config.threshold));
    }
}

static void one_call(pair *p, stream *s, random_state *r)
{
    double x[MODEL_FEATURES];
    int64_t t = stream_time(s);
    uint64_t choice = random_below(r, 400);
    stream_values(s, x, p->m.config.features);
    if (choice < 330)
        call_update(p, x, t);
    else if (choice < 355)
        call_score(p, x, t);
    else if (choice < 385)
        call_learn(p, x, t);
    else if (choice < 399)
        call_advance(p, r, t);
    else
        call_rare(p, r);
}

static void ask(pair *p, random_state *r)
{
    static const double Q[] = {0, 0.01, 0.25, 1.0 / 3, 0.5, 0.9, 1};
    uint32_t f = (uint32_t)random_below(r, p->m.config.features);
    compare_counters(p);
    compare_stats(p, f);
    compare_quantile(p, f, one_in(r, 2) ? pick_double(r, Q, 7) : random_unit(r));
}

/* ---- runs ---- */

static int random_path(random_state *r)
{
    return (int)random_below(r, ANOMALY_SIMD_AVX512 + 1);
}

static anomaly_detector *create_any_path(anomaly_config *config, random_state *r)
{
    anomaly_detector *d = NULL;
    anomaly_error error = {0};
    int status;
    config->simd = random_path(r);
    status = anomaly_create(config, NULL, &d, &error);
    if (status == ANOMALY_E_CONFIG && config->simd >= ANOMALY_SIMD_AVX2) {
        config->simd = ANOMALY_SIMD_AUTO;
        status = anomaly_create(config, NULL, &d, &error);
    }
    if (status != ANOMALY_OK)
        print_error("create: %s: %s\n", error.field, error.message);
    assert_ok(status);
    return d;
}

static void run_pair(uint64_t seed, int kind, uint64_t window, uint64_t calls, uint64_t ask_every)
{
    random_state r = {seed};
    anomaly_config config;
    pair p = {.seed = seed};
    stream s;
    random_config(&r, &config, kind, window, MODEL_FEATURES);
    if (window > 1000) { /* a run that is about one large window */
        config.features = 1;
        config.window_events = window;
    }
    s = random_stream(&r);
    p.d = create_any_path(&config, &r);
    assert_true(model_begin(&p.m, &config));
    for (p.step = 0; p.step < calls; p.step++) {
        one_call(&p, &s, &r);
        if (p.step % ask_every == 0)
            ask(&p, &r);
    }
    anomaly_destroy(p.d);
    model_end(&p.m);
}

static void test_small_zscore(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 40 : 1500); seed++)
        run_pair(seed, ANOMALY_ZSCORE, 40, 400, 3);
}

static void test_small_percentile(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 20 : 900); seed++)
        run_pair(100000 + seed, ANOMALY_PERCENTILE, 40, 400, 3);
}

static void test_middle_windows(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 2 : 60); seed++)
        run_pair(200000 + seed, 0, 400, 2500, 20);
}

static void test_large_windows(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 0 : 4); seed++)
        run_pair(300000 + seed, 0, 1100 + 300 * seed, 6000, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_zscore),
        cmocka_unit_test(test_small_percentile),
        cmocka_unit_test(test_middle_windows),
        cmocka_unit_test(test_large_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
