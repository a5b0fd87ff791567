/* SPDX-License-Identifier: MIT
 * memory.c - sizes that do not fit: none is computed wrongly, none reaches the allocator, and a window that no machine of this
 * kind can hold is refused by name. `make check-i686` runs this where 2^32 bytes are too many. */
#include "../support/test.h"

#include "base/memory.h"
#include "window/ranks.h"
#include "window/window.h"

/* Notes the smallest size that is asked for and has nothing to give. */
static void *never(void *ctx, size_t bytes)
{
    size_t *least = ctx;
    if (bytes < *least)
        *least = bytes;
    return NULL;
}

static void not_given(void *ctx, void *memory, size_t bytes)
{
    (void)ctx, (void)memory, (void)bytes;
    fail();
}

static void test_products_and_sums_stop_at_the_largest(void **state)
{
    const uint64_t half = SIZE_MAX / 2;
    (void)state;
    assert_true(an_product(3, 7) == 21 && an_product(0, SIZE_MAX) == 0 && an_product(SIZE_MAX, 0) == 0);
    assert_true(an_product(half, 2) == SIZE_MAX - 1 && an_product(SIZE_MAX, 1) == SIZE_MAX);
    assert_true(an_product(half + 1, 2) == SIZE_MAX && an_product(UINT64_MAX, UINT64_MAX) == SIZE_MAX);
    assert_true(an_sum(3, 7) == 10 && an_sum(SIZE_MAX - 1, 1) == SIZE_MAX && an_sum(half, half) == SIZE_MAX - 1);
    assert_true(an_sum(SIZE_MAX, 1) == SIZE_MAX && an_sum(1, SIZE_MAX) == SIZE_MAX);
    assert_true(an_sum(UINT64_MAX, UINT64_MAX) == SIZE_MAX);
    assert_true(an_product(an_product(UINT64_MAX, 2), 8) == SIZE_MAX && an_sum(an_product(UINT64_MAX, 2), 8) == SIZE_MAX);
}

static void test_what_does_not_fit_is_not_asked_for(void **state)
{
    size_t least = SIZE_MAX;
    anomaly_allocator none = {never, not_given, &least};
    (void)state;
    assert_null(an_alloc(&none, 0, 8));
    assert_null(an_alloc(&none, SIZE_MAX, 1));
    assert_null(an_alloc(&none, (uint64_t)PTRDIFF_MAX + 1, 1));
    assert_null(an_alloc(&none, SIZE_MAX / 2, 4));
    assert_true(least == SIZE_MAX);
    assert_null(an_alloc(&none, 5, 8));
    assert_true(least == 40);
}

/* Nothing smaller than the values alone, by hand in 64 bits. */
static void check_asked(size_t least, uint64_t values)
{
    assert_true(least == SIZE_MAX || least >= 8 * values);
}

static void test_large_windows_ask_for_all_they_need(void **state)
{
    static const uint64_t SLOTS[] = {1 << 21, 1 << 28, 1 << 29, 1 << 30};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(SLOTS); i++) {
        size_t least = SIZE_MAX;
        anomaly_allocator none = {never, not_given, &least};
        an_window window = {.features = 2049};
        an_ranks ranks = {0};
        assert_error(an_window_resize(&window, SLOTS[i], &none), ANOMALY_E_NOMEM);
        check_asked(least, 2049 * SLOTS[i]);
        assert_true(an_window_bytes(&window, SLOTS[i]) == an_product(8 * 2049, SLOTS[i]));
        least = SIZE_MAX;
        assert_error(an_ranks_resize(&ranks, SLOTS[i], an_ranks_buckets_worst(SLOTS[i]), &none), ANOMALY_E_NOMEM);
        check_asked(least, SLOTS[i]);
    }
}

/* 2049 * 2097152 is more than 2^32: with 32 bits that window is refused, whatever the kind and whoever asks. */
static void test_a_window_that_no_program_can_hold_is_refused(void **state)
{
    static const struct {
        int kind;
        const char *options;
    } CASES[] = {
        {ANOMALY_ZSCORE, "window=2097152 features=2049"},    {ANOMALY_ZSCORE, "window=2097152 features=2049 robust=1"},
        {ANOMALY_ZSCORE, "window=1h,2097152 features=2049"}, {ANOMALY_PERCENTILE, "window=2097152 features=2049"},
        {ANOMALY_IFOREST, "window=2097152 features=2049"},   {ANOMALY_PERCENTILE, "window=1073741824"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(CASES); i++) {
        const int fits = sizeof(size_t) > 4;
        anomaly_config config;
        anomaly_detector *detector = NULL;
        anomaly_pool *pool = NULL;
        anomaly_error error = {0};
        size_t bytes = 0;
        config_of(&config, CASES[i].kind, CASES[i].options);
        assert_error(anomaly_memory_needed(&config, &bytes), fits ? ANOMALY_OK : ANOMALY_E_CONFIG);
        assert_true(!fits || bytes >= 8 * config.features * config.window_events);
        assert_error(anomaly_create(&config, NULL, &detector, &error), fits ? ANOMALY_OK : ANOMALY_E_CONFIG);
        assert_string_equal(error.field, fits ? "" : "window");
        assert_error(anomaly_pool_create(&config, NULL, NULL, &pool, &error), fits ? ANOMALY_OK : ANOMALY_E_CONFIG);
        assert_true(fits == (detector != NULL) && fits == (pool != NULL) && (fits || bytes == 0));
        anomaly_destroy(detector);
        anomaly_pool_destroy(pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products_and_sums_stop_at_the_largest),
        cmocka_unit_test(test_what_does_not_fit_is_not_asked_for),
        cmocka_unit_test(test_large_windows_ask_for_all_they_need),
        cmocka_unit_test(test_a_window_that_no_program_can_hold_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
