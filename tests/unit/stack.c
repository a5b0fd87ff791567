/* SPDX-License-Identifier: MIT
 * stack.c - what calls take of the stack: a thread of musl has 128 KiB, one of an embedded system less. */
#include "../support/test.h"

#include "../support/random.h"
#include "stage/stages.h"

#include <pthread.h>
#include <stdlib.h>

enum { ROWS = 40000, STACK_BYTES = 256 * 1024, PAINT = 0xa5 };
enum { USUAL_BYTES = 16 * 1024, WIDE_BYTES = 96 * 1024 }; /* as anomaly.h says */
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

/* Something whose stack is measured. */
typedef struct measured {
    int (*run)(void *ctx);
    void *ctx;
    int status;
    const unsigned char *stack;
    size_t used;
} measured;

/* Everything below a variable of this function that is not as it was painted has been used by the call. */
static void *measure(void *ctx)
{
    measured *m = ctx;
    const unsigned char *low = m->stack;
    unsigned char here = 0;
    m->status = m->run(m->ctx);
    if (getenv("WRAPPER")) /* valgrind takes a read below the stack in use for a fault */
        return NULL;
    while (*low == PAINT)
        low++;
    m->used = (size_t)(&here + 1 - low);
    return NULL;
}

static size_t stack_of(int (*run)(void *ctx), void *ctx)
{
    measured m = {.run = run, .ctx = ctx};
    pthread_attr_t attributes;
    pthread_t thread;
    void *stack = NULL;
    assert_int_equal(posix_memalign(&stack, 4096, STACK_BYTES), 0);
    memset(stack, PAINT, STACK_BYTES);
    m.stack = stack;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, STACK_BYTES), 0);
    assert_int_equal(pthread_create(&thread, &attributes, measure, &m), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_attr_destroy(&attributes), 0);
    free(stack);
    assert_ok(m.status);
    return m.used;
}

/* ---- rows of every way of judging ---- */

typedef struct call {
    anomaly_detector *detector;
    int which;
    anomaly_rows rows;
    anomaly_verdicts verdicts;
} call;

static int do_call(void *ctx)
{
    call *c = ctx;
    if (c->which == UPDATES)
        return anomaly_update_rows(c->detector, &c->rows, &c->verdicts, NULL);
    if (c->which == LEARNS)
        return anomaly_learn_rows(c->detector, &c->rows, NULL);
    return anomaly_score_rows(c->detector, &c->rows, &c->verdicts, NULL);
}

static double values[ROWS], columns[5][ROWS];
static int64_t times[ROWS];
static uint32_t flags[ROWS], features[ROWS];

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
              .verdicts = {columns[0], NULL, columns[1], columns[2], columns[3], flags, features, NULL, NULL}};
    for (c.which = 0; c.which < CALLS; c.which++) {
        assert_ok(anomaly_create(&config, NULL, &d, NULL));
        c.detector = d;
        assert_ok(do_call(&c)); /* what is bound at the first call is bound now; the window is full */
        for (size_t i = 0; i < ROWS; i++)
            times[i] += (int64_t)ROWS * SECOND;
        size_t used = stack_of(do_call, &c);
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
        for (int odd = is_quick(); odd < 2; odd++) /* odd rows are usual ones in their first half */
            check_stack(kind, options, simd, is_timed, odd, most);
}

/* Blocks of 8, 64, 128 and 256, and those of a window by time. */
static void test_zscore_rows_take_less_than_16_kib(void **state)
{
    (void)state;
    check_paths(ANOMALY_ZSCORE, "window=40", 0, USUAL_BYTES);
    check_paths(ANOMALY_ZSCORE, "window=1000", 0, USUAL_BYTES);
    check_paths(ANOMALY_ZSCORE, "window=17000", 0, USUAL_BYTES);
    check_paths(ANOMALY_ZSCORE, "window=70000 warmup=10", 0, USUAL_BYTES);
    check_paths(ANOMALY_ZSCORE, "window=1000s", 1, USUAL_BYTES);
}

static void test_rows_of_other_kinds_take_less_than_16_kib(void **state)
{
    (void)state;
    check_paths(ANOMALY_PERCENTILE, "window=1000", 0, USUAL_BYTES);
    check_paths(ANOMALY_PERCENTILE, "window=1000s", 1, USUAL_BYTES);
    check_paths(ANOMALY_ZSCORE, "robust=1 window=1000", 0, USUAL_BYTES);
    check_paths(ANOMALY_ZSCORE, "window=200 features=20", 0, USUAL_BYTES);
    check_paths(ANOMALY_MAHALANOBIS, "window=128", 0, USUAL_BYTES);
    check_paths(ANOMALY_MAHALANOBIS, "window=128 features=20 lags=3", 0, USUAL_BYTES);
    check_paths(ANOMALY_WATCH, "window=1000", 1, USUAL_BYTES);
}

