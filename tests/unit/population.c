/* SPDX-License-Identifier: MIT
 * population.c - keys that are judged by all keys (population=1) or share a record of scores (calibrate=pool): what the verdicts
 * say, what is counted, saved and refused. tests/model/population.c has the numbers. */
#include "../support/snapshots.h"

#include "../support/random.h"

enum { CLIENTS = 20 };

/* Ordinary events of many clients, each new to the pool or nearly so. */
static void fill(anomaly_pool *pool, int events)
{
    random_state r = {1};
    for (int i = 0; i < events; i++) {
        char name[16];
        snprintf(name, sizeof name, "client %d", i % CLIENTS);
        (void)pool_push(pool, name, 10 + random_normal(&r), i * SECOND);
    }
}

static void test_the_first_event_of_a_new_key_is_judged(void **state)
{
    anomaly_pool *alone = pool_of(ANOMALY_ZSCORE, "window=100 warmup=50", NULL),
                 *pool = pool_of(ANOMALY_ZSCORE, "window=100 warmup=50 population=1", NULL);
    (void)state;
    fill(alone, 200);
    fill(pool, 200);
    anomaly_verdict silent = pool_push(alone, "bot", 500, 200 * SECOND), v = pool_push(pool, "bot", 500, 200 * SECOND);
    assert_int_equal(silent.flags & (ANOMALY_IS_ANOMALY | ANOMALY_WARMING_UP | ANOMALY_BY_POPULATION), ANOMALY_WARMING_UP);
    assert_int_equal(v.flags & (ANOMALY_IS_ANOMALY | ANOMALY_WARMING_UP | ANOMALY_BY_POPULATION),
                     ANOMALY_IS_ANOMALY | ANOMALY_BY_POPULATION);
    assert_true(v.events == 100 && v.expected > 9 && v.expected < 11);
    anomaly_pool_destroy(alone);
    anomaly_pool_destroy(pool);
}

static void test_nobody_judges_before_the_population_is_warm(void **state)
{
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=100 warmup=50 population=1", NULL);
    (void)state;
    fill(pool, 49);
    assert_true(has_flag(pool_push(pool, "bot", 500, 49 * SECOND), ANOMALY_WARMING_UP));
    assert_true(has_flag(pool_push(pool, "other", 500, 50 * SECOND), ANOMALY_BY_POPULATION));
    anomaly_pool_destroy(pool);
}

static void test_a_warm_key_is_judged_by_itself(void **state)
{
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=100 warmup=20 population=1", NULL);
    random_state r = {2};
    (void)state;
    fill(pool, 200);
    for (int i = 0; i < 20; i++)
        assert_true(has_flag(pool_push(pool, "loud", 500 + random_normal(&r), (200 + i) * SECOND), ANOMALY_BY_POPULATION));
    anomaly_verdict v = pool_push(pool, "loud", 500, 300 * SECOND);
    assert_false(has_flag(v, ANOMALY_BY_POPULATION) || flagged(v));
    anomaly_pool_destroy(pool);
}

/* What is odd from the start does not become usual to itself. */
static void test_the_policy_follows_the_verdict_that_is_given(void **state)
{
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=100 warmup=20 learn=normal population=1", NULL);
    (void)state;
    fill(pool, 200);
    for (int i = 0; i < 60; i++)
        assert_int_equal(pool_push(pool, "bot", 500 + i % 3, (200 + i) * SECOND).flags &
                             (ANOMALY_IS_ANOMALY | ANOMALY_NOT_LEARNED | ANOMALY_BY_POPULATION),
                         ANOMALY_IS_ANOMALY | ANOMALY_NOT_LEARNED | ANOMALY_BY_POPULATION);
    anomaly_pool_destroy(pool);
}

