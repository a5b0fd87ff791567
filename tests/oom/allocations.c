/* SPDX-License-Identifier: MIT
 * allocations.c - every allocation fails in turn: the call says so and nothing has changed. What is allocated is what
 * anomaly_memory_needed() says, all of it comes back, and a window that has reached its bound allocates no more. */
#include "../support/test.h"

#include "../support/settings.h"

/* ---- create ---- */

static void check_create(const setting *s, int reserve)
{
    test_memory memory = {0};
    uint64_t needed;
    destroy_all(must_create_on(s, &memory, reserve), &memory);
    needed = memory.calls;
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

static void test_create(void **state)
{
    check_create(*state, 0);
    check_create(*state, 1);
}

static void test_create_says_why(void **state)
{
    test_memory memory = {0};
    anomaly_allocator allocator = {memory_take, memory_give, &memory};
    anomaly_config config;
    anomaly_detector *d = NULL;
    anomaly_error error = {0};
    (void)state;
    config_of(&config, ANOMALY_ZSCORE, "");
    memory_arm(&memory, 1, 1);
    assert_error(anomaly_create(&config, &allocator, &d, &error), ANOMALY_E_NOMEM);
    assert_int_equal(error.status, ANOMALY_E_NOMEM);
    assert_string_equal(error.message, "out of memory");
}

/* ---- updates while the window grows ---- */

/* Whichever way an event goes in, each allocation it needs fails once; then it goes in and all is as if nothing had been. */
static void push_with_failures(const setting *s, anomaly_detector *d, anomaly_detector *twin, test_memory *memory, int i)
{
    anomaly_verdict got, want, pattern;
    memset(&pattern, 0x5a, sizeof pattern);
    want = pattern;
    for (uint64_t k = 1;; k++) {
        got = pattern;
        memory_arm(memory, k, i % 2);
        int status = call(s, d, i, &got);
        if (status == ANOMALY_OK)
            break;
        assert_error(status, ANOMALY_E_NOMEM);
        assert_memory_equal(&got, &pattern, sizeof got);
        assert_same_detectors(d, twin);
        assert_true(k < 100);
    }
    memory_arm(memory, 0, 0);
    assert_ok(call(s, twin, i, &want));
    if (way_of(s, i) == UPDATE)
        assert_same_verdict(&got, &want);
}

static void test_updates(void **state)
{
    const setting *s = *state;
    test_memory memory = {0}, other = {0};
    anomaly_detector *d = must_create_on(s, &memory, 0), *twin = must_create_on(s, &other, 0);
    for (int i = 0; i < event_count(s); i++)
        push_with_failures(s, d, twin, &memory, i);
    assert_same_detectors(d, twin);
    anomaly_reset(d);
    anomaly_reset(twin);
    for (int i = 0; i < event_count(s) / 3; i++)
        push_with_failures(s, d, twin, &memory, i);
    destroy_all(d, &memory);
    destroy_all(twin, &other);
}

/* ---- rows ---- */

enum { ROWS = 700 };

typedef struct rows_data {
    double x[ROWS * FEATURES];
    int64_t t[ROWS];
    double score[ROWS];
    anomaly_verdict want[ROWS];
    uint32_t features;
} rows_data;

static rows_data *rows_of(const setting *s)
{
    rows_data *r = calloc(1, sizeof *r);
    anomaly_config config;
    assert_non_null(r);
    config_of(&config, s->kind, s->options);
    r->features = config.features;
    for (int i = 0; i < ROWS; i++) {
        double x[FEATURES];
        r->t[i] = event_of(s, i, x);
        memcpy(r->x + (size_t)i * r->features, x, r->features * sizeof *x);
    }
    return r;
}

static anomaly_rows rows_from(const rows_data *r, size_t from)
{
    return (anomaly_rows){.count = ROWS - from, .values = r->x + from * r->features, .times = r->t + from};
}

/* With the k-th allocation failing: what is done stands and equals the loop, and the rest goes in afterwards. */
static int rows_failing_at(const setting *s, rows_data *r, uint64_t k, int stay)
{
    test_memory memory = {0}, other = {0};
    anomaly_detector *d = must_create_on(s, &memory, 0), *twin = must_create_on(s, &other, 0);
    anomaly_rows rows = rows_from(r, 0);
    anomaly_verdicts out = {.score = r->score};
    size_t done = SIZE_MAX;
    int status;
    memory_arm(&memory, k, stay);
    status = anomaly_update_rows(d, &rows, &out, &done);
    assert_true(status == ANOMALY_OK || status == ANOMALY_E_NOMEM);
    assert_true(done <= ROWS && (status != ANOMALY_OK || done == ROWS));
    for (size_t i = 0; i < done; i++)
        assert_ok(anomaly_update(twin, r->x + i * r->features, r->t[i], &r->want[i]));
    for (size_t i = 0; i < done; i++)
        assert_same(r->score[i], r->want[i].score);
    assert_same_detectors(d, twin);
    memory_arm(&memory, 0, 0);
    rows = rows_from(r, done);
    assert_ok(anomaly_update_rows(d, &rows, NULL, NULL));
    assert_ok(anomaly_update_rows(twin, &rows, NULL, NULL));
    assert_same_detectors(d, twin);
    destroy_all(d, &memory);
    destroy_all(twin, &other);
    return status;
}

static void test_rows(void **state)
{
    const setting *s = *state;
    rows_data *r = rows_of(s);
    uint64_t k = 1;
    while (rows_failing_at(s, r, k, 0) != ANOMALY_OK) {
        rows_failing_at(s, r, k, 1);
        assert_true(++k < 1000);
    }
    free(r);
}

/* ---- how much ---- */

static void fill(const setting *s, anomaly_detector *d, int from, int to)
{
    for (int i = from; i < to; i++) {
        anomaly_verdict v;
        assert_ok(call(s, d, i, &v));
    }
}

static size_t needed_for(const setting *s)
{
    anomaly_config config;
    size_t bytes = 0;
    config_of(&config, s->kind, s->options);
    assert_ok(anomaly_memory_needed(&config, &bytes));
    return bytes;
}

/* reserve=1: all of it at create, exactly what was foretold, and no call needs more. */
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
    fill(s, d, 0, event_count(s));
    anomaly_reset(d);
    fill(s, d, 0, event_count(s));
    assert_ok(anomaly_advance(d, INT64_MAX / 2));
    assert_true(memory.calls == 0 && memory.bytes == needed);
    destroy_all(d, &memory);
}

