/* SPDX-License-Identifier: MIT
 * overdue.c - anomaly_overdue() and anomaly_pool_overdue(): which events count, keys that are visited, snapshots. What is learned of
 * intervals is tested in unit/interval.c. */
#include "../support/test.h"

#include "../support/snapshots.h"

#define MINUTE (60 * SECOND)

/* Events each minute from 0 on; returns the time of the last. */
static int64_t feed(anomaly_detector *d, int count)
{
    const double x = 5;
    for (int i = 0; i < count; i++)
        assert_ok(anomaly_update(d, &x, i * MINUTE, NULL));
    return (count - 1) * MINUTE;
}

static anomaly_silence silence_of(const anomaly_detector *d, int64_t now_ns)
{
    anomaly_silence silence;
    assert_ok(anomaly_overdue(d, now_ns, &silence));
    return silence;
}

/* ---- one detector ---- */

static void test_a_stream_that_stops(void **state)
{
    anomaly_detector *d = detector_of(ANOMALY_ZSCORE, "silence=1/7d");
    (void)state;
    int64_t last = feed(d, 50);
    assert_int_equal(silence_of(d, last).overdue_ns, 0);
    assert_int_equal(silence_of(d, last + 2 * MINUTE).overdue_ns, 0);
    anomaly_silence silence = silence_of(d, last + 3 * MINUTE);
    assert_int_equal(silence.last_ns, last);
    assert_int_equal(silence.usual_ns, MINUTE);
    assert_int_equal(silence.due_ns, last + 2 * MINUTE);
    assert_int_equal(silence.overdue_ns, MINUTE);
    anomaly_reset(d);
    assert_error(anomaly_overdue(d, last, &silence), ANOMALY_E_EMPTY);
    anomaly_destroy(d);
}

/* Who sends that a value is missing, or one that is odd, is not silent; what is only learned counts, what is only scored does not. */
static void test_all_events_count(void **state)
{
    anomaly_detector *d = detector_of(ANOMALY_ZSCORE, "silence=3x learn=normal");
    const double missing = (double)NAN, odd = 1e9;
    (void)state;
    int64_t last = feed(d, 50);
    assert_ok(anomaly_update(d, &missing, last + MINUTE, NULL));
    assert_int_equal(silence_of(d, last + MINUTE).last_ns, last + MINUTE);
    assert_ok(anomaly_update(d, &odd, last + 2 * MINUTE, NULL));
    assert_int_equal(silence_of(d, last + 2 * MINUTE).last_ns, last + 2 * MINUTE);
    assert_ok(anomaly_learn(d, &missing, last + 3 * MINUTE));
    assert_int_equal(silence_of(d, last + 3 * MINUTE).last_ns, last + 3 * MINUTE);
    assert_ok(anomaly_score(d, &odd, last + 4 * MINUTE, NULL));
    assert_ok(anomaly_advance(d, last + 4 * MINUTE));
    assert_int_equal(silence_of(d, last + 4 * MINUTE).last_ns, last + 3 * MINUTE);
    anomaly_destroy(d);
}

static void test_late_and_jumped_ones_do_not(void **state)
{
    anomaly_detector *d = detector_of(ANOMALY_ZSCORE, "window=10m max_jump=5m silence=3x");
    const double x = 5;
    (void)state;
    int64_t last = feed(d, 50);
    anomaly_silence before = silence_of(d, last + 60 * MINUTE);
    assert_ok(anomaly_update(d, &x, last + 30 * MINUTE, NULL));
    assert_ok(anomaly_update(d, &x, last - 45 * MINUTE, NULL));
    anomaly_silence after = silence_of(d, last + 60 * MINUTE);
    assert_memory_equal(&before, &after, sizeof before);
    anomaly_destroy(d);
}

/* Silence alone changes no verdict. */
static void test_verdicts_stay(void **state)
{
    static const char *const kinds[] = {"window=50", "window=50 robust=1", "window=60s"};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(kinds); k++) {
        char with[64];
        snprintf(with, sizeof with, "%s silence=3x", kinds[k]);
        anomaly_detector *plain = detector_of(ANOMALY_ZSCORE, kinds[k]), *d = detector_of(ANOMALY_ZSCORE, with);
        for (int i = 0; i < 500; i++) {
            double x = i % 97 == 0 ? 50 : i % 7;
            anomaly_verdict got, want;
            assert_ok(anomaly_update(plain, &x, i * SECOND, &want));
            assert_ok(anomaly_update(d, &x, i * SECOND, &got));
            assert_same_verdict(&got, &want);
        }
        anomaly_destroy(plain);
        anomaly_destroy(d);
    }
}

