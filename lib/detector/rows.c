/* SPDX-License-Identifier: MIT */
/* The verbs on many events: the loop over the single call, and where the kind has it a faster way to the same bits. */
#include "detector/rows.h"

#include "base/stack.h"
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

/* What a call does to each row: a parameter of its own, so that the compiler makes a loop for each verb. */
enum verb { UPDATE, SCORE, LEARN };

typedef struct rows_call {
    anomaly_detector *changed; /* by UPDATE and LEARN */
    const anomaly_detector *detector;
    const anomaly_rows *rows;
    const anomaly_verdicts *verdicts;
} rows_call;

/* ---- row by row ---- */

/* Does the single call for row `row`, whose features are x. */
static inline int do_row_at(enum verb verb, const rows_call *c, size_t row, const double *x)
{
    anomaly_verdict v;
    int64_t t_ns = an_rows_time(c->rows, row);
    if (verb == LEARN)
        return anomaly_learn(c->changed, x, t_ns);
    int status = verb == UPDATE ? anomaly_update(c->changed, x, t_ns, &v) : anomaly_score(c->detector, x, t_ns, &v);
    if (!status)
        an_put_verdict(c->verdicts, row, &v);
    return status;
}

static AN_OWN_STACK int copy_narrow_row(enum verb verb, const rows_call *c, size_t row)
{
    double room[AN_NARROW_FEATURES];
    an_rows_copy(c->rows, c->detector->config->features, row, room);
    return do_row_at(verb, c, row, room);
}

static AN_OWN_STACK int copy_wide_row(enum verb verb, const rows_call *c, size_t row)
{
    double room[AN_MAX_FEATURES];
    an_rows_copy(c->rows, c->detector->config->features, row, room);
    return do_row_at(verb, c, row, room);
}

static inline int do_row(enum verb verb, const rows_call *c, size_t row)
{
    uint32_t features = c->detector->config->features;
    const double *x = an_rows_in_place(c->rows, features, row);
    if (x)
        return do_row_at(verb, c, row, x);
    return features <= AN_NARROW_FEATURES ? copy_narrow_row(verb, c, row) : copy_wide_row(verb, c, row);
}

/* ---- the kind's fast way ---- */

/* Learns rows by an update of which nobody sees the verdicts, where the update does no more than count them. */
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

/* Writes that rows have no tail: there is no budget of alarms in the fast way. Returns how many there are. */
static inline size_t put_no_tails(const anomaly_verdicts *verdicts, size_t from, size_t count)
{
    for (size_t i = from; verdicts && verdicts->tail && i < from + count; i++)
        verdicts->tail[i] = (double)NAN;
    return count;
}

/* Does rows from `from` on in the kind's fast way, where there are no stages round the kind; returns how many. */
static inline size_t do_fast(enum verb verb, const rows_call *c, size_t from)
{
    const an_fast_rows *fast = &c->detector->kind->rows;
    if (c->detector->stages)
        return 0;
    if (verb == LEARN)
        return learn_fast(c->changed, c->rows, from);
    if (verb == UPDATE)
        return fast->update ? put_no_tails(c->verdicts, from, fast->update(c->changed, c->rows, c->verdicts, from)) : 0;
    return fast->score ? put_no_tails(c->verdicts, from, fast->score(c->detector, c->rows, c->verdicts, from)) : 0;
}

/* ---- the calls ---- */

/* Does as many rows as the fast way takes, then the next row alone, and so on. */
static inline int do_rows(enum verb verb, const rows_call *c, size_t *done)
{
    size_t row = 0;
    int status = c->detector ? an_check_rows(c->rows, c->detector->config->features) : ANOMALY_E_ARG;
    while (!status && row < c->rows->count) {
        row += do_fast(verb, c, row);
        if (row == c->rows->count)
            break;
        status = do_row(verb, c, row);
        row += !status;
    }
    if (done)
        *done = row;
    return status;
}

int anomaly_update_rows(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts, size_t *done)
{
    return do_rows(UPDATE, &(rows_call){detector, detector, rows, verdicts}, done);
}

int anomaly_score_rows(const anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                       size_t *done)
{
    return do_rows(SCORE, &(rows_call){NULL, detector, rows, verdicts}, done);
}

int anomaly_learn_rows(anomaly_detector *detector, const anomaly_rows *rows, size_t *done)
{
    return do_rows(LEARN, &(rows_call){detector, detector, rows, NULL}, done);
}