static void test_forest_rows_take_less_than_16_kib(void **state)
{
    (void)state;
    check_paths(ANOMALY_IFOREST, "window=256 features=4 trees=50", 0, USUAL_BYTES);
    check_paths(ANOMALY_IFOREST, "window=256 features=4 threshold=0.1", 0, USUAL_BYTES);
    check_paths(ANOMALY_IFOREST, "window=100 features=40 trees=64", 0, USUAL_BYTES);
    check_paths(ANOMALY_IFOREST, "window=120 features=20 lags=8 trees=64", 0, USUAL_BYTES);
}

/* ---- every call, with the most features of the promise, and with the most that there can be ---- */

enum { MOST_FEATURES = 4096, EVENTS = 120, SNAPSHOT_BYTES = 64 << 20 };

static double strange[MOST_FEATURES], contribution[MOST_FEATURES], table[EVENTS * MOST_FEATURES];
static const double *column[MOST_FEATURES];

typedef struct subject {
    anomaly_config config;
    anomaly_detector *detector, *other;
    anomaly_pool *pool;
    anomaly_rows rows; /* in columns: each row is copied together */
    anomaly_verdicts verdicts;
    unsigned char *snapshot;
    size_t bytes;
} subject;

static int give_options(void *ctx)
{
    anomaly_config config;
    anomaly_error error;
    (void)ctx;
    int status = anomaly_config_init(&config, sizeof config, ANOMALY_IFOREST);
    status = status ? status : anomaly_config_set(&config, "trees", "7", &error);
    if (anomaly_config_set(&config, "treees", "7", &error) == ANOMALY_OK) /* a name that is like another one */
        status = ANOMALY_E_CONFIG;
    return status;
}

static int create(void *ctx)
{
    subject *s = ctx;
    return anomaly_create(&s->config, NULL, &s->detector, NULL);
}

static int update_rows(void *ctx)
{
    subject *s = ctx;
    return anomaly_update_rows(s->detector, &s->rows, &s->verdicts, NULL);
}

static int score_rows(void *ctx)
{
    subject *s = ctx;
    return anomaly_score_rows(s->detector, &s->rows, &s->verdicts, NULL);
}

static int learn_rows(void *ctx)
{
    subject *s = ctx;
    return anomaly_learn_rows(s->detector, &s->rows, NULL);
}

static int rebuild(void *ctx)
{
    return anomaly_rebuild(((subject *)ctx)->detector);
}

static int update(void *ctx)
{
    anomaly_verdict v;
    return anomaly_update(((subject *)ctx)->detector, strange, ANOMALY_NO_TIME, &v);
}

static int score(void *ctx)
{
    anomaly_verdict v;
    return anomaly_score(((subject *)ctx)->detector, strange, ANOMALY_NO_TIME, &v);
}

static int learn(void *ctx)
{
    return anomaly_learn(((subject *)ctx)->detector, strange, ANOMALY_NO_TIME);
}

static int explain(void *ctx)
{
    int status = anomaly_explain(((subject *)ctx)->detector, strange, contribution);
    return status == ANOMALY_E_KIND ? ANOMALY_OK : status;
}

static int stats(void *ctx)
{
    anomaly_stats found;
    double value;
    int status = anomaly_window_stats(((subject *)ctx)->detector, 0, &found);
    int quantile = anomaly_quantile(((subject *)ctx)->detector, 0, 0.3, &value);
    return status ? status : quantile == ANOMALY_E_KIND ? ANOMALY_OK : quantile;
}

static int save(void *ctx)
{
    subject *s = ctx;
    return anomaly_snapshot(s->detector, s->snapshot, SNAPSHOT_BYTES, &s->bytes);
}

static int restore(void *ctx)
{
    subject *s = ctx;
    return anomaly_restore(s->snapshot, s->bytes, NULL, &s->other, NULL);
}

static int create_pool(void *ctx)
{
    subject *s = ctx;
    return anomaly_pool_create(&s->config, NULL, NULL, &s->pool, NULL);
}

static int update_pool_rows(void *ctx)
{
    static const char *key[EVENTS];
    subject *s = ctx;
    for (size_t i = 0; i < EVENTS; i++)
        key[i] = "a key that does not fit into an entry";
    return anomaly_pool_update_rows(s->pool, &(anomaly_keys){.keys = key}, &s->rows, &s->verdicts, NULL);
}

static int update_pool(void *ctx)
{
    anomaly_verdict v;
    return anomaly_pool_update(((subject *)ctx)->pool, "k", 1, strange, ANOMALY_NO_TIME, &v);
}

static int save_pool(void *ctx)
{
    subject *s = ctx;
    return anomaly_pool_snapshot(s->pool, s->snapshot, SNAPSHOT_BYTES, &s->bytes);
}

