/* SPDX-License-Identifier: MIT */
/* The verbs on many events: the loop over the single call, and where the kind has it a faster way to the same bits. */
#include "detector/rows.h"

#include "detector/detector.h"
#include "detector/options.h"

int an_check_rows(const anomaly_rows *rows, uint32_t features)
{
    if (!rows || (rows->count && !rows->values && !rows->columns))
        return ANOMALY_E_ARG;
    for (uint32_t f = 0; rows->count && rows->columns && f < features; f++)
        if (!rows->columns[f])
            return ANOMALY_E_ARG;
    return ANOMALY_OK;
}

static int check_rows(const anomaly_detector *detector, const anomaly_rows *rows)
{
    return detector ? an_check_rows(rows, detector->config->features) : ANOMALY_E_ARG;
}

static int finish_rows(size_t *done, size_t rows, int status)
{
    if (done)
        *done = rows;
    return status;
}

/* A row by the single call, in a function of its own: the fast ways need the stack themselves. */
#if defined(__GNUC__)
__attribute__((noinline))
#endif
static int
update_one_row(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts, size_t row)
{
    double room[AN_MAX_FEATURES];
    anomaly_verdict v;
    int status =
        anomaly_update(detector, an_rows_gather(rows, detector->config->features, row, room), an_rows_time(rows, row), &v);
    if (!status)
        an_put_verdict(verdicts, row, &v);
    return status;
}

#if defined(__GNUC__)
__attribute__((noinline))
#endif
static int
score_row(const anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts, size_t row)
{
    double room[AN_MAX_FEATURES];
    anomaly_verdict v;
    int status =
        anomaly_score(detector, an_rows_gather(rows, detector->config->features, row, room), an_rows_time(rows, row), &v);
    if (!status)
        an_put_verdict(verdicts, row, &v);
    return status;
}

int anomaly_update_rows(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts, size_t *done)
{
    size_t row = 0;
    int status = check_rows(detector, rows);
    while (!status && row < rows->count) {
        size_t fast = detector->kind->rows.update ? detector->kind->rows.update(detector, rows, verdicts, row) : 0;
        size_t slow_end = row + fast < rows->count ? row + fast + 1 : rows->count;
        for (row += fast; !status && row < slow_end; row += !status)
            status = update_one_row(detector, rows, verdicts, row);
    }
    return finish_rows(done, row, status);
}

int anomaly_score_rows(const anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                       size_t *done)
{
    size_t row = 0;
    int status = check_rows(detector, rows);
    while (!status && row < rows->count) {
        size_t fast = detector->kind->rows.score ? detector->kind->rows.score(detector, rows, verdicts, row) : 0;
        size_t slow_end = row + fast < rows->count ? row + fast + 1 : rows->count;
        for (row += fast; !status && row < slow_end; row += !status)
            status = score_row(detector, rows, verdicts, row);
    }
    return finish_rows(done, row, status);
}

#if defined(__GNUC__)
__attribute__((noinline))
#endif
static int
learn_row(anomaly_detector *detector, const anomaly_rows *rows, size_t row)
{
    double room[AN_MAX_FEATURES];
    return anomaly_learn(detector, an_rows_gather(rows, detector->config->features, row, room), an_rows_time(rows, row));
}

/* Rows by an update of which nobody sees the verdicts, where it does no more than count them. */
static size_t learn_fast(anomaly_detector *detector, const anomaly_rows *rows, size_t from)
{
    anomaly_counts *counts = &detector->counts, before = *counts;
    if (!detector->kind->rows.update || detector->kind->whole) /* updates of whole events move the threshold too */
        return 0;
    size_t fast = detector->kind->rows.update(detector, rows, NULL, from);
    counts->events = before.events;
    counts->anomalies = before.anomalies;
    counts->warming_up = before.warming_up;
    counts->flat = before.flat;
    counts->truncated = before.truncated;
    return fast;
}

int anomaly_learn_rows(anomaly_detector *detector, const anomaly_rows *rows, size_t *done)
{
    size_t row = 0;
    int status = check_rows(detector, rows);
    while (!status && row < rows->count) {
        size_t fast = learn_fast(detector, rows, row);
        size_t slow_end = row + fast < rows->count ? row + fast + 1 : rows->count;
        for (row += fast; !status && row < slow_end; row += !status)
            status = learn_row(detector, rows, row);
    }
    return finish_rows(done, row, status);
}