/* A counter of each key, far apart: only the differences are alike. */
static void test_the_transform_is_the_keys_own(void **state)
{
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=100 warmup=50 transform=diff population=1", NULL);
    random_state r = {3};
    double level[CLIENTS];
    (void)state;
    for (int k = 0; k < CLIENTS; k++)
        level[k] = 1e6 * k;
    for (int i = 0; i < 200; i++) {
        char name[16];
        snprintf(name, sizeof name, "client %d", i % CLIENTS);
        anomaly_verdict v = pool_push(pool, name, level[i % CLIENTS] += 5 + random_normal(&r), i * SECOND);
        assert_true(i < 80 || (has_flag(v, ANOMALY_BY_POPULATION) && v.score < 10));
    }
    anomaly_verdict v = pool_push(pool, "client 3", level[3] + 500, 200 * SECOND);
    assert_true(flagged(v) && v.expected > level[3] + 4 && v.expected < level[3] + 6); /* in the unit of the values */
    anomaly_pool_destroy(pool);
}

static void test_counters_and_the_decision_see_the_verdict_that_is_given(void **state)
{
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=100 warmup=50 rest=10 population=1", NULL);
    anomaly_counts before, after;
    int alarms = 0;
    (void)state;
    fill(pool, 200);
    assert_ok(anomaly_pool_counters(pool, &before));
    for (int i = 0; i < 8; i++)
        alarms += has_flag(pool_push(pool, "bot", 500, (200 + i) * SECOND), ANOMALY_ALARM);
    assert_ok(anomaly_pool_counters(pool, &after));
    assert_int_equal(alarms, 1);
    assert_true(after.alarms - before.alarms == 1 && after.held - before.held == 7);
    assert_true(after.anomalies - before.anomalies == 8 && after.warming_up == before.warming_up);
    anomaly_pool_destroy(pool);
}

static void test_one_budget_for_all_keys(void **state)
{
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=100 alarm_rate=0.01 calibrate=1000,pool", NULL);
    random_state r = {4};
    int flags = 0;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char name[16];
        snprintf(name, sizeof name, "client %d", i % 200); /* 100 events a key: too few for a record of its own */
        flags += i >= 10000 && flagged(pool_push(pool, name, random_normal(&r), i * SECOND));
        if (i < 10000)
            (void)pool_push(pool, name, random_normal(&r), i * SECOND);
    }
    assert_true(flags > 60 && flags < 160);
    anomaly_pool_destroy(pool);
}

/* Out of the pool and in again; alone it keeps a record of its own. */
/* The automatic budget of one key leaves its first 1000 events to the threshold, since its record is short. That of all keys is not
 * short for long: of 900 usual events it lets pass a handful. */
static void test_an_automatic_budget_of_all_keys_holds_from_the_start(void **state)
{
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=100 threshold=1 population=1 calibrate=pool alarms=auto", NULL);
    random_state r = {7};
    int odd = 0;
    (void)state;
    for (int i = 0; i < 900; i++) {
        char name[16];
        snprintf(name, sizeof name, "client %d", i % CLIENTS);
        odd += flagged(pool_push(pool, name, 10 + random_normal(&r), i * SECOND));
    }
    assert_true(odd <= 9);
    assert_true(flagged(pool_push(pool, "bot", 500, 900 * SECOND)));
    anomaly_pool_destroy(pool);
}

static void test_a_key_comes_and_goes(void **state)
{
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=100 warmup=20 alarm_rate=0.01 calibrate=pool population=1", NULL);
    unsigned char bytes[1 << 16];
    size_t used = 0;
    (void)state;
    fill(pool, 2000);
    assert_ok(anomaly_pool_export(pool, "client 1", 8, bytes, sizeof bytes, &used));
    anomaly_detector *d = restore_detector(&(saved){bytes, used});
    for (int i = 0; i < 100; i++)
        (void)push_at(d, i % 7, (2000 + i) * SECOND);
    assert_true(push_at(d, 3, 3000 * SECOND).tail > 0);
    saved back = save_detector(d);
    assert_ok(anomaly_pool_import(pool, "client 1", 8, back.bytes, back.size, NULL));
    assert_true(pool_push(pool, "client 1", 3, 3001 * SECOND).tail > 0);
    free(back.bytes);
    anomaly_destroy(d);
    anomaly_pool_destroy(pool);
}

