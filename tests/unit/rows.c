/* SPDX-License-Identifier: MIT
 * rows.c - the calls on many events: layouts, outputs, and how far they get when a row is wrong. */
#include "../support/test.h"

enum { N = 40 };

static double value_of(int i)
{
    return i * 7 % 13 + (i == 25 ? 100 : 0);
}

typedef struct fixture {
    anomaly_verdict want[N];
    double x[N];
    int64_t t[N];
} fixture;

/* Ten seconds of window, an event a second; the loop's verdicts. */
static fixture by_loop(const char *options)
{
    fixture f;
    anomaly_detector *d = zscore_of(options);
    for (int i = 0; i < N; i++) {
        f.x[i] = value_of(i);
        f.t[i] = i * SECOND;
        f.want[i] = push_at(d, f.x[i], f.t[i]);
    }
    anomaly_destroy(d);
    return f;
}

static void check_rows(const fixture *f, const char *options, const anomaly_rows *rows)
{
    anomaly_detector *d = zscore_of(options);
    double score[N];
    uint32_t flags[N];
    anomaly_verdicts out = {.score = score, .flags = flags};
    size_t done = 0;
    assert_ok(anomaly_update_rows(d, rows, &out, &done));
    assert_true(done == N);
    for (int i = 0; i < N; i++) {
        assert_same(score[i], f->want[i].score);
        assert_int_equal(flags[i], f->want[i].flags);
    }
    anomaly_destroy(d);
}

static void test_packed(void **state)
{
    fixture f = by_loop("window=10s");
    anomaly_rows rows = {.count = N, .values = f.x, .times = f.t};
    (void)state;
    check_rows(&f, "window=10s", &rows);
    rows.row_stride = rows.feature_stride = rows.time_stride = 8;
    check_rows(&f, "window=10s", &rows);
}

/* A column of a table of structs. */
static void test_strides(void **state)
{
    struct record {
        char text[12];
        float other;
        double x;
        int64_t t;
        int tail;
    } table[N];
    fixture f = by_loop("window=10s");
    anomaly_rows rows = {.count = N, .values = &table[0].x, .row_stride = sizeof table[0]};
    (void)state;
    memset(table, 0xee, sizeof table);
    for (int i = 0; i < N; i++) {
        table[i].x = f.x[i];
        table[i].t = f.t[i];
    }
    rows.times = &table[0].t;
    rows.time_stride = sizeof table[0];
    check_rows(&f, "window=10s", &rows);
}

static void test_negative_strides(void **state)
{
    double x[2 * N];
    int64_t t[N];
    fixture f = by_loop("window=10s");
    anomaly_rows rows = {.count = N, .values = x + 2 * N - 2, .row_stride = -16, .times = t + N - 1, .time_stride = -8};
    (void)state;
    for (int i = 0; i < N; i++) {
        x[2 * (N - 1 - i)] = f.x[i];
        x[2 * (N - 1 - i) + 1] = NAN;
        t[N - 1 - i] = f.t[i];
    }
    check_rows(&f, "window=10s", &rows);
}

static void test_unaligned(void **state)
{
    unsigned char x[N * 11 + 3], t[N * 9 + 1];
    fixture f = by_loop("window=10s");
    anomaly_rows rows = {.count = N, .row_stride = 11, .time_stride = 9};
    (void)state;
    rows.values = (const double *)(const void *)(x + 3);
    rows.times = (const int64_t *)(const void *)(t + 1);
    for (int i = 0; i < N; i++) {
        memcpy(x + 3 + 11 * i, &f.x[i], 8);
        memcpy(t + 1 + 9 * i, &f.t[i], 8);
    }
    check_rows(&f, "window=10s", &rows);
}

/* Two features as rows, as rows read backwards, and as columns. */
static void test_features_and_columns(void **state)
{
    double wide[N][2], a[N], b[N], score[3][N];
    const double *columns[2] = {a, b};
    const anomaly_rows rows[3] = {{.count = N, .values = &wide[0][0]},
                                  {.count = N, .values = &wide[0][0], .row_stride = 16, .feature_stride = 8},
                                  {.count = N, .columns = columns}};
    (void)state;
    for (int i = 0; i < N; i++) {
        wide[i][0] = a[i] = value_of(i);
        wide[i][1] = b[i] = value_of(i * 3 + 1);
    }
    for (int k = 0; k < 3; k++) {
        anomaly_detector *d = zscore_of("window=12 features=2");
        anomaly_verdicts out = {.score = score[k]};
        assert_ok(anomaly_update_rows(d, &rows[k], &out, NULL));
        assert_true(stats_of(d, 0).count == 12 && stats_of(d, 1).count == 12);
        anomaly_destroy(d);
    }
    for (int i = 0; i < N; i++) {
        assert_same(score[0][i], score[1][i]);
        assert_same(score[0][i], score[2][i]);
    }
}

