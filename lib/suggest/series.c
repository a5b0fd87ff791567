/* SPDX-License-Identifier: MIT */
#include "suggest/series.h"

#include "detector/rows.h"

#include <math.h>

#define COUNTER_STEPS 100u /* fewer say nothing */
#define COUNTER_MOVES 0.1  /* so many of its steps go up at least, */
#define COUNTER_FALLS 0.01 /* so many down at most, each to less than ... */
#define COUNTER_LEFT  0.5  /* ... this share of the value before */

static size_t row_of(const an_series *series, size_t i)
{
    return series->order ? (size_t)series->order[i].then : i;
}

int64_t an_series_time(const an_series *series, size_t i)
{
    return an_rows_time(series->rows, row_of(series, i));
}

static double value_of(const an_series *series, size_t i, uint32_t feature)
{
    const anomaly_rows *rows = series->rows;
    ptrdiff_t offset = (ptrdiff_t)row_of(series, i) * an_rows_stride(rows, series->features);
    return an_load_double(an_rows_column(rows, feature) + offset);
}

static size_t picks_of(const an_series *series)
{
    return series->count < AN_PICKS ? series->count : AN_PICKS;
}

/* The k-th of `picks` events. */
static size_t picked(const an_series *series, size_t k, size_t picks)
{
    return (size_t)((uint64_t)k * series->count / picks);
}

/* a - b, which may take 64 bits. */
static uint64_t apart(int64_t a, int64_t b)
{
    return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
}

static double growth(const an_series *series, size_t i, uint32_t feature)
{
    if (i == 0)
        return (double)NAN;
    double grown = value_of(series, i, feature) - value_of(series, i - 1, feature);
    int64_t now = an_series_time(series, i), before = an_series_time(series, i - 1);
    if (now != ANOMALY_NO_TIME && before != ANOMALY_NO_TIME)
        grown = now > before ? grown / ((double)apart(now, before) / (double)AN_SECOND_NS) : (double)NAN;
    return grown >= 0 ? grown : (double)NAN;
}

void an_series_pick(const an_series *series, uint32_t feature, enum an_reading reading, an_desk *desk)
{
    desk->picks = picks_of(series);
    for (size_t k = 0; k < desk->picks; k++) {
        size_t i = picked(series, k, desk->picks);
        double x = reading == AN_GROWTH ? growth(series, i, feature) : value_of(series, i, feature);
        desk->time[k] = an_series_time(series, i);
        desk->value[k] = isfinite(x) ? x : (double)NAN;
    }
}

int an_series_is_counter(const an_series *series, uint32_t feature)
{
    size_t picks = picks_of(series), steps = 0, up = 0, down = 0;
    for (size_t k = 0; k < picks; k++) {
        size_t i = picked(series, k, picks);
        double x = value_of(series, i, feature), next = i + 1 < series->count ? value_of(series, i + 1, feature) : x;
        if (x < 0 || (next < x && !(next < x * COUNTER_LEFT)))
            return 0;
        steps += x <= next || x > next;
        up += x < next;
        down += x > next;
    }
    return steps >= COUNTER_STEPS && (double)up >= COUNTER_MOVES * (double)steps &&
           (double)down <= COUNTER_FALLS * (double)steps;
}

/* Where events come in bunches the median is 0: then their number in the whole time says how often they come. */
static int64_t by_span(const an_series *series)
{
    int64_t first = an_series_time(series, 0), last = an_series_time(series, series->count - 1);
    if (first == ANOMALY_NO_TIME || last == ANOMALY_NO_TIME)
        return 0;
    return (int64_t)(apart(last, first) / (series->count - 1));
}

int64_t an_series_interval(const an_series *series, an_desk *desk)
{
    size_t picks = picks_of(series), steps = 0;
    for (size_t k = 0; k < picks; k++) {
        size_t i = picked(series, k, picks);
        int64_t now = an_series_time(series, i), next = i + 1 < series->count ? an_series_time(series, i + 1) : now;
        if (i + 1 < series->count && now != ANOMALY_NO_TIME && next != ANOMALY_NO_TIME)
            desk->pick[steps++] = (an_ordered){apart(next, now), 0};
    }
    if (steps == 0 || 2 * steps < picks)
        return 0;
    an_ordered_sort(desk->pick, steps);
    uint64_t median = desk->pick[(steps - 1) / 2].by;
    return median == 0 ? by_span(series) : median < INT64_MAX ? (int64_t)median : INT64_MAX;
}

size_t an_series_different(an_desk *desk)
{
    size_t count = 0, different = 0;
    for (size_t k = 0; k < desk->picks; k++)
        if (!isnan(desk->value[k]))
            desk->pick[count++] = (an_ordered){an_order_of_value(desk->value[k]), 0};
    an_ordered_sort(desk->pick, count);
    for (size_t i = 0; i < count; i++)
        different += i == 0 || desk->pick[i].by != desk->pick[i - 1].by;
    return different;
}
