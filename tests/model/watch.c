/* SPDX-License-Identifier: MIT
 * watch.c - the kind `watch` against a slow, obvious one: every event that was ever learned lies in an array, every number is
 * computed anew from there. Rounding may turn a tie into none, so a share lies between two: of what is larger by a little, and of
 * what is less by a little. */
#include "../support/test.h"

#include "../support/random.h"

enum { MOST_EVENTS = 4700, SPANS = 3, VIEWS = 2 * SPANS, SHAPE = 7, SHAPE_VALUES = 64, VISITS = 8 };
enum { NO_SLOT = 96 };

static const size_t SPAN[SPANS] = {10, 40, 60};

typedef struct learned {
    double x, residual;
    double view[VIEWS]; /* levels, then spreads */
    int slot;
    int64_t day;
    double shape[SHAPE];
} learned;

typedef struct model {
    size_t window, count;
    learned of[MOST_EVENTS + 1];
} model;

static double mean_of(const model *m, size_t end, size_t n, int residual)
{
    long double sum = 0;
    for (size_t i = end - n; i < end; i++)
        sum += residual ? m->of[i].residual : m->of[i].x;
    return (double)(sum / (long double)n);
}

static double stddev_of(const model *m, size_t end, size_t n)
{
    long double sum = 0, mean = mean_of(m, end, n, 0);
    for (size_t i = end - n; i < end; i++)
        sum += (m->of[i].x - mean) * (m->of[i].x - mean);
    return (double)sqrtl(sum / (long double)n);
}

/* ---- what is expected ---- */

static void place(learned *e, int64_t t, size_t index)
{
    double day = floor((double)t / (86400.0 * 1e9));
    e->slot = t == ANOMALY_NO_TIME ? NO_SLOT : (int)floor(((double)t / 1e9 - day * 86400) / 900);
    e->day = t == ANOMALY_NO_TIME ? (int64_t)(index / 64) : (int64_t)day;
}

typedef struct visit {
    int64_t day;
    long double sum, values;
} visit;

