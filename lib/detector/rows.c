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

/* A row for the single call. */
typedef struct row_call {
    anomaly_detector *changed; /* by an update and by learning */
    const anomaly_detector *detector;
    const anomaly_rows *rows;
    const anomaly_verdicts *verdicts;
    size_t row;
} row_call;

typedef int (*single_call)(const row_call *c, const double *x, int64_t t_ns);

#if defined(__GNUC__)
#define OWN_STACK __attribute__((noinline)) /* the fast ways need the stack themselves */
#else
#define OWN_STACK
#endif

#define NARROW_FEATURES 256 /* up to so many a row takes 2 KB of stack, else 32 KB */

static OWN_STACK int call_narrow(const row_call *c, single_call call)
{
    double room[NARROW_FEATURES];
    return call(c, an_rows_gather(c->rows, c->detector->config->features, c->row, room), an_rows_time(c->rows, c->row));
}

static OWN_STACK int call_wide(const row_call *c, single_call call)
{
    double room[AN_MAX_FEATURES];
    return call(c, an_rows_gather(c->rows, c->detector->config->features, c->row, room), an_rows_time(c->rows, c->row));
}

static int call_row(const row_call *c, single_call call)
{
    return c->detector->config->features <= NARROW_FEATURES ? call_narrow(c, call) : call_wide(c, call);
}

static int update_single(const row_call *c, const double *x, int64_t t_ns)
{
    anomaly_verdict v;
    int status = anomaly_update(c->changed, x, t_ns, &v);
    if (!status)
        an_put_verdict(c->verdicts, c->row, &v);
    return status;
}

static int score_single(const row_call *c, const double *x, int64_t t_ns)
{
    anomaly_verdict v;
    int status = anomaly_score(c->detector, x, t_ns, &v);
    if (!status)
        an_put_verdict(c->verdicts, c->row, &v);
    return status;
}

static int learn_single(const row_call *c, const double *x, int64_t t_ns)
{
    return anomaly_learn(c->changed, x, t_ns);
}

static int update_one_row(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts, size_t row)
{
    return call_row(&(row_call){detector, detector, rows, verdicts, row}, update_single);
}

static int score_row(const anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                     size_t row)
{
    return call_row(&(row_call){NULL, detector, rows, verdicts, row}, score_single);
}

static int learn_row(anomaly_detector *detector, const anomaly_rows *rows, size_t row)
{
    return call_row(&(row_call){detector, detector, rows, NULL, row}, learn_single);
}

/* Without a budget of alarms no score has a tail. */
static size_t put_no_tails(const anomaly_verdicts *verdicts, size_t from, size_t count)
{
    for (size_t i = from; verdicts && verdicts->tail && i < from + count; i++)
        verdicts->tail[i] = (double)NAN;
    return count;
}

/* The kind's fast way, where it has one and there is no stage round it. */
static size_t update_fast(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                          size_t from)
{
    if (!detector->kind->rows.update || detector->stages)
        return 0;
    return put_no_tails(verdicts, from, detector->kind->rows.update(detector, rows, verdicts, from));
}

static size_t score_fast(const anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                         size_t from)
{
    if (!detector->kind->rows.score || detector->stages)
        return 0;
    return put_no_tails(verdicts, from, detector->kind->rows.score(detector, rows, verdicts, from));
}

int anomaly_update_rows(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts, size_t *done)
{
    size_t row = 0;
    int status = check_rows(detector, rows);
    while (!status && row < rows->count) {
        size_t fast = update_fast(detector, rows, verdicts, row);
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
        size_t fast = score_fast(detector, rows, verdicts, row);
        size_t slow_end = row + fast < rows->count ? row + fast + 1 : rows->count;
        for (row += fast; !status && row < slow_end; row += !status)
            status = score_row(detector, rows, verdicts, row);
    }
    return finish_rows(done, row, status);
}

/* Rows by an update of which nobody sees the verdicts, where it does no more than count them. */
static size_t learn_fast(anomaly_detector *detector, const anomaly_rows *rows, size_t from)
{
    anomaly_counts *counts = &detector->counts, before = *counts;
    if (!detector->kind->rows.update || detector->kind->whole ||
        detector->stages) /* updates of whole events move the threshold too */
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
