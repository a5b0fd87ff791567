/* SPDX-License-Identifier: MIT
 * forest.c - the isolation forest when memory runs out: each allocation fails in turn, the call says so and nothing has
 * changed; what is taken is what anomaly_memory_needed() says; a full window takes nothing more. */
#include "../support/test.h"

#include "../support/random.h"
#include "../support/test_memory.h"

typedef struct setting {
    const char *name, *options;
} setting;

static setting SETTINGS[] = {
    {"least", "window=16 sample=16 trees=3 warmup=4"},
    {"small", "window=200 sample=20 trees=10 features=3 contamination=0"},
    {"contamination", "window=150 sample=30 trees=17 features=3 contamination=0.1"},
    {"policy", "window=300 sample=64 trees=48 features=2 learn=normal:3 contamination=0.2 warmup=20"},
    {"wide", "window=100 sample=40 trees=20 features=40"},
    {"window of 1000", "window=1000 trees=20 features=2 profile=fast"},
};

enum { FEATURES = 40, EVENTS = 1300 };

static uint32_t features_of(const setting *s)
{
    anomaly_config config;
    config_of(&config, ANOMALY_IFOREST, s->options);
    return config.features;
}

static int create_on(const setting *s, test_memory *memory, int reserve, anomaly_detector **d)
{
    anomaly_config config;
    anomaly_allocator allocator = {memory_take, memory_give, memory};
    config_of(&config, ANOMALY_IFOREST, s->options);
    config.reserve = reserve;
    return anomaly_create(&config, &allocator, d, NULL);
}

static anomaly_detector *must_create_on(const setting *s, test_memory *memory, int reserve)
{
    anomaly_detector *d = NULL;
    assert_ok(create_on(s, memory, reserve, &d));
    return d;
}

static void destroy_all(anomaly_detector *d, const test_memory *memory)
{
    anomaly_destroy(d);
    assert_true(memory->live == 0 && memory->bytes == 0 && memory->bad_frees == 0);
}

static void event_of(int i, double *x)
{
    random_state r = {(uint64_t)i * 977 + 1};
    for (int f = 0; f < FEATURES; f++)
        x[f] = one_in(&r, 100)   ? (double)NAN
               : one_in(&r, 500) ? (double)INFINITY
                                 : random_normal(&r) + (i % 300 > 280 ? 8 : 0);
}

/* Nobody can tell them apart: statistics, counters, and the score of an event. */
static void assert_same_forests(const anomaly_detector *a, const anomaly_detector *b)
{
    double x[FEATURES];
    anomaly_verdict v, w;
    for (int f = 0; f < FEATURES; f++)
        x[f] = 0.1 * f;
    assert_same_state(a, b);
    assert_ok(anomaly_score(a, x, ANOMALY_NO_TIME, &v));
    assert_ok(anomaly_score(b, x, ANOMALY_NO_TIME, &w));
    assert_same_verdict(&v, &w);
}

static void test_create(void **state)
{
    const setting *s = *state;
    for (int reserve = 0; reserve < 2; reserve++) {
        test_memory memory = {0};
        destroy_all(must_create_on(s, &memory, reserve), &memory);
        uint64_t needed = memory.calls;
        assert_true(needed > 0);
        for (uint64_t k = 1; k <= needed; k++)
            for (int stay = 0; stay < 2; stay++) {
                anomaly_detector *d = NULL;
                memory_arm(&memory, k, stay);
                assert_error(create_on(s, &memory, reserve, &d), ANOMALY_E_NOMEM);
                assert_null(d);
                assert_true(memory.live == 0 && memory.bytes == 0 && memory.bad_frees == 0);
            }
    }
}

/* One call of event i: an update, now and then a learn or a rebuild. */
static int call(anomaly_detector *d, int i, anomaly_verdict *v)
{
    double x[FEATURES];
    event_of(i, x);
    if (i % 97 == 50)
        return anomaly_rebuild(d);
    return i % 7 == 3 ? anomaly_learn(d, x, ANOMALY_NO_TIME) : anomaly_update(d, x, ANOMALY_NO_TIME, v);
}

