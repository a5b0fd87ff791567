/* SPDX-License-Identifier: MIT */
#include "suggest/lean.h"

#include "base/logarithm.h"

#include <math.h>

#define SKEWED      0.3 /* what is worth a transform, */
#define LEAN_WIDTHS 4.0 /* if it is not by chance */
#define BETTER      0.5 /* what the logarithms have left of it, at most */
#define STRETCH     10  /* values beside each other */
#define STRETCHES   30u /* fewer say nothing */

static double as_is(double x)
{
    return x;
}

/* The hour of the period; 0 without one. */
static uint64_t hour_slot(int64_t t_ns, int64_t period_ns)
{
    int64_t within = period_ns == 0 || t_ns == ANOMALY_NO_TIME ? 0 : t_ns % period_ns;
    return (uint64_t)((within + (within < 0 ? period_ns : 0)) / AN_HOUR_NS);
}

/* Writes the picks by slot and value; returns how many. */
static size_t sort_by_slot(an_desk *desk, int64_t period_ns)
{
    size_t count = 0;
    for (size_t k = 0; k < desk->picks; k++)
        if (!isnan(desk->value[k]))
            desk->pick[count++] = (an_ordered){hour_slot(desk->time[k], period_ns), an_order_of_value(desk->value[k])};
    an_ordered_sort(desk->pick, count);
    return count;
}

/* Puts the distances from the slots' medians in place of the values, in order. */
static void take_slots_away(an_desk *desk, size_t count, double (*f)(double))
{
    for (size_t from = 0, to; from < count; from = to) {
        uint64_t slot = desk->pick[from].by;
        for (to = from; to < count && desk->pick[to].by == slot; to++)
            continue;
        double median = f(an_of_order(desk->pick[from + (to - from - 1) / 2].then));
        for (size_t i = from; i < to; i++)
            desk->pick[i] = (an_ordered){an_order_of_value(f(an_of_order(desk->pick[i].then)) - median), 0};
    }
    an_ordered_sort(desk->pick, count);
}

static double quantile(const an_desk *desk, size_t count, size_t percent)
{
    return an_of_order(desk->pick[(count - 1) * percent / 100].by);
}

static double skewness(an_desk *desk, int64_t period_ns, double (*f)(double))
{
    size_t count = sort_by_slot(desk, period_ns);
    if (count == 0)
        return (double)NAN;
    take_slots_away(desk, count, f);
    double low = quantile(desk, count, 5), middle = quantile(desk, count, 50), high = quantile(desk, count, 95);
    return high > low ? ((high - middle) - (middle - low)) / (high - low) : (double)NAN;
}

static void sort_stretch(double x[STRETCH])
{
    for (size_t i = 1; i < STRETCH; i++)
        for (size_t k = i; k > 0 && x[k] < x[k - 1]; k--) {
            double larger = x[k - 1];
            x[k - 1] = x[k];
            x[k] = larger;
        }
}

/* Does the largest of a few in order lie further from their median than the least? */
static int leans_up(const double x[STRETCH], double (*f)(double))
{
    double middle = f((x[STRETCH / 2 - 1] + x[STRETCH / 2]) / 2);
    return f(x[STRETCH - 1]) - middle > middle - f(x[0]);
}

/* Writes whether neighbours lean, and answers whether their logarithms do not. Of symmetric values half the stretches
 * lean up, of the lognormal with a deviation of .5 seven in eight; the logarithms of waiting times lean down. */
static int look_at_neighbours(an_lean *lean, const an_desk *desk, double (*logarithm)(double))
{
    double x[STRETCH];
    size_t gathered = 0, stretches = 0, up = 0, up_as_logs = 0;
    for (size_t k = 0; k < desk->picks; k++) {
        if (isnan(desk->value[k]))
            continue;
        x[gathered++] = desk->value[k];
        if (gathered < STRETCH)
            continue;
        gathered = 0;
        sort_stretch(x);
        stretches += x[STRETCH - 1] > x[0];
        up += leans_up(x, as_is) != 0;
        up_as_logs += leans_up(x, logarithm) != 0;
    }
    lean->beside = stretches >= STRETCHES && 5 * up >= 4 * stretches;
    return 10 * up_as_logs >= 3 * stretches;
}

/* Which logarithm do all values have? Counts may be 0 another time. RAW: none. */
static int logarithm_of(const an_desk *desk)
{
    int positive = 1, whole = 1;
    for (size_t k = 0; k < desk->picks; k++) {
        double x = desk->value[k];
        if (x < 0)
            return ANOMALY_RAW;
        positive &= !(x == 0);
        whole &= isnan(x) || x == floor(x);
    }
    return positive && !whole ? ANOMALY_LOG : ANOMALY_LOG1P;
}

an_lean an_lean_of(an_desk *desk, int64_t period_ns)
{
    an_lean lean = {logarithm_of(desk), 0, 0, skewness(desk, period_ns, as_is), (double)NAN};
    if (lean.possible == ANOMALY_RAW || !(lean.raw >= fmax(SKEWED, LEAN_WIDTHS / sqrt((double)desk->picks))))
        return lean;
    double (*logarithm)(double) = lean.possible == ANOMALY_LOG ? an_log : an_log1p;
    lean.logarithmic = skewness(desk, period_ns, logarithm);
    int even = look_at_neighbours(&lean, desk, logarithm);
    lean.helps = lean.beside && even && fabs(lean.logarithmic) <= BETTER * lean.raw;
    return lean;
}