/* Only what is asked for is written, and not past its end. */
static void test_outputs(void **state)
{
    fixture f = by_loop("window=10");
    anomaly_rows rows = {.count = N, .values = f.x};
    double doubles[6][N + 1];
    uint32_t flags[N + 1], feature[N + 1];
    uint64_t events[N + 1];
    const anomaly_verdicts out = {doubles[0], doubles[1], doubles[2], doubles[3], doubles[4],
                                  flags,      feature,    events,     doubles[5]};
    anomaly_detector *d = zscore_of("window=10");
    (void)state;
    for (int i = 0; i < 6; i++)
        doubles[i][N] = 4711;
    flags[N] = feature[N] = 4711;
    events[N] = 4711;
    assert_ok(anomaly_update_rows(d, &rows, &out, NULL));
    for (int i = 0; i < N; i++) {
        const anomaly_verdict v = {doubles[0][i], doubles[1][i], doubles[2][i], doubles[3][i], doubles[4][i],
                                   flags[i],      feature[i],    events[i],     doubles[5][i]};
        assert_same_verdict(&v, &f.want[i]);
        assert_nan(v.tail);
    }
    for (int i = 0; i < 6; i++)
        assert_same(doubles[i][N], 4711);
    assert_true(flags[N] == 4711 && feature[N] == 4711 && events[N] == 4711);
    anomaly_destroy(d);
}

static void test_no_outputs(void **state)
{
    fixture f = by_loop("window=10");
    anomaly_rows rows = {.count = N, .values = f.x};
    const anomaly_verdicts none = {0};
    anomaly_detector *a = zscore_of("window=10"), *b = zscore_of("window=10");
    (void)state;
    assert_ok(anomaly_update_rows(a, &rows, NULL, NULL));
    assert_ok(anomaly_update_rows(b, &rows, &none, NULL));
    assert_same_state(a, b);
    assert_true(counters_of(a).anomalies == 1);
    anomaly_destroy(a);
    anomaly_destroy(b);
}

static void test_no_rows(void **state)
{
    anomaly_detector *d = zscore_of("window=10s");
    anomaly_rows rows = {0};
    anomaly_verdicts out = {0};
    size_t done = 9;
    (void)state;
    assert_ok(anomaly_update_rows(d, &rows, &out, &done));
    assert_true(done == 0);
    done = 9;
    assert_ok(anomaly_score_rows(d, &rows, &out, &done));
    assert_true(done == 0);
    done = 9;
    assert_ok(anomaly_learn_rows(d, &rows, &done));
    assert_true(done == 0);
    anomaly_destroy(d);
}

static void test_null_arguments(void **state)
{
    double x[2] = {1, 2}, score[2] = {7, 7};
    const double *columns[2] = {x, NULL};
    anomaly_rows rows = {.count = 2, .values = x}, none = {.count = 2}, hole = {.count = 2, .columns = columns};
    anomaly_verdicts out = {.score = score};
    anomaly_detector *d = zscore_of("window=10"), *two = zscore_of("window=10 features=2");
    size_t done = 0;
    (void)state;
    assert_error(anomaly_update_rows(NULL, &rows, &out, &done), ANOMALY_E_ARG);
    assert_error(anomaly_update_rows(d, NULL, &out, &done), ANOMALY_E_ARG);
    assert_error(anomaly_update_rows(d, &none, &out, &done), ANOMALY_E_ARG);
    assert_error(anomaly_update_rows(two, &hole, &out, &done), ANOMALY_E_ARG);
    assert_error(anomaly_score_rows(NULL, &rows, &out, &done), ANOMALY_E_ARG);
    assert_error(anomaly_score_rows(d, NULL, &out, &done), ANOMALY_E_ARG);
    assert_error(anomaly_score_rows(d, &none, &out, &done), ANOMALY_E_ARG);
    assert_error(anomaly_learn_rows(NULL, &rows, &done), ANOMALY_E_ARG);
    assert_error(anomaly_learn_rows(d, NULL, &done), ANOMALY_E_ARG);
    assert_error(anomaly_learn_rows(d, &none, &done), ANOMALY_E_ARG);
    assert_true(done == 0 && score[0] == 7 && score[1] == 7);
    assert_true(count_of(d) == 0 && count_of(two) == 0);
    anomaly_destroy(d);
    anomaly_destroy(two);
}

