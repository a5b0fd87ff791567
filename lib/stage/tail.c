/* SPDX-License-Identifier: MIT */
#include "stage/tail.h"

#include "base/ieee.h"
#include "base/logarithm.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define FIRST_ROOM     64u
#define STRIDE         64u  /* scores between two fits, and between two times that are kept */
#define FITTED_SHARE   50u  /* one score in so many is fitted, */
#define LEAST_FITTED   10u  /* but not fewer, */
#define MOST_FITTED    200u /* nor more */
#define LARGEST_RATE   0.5
#define PLOTTING_SHIFT 0.35 /* of Hosking and Wallis */
#define SHAPE_OF_LINE  1e-6 /* a smaller shape is exponential */
#define HEAVIEST       0.9
#define AUTOMATIC_RATE 1e-4 /* of events without times, or whose times do not move on */
#define AUTOMATIC_NS   INT64_C(86400000000000)
#define GROWN_UP       1000u /* scores of a record by which the automatic budget decides */
#define FORGIVEN       3u    /* its largest scores: a new one need not exceed them; without times they are not fitted */

static int is_automatic(const an_budget *budget)
{
    return budget->period_ns == AN_AUTOMATIC;
}

/* ---- memory ---- */

static uint64_t times_for(const an_budget *budget, uint64_t room)
{
    return budget->period_ns ? room / STRIDE + 1 : 0;
}

size_t an_tail_bytes(const an_budget *budget)
{
    uint64_t room = budget->scores;
    size_t ring = an_product(room, sizeof(double)), times = an_product(times_for(budget, room), sizeof(int64_t));
    return an_sum(an_sum(ring, times), an_ranks_bytes(room, an_ranks_buckets_worst(room)));
}

void an_tail_init(an_tail *tail, const an_budget *budget, const an_places *places)
{
    memset(tail, 0, sizeof *tail);
    tail->budget = *budget;
    tail->ranks.places = places;
    an_tail_reset(tail);
}

void an_tail_free(an_tail *tail, const anomaly_allocator *allocator)
{
    if (tail->ranks.first)
        an_ranks_free(&tail->ranks, allocator);
    an_free(allocator, tail->ring, tail->room, sizeof *tail->ring);
    an_free(allocator, tail->times, times_for(&tail->budget, tail->room), sizeof *tail->times);
    tail->ring = NULL;
    tail->times = NULL;
    tail->room = 0;
}

void an_tail_reset(an_tail *tail)
{
    if (tail->ranks.first)
        an_ranks_reset(&tail->ranks);
    tail->head = tail->count = tail->next = 0;
    tail->asked = (double)NAN;
    tail->pareto = (an_pareto){0, 0, (double)NAN, 0};
    tail->threshold = (double)INFINITY;
}

/* Nothing has left the record while it can still grow, so score i lies in slot i. */
static int resize_rings(an_tail *tail, uint64_t room, const anomaly_allocator *allocator)
{
    uint64_t times = times_for(&tail->budget, room), had = times_for(&tail->budget, tail->room);
    double *ring = an_alloc(allocator, room, sizeof *ring);
    int64_t *new_times = times && ring ? an_alloc(allocator, times, sizeof *new_times) : NULL;
    if (!ring || (times && !new_times)) {
        an_free(allocator, ring, room, sizeof *ring);
        return ANOMALY_E_NOMEM;
    }
    if (tail->ring)
        memcpy(ring, tail->ring, (size_t)tail->count * sizeof *ring);
    if (tail->times)
        memcpy(new_times, tail->times, (size_t)had * sizeof *new_times);
    an_free(allocator, tail->ring, tail->room, sizeof *ring);
    an_free(allocator, tail->times, had, sizeof *new_times);
    tail->ring = ring;
    tail->times = new_times;
    tail->room = room;
    return ANOMALY_OK;
}

/* The ranks first: they may then hold more than the ring needs. All buckets that can be needed, since nothing may
 * fail later. */
static int resize(an_tail *tail, uint64_t room, const anomaly_allocator *allocator)
{
    uint32_t buckets = an_ranks_buckets_worst(room);
    int status = ANOMALY_OK;
    if (room <= tail->room)
        return status;
    if (!an_ranks_fits(&tail->ranks, room, buckets))
        status = an_ranks_resize(&tail->ranks, room, buckets, allocator);
    return status ? status : resize_rings(tail, room, allocator);
}

