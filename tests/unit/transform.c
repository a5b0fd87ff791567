/* SPDX-License-Identifier: MIT
 * transform.c - what a kind sees in place of a value (lib/stage/transform.h), by hand; the way back; what cannot be transformed. */
#include "../support/test.h"

#include <float.h>

#include "../support/random.h"
#include "../support/stage.h"
#include "../support/test_memory.h"
#include "../support/written.h"
#include "stage/transform.h"

static an_transform made(int32_t how)
{
    an_transform transform;
    assert_ok(an_transform_create(&transform, how, 2, memory()));
    return transform;
}

static double seen(const an_transform *transform, double x, int64_t t_ns)
{
    double y = 0;
    assert_int_equal(an_transform_apply(transform, 1, x, t_ns, &y), AN_TRANSFORMED);
    return y;
}

static void check_not(const an_transform *transform, double x, int64_t t_ns, enum an_transformed why)
{
    double y = 0;
    assert_int_equal(an_transform_apply(transform, 1, x, t_ns, &y), why);
    assert_nan(y);
}

static void test_of_the_value_alone(void **state)
{
    (void)state;
    an_transform raw = made(ANOMALY_RAW), log = made(ANOMALY_LOG), log1p = made(ANOMALY_LOG1P), root = made(ANOMALY_SQRT);
    assert_same(seen(&raw, -3.5, ANOMALY_NO_TIME), -3.5);
    assert_same(seen(&log, 1, ANOMALY_NO_TIME), 0);
    assert_close(seen(&log, 1000, ANOMALY_NO_TIME), 6.907755278982137, 1e-15);
    assert_same(seen(&log1p, 0, ANOMALY_NO_TIME), 0);
    assert_close(seen(&log1p, 1, ANOMALY_NO_TIME), 0.6931471805599453, 1e-15);
    assert_same(seen(&root, 6.25, ANOMALY_NO_TIME), 2.5);
    check_not(&log, 0, 5, AN_IMPOSSIBLE);
    check_not(&log, -1, 5, AN_IMPOSSIBLE);
    check_not(&log1p, -1, 5, AN_IMPOSSIBLE);
    check_not(&root, -1e-300, 5, AN_IMPOSSIBLE);
    assert_int_equal(an_transform_bytes(ANOMALY_LOG, 4096), 0);
}

/* NaN is missing and an infinity infinite, whatever the transform. */
static void test_not_finite(void **state)
{
    (void)state;
    for (int32_t how = ANOMALY_RAW; how <= ANOMALY_RATE; how++) {
        an_transform transform = made(how);
        assert_nan(seen(&transform, (double)NAN, 5));
        assert_same(seen(&transform, -(double)INFINITY, 5), -(double)INFINITY);
        assert_same(an_transform_back(&transform, 1, 1, (double)INFINITY, 5), (double)INFINITY);
        assert_same(an_transform_back(&transform, 1, 1, -(double)INFINITY, 5), -(double)INFINITY);
        an_transform_free(&transform, memory());
    }
}

static void test_diff(void **state)
{
    an_transform diff = made(ANOMALY_DIFF);
    (void)state;
    check_not(&diff, 7, ANOMALY_NO_TIME, AN_FIRST);
    assert_nan(an_transform_back(&diff, 1, 1, 0, ANOMALY_NO_TIME));
    an_transform_learn(&diff, 1, 7, ANOMALY_NO_TIME);
    assert_same(seen(&diff, 9.5, ANOMALY_NO_TIME), 2.5);
    assert_same(an_transform_back(&diff, 1, 1, 2.5, ANOMALY_NO_TIME), 9.5);
    an_transform_learn(&diff, 1, (double)NAN, ANOMALY_NO_TIME);
    an_transform_learn(&diff, 1, (double)INFINITY, ANOMALY_NO_TIME);
    assert_same(seen(&diff, 5, ANOMALY_NO_TIME), -2);
    an_transform_learn(&diff, 1, -DBL_MAX, ANOMALY_NO_TIME);
    check_not(&diff, DBL_MAX, ANOMALY_NO_TIME, AN_IMPOSSIBLE);
    an_transform_reset(&diff);
    check_not(&diff, 7, ANOMALY_NO_TIME, AN_FIRST);
    an_transform_free(&diff, memory());
}

/* An event that comes late has no value before it, and is none for the next. */
static void test_late_diff(void **state)
{
    an_transform diff = made(ANOMALY_DIFF);
    (void)state;
    an_transform_learn(&diff, 1, 7, 10);
    check_not(&diff, 8, 9, AN_IMPOSSIBLE);
    assert_nan(an_transform_back(&diff, 1, 1, 1, 9));
    an_transform_learn(&diff, 1, 100, 9);
    assert_same(seen(&diff, 8, 10), 1);
    an_transform_free(&diff, memory());
}

