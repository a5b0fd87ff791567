/* SPDX-License-Identifier: MIT
 * snapshot.c - random detectors on random streams, saved and restored at random points: whatever is asked or done afterwards,
 * the restored one gives the bits of the one that went on, and every table made anew is the live one. */
#include "../support/snapshots.h"

#include "../support/random.h"
#include "../support/stream.h"
#include "detector/detector.h"
#include "window/sliding.h"

enum { FEATURES = 3, MOST_ROWS = 700 };

typedef struct twins {
    anomaly_detector *live, *restored;
    stream s;
    random_state r;
    anomaly_config config;
    uint64_t seed;
} twins;

/* A forest's first feature leaves its coding now and then. */
static void next_values(twins *t, double *x)
{
    stream_values(&t->s, x, t->config.features);
    if (t->config.kind == ANOMALY_IFOREST && t->seed % 2)
        x[0] += 1e6 * (double)(t->s.i / 1500);
}

/* ---- tables ---- */

static void same_moments(const an_moments *a, const an_moments *b)
{
    assert_same(a->hi, b->hi);
    assert_same(a->lo, b->lo);
    assert_same(a->m2, b->m2);
    assert_true(a->n == b->n && a->scale == b->scale);
}

static void same_sliding(const an_sliding *a, const an_sliding *b, uint64_t tail)
{
    uint32_t bits = a->at.block_bits;
    assert_true(a->at.inner_end == b->at.inner_end && a->at.split == b->at.split && a->at.open_start == b->at.open_start);
    same_moments(&a->back, &b->back);
    same_moments(&a->middle, &b->middle);
    same_moments(&a->open, &b->open);
    for (uint64_t i = tail; i < a->at.inner_end; i++)
        same_moments(&a->inner[i & a->inner_mask], &b->inner[i & b->inner_mask]);
    for (uint64_t k = a->at.inner_end >> bits; k < a->at.open_start >> bits; k++)
        same_moments(&a->total[k & a->block_mask], &b->total[k & b->block_mask]);
    for (uint64_t k = a->at.inner_end >> bits; k < a->at.split; k++)
        same_moments(&a->suffix[k & a->block_mask], &b->suffix[k & b->block_mask]);
}

static void same_tables(const twins *t)
{
    if (t->config.kind != ANOMALY_ZSCORE || t->config.robust || !t->live->state || !t->restored->state)
        return;
    for (uint32_t f = 0; f < t->config.features; f++)
        same_sliding((an_sliding *)t->live->state + f, (an_sliding *)t->restored->state + f, t->live->window.tail);
}

/* ---- calls on both ---- */

static void both_update(twins *t)
{
    double x[FEATURES];
    anomaly_verdict a, b;
    int64_t time = stream_time(&t->s);
    next_values(t, x);
    assert_ok(anomaly_update(t->live, x, time, &a));
    assert_ok(anomaly_update(t->restored, x, time, &b));
    assert_same_verdict(&a, &b);
}

static void both_rows(twins *t)
{
    static double x[MOST_ROWS * FEATURES], score[2][MOST_ROWS], upper[2][MOST_ROWS];
    static uint32_t flags[2][MOST_ROWS];
    static int64_t times[MOST_ROWS];
    anomaly_rows rows = {.count = 1 + random_size(&t->r, MOST_ROWS), .values = x, .times = times};
    for (size_t i = 0; i < rows.count; i++) {
        times[i] = stream_time(&t->s);
        next_values(t, x + i * t->config.features);
    }
    for (int i = 0; i < 2; i++) {
        anomaly_verdicts out = {.score = score[i], .upper = upper[i], .flags = flags[i]};
        assert_ok(anomaly_update_rows(i ? t->restored : t->live, &rows, &out, NULL));
    }
    for (size_t i = 0; i < rows.count; i++) {
        assert_same(score[0][i], score[1][i]);
        assert_same(upper[0][i], upper[1][i]);
        assert_int_equal(flags[0][i], flags[1][i]);
    }
}

static void both_other(twins *t)
{
    double x[FEATURES], threshold = 0.5 * (double)(1 + random_below(&t->r, 7));
    int64_t time = stream_time(&t->s) + (int64_t)random_below(&t->r, 50) * t->s.step;
    uint64_t choice = random_below(&t->r, 21);
    next_values(t, x);
    for (int i = 0; i < 2; i++) {
        anomaly_detector *d = i ? t->restored : t->live;
        if (choice < 10)
            assert_ok(anomaly_learn(d, x, time));
        else if (choice < 18)
            assert_ok(anomaly_advance(d, time));
        else if (choice < 19)
            assert_ok(anomaly_set_threshold(d, threshold));
        else if (choice < 20)
            anomaly_reset(d);
        else
            assert_ok(anomaly_rebuild(d));
    }
}

