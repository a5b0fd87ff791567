/* SPDX-License-Identifier: MIT
 * counters.c - how often what has happened, by update, learn and score. */
#include "../support/test.h"

static void check_counts(const anomaly_detector *d, anomaly_counts want, int line)
{
    anomaly_counts got = counters_of(d);
    if (memcmp(&got, &want, sizeof got) == 0)
        return;
    print_error(
        "line %d: events %llu anomalies %llu learned %llu warming_up %llu missing %llu nonfinite %llu late %llu jumped %llu "
        "flat %llu skipped %llu truncated %llu\n",
        line, (unsigned long long)got.events, (unsigned long long)got.anomalies, (unsigned long long)got.learned,
        (unsigned long long)got.warming_up, (unsigned long long)got.missing, (unsigned long long)got.nonfinite,
        (unsigned long long)got.late, (unsigned long long)got.jumped, (unsigned long long)got.flat,
        (unsigned long long)got.skipped, (unsigned long long)got.truncated);
    fail();
}

#define assert_counts(d, ...) check_counts((d), (anomaly_counts){__VA_ARGS__}, __LINE__)

static void test_updates(void **state)
{
    anomaly_detector *d = zscore_of("window=10s,5 warmup=2 max_jump=100s learn=normal");
    (void)state;
    push_at(d, 1, 0);
    push_at(d, 1, 0);
    assert_counts(d, .events = 2, .learned = 2, .warming_up = 2);
    push_at(d, 1, 0);
    assert_counts(d, .events = 3, .learned = 3, .warming_up = 2);
    push_at(d, 7, 0); /* flat, flagged, kept out */
    assert_counts(d, .events = 4, .anomalies = 1, .learned = 3, .warming_up = 2, .flat = 1, .skipped = 1);
    push_at(d, NAN, 0);
    assert_counts(d, .events = 5, .anomalies = 1, .learned = 3, .warming_up = 2, .missing = 1, .flat = 1, .skipped = 1);
    push_at(d, INFINITY, 0);
    assert_counts(d, .events = 6, .anomalies = 2, .learned = 3, .warming_up = 2, .missing = 1, .nonfinite = 1, .flat = 1,
                  .skipped = 1);
    push_at(d, 1, -20 * SECOND);
    assert_counts(d, .events = 7, .anomalies = 2, .learned = 3, .warming_up = 2, .missing = 1, .nonfinite = 1, .late = 1,
                  .flat = 1, .skipped = 1);
    push_at(d, 1, 200 * SECOND);
    assert_counts(d, .events = 8, .anomalies = 2, .learned = 3, .warming_up = 2, .missing = 1, .nonfinite = 1, .late = 1,
                  .jumped = 1, .flat = 1, .skipped = 1);
    anomaly_reset(d);
    assert_counts(d, 0);
    anomaly_destroy(d);
}

static void test_truncated(void **state)
{
    anomaly_detector *d = zscore_of("window=10s,3 warmup=2");
    (void)state;
    for (int i = 0; i < 6; i++)
        push_at(d, i % 2, i);
    assert_counts(d, .events = 6, .learned = 6, .warming_up = 2, .truncated = 2);
    anomaly_destroy(d);
}

static void test_learn_and_score(void **state)
{
    anomaly_detector *d = zscore_of("window=10s,3 warmup=2 max_jump=100s");
    (void)state;
    for (int i = 0; i < 6; i++)
        teach_at(d, i % 2, i);
    teach_at(d, NAN, 6);
    teach_at(d, INFINITY, 6);
    teach_at(d, 1, -20 * SECOND);
    teach_at(d, 1, 200 * SECOND);
    for (int i = 0; i < 5; i++) {
        judge_at(d, 100, 6);
        judge_at(d, NAN, 6);
        judge_at(d, 1, -20 * SECOND);
    }
    assert_counts(d, .learned = 6, .missing = 1, .nonfinite = 1, .late = 1, .jumped = 1);
    anomaly_destroy(d);
}

static void test_rows_count_alike(void **state)
{
    static const double X[] = {1, 2, NAN, 3, INFINITY, 2, 1, 90, 2, 3, 1};
    anomaly_rows rows = {.count = ARRAY_COUNT(X), .values = X};
    anomaly_detector *d = zscore_of("window=6 warmup=3"), *loop = zscore_of("window=6 warmup=3");
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(X); i++)
        push(loop, X[i]);
    assert_ok(anomaly_update_rows(d, &rows, NULL, NULL));
    assert_same_state(d, loop);
    assert_counts(d, .events = 11, .anomalies = 2, .learned = 9, .warming_up = 4 - 1, .missing = 1, .nonfinite = 1);
    anomaly_destroy(d);
    anomaly_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_updates),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_learn_and_score),
        cmocka_unit_test(test_rows_count_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