static void test_updates(void **state)
{
    const setting *s = *state;
    test_memory memory = {0}, other = {0};
    anomaly_detector *d = must_create_on(s, &memory, 0), *twin = must_create_on(s, &other, 0);
    for (int i = 0; i < EVENTS; i++) {
        anomaly_verdict pattern, got, want;
        memset(&pattern, 0x5a, sizeof pattern);
        want = pattern;
        for (uint64_t k = 1;; k++) {
            got = pattern;
            memory_arm(&memory, k, i % 2);
            int status = call(d, i, &got);
            if (status == ANOMALY_OK)
                break;
            assert_error(status, ANOMALY_E_NOMEM);
            assert_memory_equal(&got, &pattern, sizeof got);
            memory_arm(&memory, 0, 0);
            assert_same_forests(d, twin);
            assert_true(k < 100);
        }
        memory_arm(&memory, 0, 0);
        assert_ok(call(twin, i, &want));
        if (i % 97 != 50 && i % 7 != 3)
            assert_same_verdict(&got, &want);
    }
    assert_same_forests(d, twin);
    destroy_all(d, &memory);
    destroy_all(twin, &other);
}

/* Rows up to the failure stand; the rest goes in afterwards. */
static void test_rows(void **state)
{
    const setting *s = *state;
    enum { ROWS = 700 };
    uint32_t features = features_of(s);
    double *x = calloc((size_t)ROWS * features, sizeof *x), y[FEATURES], score[ROWS];
    int status = ANOMALY_E_NOMEM;
    assert_non_null(x);
    for (int i = 0; i < ROWS; i++) {
        event_of(i, y);
        memcpy(x + (size_t)i * features, y, features * sizeof *y);
    }
    for (uint64_t k = 1; status != ANOMALY_OK; k++) {
        test_memory memory = {0}, other = {0};
        anomaly_detector *d = must_create_on(s, &memory, 0), *twin = must_create_on(s, &other, 0);
        anomaly_rows rows = {.count = ROWS, .values = x};
        anomaly_verdicts out = {.score = score};
        size_t done = SIZE_MAX;
        memory_arm(&memory, k, 0);
        status = anomaly_update_rows(d, &rows, &out, &done);
        assert_true(status == ANOMALY_OK ? done == ROWS : status == ANOMALY_E_NOMEM && done < ROWS);
        memory_arm(&memory, 0, 0);
        for (size_t i = 0; i < done; i++) {
            anomaly_verdict v;
            assert_ok(anomaly_update(twin, x + i * features, ANOMALY_NO_TIME, &v));
            assert_same(score[i], v.score);
        }
        assert_same_forests(d, twin);
        rows = (anomaly_rows){.count = ROWS - done, .values = x + done * features};
        assert_ok(anomaly_update_rows(d, &rows, NULL, NULL));
        destroy_all(d, &memory);
        destroy_all(twin, &other);
        assert_true(k < 1000);
    }
    free(x);
}

static size_t needed_for(const setting *s)
{
    anomaly_config config;
    size_t bytes = 0;
    config_of(&config, ANOMALY_IFOREST, s->options);
    assert_ok(anomaly_memory_needed(&config, &bytes));
    return bytes;
}

static void run(anomaly_detector *d)
{
    for (int i = 0; i < 2 * EVENTS; i++) {
        anomaly_verdict v;
        assert_ok(call(d, i, &v));
    }
}

/* reserve=1: all of it at create, to the byte, and no later call needs more. */
static void test_reserved(void **state)
{
    const setting *s = *state;
    test_memory memory = {0};
    anomaly_detector *d = must_create_on(s, &memory, 1);
    size_t needed = needed_for(s);
    if (memory.bytes != needed)
        print_error("%s: needed %zu, reserved %zu\n", s->options, needed, memory.bytes);
    assert_true(memory.bytes == needed);
    memory_arm(&memory, 1, 1);
    run(d);
    anomaly_reset(d);
    run(d);
    assert_true(memory.calls == 0 && memory.bytes == needed);
    destroy_all(d, &memory);
}