/* Without it: never more than foretold once grown, and nothing more is asked for when the window is full. */
static void test_grown(void **state)
{
    const setting *s = *state;
    test_memory memory = {0};
    anomaly_detector *d = must_create_on(s, &memory, 0);
    size_t needed = needed_for(s);
    assert_true(memory.bytes <= needed);
    for (int i = 0; i < event_count(s); i++) {
        fill(s, d, i, i + 1);
        if (memory.bytes > needed)
            print_error("%s: needed %zu, holds %zu after %d events\n", s->options, needed, memory.bytes, i + 1);
        assert_true(memory.bytes <= needed);
    }
    assert_true(memory.bytes == needed || s->kind != ANOMALY_IFOREST);
    memory_arm(&memory, 0, 0);
    fill(s, d, event_count(s), 2 * event_count(s));
    if (strstr(s->options, "window=200s ") == NULL && strcmp(s->options, "window=200s") != 0)
        assert_true(memory.calls == 0);
    anomaly_reset(d);
    assert_true(memory.calls == 0);
    destroy_all(d, &memory);
}

/* A window that has reached its bound takes a million events without asking for anything. */
static void test_hot_path(void **state)
{
    static const setting HOT[] = {{"", ANOMALY_ZSCORE, "window=100", 1},
                                  {"", ANOMALY_ZSCORE, "window=64s,64", 1},
                                  {"", ANOMALY_ZSCORE, "window=100 robust=1", 1},
                                  {"", ANOMALY_PERCENTILE, "window=100", 1}};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(HOT); k++) {
        test_memory memory = {0};
        anomaly_detector *d = must_create_on(&HOT[k], &memory, 0);
        random_state r = {k};
        for (int i = 0; i < (is_quick() ? 5000 : 250000); i++) {
            double x = (i / 1000) % 2 ? (double)random_below(&r, 3) : random_normal(&r) + i * 1e-3;
            if (i == 300)
                memory_arm(&memory, 0, 0);
            assert_ok(anomaly_update(d, &x, i * SECOND / 4, NULL));
        }
        if (memory.calls != 0)
            print_error("%s: %llu allocations\n", HOT[k].options, (unsigned long long)memory.calls);
        assert_true(memory.calls == 0);
        destroy_all(d, &memory);
    }
}

/* Questions, scores and refusals allocate nothing. */
static void test_questions(void **state)
{
    const setting *s = *state;
    test_memory memory = {0};
    anomaly_detector *d = must_create_on(s, &memory, 0);
    anomaly_config config;
    double x[FEATURES] = {1, 2, 3}, share[FEATURES], q;
    anomaly_verdict v;
    fill(s, d, 0, 50);
    memory_arm(&memory, 1, 1);
    assert_ok(anomaly_score(d, x, 0, &v));
    (void)stats_of(d, 0);
    (void)counters_of(d);
    (void)anomaly_quantile(d, 0, 0.3, &q);
    assert_ok(s->kind == ANOMALY_IFOREST ? anomaly_explain(d, x, share) : ANOMALY_OK);
    assert_ok(anomaly_get_config(d, &config, sizeof config));
    assert_ok(anomaly_set_threshold(d, 4));
    assert_ok(anomaly_advance(d, 1000000 * SECOND));
    anomaly_reset(d);
    assert_true(memory.calls == 0);
    destroy_all(d, &memory);
}

/* The default forest: under 1 MiB and its window; while it grows no event pays for two allocations, once trees are not due at each;
 * and fifty thousand events without one. */
static void test_default_forest(void **state)
{
    setting usual = {"", ANOMALY_IFOREST, "features=10", 1};
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
    static struct CMUnitTest tests[PER_SETTING * ARRAY_COUNT(SETTINGS) + 3];
    size_t n = 0;
    for (size_t k = 0; k < PER_SETTING; k++)
        for (size_t i = 0; i < ARRAY_COUNT(SETTINGS); i++, n++) {
            snprintf(labels[n], sizeof labels[n], "%s: %s", names[k], SETTINGS[i].name);
            tests[n] = (struct CMUnitTest){labels[n], functions[k], NULL, NULL, &SETTINGS[i]};
        }
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_create_says_why);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_hot_path);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_default_forest);
    return _cmocka_run_group_tests("allocations", tests, n, NULL, NULL);
}
