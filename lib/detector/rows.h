/* SPDX-License-Identifier: MIT */
/* Reading rows in and writing verdicts out, whatever their layout. */
#ifndef AN_DETECTOR_ROWS_H
#define AN_DETECTOR_ROWS_H

#include "anomaly.h"
#include "detector/detector.h"

#include <string.h>

/* ANOMALY_E_ARG when something is missing. */
int an_check_rows(const anomaly_rows *rows, uint32_t features);

/* Where feature f of row 0 is, and the bytes from one row to the next. */
static inline const char *an_rows_column(const anomaly_rows *rows, uint32_t feature)
{
    if (rows->columns)
        return (const char *)rows->columns[feature];
    ptrdiff_t stride = rows->feature_stride ? rows->feature_stride : (ptrdiff_t)sizeof(double);
    return (const char *)rows->values + (ptrdiff_t)feature * stride;
}

static inline ptrdiff_t an_rows_stride(const anomaly_rows *rows, uint32_t features)
{
    ptrdiff_t packed = (ptrdiff_t)sizeof(double) * (rows->columns ? 1 : (ptrdiff_t)features);
    return rows->row_stride ? rows->row_stride : packed;
}

/* Doubles in a caller's array need not be aligned. */
static inline double an_load_double(const char *at)
{
    double value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* Answers where a row's features lie side by side; NULL where they do not, or are not aligned. */
static inline const double *an_rows_in_place(const anomaly_rows *rows, uint32_t features, size_t row)
{
    int together = !rows->columns && (rows->feature_stride == 0 || rows->feature_stride == (ptrdiff_t)sizeof(double));
    if (!together && features > 1)
        return NULL;
    const char *at = an_rows_column(rows, 0) + (ptrdiff_t)row * an_rows_stride(rows, features);
    return (uintptr_t)at % sizeof(double) == 0 ? (const double *)(const void *)at : NULL;
}

/* Copies a row's features side by side to `room`. */
static inline void an_rows_copy(const anomaly_rows *rows, uint32_t features, size_t row, double *room)
{
    ptrdiff_t offset = (ptrdiff_t)row * an_rows_stride(rows, features);
    if (rows->columns)
        for (uint32_t f = 0; f < features; f++)
            room[f] = an_load_double((const char *)rows->columns[f] + offset);
    else
        for (uint32_t f = 0; f < features; f++)
            room[f] = an_load_double(an_rows_column(rows, f) + offset);
}

/* Answers a row's features side by side: in place where they lie so, else copied to `room`. */
static inline const double *an_rows_gather(const anomaly_rows *rows, uint32_t features, size_t row, double *room)
{
    const double *x = an_rows_in_place(rows, features, row);
    if (x)
        return x;
    an_rows_copy(rows, features, row, room);
    return room;
}

static inline int64_t an_rows_time(const anomaly_rows *rows, size_t row)
{
    int64_t t;
    if (!rows->times)
        return ANOMALY_NO_TIME;
    ptrdiff_t stride = rows->time_stride ? rows->time_stride : (ptrdiff_t)sizeof t;
    memcpy(&t, (const char *)rows->times + (ptrdiff_t)row * stride, sizeof t);
    return t;
}

/* Writes one verdict into the columns that are wanted. */
static inline void an_put_verdict(const anomaly_verdicts *verdicts, size_t row, const anomaly_verdict *v)
{
    if (!verdicts)
        return;
    if (verdicts->score)
        verdicts->score[row] = v->score;
    if (verdicts->threshold)
        verdicts->threshold[row] = v->threshold;
    if (verdicts->expected)
        verdicts->expected[row] = v->expected;
    if (verdicts->lower)
        verdicts->lower[row] = v->lower;
    if (verdicts->upper)
        verdicts->upper[row] = v->upper;
    if (verdicts->flags)
        verdicts->flags[row] = v->flags;
    if (verdicts->feature)
        verdicts->feature[row] = v->feature;
    if (verdicts->events)
        verdicts->events[row] = v->events;
    if (verdicts->tail)
        verdicts->tail[row] = v->tail;
}

/* Does the kind's fast way apply: is every event of one feature, learned, and judged before it is learned? */
static inline int an_rows_are_plain(const anomaly_config *config)
{
    return config->features == 1 && config->learn == ANOMALY_LEARN_ALWAYS && !config->include_self;
}

/* Completes the verdict of one finite value in its time, writes it and counts its flags, as the single call does. */
static inline void an_finish_row(anomaly_detector *detector, const anomaly_verdicts *verdicts, size_t row,
                                 anomaly_verdict *v)
{
    an_conclude(detector, v);
    v->tail = (double)NAN;
    an_put_verdict(verdicts, row, v);
    detector->counts.anomalies += (v->flags & ANOMALY_IS_ANOMALY) != 0;
    detector->counts.flat += (v->flags & ANOMALY_FLAT) != 0;
}

#endif
