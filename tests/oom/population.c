/* SPDX-License-Identifier: MIT
 * population.c - a pool whose keys judge by together while allocations fail, beside a twin that never saw the calls that failed:
 * verdicts and keys are equal to the bit. */
#include "../support/snapshots.h"

#include "../support/random.h"
#include "../support/test_memory.h"

enum { EVENTS = 600 };

static int is_like_twin(void *ctx, uint64_t slot, const void *key, size_t size, const anomaly_detector *detector)
{
    static unsigned char bytes[1 << 20];
    size_t used = 0;
    saved s = save_detector(detector);
    (void)slot;
    assert_ok(anomaly_pool_export(ctx, key, size, bytes, sizeof bytes, &used));
    assert_true(same_saved(&s, &(saved){bytes, used}));
    free(s.bytes);
    return 0;
}

static uint64_t beside_a_twin(int kind, const char *options, uint64_t seed)
{
    test_memory memory = {0};
    anomaly_allocator allocator = {memory_take, memory_give, &memory};
    anomaly_pool *pool = NULL, *twin = pool_of(kind, options, NULL);
    anomaly_config config;
    random_state r = {seed};
    uint64_t failed = 0;
    config_of(&config, kind, options);
    assert_ok(anomaly_pool_create(&config, NULL, &allocator, &pool, NULL));
    memory_arm_odds(&memory, 4, seed);
    for (int i = 0; i < EVENTS; i++) {
        char key[2] = {(char)('a' + random_below(&r, 9)), 0};
        double x = random_normal(&r);
        anomaly_verdict got, want;
        int status = anomaly_pool_update(pool, key, 1, &x, i * SECOND, &got);
        failed += status != ANOMALY_OK;
        if (status != ANOMALY_OK) {
            assert_error(status, ANOMALY_E_NOMEM);
            continue;
        }
        want = pool_push(twin, key, x, i * SECOND);
        assert_same_verdict(&got, &want);
        assert_same(got.tail, want.tail);
    }
    memory_arm(&memory, 0, 0);
    assert_ok(anomaly_pool_each(pool, is_like_twin, twin));
    anomaly_pool_destroy(twin);
    anomaly_pool_destroy(pool);
    assert_true(memory.live == 0 && memory.bytes == 0 && memory.bad_frees == 0);
    return failed;
}

static void test_faults_at_random(void **state)
{
    uint64_t failed = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 3 : 30); seed++) {
        failed += beside_a_twin(ANOMALY_ZSCORE, "window=200s,100 warmup=20 population=1 transform=diff", seed);
        failed += beside_a_twin(ANOMALY_ZSCORE, "window=100 alarm_rate=0.02 calibrate=300,pool population=1", seed);
        failed += beside_a_twin(ANOMALY_MAHALANOBIS, "window=256 alarms=3/1m calibrate=pool", seed);
        failed += beside_a_twin(ANOMALY_IFOREST, "window=100 trees=5 sample=16 population=1", seed);
    }
    assert_true(failed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_faults_at_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
