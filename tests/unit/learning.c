/* SPDX-License-Identifier: MIT
 * learning.c - the learning policy: what a flagged event does to the window, and after how many in a row. */
#include "../support/test.h"

/* Values around 0 with a standard deviation near 1; 100 is strange, 0 is not. */
static anomaly_detector *warm(const char *options)
{
    char text[256];
    anomaly_detector *d;
    snprintf(text, sizeof text, "window=60s,40 warmup=4 %s", options);
    d = zscore_of(text);
    for (int i = 0; i < 20; i++)
        teach_at(d, i % 3 - 1, i * SECOND / 10);
    return d;
}

static const int64_t NOW = 5 * SECOND;

static int learned_from(anomaly_detector *d, double x)
{
    uint64_t before = counters_of(d).learned;
    push_at(d, x, NOW);
    return counters_of(d).learned != before;
}

static void test_always(void **state)
{
    anomaly_detector *d = warm("");
    anomaly_verdict v = push_at(d, 100, NOW);
    (void)state;
    assert_true(flagged(v) && !has_flag(v, ANOMALY_NOT_LEARNED));
    assert_true(count_of(d) == 21);
    assert_true(counters_of(d).skipped == 0);
    anomaly_destroy(d);
}

static void test_normal(void **state)
{
    anomaly_detector *d = warm("learn=normal");
    (void)state;
    for (int i = 0; i < 50; i++) {
        anomaly_verdict v = push_at(d, 100, NOW);
        assert_int_equal(v.flags, ANOMALY_IS_ANOMALY | ANOMALY_ABOVE | ANOMALY_NOT_LEARNED);
    }
    assert_true(count_of(d) == 20);
    assert_true(counters_of(d).skipped == 50 && counters_of(d).learned == 20);
    assert_false(has_flag(push_at(d, 1, NOW), ANOMALY_NOT_LEARNED));
    assert_true(count_of(d) == 21);
    anomaly_destroy(d);
}

/* The K-th in a row is learned, and those after it. */
static void test_normal_k(void **state)
{
    anomaly_detector *d = warm("learn=normal:3");
    (void)state;
    assert_ok(anomaly_set_threshold(d, 0.5));
    assert_false(learned_from(d, 100));
    assert_false(learned_from(d, 100));
    assert_true(learned_from(d, 100));
    assert_true(learned_from(d, -1000));
    assert_true(learned_from(d, 1e6));
    assert_true(counters_of(d).skipped == 2);
    anomaly_destroy(d);
}

static void test_normal_1(void **state)
{
    anomaly_detector *d = warm("learn=normal:1");
    (void)state;
    assert_true(learned_from(d, 100));
    assert_true(counters_of(d).skipped == 0);
    anomaly_destroy(d);
}

static void test_normal_event_ends_the_row(void **state)
{
    anomaly_detector *d = warm("learn=normal:3");
    (void)state;
    assert_false(learned_from(d, 100));
    assert_false(learned_from(d, 100));
    assert_true(learned_from(d, 0));
    assert_false(learned_from(d, 100));
    assert_false(learned_from(d, 100));
    assert_true(learned_from(d, 100));
    anomaly_destroy(d);
}

/* What is not learned for another reason neither counts nor ends the row. */
static void check_does_not_count(double x, int64_t t)
{
    anomaly_detector *d = warm("learn=normal:3 max_jump=10s");
    assert_false(learned_from(d, 100));
    push_at(d, x, t);
    push_at(d, x, t);
    assert_false(learned_from(d, 100)); /* not ended, or this would be the first; not counted, or it would be learned */
    push_at(d, x, t);
    assert_true(learned_from(d, 100));
    anomaly_destroy(d);
}

static void test_rows_of_flagged_events(void **state)
{
    (void)state;
    check_does_not_count(NAN, NOW);
    check_does_not_count(INFINITY, NOW);
    check_does_not_count(-INFINITY, NOW);
    check_does_not_count(100, NOW - 1000 * SECOND); /* late */
    check_does_not_count(0, NOW - 1000 * SECOND);
    check_does_not_count(100, NOW + 1000 * SECOND); /* leaps ahead */
    check_does_not_count(0, NOW + 1000 * SECOND);
}