/* Without it: never more than that, the same in the end, and then nothing is asked for. */
static void test_grown(void **state)
{
    const setting *s = *state;
    test_memory memory = {0};
    anomaly_detector *d = must_create_on(s, &memory, 0);
    size_t needed = needed_for(s);
    assert_true(memory.bytes <= needed);
    for (int i = 0; i < EVENTS; i++) {
        anomaly_verdict v;
        assert_ok(call(d, i, &v));
        if (memory.bytes > needed)
            print_error("%s: needed %zu, holds %zu after %d events\n", s->options, needed, memory.bytes, i + 1);
        assert_true(memory.bytes <= needed);
    }
    if (memory.bytes != needed)
        print_error("%s: needed %zu, holds %zu\n", s->options, needed, memory.bytes);
    assert_true(memory.bytes == needed);
    memory_arm(&memory, 0, 0);
    run(d);
    anomaly_reset(d);
    assert_true(memory.calls == 0);
    destroy_all(d, &memory);
}

static void test_questions(void **state)
{
    const setting *s = *state;
    test_memory memory = {0};
    anomaly_detector *d = must_create_on(s, &memory, 0);
    anomaly_config config;
    double x[FEATURES], share[FEATURES];
    anomaly_verdict v;
    for (int i = 0; i < 100; i++)
        assert_ok(call(d, i, &v));
    memory_arm(&memory, 1, 1);
    event_of(5, x);
    assert_ok(anomaly_score(d, x, ANOMALY_NO_TIME, &v));
    assert_ok(anomaly_explain(d, x, share));
    (void)stats_of(d, 0);
    assert_ok(anomaly_get_config(d, &config, sizeof config));
    assert_ok(anomaly_set_threshold(d, 0.7));
    anomaly_reset(d);
    assert_true(memory.calls == 0);
    destroy_all(d, &memory);
}

/* The default detector: under 1 MiB and its window; while it grows no event pays for two allocations, once trees are not due at each;
 * and fifty thousand events without one. */
static void test_default_size(void **state)
{
    setting usual = {"", "features=10"};
    test_memory memory = {0};
    anomaly_detector *d = must_create_on(&usual, &memory, 0);
    random_state r = {1};
    (void)state;
    for (int i = 0; i < (is_quick() ? 5000 : 50000); i++) {
        double x[10];
        for (int f = 0; f < 10; f++)
            x[f] = random_normal(&r);
        if (i <= 4096)
            memory_arm(&memory, 0, 0);
        assert_ok(anomaly_update(d, x, ANOMALY_NO_TIME, NULL));
        assert_true(memory.calls <= 1 || i <= 128);
    }
    assert_true(memory.calls == 0);
    assert_true(memory.bytes < (1 << 20) + 2048 * 10 * sizeof(double));
    destroy_all(d, &memory);
}

int main(void)
{
    enum { PER_SETTING = 6 };
    static const CMUnitTestFunction functions[PER_SETTING] = {test_create,   test_updates, test_rows,
                                                              test_reserved, test_grown,   test_questions};
    static const char *const names[PER_SETTING] = {"create", "updates", "rows", "reserved", "grown", "questions"};
    static char labels[PER_SETTING * ARRAY_COUNT(SETTINGS)][64];
    static struct CMUnitTest tests[PER_SETTING * ARRAY_COUNT(SETTINGS) + 1];
    size_t n = 0;
    for (size_t k = 0; k < PER_SETTING; k++)
        for (size_t i = 0; i < ARRAY_COUNT(SETTINGS); i++, n++) {
            snprintf(labels[n], sizeof labels[n], "%s: %s", names[k], SETTINGS[i].name);
            tests[n] = (struct CMUnitTest){labels[n], functions[k], NULL, NULL, &SETTINGS[i]};
        }
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_default_size);
    return _cmocka_run_group_tests("forest", tests, n, NULL, NULL);
}
