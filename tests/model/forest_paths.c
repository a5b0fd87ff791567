/* SPDX-License-Identifier: MIT
 * forest_paths.c - the isolation forest gives the same bits whichever way events come in, whichever code path computes, and on
 * whichever machine. */
#include "../support/test.h"

#include "../support/forest_stream.h"
#include "base/simd.h"

#include "base/simd.h"

/* ---- whichever way ---- */

typedef struct table {
    anomaly_config config;
    double *x;
    anomaly_verdict *want; /* event by event */
    size_t count;
} table;

static void table_begin(table *t, random_state *r, size_t count)
{
    random_forest(r, &t->config);
    t->count = count;
    t->x = calloc(count * FEATURES, sizeof *t->x);
    t->want = calloc(count, sizeof *t->want);
    assert_true(t->x != NULL && t->want != NULL);
    source s = random_source(r, t->config.features);
    for (size_t i = 0; i < count; i++)
        source_next(&s, t->x + i * t->config.features);
    anomaly_detector *d = create(&t->config);
    for (size_t i = 0; i < count; i++)
        assert_ok(anomaly_update(d, t->x + i * t->config.features, ANOMALY_NO_TIME, &t->want[i]));
    anomaly_destroy(d);
}

static void table_end(table *t)
{
    free(t->x);
    free(t->want);
}

typedef struct output {
    double score[MOST_EVENTS], threshold[MOST_EVENTS];
    uint32_t flags[MOST_EVENTS], feature[MOST_EVENTS];
    uint64_t events[MOST_EVENTS];
} output;

static anomaly_verdict verdict_of(const output *o, size_t i)
{
    return (anomaly_verdict){.score = o->score[i],
                             .threshold = o->threshold[i],
                             .expected = NAN,
                             .lower = NAN,
                             .upper = NAN,
                             .flags = o->flags[i],
                             .feature = o->feature[i],
                             .events = o->events[i]};
}

/* Every row laid out apart, in chunks of any size; now and then event by event, or by columns. */
static void run_chunks(const table *t, anomaly_detector *d, random_state *r, output *o)
{
    uint32_t features = t->config.features;
    size_t stride = features + random_size(r, 3), at = 0;
    double *apart = calloc(t->count * stride, sizeof *apart);
    assert_non_null(apart);
    for (size_t i = 0; i < t->count; i++)
        memcpy(apart + i * stride, t->x + i * features, features * sizeof *apart);
    while (at < t->count) {
        size_t left = t->count - at, chunk = 1 + random_size(r, one_in(r, 3) ? left : 40), done = 0;
        const double *columns[FEATURES];
        anomaly_rows rows = {.count = chunk < left ? chunk : left, .row_stride = (ptrdiff_t)(stride * sizeof *apart)};
        anomaly_verdicts out = {.score = o->score + at,
                                .threshold = o->threshold + at,
                                .flags = o->flags + at,
                                .feature = o->feature + at,
                                .events = o->events + at};
        for (uint32_t f = 0; f < features; f++)
            columns[f] = apart + at * stride + f;
        if (one_in(r, 2))
            rows.columns = columns;
        else
            rows.values = apart + at * stride;
        assert_ok(anomaly_update_rows(d, &rows, &out, &done));
        assert_true(done == rows.count);
        at += done;
    }
    free(apart);
}

static void check_output(const table *t, const output *o, const char *what)
{
    for (size_t i = 0; i < t->count; i++) {
        anomaly_verdict got = verdict_of(o, i);
        if (same_verdict(&got, &t->want[i]))
            continue;
        print_error("%s, event %zu\n", what, i);
        print_config(&t->config);
        assert_same_verdict(&got, &t->want[i]);
    }
}