/* Per second; a counter that is smaller than it was began anew at 0. */
static void test_rate(void **state)
{
    an_transform rate = made(ANOMALY_RATE);
    (void)state;
    check_not(&rate, 100, 0, AN_FIRST);
    an_transform_learn(&rate, 1, 100, 0);
    assert_same(seen(&rate, 150, 20 * SECOND), 2.5);
    assert_same(seen(&rate, 30, 20 * SECOND), 1.5);
    assert_same(seen(&rate, 100, SECOND), 0);
    assert_same(an_transform_back(&rate, 1, 150, 2.5, 20 * SECOND), 150);
    assert_same(an_transform_back(&rate, 1, 100, 2.5, 20 * SECOND), 150);
    assert_same(an_transform_back(&rate, 1, 30, 1.5, 20 * SECOND), 30);
    assert_same(an_transform_back(&rate, 1, (double)NAN, 2.5, 20 * SECOND), 150);
    check_not(&rate, 150, 0, AN_IMPOSSIBLE);
    check_not(&rate, 150, -1, AN_IMPOSSIBLE);
    check_not(&rate, -5, SECOND, AN_IMPOSSIBLE);
    an_transform_learn(&rate, 1, 200, INT64_MAX);
    an_transform_learn(&rate, 1, 1, 0);
    check_not(&rate, 201, INT64_MAX, AN_IMPOSSIBLE);
    an_transform_free(&rate, memory());
}

static void test_longest_time(void **state)
{
    an_transform rate = made(ANOMALY_RATE);
    (void)state;
    an_transform_learn(&rate, 1, 0, INT64_MIN + 1);
    assert_close(seen(&rate, 18446744073.709551, INT64_MAX), 1, 1e-15);
    an_transform_free(&rate, memory());
}

/* The bounds of a value are in its own unit: there and back it is the same, and more stays more. */
static void test_way_back(void **state)
{
    random_state r = {1};
    (void)state;
    for (int32_t how = ANOMALY_RAW; how <= ANOMALY_RATE; how++) {
        an_transform transform = made(how);
        an_transform_learn(&transform, 1, 50, SECOND);
        for (int i = 0; i < 2000; i++) {
            double x = 100 * random_unit(&r) + (how == ANOMALY_RATE ? 50 : 0.001), y = seen(&transform, x, 4 * SECOND);
            assert_close(an_transform_back(&transform, 1, x, y, 4 * SECOND), x, 1e-13);
            assert_true(an_transform_back(&transform, 1, x, y + 0.5, 4 * SECOND) > x);
            double a = y, b = y - i, c = i % 3 ? y + 1 : (double)INFINITY;
            an_transform_three_back(&transform, 1, x, 4 * SECOND, &a, &b, &c);
            assert_same(a, an_transform_back(&transform, 1, x, y, 4 * SECOND));
            assert_same(b, an_transform_back(&transform, 1, x, y - i, 4 * SECOND));
            assert_same(c, an_transform_back(&transform, 1, x, i % 3 ? y + 1 : (double)INFINITY, 4 * SECOND));
        }
        an_transform_free(&transform, memory());
    }
    an_transform root = made(ANOMALY_SQRT);
    assert_same(an_transform_back(&root, 1, 1, -2, 0), 0);
}

/* ---- memory and snapshots ---- */

static void test_no_memory(void **state)
{
    test_memory m = {.fail_at = 1};
    anomaly_allocator allocator = {memory_take, memory_give, &m};
    an_transform transform = {.how = 77};
    (void)state;
    assert_error(an_transform_create(&transform, ANOMALY_DIFF, 3, &allocator), ANOMALY_E_NOMEM);
    assert_int_equal(transform.how, 77);
    m = (test_memory){0};
    assert_ok(an_transform_create(&transform, ANOMALY_DIFF, 3, &allocator));
    assert_int_equal(m.bytes, an_transform_bytes(ANOMALY_DIFF, 3));
    an_transform_free(&transform, &allocator);
    assert_int_equal(m.live, 0);
    assert_int_equal(m.bad_frees, 0);
}

static written bytes;

static void save(const an_transform *transform)
{
    an_writer writer;
    written_begin(&bytes, &writer);
    an_transform_save(transform, &writer);
    assert_ok(an_writer_end(&writer));
}

static int restores(an_transform *transform)
{
    an_reader reader = written_reader(&bytes);
    an_transform_restore(transform, &reader);
    return written_is_read(&reader);
}

static void test_snapshot(void **state)
{
    an_transform diff = made(ANOMALY_DIFF), twin = made(ANOMALY_DIFF);
    (void)state;
    an_transform_learn(&diff, 1, 2.5, 77);
    save(&diff);
    assert_true(restores(&twin));
    assert_same(seen(&twin, 4, 77), 1.5);
    check_not(&twin, 4, 76, AN_IMPOSSIBLE);
    assert_nan(twin.previous[0].value);
    bytes.length--;
    assert_false(restores(&twin));
    diff.previous[0] = (an_previous){(double)INFINITY, 1};
    save(&diff);
    assert_false(restores(&twin));
    diff.previous[0] = (an_previous){(double)NAN, 1};
    save(&diff);
    assert_false(restores(&twin));
    an_transform_free(&diff, memory());
    an_transform_free(&twin, memory());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_the_value_alone), cmocka_unit_test(test_not_finite), cmocka_unit_test(test_diff),
        cmocka_unit_test(test_late_diff),          cmocka_unit_test(test_rate),       cmocka_unit_test(test_longest_time),
        cmocka_unit_test(test_way_back),           cmocka_unit_test(test_no_memory),  cmocka_unit_test(test_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