/* A row without its time: those before it stand, it and those after it have left no trace. */
static void check_bad_row(int bad)
{
    fixture f = by_loop("window=10s");
    double score[N], x[N];
    int64_t t[N];
    anomaly_rows rows = {.count = N, .values = x, .times = t};
    anomaly_verdicts out = {.score = score};
    anomaly_detector *d = zscore_of("window=10s"), *learner = zscore_of("window=10s"), *twin = zscore_of("window=10s");
    size_t done = 99;
    memcpy(x, f.x, sizeof x);
    memcpy(t, f.t, sizeof t);
    t[bad] = ANOMALY_NO_TIME;
    for (int i = 0; i < N; i++)
        score[i] = 4711;
    for (int i = 0; i < bad; i++)
        push_at(twin, x[i], t[i]);
    assert_error(anomaly_update_rows(d, &rows, &out, &done), ANOMALY_E_ARG);
    assert_true(done == (size_t)bad);
    for (int i = 0; i < N; i++)
        assert_same(score[i], i < bad ? f.want[i].score : 4711);
    assert_same_state(d, twin);
    done = 99;
    assert_error(anomaly_learn_rows(learner, &rows, &done), ANOMALY_E_ARG);
    assert_true(done == (size_t)bad && counters_of(learner).learned == (uint64_t)bad);
    done = 99;
    assert_error(anomaly_score_rows(d, &rows, &out, &done), ANOMALY_E_ARG);
    assert_true(done == (size_t)bad);
    assert_same_state(d, twin);
    anomaly_destroy(d);
    anomaly_destroy(learner);
    anomaly_destroy(twin);
}

static void test_bad_row(void **state)
{
    (void)state;
    check_bad_row(0);
    check_bad_row(1);
    check_bad_row(17);
    check_bad_row(N - 1);
}

/* Without times at all: fine for a window by count, an error at row 0 for one of time. */
static void test_no_times(void **state)
{
    double x[3] = {1, 2, 3};
    anomaly_rows rows = {.count = 3, .values = x};
    anomaly_detector *counted = zscore_of("window=10"), *timed = zscore_of("window=10s");
    size_t done = 99;
    (void)state;
    assert_ok(anomaly_update_rows(counted, &rows, NULL, &done));
    assert_true(done == 3);
    assert_error(anomaly_update_rows(timed, &rows, NULL, &done), ANOMALY_E_ARG);
    assert_true(done == 0 && count_of(timed) == 0);
    anomaly_destroy(counted);
    anomaly_destroy(timed);
}

/* score_rows() judges all rows against the same window and changes nothing. */
static void test_score_rows(void **state)
{
    fixture f = by_loop("window=10");
    double score[N];
    anomaly_rows rows = {.count = N, .values = f.x};
    anomaly_verdicts out = {.score = score};
    anomaly_detector *d = zscore_of("window=10"), *twin = zscore_of("window=10");
    size_t done;
    (void)state;
    for (int i = 0; i < 15; i++) {
        push(d, value_of(i));
        push(twin, value_of(i));
    }
    assert_ok(anomaly_score_rows(d, &rows, &out, &done));
    assert_true(done == N);
    for (int i = 0; i < N; i++)
        assert_same(score[i], judge(d, f.x[i]).score);
    assert_same_state(d, twin);
    assert_ok(anomaly_score_rows(d, &rows, NULL, NULL));
    anomaly_destroy(d);
    anomaly_destroy(twin);
}