static uint64_t record_room_for(const an_tail *tail, uint64_t count)
{
    uint64_t room = tail->room ? tail->room : FIRST_ROOM;
    while (room < count)
        room *= 2;
    return room < tail->budget.scores ? room : tail->budget.scores;
}

int an_tail_make_room(an_tail *tail, uint64_t scores, const anomaly_allocator *allocator)
{
    if (scores <= tail->room - tail->count || tail->room == tail->budget.scores)
        return ANOMALY_OK;
    return resize(tail, record_room_for(tail, tail->count + scores), allocator);
}

int an_tail_prepare(an_tail *tail, const anomaly_allocator *allocator)
{
    return an_tail_make_room(tail, 1, allocator);
}

int an_tail_reserve(an_tail *tail, const anomaly_allocator *allocator)
{
    return resize(tail, tail->budget.scores, allocator);
}

/* ---- the generalised Pareto tail ---- */

/* The value of that rank from the top, 0 the largest. */
static double from_top(an_tail *tail, uint32_t rank)
{
    return an_ranks_at(&tail->ranks, &tail->ranks.cursor[0], tail->ranks.size - 1 - rank);
}

/* By the moments a0 = mean of the excesses and a1 = mean of (1 - p) * excess, p being the share of excesses below.
 * Hosking and Wallis give a0 / (a0 - 2 a1) - 2 with the other sign. Moments exist for shapes less than 1. */
static double shape_of(double a0, double a1)
{
    double shape = a0 > 2.0 * a1 ? 2.0 - a0 / (a0 - 2.0 * a1) : a1 > 0 ? HEAVIEST : 0.0;
    return shape < SHAPE_OF_LINE ? 0.0 : shape < HEAVIEST ? shape : HEAVIEST;
}

/* To the largest scores but the very largest. Halves: the difference of two scores may be no double. */
static void fit(an_tail *tail, uint32_t left_out)
{
    uint32_t n = (uint32_t)tail->count, fitted = n / FITTED_SHARE;
    fitted = fitted < LEAST_FITTED ? LEAST_FITTED : fitted > MOST_FITTED ? MOST_FITTED : fitted;
    double largest[FORGIVEN + MOST_FITTED + 1], mean = 0, weighted = 0, m = (double)fitted, each = 1.0 / m;
    const double *top = largest + left_out;
    an_ranks_largest(&tail->ranks, largest, left_out + fitted + 1);
    double from = top[fitted];
    for (uint32_t i = 0; i < fitted; i++) {
        double excess = (top[i] * 0.5 - from * 0.5) * each;
        mean += excess;
        weighted += ((double)i + PLOTTING_SHIFT) * each * excess;
    }
    double shape = shape_of(mean, weighted), scale = mean * (1.0 - shape);
    tail->pareto = (an_pareto){m / (double)(n - left_out), from, scale < DBL_MAX / 2 ? scale * 2.0 : DBL_MAX, shape};
    tail->asked = (double)NAN;
}

/* The chance of a score that lies so far beyond. */
static double pareto_tail(const an_pareto *p, double score)
{
    double excess = (score * 0.5 - p->from * 0.5) / (p->scale * 0.5);
    if (!(p->scale > 0))
        return 0.0;
    return p->share * (p->shape > 0 ? an_exp(-an_log1p(p->shape * excess) / p->shape) : an_exp(-excess));
}

/* The score with that chance. */
static double pareto_quantile(const an_pareto *p, double chance)
{
    double log_ratio = an_log(p->share / chance);
    if (!(p->scale > 0) || !(log_ratio > 0))
        return p->from;
    return p->from + p->scale * (p->shape > 0 ? an_expm1(p->shape * log_ratio) / p->shape : log_ratio);
}

/* The score with that chance, which is mostly the one that was asked for last. */
static double score_beyond(an_tail *tail, double chance)
{
    if (chance != tail->asked)
        tail->beyond = pareto_quantile(&tail->pareto, chance);
    tail->asked = chance;
    return tail->beyond;
}

/* ---- the threshold ---- */

/* The first score that is held and has its time kept, in strides. */
static uint64_t oldest_time(const an_tail *tail)
{
    return (tail->head - tail->count + STRIDE - 1) / STRIDE;
}

/* A recorded event, counted from the first, and its time. */
typedef struct moment {
    uint64_t event;
    int64_t t_ns;
} moment;

