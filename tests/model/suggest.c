/* SPDX-License-Identifier: MIT
 * suggest.c - lib/suggest's measures beside slow ones written from their definitions: sort, autocorrelation of the ranks of hourly
 * medians, skewness of quantiles; on random series with gaps, ties and disorder. */
#include "../support/test.h"

#include "../support/random.h"
#include "suggest/lean.h"
#include "suggest/rhythm.h"

#define HOUR (3600 * SECOND)

enum { EVENTS = 3000, HOURS = 2000 };

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double lower_median(const double *from, size_t count)
{
    double sorted[EVENTS];
    memcpy(sorted, from, count * sizeof *from);
    qsort(sorted, count, sizeof *sorted, by_size);
    return sorted[(count - 1) / 2];
}

typedef struct events {
    double x[EVENTS];
    int64_t t[EVENTS];
} events;

static void make_events(events *e, random_state *r, int shape)
{
    int64_t t = (int64_t)random_below(r, 100) * HOUR, step = (int64_t)(1 + random_below(r, 1200)) * SECOND;
    double walk = 0;
    for (size_t i = 0; i < EVENTS; i++) {
        t += one_in(r, 300) ? 20 * HOUR : step;
        walk += random_normal(r);
        double day = sin(6.283185307179586 * (double)(t % (24 * HOUR)) / (24 * HOUR));
        e->t[i] = one_in(r, 100) ? t - HOUR : t;
        e->x[i] = shape == 0   ? random_normal(r)
                  : shape == 1 ? 5 * day + random_normal(r)
                  : shape == 2 ? walk
                  : shape == 3 ? floor(3 * day + random_normal(r))
                               : exp(random_normal(r));
        if (one_in(r, 70))
            e->x[i] = (double)NAN;
    }
}

static an_desk *desk_of(const events *e)
{
    an_desk *desk = calloc(1, sizeof *desk);
    an_series series = {.features = 1, .count = EVENTS};
    anomaly_rows rows = {.count = EVENTS, .values = e->x, .times = e->t};
    assert_non_null(desk);
    series.rows = &rows;
    an_series_pick(&series, 0, AN_AS_IS, desk);
    assert_int_equal(desk->picks, EVENTS);
    return desk;
}

/* ---- the sort ---- */

static int by_both(const void *a, const void *b)
{
    const an_ordered *x = a, *y = b;
    return x->by != y->by ? (x->by > y->by) - (x->by < y->by) : (x->then > y->then) - (x->then < y->then);
}

static void test_sort(void **state)
{
    random_state r = {1};
    an_ordered got[300], want[300];
    (void)state;
    for (size_t count = 0; count < 300; count++) {
        for (size_t i = 0; i < count; i++)
            want[i] = got[i] = (an_ordered){random_below(&r, 20), random_below(&r, 20)};
        an_ordered_sort(got, count);
        qsort(want, count, sizeof *want, by_both);
        assert_memory_equal(got, want, count * sizeof *got);
    }
}

static void test_orders(void **state)
{
    static const double x[] = {-INFINITY, -1e308, -1, -5e-324, 0, 5e-324, 1, 1e308, INFINITY};
    static const int64_t t[] = {INT64_MIN, -5, -1, 0, 1, INT64_MAX};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(x); i++) {
        assert_same(an_of_order(an_order_of_value(x[i])), x[i]);
        assert_true(i == 0 || an_order_of_value(x[i]) > an_order_of_value(x[i - 1]));
    }
    assert_int_equal(an_order_of_value(-0.0), an_order_of_value(0.0));
    for (size_t i = 0; i < ARRAY_COUNT(t); i++) {
        assert_int_equal(an_time_of_order(an_order_of_time(t[i])), t[i]);
        assert_true(i == 0 || an_order_of_time(t[i]) > an_order_of_time(t[i - 1]));
    }
}

/* ---- rhythm ---- */

/* The median of each hour's values, from the first hour that has one; returns the number of hours. */
static size_t hourly(const events *e, double *median, int64_t *first)
{
    int64_t last = 0;
    *first = INT64_MAX;
    for (size_t i = 0; i < EVENTS; i++)
        if (!isnan(e->x[i])) {
            *first = e->t[i] / HOUR < *first ? e->t[i] / HOUR : *first;
            last = e->t[i] / HOUR > last ? e->t[i] / HOUR : last;
        }
    for (int64_t hour = *first; hour <= last; hour++) {
        double values[EVENTS];
        size_t count = 0;
        for (size_t i = 0; i < EVENTS; i++)
            if (e->t[i] / HOUR == hour && !isnan(e->x[i]))
                values[count++] = e->x[i];
        median[hour - *first] = count ? lower_median(values, count) : (double)NAN;
    }
    return (size_t)(last - *first + 1);
}

static void ranks(const double *x, size_t n, double *rank)
{
    for (size_t i = 0; i < n; i++) {
        double below = 0, equal = 0;
        for (size_t k = 0; k < n; k++) {
            below += x[k] < x[i];
            equal += x[k] == x[i];
        }
        rank[i] = isnan(x[i]) ? (double)NAN : below + (equal - 1) / 2;
    }
}

