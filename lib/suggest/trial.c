/* SPDX-License-Identifier: MIT */
#include "suggest/trial.h"

#include "base/memory.h"
#include "detector/rows.h"

#include <math.h>
#include <string.h>

#define MONTH_NS (30 * AN_DAY_NS)

typedef struct an_trial_run {
    anomaly_suggestion *said;
    const anomaly_config *config;
    const anomaly_rows *rows;
    const anomaly_keys *keys;
    const anomaly_allocator *allocator;
    int needs_times;
    double *room; /* for the features of a row */
} an_trial_run;

/* ---- what is counted ---- */

/* Keeps the strongest alarms, the strongest first; of equal ones the earlier. */
static void keep(anomaly_suggestion *said, size_t row, double score)
{
    const uint32_t most = sizeof said->strongest / sizeof *said->strongest;
    uint32_t at = said->strongest_count;
    if (at == most && !(score > said->scores[most - 1]))
        return;
    at -= at == most;
    for (; at > 0 && score > said->scores[at - 1]; at--) {
        said->scores[at] = said->scores[at - 1];
        said->strongest[at] = said->strongest[at - 1];
    }
    said->scores[at] = score;
    said->strongest[at] = row;
    said->strongest_count += said->strongest_count < most;
}

static void count_alarm(const an_trial_run *run, size_t row, const anomaly_verdict *v)
{
    uint32_t told = run->said->whole ? ANOMALY_IS_ANOMALY : ANOMALY_ALARM;
    if (row < run->said->first || !(v->flags & told))
        return;
    run->said->alarms++;
    keep(run->said, row, v->score);
}

static int64_t last_time(const anomaly_rows *rows, size_t *last)
{
    for (*last = rows->count; *last > 0; --*last)
        if (an_rows_time(rows, *last - 1) != ANOMALY_NO_TIME)
            return an_rows_time(rows, *last - 1);
    return ANOMALY_NO_TIME;
}

static double span_between(int64_t from, int64_t to)
{
    return from == ANOMALY_NO_TIME || to == ANOMALY_NO_TIME ? 0 : fabs((double)to - (double)from);
}

static int64_t first_time(const anomaly_rows *rows, size_t from)
{
    for (size_t i = from; i < rows->count; i++)
        if (an_rows_time(rows, i) != ANOMALY_NO_TIME)
            return an_rows_time(rows, i);
    return ANOMALY_NO_TIME;
}

/* The last 30 days of 60 or more, else the last half; all where rows are judged beside each other. */
static void choose_part(const an_trial_run *run)
{
    size_t first = run->said->whole ? 0 : run->rows->count / 2, last;
    int64_t end = last_time(run->rows, &last);
    if (!run->said->whole && span_between(first_time(run->rows, 0), end) >= 2.0 * (double)MONTH_NS)
        for (first = last; first > 0; first--) {
            int64_t t = an_rows_time(run->rows, first - 1);
            if (t != ANOMALY_NO_TIME && span_between(t, end) > (double)MONTH_NS)
                break;
        }
    run->said->first = first;
    run->said->span_ns = (int64_t)fmin(span_between(first_time(run->rows, first), end), 9e18);
}

/* ---- one after the other ---- */

static int update_key(const an_trial_run *run, anomaly_pool *pool, size_t row, anomaly_verdict *v)
{
    const double *x = an_rows_gather(run->rows, run->config->features, row, run->room);
    int64_t t = an_rows_time(run->rows, row);
    const anomaly_keys *keys = run->keys;
    if (!keys)
        return anomaly_pool_update(pool, "-", 1, x, t, v);
    if (keys->slots)
        return anomaly_pool_update(pool, &keys->slots[row], sizeof *keys->slots, x, t, v);
    size_t size = keys->sizes ? keys->sizes[row] : strlen(keys->keys[row]);
    return anomaly_pool_update(pool, keys->keys[row], size, x, t, v);
}

static int run_in_order(const an_trial_run *run)
{
    anomaly_pool_options options;
    anomaly_pool *pool;
    anomaly_pool_options_init(&options, sizeof options);
    options.locks = 0;
    int status = anomaly_pool_create(run->config, &options, run->allocator, &pool, NULL);
    if (status)
        return status;
    for (size_t i = 0; i < run->rows->count && !status; i++) {
        anomaly_verdict v;
        if (run->needs_times && an_rows_time(run->rows, i) == ANOMALY_NO_TIME)
            continue;
        status = update_key(run, pool, i, &v);
        if (!status)
            count_alarm(run, i, &v);
    }
    anomaly_pool_destroy(pool);
    return status;
}

/* ---- each beside all others: a window that is one row short, through which the rows go round ---- */

typedef struct an_trial_part {
    const an_ordered *order; /* NULL: the rows as they come */
    size_t count;
} an_trial_part;

static int run_round(const an_trial_run *run, const an_trial_part *part, anomaly_detector *d)
{
    int status = ANOMALY_OK;
    for (size_t i = 1; i < 2 * part->count && !status; i++) {
        size_t at = i % part->count, row = part->order ? (size_t)part->order[at].then : at;
        anomaly_verdict v;
        const double *x = an_rows_gather(run->rows, run->config->features, row, run->room);
        if (i >= part->count) {
            status = anomaly_score(d, x, ANOMALY_NO_TIME, &v);
            if (!status)
                count_alarm(run, row, &v);
        }
        status = status ? status : anomaly_learn(d, x, ANOMALY_NO_TIME);
    }
    return status;
}

static int run_whole(const an_trial_run *run, const an_trial_part *part)
{
    anomaly_config config = *run->config;
    anomaly_detector *d;
    if (part->count <= config.warmup_events)
        return ANOMALY_OK; /* none can be judged */
    config.window_events = part->count - 1;
    int status = anomaly_create(&config, run->allocator, &d, NULL);
    if (status)
        return status;
    status = run_round(run, part, d);
    anomaly_destroy(d);
    return status;
}

static int run_whole_keys(const an_trial_run *run, const an_groups *groups)
{
    int status = ANOMALY_OK;
    for (size_t from = 0, to; from < groups->rows && !status; from = to) {
        to = an_groups_end(groups, from);
        status = run_whole(run, &(an_trial_part){groups->order + from, to - from});
    }
    return status;
}

/* ---- */

static int judge_rows(const an_trial_run *run, const an_groups *groups)
{
    if (!run->said->whole)
        return run_in_order(run);
    return run->keys ? run_whole_keys(run, groups) : run_whole(run, &(an_trial_part){NULL, run->rows->count});
}

int an_trial(an_choice *choice, const anomaly_rows *rows, const anomaly_keys *keys, const an_groups *groups,
             const anomaly_allocator *allocator)
{
    an_trial_run run = {&choice->said, &choice->config, rows, keys, allocator, anomaly_needs_times(&choice->config), NULL};
    run.room = an_alloc(allocator, choice->config.features, sizeof *run.room);
    if (!run.room)
        return ANOMALY_E_NOMEM;
    choose_part(&run);
    int status = judge_rows(&run, groups);
    an_free(allocator, run.room, choice->config.features, sizeof *run.room);
    choice->said.alarms_a_day = choice->said.span_ns > 0
                                    ? (double)choice->said.alarms * (double)AN_DAY_NS / (double)choice->said.span_ns
                                    : (double)NAN;
    return status;
}