static void test_rows_are_the_loop(void **state)
{
    output *o = calloc(1, sizeof *o);
    (void)state;
    assert_non_null(o);
    for (uint64_t seed = 1000; seed < (is_quick() ? 1006 : 1060); seed++) {
        random_state r = {seed};
        table t;
        table_begin(&t, &r, 200 + random_size(&r, MOST_EVENTS - 200));
        anomaly_detector *d = create(&t.config);
        run_chunks(&t, d, &r, o);
        check_output(&t, o, "rows");
        anomaly_destroy(d);
        table_end(&t);
    }
    free(o);
}

static void test_every_path_gives_the_same_bits(void **state)
{
    static const char *const PATHS[] = {"scalar", "portable", "avx2", "avx512"};
    output *o = calloc(1, sizeof *o);
    (void)state;
    assert_non_null(o);
    for (uint64_t seed = 2000; seed < (is_quick() ? 2004 : 2040); seed++) {
        random_state r = {seed};
        table t;
        table_begin(&t, &r, 1200);
        for (size_t k = 0; k < ARRAY_COUNT(PATHS) && an_simd_path(ANOMALY_SIMD_SCALAR + (int)k) > 0; k++) {
            anomaly_config config = t.config;
            assert_ok(anomaly_config_set(&config, "simd", PATHS[k], NULL));
            if (an_simd_path(config.simd) < 0) /* this processor does not have it */
                continue;
            anomaly_detector *d = create(&config);
            run_chunks(&t, d, &r, o);
            check_output(&t, o, PATHS[k]);
            anomaly_destroy(d);
        }
        table_end(&t);
    }
    free(o);
}

/* Wide events go other ways: codes in several vectors, gathers. And what is explained is the same on all. */
static void test_wide_events_on_every_path(void **state)
{
    static const char *const PATHS[] = {"scalar", "portable", "avx2", "avx512"};
    static const uint32_t WIDTHS[] = {15, 16, 17, 31, 33, 63, 64, 100, 127, 128, 129, 300};
    enum { EVENTS = 220, MOST_WIDE = 300 };
    (void)state;
    for (size_t w = 0; w < ARRAY_COUNT(WIDTHS); w++) {
        uint32_t features = WIDTHS[w];
        double *x = calloc((size_t)EVENTS * features, sizeof *x), score[EVENTS], want[EVENTS];
        double share[MOST_WIDE], want_share[MOST_WIDE];
        random_state r = {features};
        anomaly_detector *first = NULL;
        assert_non_null(x);
        for (size_t i = 0; i < (size_t)EVENTS * features; i++)
            x[i] = one_in(&r, 60) ? (double)NAN : random_normal(&r);
        for (size_t k = 0; k < ARRAY_COUNT(PATHS) && an_simd_path(ANOMALY_SIMD_SCALAR + (int)k) > 0; k++) {
            anomaly_config config;
            anomaly_rows rows = {.count = EVENTS, .values = x};
            anomaly_verdicts out = {.score = score};
            config_of(&config, ANOMALY_IFOREST, "window=64 trees=40 sample=40");
            config.features = features;
            assert_ok(anomaly_config_set(&config, "simd", PATHS[k], NULL));
            if (an_simd_path(config.simd) < 0)
                continue;
            anomaly_detector *d = create(&config);
            first = k == 0 ? d : first;
            assert_ok(anomaly_update_rows(d, &rows, &out, NULL));
            memcpy(k == 0 ? want : score, score, sizeof score);
            for (size_t i = 0; i < EVENTS; i++)
                assert_same(score[i], want[i]);
            for (size_t i = 0; i < EVENTS; i += 20) {
                assert_ok(anomaly_explain(d, x + i * features, share));
                assert_ok(anomaly_explain(first, x + i * features, want_share));
                assert_memory_equal(share, want_share, features * sizeof *share);
            }
            if (k > 0)
                anomaly_destroy(d);
        }
        anomaly_destroy(first);
        free(x);
    }
}