static void without_mean_around(const double *x, size_t n, size_t period, double *left)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0, count = 0;
        for (size_t k = 0; k < n; k++)
            if (k + period / 2 >= i && k <= i + period / 2 && !isnan(x[k])) {
                sum += x[k];
                count++;
            }
        left[i] = x[i] - sum / count;
    }
}

static double autocorrelation(const double *x, size_t n, size_t lag, double *pairs)
{
    double products = 0, squares = 0, count = 0;
    *pairs = 0;
    for (size_t i = 0; i < n; i++) {
        squares += isnan(x[i]) ? 0 : x[i] * x[i];
        count += !isnan(x[i]);
        if (i + lag < n && !isnan(x[i]) && !isnan(x[i + lag])) {
            products += x[i] * x[i + lag];
            ++*pairs;
        }
    }
    return products / *pairs / (squares / count);
}

static void test_a_day(void **state)
{
    random_state r = {2};
    int daily = 0;
    (void)state;
    for (int round = 0; round < (is_quick() ? 10 : 60); round++) {
        static events e;
        static double median[HOURS], rank[HOURS], left[HOURS];
        int64_t first;
        double pairs;
        make_events(&e, &r, round % 5);
        an_desk *desk = desk_of(&e);
        an_rhythm got = an_rhythm_of(desk, 600 * SECOND);
        size_t n = hourly(&e, median, &first);
        ranks(median, n, rank);
        assert_int_equal(desk->hours, n);
        assert_int_equal(desk->first_hour, first);
        for (size_t i = 0; i < n; i++)
            assert_same(desk->hour[i], rank[i]);
        without_mean_around(rank, n, 24, left);
        double want = autocorrelation(left, n, 24, &pairs), half = autocorrelation(left, n, 12, &pairs);
        double three = autocorrelation(left, n, 18, &pairs);
        want = autocorrelation(left, n, 24, &pairs);
        int is_day = n >= 72 && want >= fmax(0.25, 5 / sqrt(pairs)) && want > half && want > three;
        if (got.period_ns <= 24 * HOUR && n >= 72)
            assert_close(got.repeats, want, 1e-9);
        assert_true((got.period_ns == 24 * HOUR) == is_day || got.period_ns == 168 * HOUR);
        daily += got.period_ns == 24 * HOUR;
        free(desk);
    }
    assert_true(daily >= (is_quick() ? 2 : 12));
}

/* What has no rhythm is seldom said to have one: of noise and of walks, 200 each, at most two in a hundred. */
static void test_noise_has_no_rhythm(void **state)
{
    random_state r = {3};
    int found = 0, rounds = is_quick() ? 50 : 200;
    (void)state;
    for (int round = 0; round < 2 * rounds; round++) {
        static events e;
        make_events(&e, &r, round % 2 ? 0 : 2);
        an_desk *desk = desk_of(&e);
        found += an_rhythm_of(desk, 600 * SECOND).period_ns != 0;
        free(desk);
    }
    assert_true(found * 50 <= 2 * rounds);
}

/* ---- lean ---- */

static double percentile_at(double *x, size_t count, size_t percent)
{
    qsort(x, count, sizeof *x, by_size);
    return x[(count - 1) * percent / 100];
}

static double skewness_of(const events *e, int64_t period_ns, double (*f)(double))
{
    static double left[EVENTS];
    size_t count = 0;
    for (size_t i = 0; i < EVENTS; i++) {
        static double slot[EVENTS];
        size_t same = 0;
        for (size_t k = 0; k < EVENTS; k++)
            if (!isnan(e->x[k]) && (period_ns == 0 || e->t[k] % period_ns / HOUR == e->t[i] % period_ns / HOUR))
                slot[same++] = e->x[k];
        if (!isnan(e->x[i]))
            left[count++] = f(e->x[i]) - f(lower_median(slot, same));
    }
    double low = percentile_at(left, count, 5), middle = percentile_at(left, count, 50),
           high = percentile_at(left, count, 95);
    return ((high - middle) - (middle - low)) / (high - low);
}

static double same(double x)
{
    return x;
}

static void test_lean(void **state)
{
    random_state r = {4};
    (void)state;
    for (int round = 0; round < 10; round++) {
        static events e;
        int64_t period_ns = round % 2 ? 24 * HOUR : 0;
        make_events(&e, &r, round < 5 ? 4 : round % 5);
        an_desk *desk = desk_of(&e);
        an_lean got = an_lean_of(desk, period_ns);
        assert_close(got.raw, skewness_of(&e, period_ns, same), 1e-12);
        if (round < 5) {
            assert_int_equal(got.possible, ANOMALY_LOG);
            assert_true(got.helps);
            assert_true(fabs(got.logarithmic - skewness_of(&e, period_ns, log)) < 1e-9);
        }
        free(desk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sort),  cmocka_unit_test(test_orders),
        cmocka_unit_test(test_a_day), cmocka_unit_test(test_noise_has_no_rhythm),
        cmocka_unit_test(test_lean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