/* The newest visits of the slot, newest first. */
static size_t visits_of(const model *m, int slot, visit *v)
{
    size_t n = 0;
    for (size_t i = m->count; i-- > 0;) {
        if (m->of[i].slot != slot)
            continue;
        if (n == 0 || v[n - 1].day != m->of[i].day) {
            if (n == VISITS)
                break;
            v[n++] = (visit){m->of[i].day, 0, 0};
        }
        v[n - 1].sum += m->of[i].x;
        v[n - 1].values++;
    }
    return n;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* How many values of the quarter of an hour before came on its newest day, if that goes before this one. */
static long double values_before(const model *m, const learned *e)
{
    visit v[VISITS];
    size_t n = visits_of(m, (e->slot + 95) % 96, v);
    return n && v[0].day == e->day - (e->slot == 0) ? v[0].values : 0;
}

static double median_of_newest_nine(const model *m)
{
    double newest[9];
    for (size_t i = 0; i < 9; i++)
        newest[i] = m->of[m->count - 1 - i].x;
    qsort(newest, 9, sizeof *newest, ascending);
    return newest[4];
}

static double expected_of(const model *m, const learned *e, double x)
{
    visit v[VISITS];
    double mean[VISITS];
    size_t n = visits_of(m, e->slot, v), before = 0;
    long double sum = 0, values = 0;
    for (size_t k = 0; k < n; k++) {
        if (v[k].day != e->day)
            mean[before++] = (double)(v[k].sum / v[k].values);
        sum += v[k].sum;
        values += v[k].values;
    }
    if (before < 2) {
        double all = n ? (double)(sum / values) : (double)NAN;
        if (before == 1 || e->slot == NO_SLOT || values_before(m, e) < 9)
            return all;
        double level = median_of_newest_nine(m);
        return n && fabs(x - all) <= fabs(x - level) ? all : level;
    }
    qsort(mean, before, sizeof *mean, ascending);
    return (mean[(before - 1) / 2] + mean[before / 2]) / 2;
}

/* ---- shapes ---- */

static void shape_of(const model *m, size_t end, double *y)
{
    static const size_t LENGTH[SHAPE] = {32, 16, 8, 4, 2, 1, 1};
    size_t before = SHAPE_VALUES;
    for (size_t k = 0; k < SHAPE; k++) {
        before -= LENGTH[k];
        y[k] = mean_of(m, end - before, LENGTH[k], 0);
    }
}

/* Solves S z = y, by elimination; returns y' z. */
static long double solve(long double s[SHAPE][SHAPE], const long double *y)
{
    long double b[SHAPE], result = 0;
    memcpy(b, y, sizeof b);
    for (size_t k = 0; k < SHAPE; k++)
        for (size_t i = k + 1; i < SHAPE; i++) {
            long double f = s[i][k] / s[k][k];
            for (size_t j = k; j < SHAPE; j++)
                s[i][j] -= f * s[k][j];
            b[i] -= f * b[k];
        }
    for (size_t i = SHAPE; i-- > 0;) {
        for (size_t j = i + 1; j < SHAPE; j++)
            b[i] -= s[i][j] * b[j];
        b[i] /= s[i][i];
        result += y[i] * b[i];
    }
    return result;
}

/* The shapes that the last covariance was made of: [from, end) of all shapes. */
static void shapes_known(const model *m, size_t *from, size_t *end)
{
    size_t block = (m->window - SHAPE_VALUES - 16) / 9 / 16 * 16;
    size_t shapes = m->count < SHAPE_VALUES ? 0 : m->count - SHAPE_VALUES + 1;
    *end = shapes < block ? shapes / 16 * 16 : shapes / block * block;
    *from = *end > 8 * block ? *end - 8 * block : 0;
}

static double distance_of(const model *m, const double *y)
{
    long double mean[SHAPE] = {0}, s[SHAPE][SHAPE] = {{0}}, from_mean[SHAPE], trace = 0;
    size_t from, end;
    shapes_known(m, &from, &end);
    const learned *of = m->of + SHAPE_VALUES - 1;
    long double n = (long double)(end - from);
    for (size_t e = from; e < end; e++)
        for (size_t i = 0; i < SHAPE; i++)
            mean[i] += of[e].shape[i] / n;
    for (size_t e = from; e < end; e++)
        for (size_t i = 0; i < SHAPE; i++)
            for (size_t j = 0; j < SHAPE; j++)
                s[i][j] += (of[e].shape[i] - mean[i]) * (of[e].shape[j] - mean[j]) / n;
    for (size_t i = 0; i < SHAPE; i++)
        trace += s[i][i];
    if (end - from < 32 || trace <= 0)
        return (double)NAN;
    for (size_t i = 0; i < SHAPE; i++) {
        s[i][i] += trace / SHAPE / 10;
        from_mean[i] = y[i] - mean[i];
    }
    return (double)sqrtl(solve(s, from_mean) / SHAPE);
}

/* ---- shares, between two ---- */

typedef struct bounds {
    double least, most;
} bounds;

static double member_of(const learned *e, int view)
{
    return view < 0 ? fabs(e->residual) : e->view[view];
}

/* Of a view of the window that x is to be compared with. */
static double share_at(const model *m, int view, double x, int high)
{
    size_t from = m->count > m->window ? m->count - m->window : 0, reach = 0;
    double record = high ? -INFINITY : INFINITY, n = (double)(m->count - from);
    for (size_t i = from; i < m->count; i++) {
        double y = member_of(&m->of[i], view);
        reach += high ? y >= x : y <= x;
        record = high ? fmax(record, y) : fmin(record, y);
    }
    double share = ((double)reach + 1) / (n + 1), ratio = fmin(x / record, 1000);
    int beyond = high ? x > record && record > 0 : x < record && record < 0;
    if (!high && view >= SPANS && x < record) { /* quieter than all spreads */
        ratio = fmin(record / fmax(x, 0), 100);
        beyond = 1;
    }
    return beyond ? share / (ratio * ratio) : share;
}

static bounds share_of(const model *m, int view, double x, double slack, int high)
{
    bounds b = {share_at(m, view, high ? x + slack : x - slack, high),
                share_at(m, view, high ? x - slack : x + slack, high)};
    return b;
}

static bounds rarer(bounds a, bounds b)
{
    return (bounds){fmin(a.least, b.least), fmin(a.most, b.most)};
}

static bounds of_family(const model *m, int first, const learned *e, double slack)
{
    bounds p[SPANS];
    for (int i = 0; i < SPANS; i++)
        p[i] = rarer(share_of(m, first + i, e->view[first + i], slack, 1),
                     share_of(m, first + i, e->view[first + i], slack, 0));
    bounds a = rarer(p[0], p[1]), b = rarer(p[0], p[2]);
    return (bounds){a.least * b.least, a.most * b.most};
}

/* ---- an event ---- */

/* The event that comes: behind the last, not counted yet. */
static learned *look_at(model *m, double x, int64_t t, double *expected)
{
    learned *e = &m->of[m->count];
    size_t end = m->count + 1;
    *e = (learned){.x = x};
    place(e, t, m->count);
    *expected = expected_of(m, e, x);
    e->residual = isnan(*expected) ? 0 : x - *expected;
    for (int i = 0; i < SPANS; i++) {
        size_t n = SPAN[i] < end ? SPAN[i] : end;
        e->view[i] = mean_of(m, end, n, 1);
        e->view[SPANS + i] = stddev_of(m, end, n);
    }
    if (end >= SHAPE_VALUES)
        shape_of(m, end, e->shape);
    return e;
}

static bounds score_of(const model *m, const learned *e, double slack)
{
    double d = m->count + 1 >= SHAPE_VALUES ? distance_of(m, e->shape) : (double)NAN;
    bounds p = share_of(m, -1, fabs(e->residual), slack, 1), l = of_family(m, 0, e, slack),
           s = of_family(m, SPANS, e, slack);
    double shape = isnan(d) ? 0 : log10(1 + d);
    return (bounds){-log10(p.most) - 0.5 * log10(l.most) - 0.5 * log10(s.most) + shape,
                    -log10(p.least) - 0.5 * log10(l.least) - 0.5 * log10(s.least) + shape};
}

static void check(const model *m, const learned *e, double expected, const anomaly_verdict *v, double size)
{
    bounds b = score_of(m, e, 1e-9 * size);
    int inside = m->count == 0 ? isnan(v->score) != 0 : v->score >= b.least - 1e-7 && v->score <= b.most + 1e-7;
    int same = (isnan(expected) && isnan(v->expected)) || fabs(expected - v->expected) <= 1e-11 * size;
    if (!inside || !same)
        print_error("event %zu: score %.12g, not %.12g to %.12g; expected %.15g, not %.15g\n", m->count, v->score, b.least,
                    b.most, v->expected, expected);
    assert_true(inside && same);
    assert_true(v->events == (m->count < m->window ? m->count : m->window));
}

/* A daily wave and noise; now and then a spike, a shift, a quiet or a flat stretch. */
static double value_of(random_state *r, size_t i)
{
    double x = 5 * sin((double)i / 96 * 6.283185307) + random_normal(r) * (i % 900 > 840 ? 0.1 : 1);
    if (i % 1100 > 1060)
        x = 4;
    return x + (i % 700 > 660 ? 12 : 0) + (one_in(r, 150) ? 40 : 0);
}

static int64_t time_of(random_state *r, size_t i, int64_t step, int disordered)
{
    int64_t late = disordered && one_in(r, 20) ? (int64_t)random_below(r, 200) * step : 0;
    return (int64_t)i * step - late - 100 * step;
}

static void run(uint64_t seed, const char *options, int64_t step, int disordered, size_t events)
{
    static model m;
    random_state r = {seed};
    anomaly_config config;
    anomaly_detector *d = detector_of(ANOMALY_WATCH, options);
    assert_ok(anomaly_get_config(d, &config, sizeof config));
    m = (model){.window = (size_t)config.window_events};
    for (size_t i = 0; i < events; i++) {
        double x = value_of(&r, i), expected;
        int64_t t = step ? time_of(&r, i, step, disordered) : ANOMALY_NO_TIME;
        const learned *e = look_at(&m, x, t, &expected);
        anomaly_verdict v = judge_at(d, x, t), updated;
        check(&m, e, expected, &v, 64);
        if (i % 5 == 4) {
            teach_at(d, x, t);
        } else {
            updated = push_at(d, x, t);
            assert_same_verdict(&updated, &v);
        }
        m.count++;
    }
    anomaly_destroy(d);
}

static void test_without_times(void **state)
{
    (void)state;
    run(1, "window=256", 0, 0, is_quick() ? 500 : 1500);
    run(2, "window=700", 0, 0, is_quick() ? 800 : 2000);
}

/* A day of 96 events, of 480 and of more, in order and not. */
static void test_with_times(void **state)
{
    (void)state;
    run(3, "window=300", 900 * SECOND, 0, is_quick() ? 500 : 1500);
    run(4, "window=500", 180 * SECOND, 0, is_quick() ? 800 : 3000);
    run(5, "window=300", 900 * SECOND, 1, is_quick() ? 500 : 1500);
    run(6, "window=300", 60 * SECOND, 0, is_quick() ? 500 : 2000);
    run(7, "window=400", 40 * SECOND, 1, is_quick() ? 500 : 2500);
}

/* Once with the default window. */
static void test_default(void **state)
{
    (void)state;
    if (!is_quick())
        run(6, "", 300 * SECOND, 0, MOST_EVENTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_times),
        cmocka_unit_test(test_with_times),
        cmocka_unit_test(test_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