static int restore_pool(void *ctx)
{
    subject *s = ctx;
    anomaly_pool *pool;
    int status = anomaly_pool_restore(s->snapshot, s->bytes, NULL, NULL, NULL, &pool, NULL);
    if (!status)
        anomaly_pool_destroy(pool);
    return status;
}

static int end(void *ctx)
{
    subject *s = ctx;
    anomaly_reset(s->detector);
    anomaly_destroy(s->detector);
    anomaly_destroy(s->other);
    anomaly_pool_destroy(s->pool);
    return ANOMALY_OK;
}

static const struct step {
    const char *name;
    int (*run)(void *ctx);
} steps[] = {
    {"options", give_options},
    {"create", create},
    {"learn rows", learn_rows},
    {"update rows", update_rows},
    {"score rows", score_rows},
    {"update", update},
    {"score", score},
    {"learn", learn},
    {"rebuild", rebuild},
    {"explain", explain},
    {"stats", stats},
    {"snapshot", save},
    {"restore", restore},
    {"pool create", create_pool},
    {"pool update rows", update_pool_rows},
    {"pool update", update_pool},
    {"pool snapshot", save_pool},
    {"pool restore", restore_pool},
    {"end", end},
};

/* Feature 0 stands still, so that the last event leaves a still feature, too. */
static void fill_table(uint32_t features_of_row)
{
    random_state r = {7};
    for (size_t i = 0; i < (size_t)EVENTS * features_of_row; i++)
        table[i] = i < EVENTS && i + 1 != EVENTS ? 5 : random_normal(&r);
    for (uint32_t f = 0; f < features_of_row; f++) {
        column[f] = table + (size_t)f * EVENTS;
        strange[f] = 1e6;
    }
}

static void check_calls(int kind, const char *options, uint32_t features_of_row, size_t most)
{
    subject s = {.rows = {.count = EVENTS, .columns = column},
                 .verdicts = {columns[0], NULL, columns[1], columns[2], columns[3], flags, features, NULL, NULL}};
    config_of(&s.config, kind, options);
    s.config.features = features_of_row;
    fill_table(features_of_row);
    s.snapshot = malloc(SNAPSHOT_BYTES);
    assert_non_null(s.snapshot);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        size_t used = stack_of(steps[i].run, &s);
        if (IS_MEASURED && used > most) {
            print_error("kind %d, %s, %u features, %s: %zu bytes of stack, more than %zu\n", kind, options, features_of_row,
                        steps[i].name, used, most);
            fail();
        }
    }
    free(s.snapshot);
}

static void check_kinds(uint32_t features_of_row, const char *trees, size_t most)
{
    char options[100];
    check_calls(ANOMALY_ZSCORE, "window=100", features_of_row, most);
    check_calls(ANOMALY_ZSCORE, "window=100 robust=1", features_of_row, most);
    check_calls(ANOMALY_PERCENTILE, "window=100", features_of_row, most);
    snprintf(options, sizeof options, "window=100 trees=%s", trees);
    check_calls(ANOMALY_IFOREST, options, features_of_row, most);
    snprintf(options, sizeof options, "window=100 threshold=0.1 trees=%s simd=portable", trees); /* all are flagged */
    check_calls(ANOMALY_IFOREST, options, features_of_row, most);
    if (features_of_row > AN_STAGED_FEATURES)
        return;
    check_calls(ANOMALY_ZSCORE, "window=100 transform=diff alarm_rate=0.4 rest=5", features_of_row, most);
    snprintf(options, sizeof options, "window=100 threshold=0.1 trees=%s transform=diff simd=portable", trees);
    check_calls(ANOMALY_IFOREST, options, features_of_row, most);
    if (features_of_row <= 20)
        check_calls(ANOMALY_MAHALANOBIS, "window=1024 lags=2 threshold=0.1 transform=diff", features_of_row, most);
}

static void test_calls_take_less_than_16_kib(void **state)
{
    (void)state;
    check_kinds(1, "256", USUAL_BYTES);
    check_kinds(20, "128", USUAL_BYTES);
    check_kinds(256, "256", USUAL_BYTES);
}

static void test_calls_with_more_take_less_than_96_kib(void **state)
{
    (void)state;
    check_kinds(20, "1024", WIDE_BYTES);
    check_kinds(300, "500", WIDE_BYTES);
    if (!is_quick())
        check_kinds(MOST_FEATURES, "1024", WIDE_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zscore_rows_take_less_than_16_kib),
        cmocka_unit_test(test_rows_of_other_kinds_take_less_than_16_kib),
        cmocka_unit_test(test_forest_rows_take_less_than_16_kib),
        cmocka_unit_test(test_calls_take_less_than_16_kib),
        cmocka_unit_test(test_calls_with_more_take_less_than_96_kib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