static moment kept_moment(const an_tail *tail, uint64_t number)
{
    return (moment){number * STRIDE, tail->times[number % times_for(&tail->budget, tail->room)]};
}

/* The share of the events that may be alarms at the pace between two of them. */
static double rate_between(const an_budget *budget, moment from, moment to)
{
    double elapsed = to.t_ns > from.t_ns ? (double)((uint64_t)to.t_ns - (uint64_t)from.t_ns) : 0.0;
    double period = (double)(is_automatic(budget) ? AUTOMATIC_NS : budget->period_ns);
    if (is_automatic(budget) && (from.t_ns == ANOMALY_NO_TIME || to.t_ns <= from.t_ns))
        return AUTOMATIC_RATE;
    double rate = budget->alarms * (elapsed / period) / (double)(to.event - from.event);
    return rate < LARGEST_RATE ? rate : LARGEST_RATE;
}

static double slower_of(double a, double b)
{
    return a < b ? a : b;
}

static double middle_pace(double a, double b, double c)
{
    return a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
}

/* The share of the events that may be alarms. By time one wrong time must not decide it: of three paces that have no
 * end in common the median counts, of the two of a short record the one that allows less. */
static double budget_rate(const an_tail *tail, int64_t t_ns)
{
    const an_budget *budget = &tail->budget;
    if (!budget->period_ns)
        return budget->rate;
    if (is_automatic(budget) && t_ns == ANOMALY_NO_TIME)
        return AUTOMATIC_RATE;
    moment now = {tail->head - 1, t_ns};
    uint64_t first = oldest_time(tail), last = (now.event - 1) / STRIDE;
    double rate = rate_between(budget, kept_moment(tail, first), now);
    if (last < first + 4)
        return last > first ? slower_of(rate, rate_between(budget, kept_moment(tail, first), kept_moment(tail, last)))
                            : rate;
    return middle_pace(rate, rate_between(budget, kept_moment(tail, first + 1), kept_moment(tail, last)),
                       rate_between(budget, kept_moment(tail, first + 2), kept_moment(tail, last - 1)));
}

/* The least score of a rank of `rate` or less: more than what `allowed` scores reach. */
static double threshold_for(an_tail *tail, double rate)
{
    uint32_t first = is_automatic(&tail->budget) ? FORGIVEN : 0;
    double allowed = rate * ((double)tail->count + 1.0) - 1.0;
    if (allowed >= 0)
        return an_next_up(from_top(tail, allowed > first ? (uint32_t)allowed : first));
    if (!(rate > 0))
        return (double)INFINITY;
    double beyond = score_beyond(tail, rate), least = an_next_up(from_top(tail, first));
    return beyond < least ? least : beyond;
}

/* ---- scores ---- */

/* Infinity stands for a free place in the ranks. */
static double bounded(double score)
{
    double most = score < DBL_MAX ? score : DBL_MAX;
    return (most > -DBL_MAX ? most : -DBL_MAX) + 0.0;
}

int an_tail_is_young(const an_tail *tail)
{
    return is_automatic(&tail->budget) && tail->count < GROWN_UP && tail->count < tail->budget.scores;
}

int an_tail_exceeds(const an_tail *tail, double score)
{
    return !isnan(score) && bounded(score) >= tail->threshold;
}

double an_tail_of(const an_tail *tail, double score, int *estimated)
{
    *estimated = 0;
    if (tail->count < AN_TAIL_LEAST || isnan(score))
        return (double)NAN;
    double s = bounded(score), n = (double)tail->count;
    uint32_t at_least = tail->ranks.size - an_ranks_up_to(&tail->ranks, an_next_down(s));
    if (at_least > 0)
        return ((double)at_least + 1.0) / (n + 1.0);
    double beyond = pareto_tail(&tail->pareto, s), rank = 1.0 / (n + 1.0);
    *estimated = 1;
    return beyond < rank ? beyond : rank;
}

/* By time it is that of the threshold: the budget's share moves with every time. */
double an_tail_budget(const an_tail *tail)
{
    int estimated;
    return tail->budget.period_ns ? an_tail_of(tail, tail->threshold, &estimated) : tail->budget.rate;
}

/* Scores are counted on without end. A snapshot has no room for that: before, the count falls by whole rounds of both
 * rings. */