static void test_score_rows_are_the_loop(void **state)
{
    output *o = calloc(1, sizeof *o);
    (void)state;
    assert_non_null(o);
    for (uint64_t seed = 3000; seed < (is_quick() ? 3004 : 3030); seed++) {
        random_state r = {seed};
        table t;
        table_begin(&t, &r, 1000);
        anomaly_detector *d = create(&t.config);
        anomaly_rows half = {.count = 600, .values = t.x}, all = {.count = t.count, .values = t.x};
        anomaly_verdicts out = {
            .score = o->score, .threshold = o->threshold, .flags = o->flags, .feature = o->feature, .events = o->events};
        assert_ok(anomaly_learn_rows(d, &half, NULL));
        assert_ok(anomaly_score_rows(d, &all, &out, NULL));
        for (size_t i = 0; i < t.count; i++)
            assert_ok(anomaly_score(d, t.x + i * t.config.features, ANOMALY_NO_TIME, &t.want[i]));
        check_output(&t, o, "score rows");
        anomaly_destroy(d);
        table_end(&t);
    }
    free(o);
}

/* update is score and learn; a forest that only learns is the same forest. */
static void test_learning_apart_from_scoring(void **state)
{
    (void)state;
    for (uint64_t seed = 4000; seed < (is_quick() ? 4003 : 4015); seed++) {
        random_state r = {seed};
        table t;
        table_begin(&t, &r, 900);
        anomaly_config config = t.config;
        config.learn = ANOMALY_LEARN_ALWAYS;
        config.learn_after = 0;
        anomaly_detector *a = create(&config), *b = create(&config);
        for (size_t i = 0; i < t.count; i++) {
            const double *x = t.x + i * config.features;
            anomaly_verdict v, w;
            assert_ok(anomaly_update(a, x, ANOMALY_NO_TIME, &v));
            assert_ok(anomaly_score(b, x, ANOMALY_NO_TIME, &w));
            assert_same(v.score, w.score);
            assert_ok(anomaly_learn(b, x, ANOMALY_NO_TIME));
        }
        anomaly_destroy(a);
        anomaly_destroy(b);
        table_end(&t);
    }
}

/* ---- the same on every machine ---- */

static uint64_t checksum(uint64_t h, double x)
{
    h = (h ^ bits_of(x)) * UINT64_C(0x100000001b3);
    return h ^ h >> 29;
}

/* What gcc 12 and clang 14 gave on x86-64, with and without vectors: whoever gets something else computes something else. */
static void test_golden_scores(void **state)
{
    static const char *const NAMES[] = {"fast", "balanced", "accurate"};
    static const uint64_t GOLDEN[] = {UINT64_C(0x1076d8b0a9123479), UINT64_C(0xad7dc00a1bf41880),
                                      UINT64_C(0x39eeaec1e2170e68)};
    int wrong = 0;
    (void)state;
    for (size_t k = 0; k < 3; k++) {
        anomaly_config config;
        uint64_t h = UINT64_C(0xcbf29ce484222325);
        random_state r = {20260101};
        assert_ok(anomaly_config_init(&config, sizeof config, ANOMALY_IFOREST));
        assert_ok(anomaly_config_set(&config, "profile", NAMES[k], NULL));
        config.features = 4;
        anomaly_detector *d = create(&config);
        for (int i = 0; i < 4000; i++) {
            double x[4];
            anomaly_verdict v;
            for (int f = 0; f < 4; f++)
                x[f] = one_in(&r, 100) ? (double)NAN : random_normal(&r) * (f + 1) + (i > 2500 ? 1e6 : 0);
            assert_ok(anomaly_update(d, x, ANOMALY_NO_TIME, &v));
            h = checksum(checksum(h, v.score), v.threshold);
        }
        anomaly_destroy(d);
        if (h != GOLDEN[k])
            print_error("%s: checksum %#llx\n", NAMES[k], (unsigned long long)h);
        wrong += h != GOLDEN[k];
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_the_loop),           cmocka_unit_test(test_every_path_gives_the_same_bits),
        cmocka_unit_test(test_wide_events_on_every_path),   cmocka_unit_test(test_score_rows_are_the_loop),
        cmocka_unit_test(test_learning_apart_from_scoring), cmocka_unit_test(test_golden_scores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