static void both_explain(twins *t)
{
    double x[FEATURES], share[2][FEATURES];
    next_values(t, x);
    int a = anomaly_explain(t->live, x, share[0]), b = anomaly_explain(t->restored, x, share[1]);
    assert_int_equal(a, b);
    for (uint32_t f = 0; a == ANOMALY_OK && f < t->config.features; f++)
        assert_same(share[0][f], share[1][f]);
}

static void one_call(twins *t, int rows)
{
    uint64_t choice = random_below(&t->r, 100);
    if (choice < 90)
        both_update(t);
    else if (choice < 91)
        both_explain(t);
    else if (choice < 98 || !rows)
        both_other(t);
    else
        both_rows(t);
}

/* ---- runs ---- */

static void check_now(twins *t)
{
    same_tables(t);
    for (uint32_t f = 0; f < t->config.features; f++) {
        anomaly_stats a = stats_of(t->live, f), b = stats_of(t->restored, f);
        assert_true(same_stats(&a, &b));
    }
    assert_same_bytes(t->live, t->restored);
}

static void begin(twins *t, uint64_t seed, int kind, uint64_t window)
{
    *t = (twins){.r = {seed}, .seed = seed};
    random_config(&t->r, &t->config, kind, window, FEATURES);
    if (window > 1000)
        t->config.window_events = window;
    t->s = random_stream(&t->r);
    assert_ok(anomaly_create(&t->config, NULL, &t->live, NULL));
    assert_ok(anomaly_create(&t->config, NULL, &t->restored, NULL));
}

/* `restored` is made anew from `live` now and then; between, both go their own ways over the same stream. */
static void run(uint64_t seed, int kind, uint64_t window, uint64_t calls, uint64_t every)
{
    twins t;
    begin(&t, seed, kind, window);
    for (uint64_t i = 0; i < calls; i++) {
        one_call(&t, window > 1000);
        if (!one_in(&t.r, every))
            continue;
        check_now(&t);
        anomaly_destroy(t.restored);
        t.restored = copy_of(t.live);
        check_now(&t);
        if (one_in(&t.r, 3))
            assert_ok(anomaly_reserve(t.restored));
    }
    check_now(&t);
    anomaly_destroy(t.live);
    anomaly_destroy(t.restored);
}

static void test_small(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 30 : 700); seed++)
        run(seed, 0, 40, 400, 40);
}

/* From before the first tree to some generations of them. */
static void test_forests(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 30 : 1000); seed++)
        run(400000 + seed, ANOMALY_IFOREST, 150, seed % 10 ? 150 : 1200, 40);
}

/* Features that leave their coding, more than a window's share of rows at a time. */
static void test_large_forests(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 2 : 30); seed++)
        run(500000 + seed, ANOMALY_IFOREST, 1001 + 50 * (seed % 13), 3000, 400);
}

/* Before the window is full, and after some of them. */
static void test_watches(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 5 : 100); seed++)
        run(600000 + seed, ANOMALY_WATCH, 400, seed % 3 ? 600 : 2500, 150);
}

static void test_middle(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 5 : 300); seed++)
        run(100000 + seed, 0, 400, 1500, 150);
}

static void test_large(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 2 : 60); seed++)
        run(200000 + seed, 0, 1001 + 311 * (seed % 13), 6000, 400);
}

/* Plain count windows: the rows call's lanes before and after. */
static void test_lanes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 2 : 30); seed++) {
        twins t;
        begin(&t, 300000 + seed, ANOMALY_ZSCORE, 40);
        anomaly_destroy(t.live);
        anomaly_destroy(t.restored);
        config_of(&t.config, ANOMALY_ZSCORE, seed % 2 ? "window=100" : "window=1500 threshold=2");
        assert_ok(anomaly_create(&t.config, NULL, &t.live, NULL));
        t.restored = copy_of(t.live);
        for (int i = 0; i < 60; i++) {
            both_rows(&t);
            anomaly_destroy(t.restored);
            t.restored = copy_of(t.live);
            check_now(&t);
        }
        anomaly_destroy(t.live);
        anomaly_destroy(t.restored);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),   cmocka_unit_test(test_middle),  cmocka_unit_test(test_large),
        cmocka_unit_test(test_lanes),   cmocka_unit_test(test_forests), cmocka_unit_test(test_large_forests),
        cmocka_unit_test(test_watches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
