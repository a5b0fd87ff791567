/* SPDX-License-Identifier: MIT
 * suggest.c - anomaly_suggest(): each allocation fails in turn, once or from then on; the call says so, nothing has changed, nothing is
 * leaked. */
#include "../support/test.h"

#include "../support/random.h"
#include "../support/test_memory.h"

enum { ROWS = 1500 };

static void check_failures(size_t count, const anomaly_keys *keys)
{
    static double x[ROWS];
    static int64_t t[ROWS];
    random_state r = {1};
    test_memory memory = {0};
    anomaly_allocator allocator = {memory_take, memory_give, &memory};
    anomaly_rows rows = {.count = count, .values = x, .times = t};
    anomaly_config config, usual;
    anomaly_suggestion s, pattern;
    for (size_t i = 0; i < ROWS; i++) {
        x[i] = random_normal(&r);
        t[i] = (int64_t)i * 60 * SECOND;
    }
    config_of(&usual, ANOMALY_ZSCORE, "");
    memset(&pattern, 0x5a, sizeof pattern);
    pattern.struct_size = sizeof pattern;
    uint64_t failed = 0;
    for (uint64_t k = 1;; k++, failed++) {
        anomaly_error error;
        config = usual;
        s = pattern;
        memory_arm(&memory, k, k % 2 == 0);
        int status = anomaly_suggest(&rows, keys, &allocator, &config, &s, &error);
        assert_true(memory.live == 0 && memory.bytes == 0 && memory.bad_frees == 0);
        if (status == ANOMALY_OK)
            break;
        assert_error(status, ANOMALY_E_NOMEM);
        assert_string_equal(error.message, "out of memory");
        assert_memory_equal(&config, &usual, sizeof config);
        assert_memory_equal(&s, &pattern, sizeof s);
    }
    assert_true(failed >= 3);
}

static void test_series(void **state)
{
    (void)state;
    check_failures(ROWS, NULL);
    check_failures(200, NULL);
}

static void test_keys(void **state)
{
    static uint64_t slots[ROWS];
    anomaly_keys keys = {.slots = slots};
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        slots[i] = i % 5;
    check_failures(ROWS, &keys);
    check_failures(200, &keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_series), cmocka_unit_test(test_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