/* -0.0 is kept as 0.0 on every path. */
static void test_negative_zero(void **state)
{
    (void)state;
    for (int simd = ANOMALY_SIMD_AUTO; simd <= ANOMALY_SIMD_AVX512; simd++) {
        double x[3000];
        anomaly_config c;
        anomaly_detector *d = NULL;
        anomaly_rows rows = {.count = ARRAY_COUNT(x), .values = x};
        for (size_t i = 0; i < ARRAY_COUNT(x); i++)
            x[i] = i % 3 == 0 ? -0.0 : (double)(i % 3);
        config_of(&c, ANOMALY_ZSCORE, "window=128");
        c.simd = simd;
        if (anomaly_create(&c, NULL, &d, NULL) != ANOMALY_OK)
            continue; /* not on this machine */
        assert_ok(anomaly_update_rows(d, &rows, NULL, NULL));
        assert_same(stats_of(d, 0).min, 0.0);
        anomaly_destroy(d);
    }
}

/* ---- scores that lie exactly on the threshold ---- */

enum { LONG = 3000, LEARNED = 128 };

/* -1, 1, -1, 1 ...: the same few scores again and again. */
static void fill_wave(double *x)
{
    for (int i = 0; i < LONG; i++)
        x[i] = i % 2 ? 1 : -1;
}

static anomaly_detector *create_with(const char *options, int simd, double threshold)
{
    anomaly_config c;
    anomaly_detector *d = NULL;
    config_of(&c, ANOMALY_ZSCORE, options);
    c.simd = simd;
    c.threshold = threshold;
    return anomaly_create(&c, NULL, &d, NULL) == ANOMALY_OK ? d : NULL; /* NULL: not on this machine */
}

/* How many of the events the single call flags; their scores. */
static uint64_t flagged_by_loop(const char *options, const double *x, double threshold, double *score)
{
    anomaly_detector *d = create_with(options, ANOMALY_SIMD_SCALAR, threshold);
    uint64_t count;
    for (int i = 0; i < LONG; i++)
        score[i] = push(d, x[i]).score;
    count = counters_of(d).anomalies;
    anomaly_destroy(d);
    return count;
}

static void check_on_the_threshold(const char *options, int simd, const double *x, double threshold, uint64_t anomalies)
{
    double score[LONG];
    anomaly_rows rows = {.count = LONG, .values = x};
    anomaly_verdicts out = {.score = score};
    anomaly_detector *d = create_with(options, simd, threshold);
    if (d == NULL)
        return;
    assert_ok(anomaly_update_rows(d, &rows, &out, NULL)); /* the column of scores alone ... */
    assert_true(counters_of(d).anomalies == anomalies);
    anomaly_reset(d);
    assert_ok(anomaly_update_rows(d, &rows, NULL, NULL)); /* ... and none */
    assert_true(counters_of(d).anomalies == anomalies);
    anomaly_destroy(d);
}

static void check_on_a_score(const char *side)
{
    double x[LONG], score[LONG], on;
    char ge[96], gt[96];
    uint64_t with, without;
    snprintf(ge, sizeof ge, "window=%d ddof=0 compare=ge side=%s", LEARNED, side);
    snprintf(gt, sizeof gt, "window=%d ddof=0 compare=gt side=%s", LEARNED, side);
    fill_wave(x);
    (void)flagged_by_loop(ge, x, 1, score);
    on = fmax(score[LONG - 2], score[LONG - 1]);
    with = flagged_by_loop(ge, x, on, score);
    without = flagged_by_loop(gt, x, on, score);
    assert_true(with >= without + 100); /* else nothing lies on it */
    for (int simd = ANOMALY_SIMD_AUTO; simd <= ANOMALY_SIMD_AVX512; simd++) {
        check_on_the_threshold(ge, simd, x, on, with);
        check_on_the_threshold(gt, simd, x, on, without);
    }
}

static void test_on_the_threshold(void **state)
{
    (void)state;
    check_on_a_score("both");
    check_on_a_score("upper");
    check_on_a_score("lower");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_strides),
        cmocka_unit_test(test_negative_strides),
        cmocka_unit_test(test_unaligned),
        cmocka_unit_test(test_features_and_columns),
        cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_no_outputs),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_null_arguments),
        cmocka_unit_test(test_bad_row),
        cmocka_unit_test(test_no_times),
        cmocka_unit_test(test_score_rows),
        cmocka_unit_test(test_on_the_threshold),
        cmocka_unit_test(test_negative_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