static void test_memory_is_counted_and_kept_within_the_bound(void **state)
{
    anomaly_pool_options options = pool_options();
    anomaly_config config;
    anomaly_error error = {0};
    anomaly_pool *pool = NULL;
    anomaly_usage usage;
    (void)state;
    config_of(&config, ANOMALY_ZSCORE, "window=1000 alarm_rate=0.01 calibrate=pool population=1");
    options.shards = 1;
    options.max_bytes = 100000;
    assert_error(anomaly_pool_create(&config, &options, NULL, &pool, &error), ANOMALY_E_CONFIG);
    assert_string_equal(error.field, "max_bytes");
    options.max_bytes = 2000000;
    assert_ok(anomaly_pool_create(&config, &options, NULL, &pool, &error));
    for (int i = 0; i < 30000; i++) {
        char name[16];
        snprintf(name, sizeof name, "client %d", i % 3000);
        (void)pool_push(pool, name, i % 11, i * SECOND);
        assert_ok(anomaly_pool_usage(pool, &usage));
        assert_true(usage.bytes <= options.max_bytes);
    }
    assert_true(usage.evicted > 0 && usage.bytes > 200000);
    anomaly_pool_destroy(pool);
}

static void test_a_threshold_ends_the_budget_of_all(void **state)
{
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=100 warmup=20 alarm_rate=0.01 calibrate=pool population=1", NULL),
                 *restored = NULL;
    (void)state;
    fill(pool, 300);
    assert_ok(anomaly_pool_set_threshold(pool, 4));
    saved s = save_pool(pool);
    assert_ok(anomaly_pool_restore(s.bytes, s.size, NULL, NULL, NULL, &restored, NULL));
    anomaly_verdict v = pool_push(restored, "new", 500, 300 * SECOND);
    assert_true(v.threshold == 4 && isnan(v.tail) && has_flag(v, ANOMALY_BY_POPULATION) && flagged(v));
    free(s.bytes);
    anomaly_pool_destroy(restored);
    anomaly_pool_destroy(pool);
}

static void test_options(void **state)
{
    anomaly_config config;
    char text[64];
    (void)state;
    config_of(&config, ANOMALY_ZSCORE, "calibrate=500 calibrate=pool");
    assert_ok(anomaly_config_get(&config, "calibrate", text, sizeof text));
    assert_string_equal(text, "500,pool");
    config_of(&config, ANOMALY_ZSCORE, "calibrate=700,pool calibrate=600");
    assert_ok(anomaly_config_get(&config, "calibrate", text, sizeof text));
    assert_string_equal(text, "600");
    assert_error(anomaly_config_set(&config, "calibrate", "pool,500", NULL), ANOMALY_E_CONFIG);
    assert_error(anomaly_config_set(&config, "calibrate", "500,", NULL), ANOMALY_E_CONFIG);
    assert_error(anomaly_config_set(&config, "calibrate", "500,key", NULL), ANOMALY_E_CONFIG);
    config_of(&config, ANOMALY_WATCH, "");
    assert_error(anomaly_config_set(&config, "population", "1", NULL), ANOMALY_E_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_event_of_a_new_key_is_judged),
        cmocka_unit_test(test_nobody_judges_before_the_population_is_warm),
        cmocka_unit_test(test_a_warm_key_is_judged_by_itself),
        cmocka_unit_test(test_the_policy_follows_the_verdict_that_is_given),
        cmocka_unit_test(test_the_transform_is_the_keys_own),
        cmocka_unit_test(test_counters_and_the_decision_see_the_verdict_that_is_given),
        cmocka_unit_test(test_one_budget_for_all_keys),
        cmocka_unit_test(test_an_automatic_budget_of_all_keys_holds_from_the_start),
        cmocka_unit_test(test_a_key_comes_and_goes),
        cmocka_unit_test(test_memory_is_counted_and_kept_within_the_bound),
        cmocka_unit_test(test_a_threshold_ends_the_budget_of_all),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
