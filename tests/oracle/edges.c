/* SPDX-License-Identifier: MIT
 * edges.c - sentences of the documentation that random steps do not reach. */
#include "test.h"

/* docs/concepts.md: a window given by time alone holds at most 65,536 events, and says so while that bound keeps out events
 * that are young enough. */
static void a_window_of_time_alone_holds_65536_events_and_says_when_that_cuts(void **state)
{
    anomaly_detector *detector = percentile_of("window=1h");
    (void)state;
    for (int64_t t = 1; t <= 65536; t++)
        assert_false(has_flag(push_at(detector, (double)(t % 7), t), ANOMALY_TRUNCATED));
    assert_int_equal(count_of(detector), 65536);
    assert_false(has_flag(push_at(detector, 1, 65537), ANOMALY_TRUNCATED)); /* cuts the first */
    assert_true(has_flag(judge_at(detector, 1, 65537), ANOMALY_TRUNCATED));
    assert_int_equal(count_of(detector), 65536);
    assert_ok(anomaly_advance(detector, 3600 * SECOND + 1)); /* the one that was cut is exactly as old as the window */
    assert_true(has_flag(judge_at(detector, 1, 3600 * SECOND + 1), ANOMALY_TRUNCATED));
    assert_ok(anomaly_advance(detector, 3600 * SECOND + 2));
    assert_false(has_flag(judge_at(detector, 1, 3600 * SECOND + 2), ANOMALY_TRUNCATED));
    anomaly_destroy(detector);
}

/* An event that is older than the window has no place in it, so a larger max_late cannot be meant: it is not passed over in
 * silence. */
static void a_max_late_beyond_the_window_is_refused_or_warned_of(void **state)
{
    anomaly_config config;
    anomaly_detector *detector = NULL;
    anomaly_error error = {0};
    int status;
    (void)state;
    config_of(&config, ANOMALY_ZSCORE, "window=10s max_late=20s");
    status = anomaly_create(&config, NULL, &detector, &error);
    assert_true(status == ANOMALY_OK || status == ANOMALY_E_CONFIG);
    assert_string_equal(error.field, "max_late");
    assert_true(error.message[0] != '\0');
    anomaly_destroy(detector);
}

/* K flagged in a row: one that is partly missing is judged by the rest and counts, one with an infinity neither counts nor
 * ends the row and is kept out. */
static void a_partly_missing_event_counts_in_a_row_and_an_infinite_one_does_not(void **state)
{
    static const double usual[][2] = {{1, 1}, {2, 2}, {1, 1}, {2, 2}};
    static const double odd[][2] = {{50, 1}, {50, NAN}, {1, INFINITY}, {50, 1}};
    static const int is_kept_out[] = {1, 1, 1, 0};
    anomaly_detector *detector = zscore_of("features=2 window=100 warmup=2 threshold=3 learn=normal:3");
    anomaly_verdict verdict;
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(usual); i++)
        assert_ok(anomaly_learn(detector, usual[i], ANOMALY_NO_TIME));
    for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
        assert_ok(anomaly_update(detector, odd[i], ANOMALY_NO_TIME, &verdict));
        assert_true(flagged(verdict));
        assert_int_equal(has_flag(verdict, ANOMALY_NOT_LEARNED), is_kept_out[i]);
    }
    assert_int_equal(count_of(detector), ARRAY_COUNT(usual) + 1);
    anomaly_destroy(detector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_of_time_alone_holds_65536_events_and_says_when_that_cuts),
        cmocka_unit_test(a_max_late_beyond_the_window_is_refused_or_warned_of),
        cmocka_unit_test(a_partly_missing_event_counts_in_a_row_and_an_infinite_one_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