static void test_it_is_saved(void **state)
{
    static const char *const options[] = {"silence=3x", "silence=1/1d", "silence=2/1h window=1h"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(options); i++) {
        anomaly_detector *d = detector_of(ANOMALY_ZSCORE, options[i]);
        int64_t last = feed(d, 50);
        anomaly_detector *copy = copy_of(d);
        anomaly_silence want = silence_of(d, last + 9 * MINUTE), got = silence_of(copy, last + 9 * MINUTE);
        assert_memory_equal(&got, &want, sizeof got);
        anomaly_destroy(d);
        anomaly_destroy(copy);
    }
}

static void test_it_needs_times(void **state)
{
    anomaly_config config;
    const double x = 1;
    (void)state;
    config_of(&config, ANOMALY_IFOREST, "silence=1/7d");
    assert_int_equal(anomaly_needs_times(&config), 1);
    anomaly_detector *d = detector_of(ANOMALY_ZSCORE, "silence=3x");
    assert_error(anomaly_update(d, &x, ANOMALY_NO_TIME, NULL), ANOMALY_E_ARG);
    anomaly_destroy(d);
}

/* ---- a pool ---- */

enum { KEYS = 20 };

/* Key k has an event every k + 1 minutes for 100 of them, and stops. */
static void feed_pool(anomaly_pool *pool)
{
    const double x = 5;
    for (int k = 0; k < KEYS; k++)
        for (int i = 0; i < 100; i++)
            assert_ok(anomaly_pool_update(pool, &(char){(char)('a' + k)}, 1, &x, i * (k + 1) * MINUTE, NULL));
}

typedef struct found {
    const anomaly_pool *pool;
    int64_t now_ns;
    int keys, stop_after;
    uint32_t seen; /* bit k */
} found;

static int visit(void *ctx, uint64_t slot, const void *key, size_t key_size, const anomaly_detector *detector)
{
    found *f = ctx;
    (void)slot;
    assert_int_equal(key_size, 1);
    f->seen |= 1u << (*(const char *)key - 'a');
    assert_true(silence_of(detector, f->now_ns).overdue_ns > 0);
    return ++f->keys == f->stop_after;
}

/* Overdue by a budget is whoever has been silent for more than two intervals; by a factor of 3, for more than three. */
static void check_pool(const anomaly_pool *pool, int64_t intervals)
{
    for (int64_t now = 0; now < 100 * KEYS * MINUTE; now += 7 * MINUTE) {
        found f = {pool, now, 0, 0, 0};
        uint32_t want = 0;
        for (int k = 0; k < KEYS; k++)
            want |= (uint32_t)(now > (99 + intervals) * (k + 1) * MINUTE) << k;
        assert_ok(anomaly_pool_overdue(pool, now, visit, &f));
        assert_int_equal(f.seen, want);
    }
}

static void test_keys_are_visited(void **state)
{
    static const struct {
        const char *options;
        int64_t intervals;
    } CASES[] = {{"silence=1/7d", 2}, {"silence=3x", 3}};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(CASES); i++)
        for (int locks = 0; locks < 2; locks++) {
            anomaly_pool_options options;
            anomaly_config config;
            anomaly_pool *pool;
            config_of(&config, ANOMALY_ZSCORE, CASES[i].options);
            assert_ok(anomaly_pool_options_init(&options, sizeof options));
            options.locks = locks;
            assert_ok(anomaly_pool_create(&config, &options, NULL, &pool, NULL));
            feed_pool(pool);
            check_pool(pool, CASES[i].intervals);
            found f = {pool, 100 * KEYS * MINUTE, 0, 3, 0};
            assert_error(anomaly_pool_overdue(pool, f.now_ns, visit, &f), ANOMALY_E_STOPPED);
            assert_int_equal(f.keys, 3);
            saved whole = save_pool(pool);
            anomaly_pool_destroy(pool);
            assert_ok(anomaly_pool_restore(whole.bytes, whole.size, NULL, NULL, NULL, &pool, NULL));
            check_pool(pool, CASES[i].intervals);
            anomaly_pool_destroy(pool);
            free(whole.bytes);
        }
}

static void test_a_pool_that_was_not_asked_for_it(void **state)
{
    anomaly_config config;
    anomaly_pool *pool;
    (void)state;
    config_of(&config, ANOMALY_ZSCORE, "");
    assert_ok(anomaly_pool_create(&config, NULL, NULL, &pool, NULL));
    assert_error(anomaly_pool_overdue(pool, 0, visit, NULL), ANOMALY_E_CONFIG);
    assert_error(anomaly_pool_overdue(pool, ANOMALY_NO_TIME, visit, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_pool_overdue(NULL, 0, visit, NULL), ANOMALY_E_ARG);
    anomaly_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stream_that_stops),
        cmocka_unit_test(test_all_events_count),
        cmocka_unit_test(test_late_and_jumped_ones_do_not),
        cmocka_unit_test(test_verdicts_stay),
        cmocka_unit_test(test_it_is_saved),
        cmocka_unit_test(test_it_needs_times),
        cmocka_unit_test(test_keys_are_visited),
        cmocka_unit_test(test_a_pool_that_was_not_asked_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