static uint64_t next_head(const an_tail *tail)
{
    uint64_t head = tail->head + 1;
    if (head < AN_COUNTED)
        return head;
    uint64_t round = tail->room * STRIDE * (tail->room / STRIDE + 1);
    return round + head % round;
}

static void take_in_score(an_tail *tail, double score, int64_t t_ns)
{
    uint64_t slot = tail->next;
    if (tail->count == tail->budget.scores)
        an_ranks_remove(&tail->ranks, tail->ring[slot]);
    else
        tail->count++;
    tail->ring[slot] = score;
    if (tail->times && tail->head % STRIDE == 0)
        tail->times[tail->head / STRIDE % times_for(&tail->budget, tail->room)] = t_ns;
    tail->head = next_head(tail);
    tail->next = slot + 1 < tail->budget.scores ? slot + 1 : 0;
    an_ranks_insert(&tail->ranks, score);
}

void an_tail_add(an_tail *tail, double score, int64_t t_ns)
{
    take_in_score(tail, bounded(score), t_ns);
    if (tail->count < AN_TAIL_LEAST)
        return;
    double rate = budget_rate(tail, t_ns);
    int without_times = is_automatic(&tail->budget) && rate == AUTOMATIC_RATE; /* or 10,000 events a day: as rare */
    if (tail->count == AN_TAIL_LEAST || tail->head % STRIDE == 0)
        fit(tail, without_times ? FORGIVEN : 0);
    tail->threshold = threshold_for(tail, rate);
}

/* ---- snapshots ---- */

static uint64_t times_end(const an_tail *tail)
{
    return (tail->head + STRIDE - 1) / STRIDE;
}

void an_tail_save(const an_tail *tail, an_writer *writer)
{
    an_write_varint(writer, tail->count);
    an_write_endless(writer, tail->head);
    for (uint64_t i = tail->head - tail->count; i < tail->head; i++)
        an_write_double(writer, tail->ring[i % tail->room]);
    for (uint64_t i = oldest_time(tail); tail->times && i < times_end(tail); i++)
        an_write_i64(writer, tail->times[i % times_for(&tail->budget, tail->room)]);
    if (tail->count < AN_TAIL_LEAST)
        return;
    an_write_double(writer, tail->pareto.share);
    an_write_double(writer, tail->pareto.from);
    an_write_double(writer, tail->pareto.scale);
    an_write_double(writer, tail->pareto.shape);
    an_write_double(writer, tail->threshold);
}

static void restore_scores(an_tail *tail, an_reader *reader)
{
    for (uint64_t i = tail->head - tail->count; !reader->bad && i < tail->head; i++) {
        double score = an_read_double(reader);
        reader->bad |= !isfinite(score) || (score == 0 && signbit(score));
        if (reader->bad)
            return;
        tail->ring[i % tail->room] = score;
        an_ranks_insert(&tail->ranks, score);
    }
    for (uint64_t i = oldest_time(tail); tail->times && i < times_end(tail); i++)
        tail->times[i % times_for(&tail->budget, tail->room)] = an_read_i64(reader);
}

static void restore_fit(an_tail *tail, an_reader *reader)
{
    an_pareto *p = &tail->pareto;
    p->share = an_read_double(reader);
    p->from = an_read_double(reader);
    p->scale = an_read_double(reader);
    p->shape = an_read_double(reader);
    tail->threshold = an_read_double(reader);
    reader->bad |= !(p->share > 0 && p->share <= 1) || !isfinite(p->from) || !(p->scale >= 0 && p->scale <= DBL_MAX) ||
                   !(p->shape >= 0 && p->shape <= DBL_MAX) || isnan(tail->threshold);
}

int an_tail_restore(an_tail *tail, an_reader *reader, const anomaly_allocator *allocator)
{
    uint64_t count = an_read_varint_to(reader, tail->budget.scores), head = an_read_endless(reader);
    if (reader->bad || count > an_reader_left(reader) / sizeof(double) || head < count ||
        (count < tail->budget.scores && head != count))
        return ANOMALY_E_CORRUPT;
    int status = count ? resize(tail, record_room_for(tail, count), allocator) : ANOMALY_OK;
    if (status)
        return status;
    tail->head = head;
    tail->count = count;
    tail->next = head % tail->budget.scores;
    restore_scores(tail, reader);
    if (count >= AN_TAIL_LEAST)
        restore_fit(tail, reader);
    return reader->bad ? ANOMALY_E_CORRUPT : ANOMALY_OK;
}
