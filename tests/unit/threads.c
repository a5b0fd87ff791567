/* SPDX-License-Identifier: MIT
 * threads.c - a library that was built without threads (`make check-unthreaded`) refuses pools with locks, and makes others. */
#include "../support/test.h"

#include "base/threads.h"

static void test_locks_are_on_where_there_are_threads(void **state)
{
    anomaly_pool_options options;
    (void)state;
    assert_ok(anomaly_pool_options_init(&options, sizeof options));
    assert_int_equal(options.locks, ANOMALY_THREADS);
}

static void test_locks_without_threads_are_refused(void **state)
{
    anomaly_config config;
    anomaly_pool_options options;
    anomaly_pool *pool = NULL;
    anomaly_error error;
    (void)state;
    assert_ok(anomaly_config_init(&config, sizeof config, ANOMALY_ZSCORE));
    assert_ok(anomaly_config_set(&config, "window", "100", &error));
    assert_ok(anomaly_pool_options_init(&options, sizeof options));
    options.locks = 1;
    assert_error(anomaly_pool_create(&config, &options, NULL, &pool, &error),
                 ANOMALY_THREADS ? ANOMALY_OK : ANOMALY_E_CONFIG);
    assert_string_equal(error.field, ANOMALY_THREADS ? "" : "locks");
    assert_true(ANOMALY_THREADS || strstr(error.message, "without threads"));
    assert_int_equal(pool != NULL, ANOMALY_THREADS);
    anomaly_pool_destroy(pool);
}

static void test_a_pool_of_the_default_options_is_made(void **state)
{
    const double x = 1;
    anomaly_config config;
    anomaly_pool *pool = NULL;
    anomaly_verdict verdict;
    anomaly_error error;
    (void)state;
    assert_ok(anomaly_config_init(&config, sizeof config, ANOMALY_ZSCORE));
    assert_ok(anomaly_config_set(&config, "window", "100", &error));
    assert_ok(anomaly_pool_create(&config, NULL, NULL, &pool, &error));
    assert_ok(anomaly_pool_update(pool, "key", 3, &x, 0, &verdict));
    assert_int_equal(anomaly_pool_count(pool), 1);
    anomaly_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locks_are_on_where_there_are_threads),
        cmocka_unit_test(test_locks_without_threads_are_refused),
        cmocka_unit_test(test_a_pool_of_the_default_options_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