static void test_warming_up_ends_the_row(void **state)
{
    anomaly_detector *d = warm("learn=normal:3");
    (void)state;
    assert_false(learned_from(d, 100));
    assert_false(learned_from(d, 100));
    assert_ok(anomaly_advance(d, 1000 * SECOND)); /* empty */
    for (int i = 0; i < 20; i++)
        push_at(d, i % 3 - 1, 1000 * SECOND);
    push_at(d, 100, 1000 * SECOND);
    assert_true(has_flag(push_at(d, 100, 1000 * SECOND), ANOMALY_NOT_LEARNED));
    assert_false(has_flag(push_at(d, 100, 1000 * SECOND), ANOMALY_NOT_LEARNED));
    anomaly_destroy(d);
}

/* anomaly_learn() judges for itself; anomaly_score() never touches the row. */
static void test_learn_judges(void **state)
{
    anomaly_detector *d = warm("learn=normal:3");
    (void)state;
    teach_at(d, 100, NOW);
    assert_true(count_of(d) == 20 && counters_of(d).skipped == 1);
    for (int i = 0; i < 5; i++) {
        judge_at(d, 100, NOW);
        judge_at(d, 0, NOW);
    }
    teach_at(d, 100, NOW);
    assert_true(count_of(d) == 20 && counters_of(d).skipped == 2);
    teach_at(d, 100, NOW);
    assert_true(count_of(d) == 21 && counters_of(d).skipped == 2);
    assert_true(counters_of(d).events == 0 && counters_of(d).anomalies == 0);
    anomaly_destroy(d);
}

/* A new threshold counts for the policy too. */
static void test_threshold_and_policy(void **state)
{
    anomaly_detector *d = warm("learn=normal");
    (void)state;
    assert_false(learned_from(d, 100));
    assert_ok(anomaly_set_threshold(d, 1e6));
    assert_true(learned_from(d, 100));
    anomaly_destroy(d);
}

static void test_flat_and_policy(void **state)
{
    anomaly_detector *flag = zscore_of("learn=normal"), *ignore = zscore_of("learn=normal flat=ignore");
    (void)state;
    for (int i = 0; i < 6; i++) {
        push(flag, 1);
        push(ignore, 1);
    }
    assert_true(has_flag(push(flag, 2), ANOMALY_NOT_LEARNED));
    assert_false(has_flag(push(ignore, 2), ANOMALY_NOT_LEARNED));
    assert_true(count_of(flag) == 6 && count_of(ignore) == 7);
    anomaly_destroy(flag);
    anomaly_destroy(ignore);
}

static void test_reset_ends_the_row(void **state)
{
    anomaly_detector *d = warm("learn=normal:2");
    (void)state;
    assert_false(learned_from(d, 100));
    anomaly_reset(d);
    for (int i = 0; i < 20; i++)
        teach_at(d, i % 3 - 1, 0);
    assert_true(has_flag(push_at(d, 100, 0), ANOMALY_NOT_LEARNED));
    anomaly_destroy(d);
}

static void test_percentile_policy(void **state)
{
    anomaly_detector *d = percentile_of("window=50 learn=normal:2");
    (void)state;
    for (int i = 0; i < 50; i++)
        push(d, i % 7);
    assert_true(has_flag(push(d, 100), ANOMALY_NOT_LEARNED));
    assert_same(quantile_of(d, 1), 6);
    assert_false(has_flag(push(d, 100), ANOMALY_NOT_LEARNED));
    assert_same(quantile_of(d, 1), 100);
    anomaly_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_always),
        cmocka_unit_test(test_normal),
        cmocka_unit_test(test_normal_k),
        cmocka_unit_test(test_normal_1),
        cmocka_unit_test(test_normal_event_ends_the_row),
        cmocka_unit_test(test_rows_of_flagged_events),
        cmocka_unit_test(test_warming_up_ends_the_row),
        cmocka_unit_test(test_learn_judges),
        cmocka_unit_test(test_threshold_and_policy),
        cmocka_unit_test(test_flat_and_policy),
        cmocka_unit_test(test_reset_ends_the_row),
        cmocka_unit_test(test_percentile_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
