/* SPDX-License-Identifier: MIT
 * stack.c - what the rows calls take of the stack: a thread of musl has 128 KiB, one of an embedded system less. */
#include "../support/test.h"

#include "../support/random.h"

#include <pthread.h>

enum { ROWS = 40000, STACK_BYTES = 256 * 1024, PAINT = 0xa5 };
enum { UPDATES, LEARNS, SCORES, CALLS };

/* The sanitizers and unoptimised code take room of their own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
#define IS_MEASURED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define IS_MEASURED 0
#else
#define IS_MEASURED 1
#endif
#else
#define IS_MEASURED 1
#endif

typedef struct call {
    anomaly_detector *detector;
    int which, status;
    anomaly_rows rows;
    anomaly_verdicts verdicts;
    const unsigned char *stack;
    size_t used;
} call;

static int do_call(call *c)
{
    if (c->which == UPDATES)
        return anomaly_update_rows(c->detector, &c->rows, &c->verdicts, NULL);
    if (c->which == LEARNS)
        return anomaly_learn_rows(c->detector, &c->rows, NULL);
    return anomaly_score_rows(c->detector, &c->rows, &c->verdicts, NULL);
}

/* Everything below a variable of this function that is not as it was painted has been used by the call. */
static void *measure(void *ctx)
{
    call *c = ctx;
    const unsigned char *low = c->stack;
    unsigned char here = 0;
    c->status = do_call(c);
    while (*low == PAINT)
        low++;
    c->used = (size_t)(&here + 1 - low);
    return NULL;
}

static size_t stack_of(call *c)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *stack = NULL;
    assert_int_equal(posix_memalign(&stack, 4096, STACK_BYTES), 0);
    memset(stack, PAINT, STACK_BYTES);
    c->stack = stack;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, STACK_BYTES), 0);
    assert_int_equal(pthread_create(&thread, &attributes, measure, c), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_attr_destroy(&attributes), 0);
    free(stack);
    assert_ok(c->status);
    return c->used;
}

static double values[ROWS], columns[5][ROWS];
static int64_t times[ROWS];
static uint32_t flags[ROWS];

/* Normal values, with some that are flat, missing or out of scale among them where the kind has other ways for such. */
static void fill_values(int odd)
{
    random_state r = {odd ? 2 : 1};
    for (size_t i = 0; i < ROWS; i++) {
        values[i] = random_normal(&r);
        times[i] = (int64_t)i * SECOND;
        if (odd && i > ROWS / 2 && one_in(&r, 500))
            values[i] = one_in(&r, 2) ? (double)NAN : 1e200;
    }
}

static void check_stack(int kind, const char *options, int simd, int is_timed, int odd, size_t most)
{
    anomaly_config config;
    anomaly_detector *d;
    config_of(&config, kind, options);
    config.simd = simd;
    if (anomaly_create(&config, NULL, &d, NULL) == ANOMALY_E_CONFIG) /* a path that this machine has not */
        return;
    anomaly_destroy(d);
    fill_values(odd);
    call c = {.rows = {.count = ROWS / config.features, .values = values, .times = is_timed ? times : NULL},
              .verdicts = {columns[0], NULL, columns[1], columns[2], columns[3], flags, NULL, NULL}};
    for (c.which = 0; c.which < CALLS; c.which++) {
        assert_ok(anomaly_create(&config, NULL, &d, NULL));
        c.detector = d;
        assert_ok(do_call(&c)); /* what is bound at the first call is bound now; the window is full */
        for (size_t i = 0; i < ROWS; i++)
            times[i] += (int64_t)ROWS * SECOND;
        size_t used = stack_of(&c);
        if (IS_MEASURED && used > most) {
            print_error("%s, simd %d, call %d: %zu bytes of stack, more than %zu\n", options, simd, c.which, used, most);
            fail();
        }
        anomaly_destroy(d);
    }
}

static void check_paths(int kind, const char *options, int is_timed, size_t most)
{
    int last = is_quick() ? ANOMALY_SIMD_AUTO : ANOMALY_SIMD_AVX512;
    for (int simd = ANOMALY_SIMD_AUTO; simd <= last; simd++)
        for (int odd = 0; odd < 2; odd++)
            check_stack(kind, options, simd, is_timed, odd, most);
}

/* Blocks of 8, 64, 128 and 256, and those of a window by time. */
static void test_zscore_rows_take_less_than_16_kib(void **state)
{
    (void)state;
    check_paths(ANOMALY_ZSCORE, "window=40", 0, 16384);
    check_paths(ANOMALY_ZSCORE, "window=1000", 0, 16384);
    check_paths(ANOMALY_ZSCORE, "window=17000", 0, 16384);
    check_paths(ANOMALY_ZSCORE, "window=70000 warmup=10", 0, 16384);
    check_paths(ANOMALY_ZSCORE, "window=1000s", 1, 16384);
}

static void test_rows_of_other_kinds_take_less_than_16_kib(void **state)
{
    (void)state;
    check_paths(ANOMALY_PERCENTILE, "window=1000", 0, 16384);
    check_paths(ANOMALY_PERCENTILE, "window=1000s", 1, 16384);
    check_paths(ANOMALY_ZSCORE, "robust=1 window=1000", 0, 16384);
    check_paths(ANOMALY_ZSCORE, "window=200 features=20", 0, 16384);
    check_paths(ANOMALY_WATCH, "window=1000", 1, 16384);
}

/* A walk of the forest holds scores of a stretch of events for all its trees. */
static void test_forest_rows_take_less_than_56_kib(void **state)
{
    (void)state;
    check_paths(ANOMALY_IFOREST, "window=256 features=4 trees=50", 0, 57344);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zscore_rows_take_less_than_16_kib),
        cmocka_unit_test(test_rows_of_other_kinds_take_less_than_16_kib),
        cmocka_unit_test(test_forest_rows_take_less_than_56_kib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
