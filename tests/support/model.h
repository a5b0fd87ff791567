/* SPDX-License-Identifier: MIT
 * model.h - a detector written the slow, obvious way: an array of events in order of time, every
 * number computed anew from that array. What anomaly.h says, and nothing clever; tests compare the
 * library with it event by event. */
#ifndef MODEL_H
#define MODEL_H

#include "anomaly.h"
#include "exact.h"

enum { MODEL_FEATURES = 4 };

typedef struct model_event {
    int64_t t;
    double x[MODEL_FEATURES]; /* NaN: missing */
} model_event;

typedef struct model {
    anomaly_config config;
    model_event *events; /* in order of time, equal times in order of arrival */
    size_t count, room;
    int64_t clock, cut; /* ANOMALY_NO_TIME: not yet */
    uint64_t run;       /* flagged events in a row, for normal:K */
    anomaly_counts counts;
    double *sorted, *scratch;
} model;

/* A verdict, and how sure the model is of it. */
typedef struct model_verdict {
    anomaly_verdict v;
    double scale;  /* size of one standard deviation, for comparing expected and bounds; 0: exact */
    int uncertain; /* a score lies so close to the threshold that rounding decides */
} model_verdict;

static inline uint64_t model_bound(const model *m)
{
    return m->config.window_events != 0 ? m->config.window_events : 65536;
}

static inline int model_by_time(const model *m)
{
    return m->config.window_ns > 0;
}

static inline int model_ordered(const model *m)
{
    return m->config.kind == ANOMALY_PERCENTILE || m->config.robust;
}

static inline int model_begin(model *m, const anomaly_config *config)
{
    *m = (model){.config = *config, .clock = ANOMALY_NO_TIME, .cut = ANOMALY_NO_TIME};
    m->room = (size_t)model_bound(m) + 1;
    m->events = calloc(m->room, sizeof *m->events);
    m->sorted = calloc(m->room, sizeof *m->sorted);
    m->scratch = calloc(m->room, sizeof *m->scratch);
    return m->events != NULL && m->sorted != NULL && m->scratch != NULL;
}

static inline void model_end(model *m)
{
    free(m->events);
    free(m->sorted);
    free(m->scratch);
}

static inline void model_reset(model *m)
{
    m->count = 0;
    m->run = 0;
    m->clock = m->cut = ANOMALY_NO_TIME;
    m->counts = (anomaly_counts){0};
}

/* ---- time ---- */

/* Is `then` more than `span` before `now`? Exact where now - then overflows. */
static inline int model_older(int64_t then, int64_t now, int64_t span)
{
    return then < now && (uint64_t)now - (uint64_t)then > (uint64_t)span;
}

static inline void model_remove(model *m, size_t at)
{
    m->count--;
    memmove(m->events + at, m->events + at + 1, (m->count - at) * sizeof *m->events);
}

static inline void model_advance(model *m, int64_t t)
{
    if (!model_by_time(m) || (m->clock != ANOMALY_NO_TIME && t <= m->clock))
        return;
    m->clock = t;
    while (m->count > 0 && model_older(m->events[0].t, m->clock, m->config.window_ns))
        model_remove(m, 0);
}

static inline int model_is_late(const model *m, int64_t t)
{
    int64_t limit = m->config.max_late_ns;
    if (!model_by_time(m) || m->clock == ANOMALY_NO_TIME)
        return 0;
    if (limit < 0 || limit > m->config.window_ns)
        limit = m->config.window_ns;
    return model_older(t, m->clock, limit);
}

static inline int model_is_jump(const model *m, int64_t t)
{
    if (!model_by_time(m) || m->clock == ANOMALY_NO_TIME || m->config.max_jump_ns == 0)
        return 0;
    return model_older(m->clock, t, m->config.max_jump_ns);
}

static inline int model_is_truncated(const model *m)
{
    return model_by_time(m) && m->cut != ANOMALY_NO_TIME && !model_older(m->cut, m->clock, m->config.window_ns);
}

/* ---- the window of one feature ---- */

static inline size_t model_values(const model *m, uint32_t f)
{
    size_t n = 0;
    for (size_t i = 0; i < m->count; i++)
        if (!isnan(m->events[i].x[f]))
            m->sorted[n++] = m->events[i].x[f];
    return n;
}

/* `share` of `of`: 0.25 of 1, 25 of 100. */
static inline double model_quantile_of(const model *m, const double *sorted, size_t n, double share, double of)
{
    if (m->config.quantile == ANOMALY_NEAREST)
        return sorted[exact_nearest_rank(n, share, of) - 1];
    return exact_linear(sorted, n, share / of);
}

/* One feature's part of a verdict. */
typedef struct model_part {
    double score, expected, lower, upper, scale;
    uint64_t n;
    int present, judged, flat, above, below, anomalous, uncertain;
} model_part;

static inline double model_sided(const model *m, double signed_score)
{
    if (m->config.side == ANOMALY_BOTH)
        return fabs(signed_score);
    return m->config.side == ANOMALY_UPPER ? signed_score : -signed_score;
}

static inline void model_bounds(const model *m, model_part *p, quad centre, quad spread)
{
    quad reach = (quad)m->config.threshold * spread;
    p->lower = m->config.side == ANOMALY_UPPER ? -INFINITY : (double)(centre - reach);
    p->upper = m->config.side == ANOMALY_LOWER ? INFINITY : (double)(centre + reach);
}

/* Distance d from the centre, in spreads. */
static inline void model_distance(const model *m, model_part *p, quad d, quad spread)
{
    p->flat = spread == 0 && d != 0;
    if (spread != 0)
        p->score = model_sided(m, (double)(d / spread));
    else
        p->score = d == 0 ? 0 : model_sided(m, d > 0 ? INFINITY : -INFINITY);
}

static inline void model_plain(const model *m, model_part *p, double x, size_t n)
{
    exact_moments e = exact_of(m->sorted, n);
    quad spread, floor_ = (quad)m->config.min_stddev;
    if (exact_constant(m->sorted, n)) {
        e.mean = (quad)m->sorted[0];
        e.m2 = 0;
    }
    p->expected = (double)e.mean;
    p->above = isfinite(x) && (quad)x > e.mean;
    p->below = isfinite(x) && (quad)x < e.mean;
    if (n <= (size_t)m->config.ddof)
        return;
    spread = exact_stddev(&e, m->config.ddof);
    spread = spread < floor_ ? floor_ : spread;
    p->scale = (double)spread;
    model_bounds(m, p, e.mean, spread);
    if (isfinite(x))
        model_distance(m, p, (quad)x - e.mean, spread);
}

/* Every operation rounded to double: the library must give these bits. */
static inline void model_robust(const model *m, model_part *p, double x, size_t n)
{
    double median, spread, d, reach;
    exact_robust(m->sorted, n, m->scratch, &median, &spread);
    spread = spread < m->config.min_stddev ? m->config.min_stddev : spread;
    reach = m->config.threshold * spread;
    p->expected = median;
    p->lower = m->config.side == ANOMALY_UPPER ? -INFINITY : median - reach;
    p->upper = m->config.side == ANOMALY_LOWER ? INFINITY : median + reach;
    d = x - median;
    if (!isfinite(x))
        return;
    p->above = d > 0;
    p->below = d < 0;
    p->flat = spread == 0 && d != 0;
    if (spread != 0)
        p->score = model_sided(m, d / spread);
    else
        p->score = d == 0 ? 0 : model_sided(m, d > 0 ? INFINITY : -INFINITY);
}

static inline double model_outside(const model *m, double x, double low, double high)
{
    double over = x - high, under = low - x;
    if (m->config.side == ANOMALY_UPPER)
        return over;
    if (m->config.side == ANOMALY_LOWER)
        return under;
    return over > under ? over : under;
}

static inline void model_percentile(const model *m, model_part *p, double x, size_t n)
{
    double low, high, out;
    exact_sort(m->sorted, n);
    low = model_quantile_of(m, m->sorted, n, m->config.lower_percent, 100);
    high = model_quantile_of(m, m->sorted, n, m->config.upper_percent, 100);
    p->expected = model_quantile_of(m, m->sorted, n, 0.5, 1);
    p->lower = m->config.side == ANOMALY_UPPER ? -INFINITY : low;
    p->upper = m->config.side == ANOMALY_LOWER ? INFINITY : high;
    if (!isfinite(x))
        return;
    p->above = x > high;
    p->below = x < low;
    out = model_outside(m, x, low, high);
    if (high > low)
        p->score = out / (high - low);
    else
        p->score = out == 0 ? 0 : out > 0 ? INFINITY : -INFINITY;
    p->flat = !(high > low) && out != 0;
}

static inline void model_infinite(const model *m, model_part *p, double x)
{
    p->score = model_sided(m, x);
    p->above = x > 0;
    p->below = x < 0;
}

static inline int model_passes(const model *m, double score)
{
    return m->config.compare == ANOMALY_GT ? score > m->config.threshold : score >= m->config.threshold;
}

static inline uint64_t model_warmup(const model *m)
{
    uint64_t need = m->config.warmup_events;
    uint64_t least = 1;
    if (m->config.kind == ANOMALY_ZSCORE && !m->config.robust)
        least = (uint64_t)m->config.ddof + 1;
    return need > least ? need : least;
}

static inline void model_decide(const model *m, model_part *p, double x)
{
    double gap = p->score - m->config.threshold;
    p->judged = p->present && p->n >= model_warmup(m);
    if (!p->judged || (p->flat && m->config.flat == ANOMALY_FLAT_IGNORE))
        return;
    p->anomalous = model_passes(m, p->score);
    if (!model_ordered(m) && isfinite(x) && isfinite(p->score))
        p->uncertain = fabs(gap) <= 1e-12 * (1 + fabs(m->config.threshold));
}

static inline model_part model_judge_feature(const model *m, double x, uint32_t f)
{
    model_part p = {.score = NAN, .expected = NAN};
    p.n = model_values(m, f);
    p.lower = m->config.side == ANOMALY_UPPER ? -INFINITY : (double)NAN;
    p.upper = m->config.side == ANOMALY_LOWER ? INFINITY : (double)NAN;
    p.present = !isnan(x);
    if (p.n > 0 && m->config.kind == ANOMALY_PERCENTILE)
        model_percentile(m, &p, x, (size_t)p.n);
    else if (p.n > 0 && m->config.robust)
        model_robust(m, &p, x, (size_t)p.n);
    else if (p.n > 0)
        model_plain(m, &p, x, (size_t)p.n);
    if (isinf(x))
        model_infinite(m, &p, x);
    model_decide(m, &p, x);
    return p;
}

/* ---- the verdict over the features ---- */

/* Missing, warming up, flat but only shown, judged. */
static inline int model_standing(const model *m, const model_part *p)
{
    if (!p->present)
        return 0;
    if (!p->judged)
        return 1;
    return p->flat && m->config.flat == ANOMALY_FLAT_IGNORE ? 2 : 3;
}

/* The higher standing, the larger score, the lower index. */
static inline int model_beats(const model *m, const model_part *a, const model_part *b)
{
    int sa = model_standing(m, a), sb = model_standing(m, b);
    if (sa != sb)
        return sa > sb;
    if (isnan(a->score) || isnan(b->score))
        return !isnan(a->score);
    return a->score > b->score;
}

static inline uint32_t model_part_flags(const model_part *p)
{
    uint32_t flags = p->judged || !p->present ? 0 : ANOMALY_WARMING_UP;
    flags |= p->flat ? (uint32_t)ANOMALY_FLAT : 0;
    flags |= p->above ? (uint32_t)ANOMALY_ABOVE : 0;
    flags |= p->below ? (uint32_t)ANOMALY_BELOW : 0;
    return flags;
}

static inline uint32_t model_event_flags(const model *m, const double *x, int64_t t)
{
    uint32_t flags = 0;
    for (uint32_t f = 0; f < m->config.features; f++) {
        flags |= isnan(x[f]) ? (uint32_t)ANOMALY_MISSING : 0;
        flags |= isinf(x[f]) ? (uint32_t)ANOMALY_NONFINITE : 0;
    }
    flags |= model_is_late(m, t) ? (uint32_t)ANOMALY_LATE : 0;
    flags |= model_is_jump(m, t) ? (uint32_t)ANOMALY_JUMPED : 0;
    flags |= model_is_truncated(m) ? (uint32_t)ANOMALY_TRUNCATED : 0;
    return flags;
}

static inline model_verdict model_score(const model *m, const double *x, int64_t t)
{
    model_verdict out = {.v = {.threshold = m->config.threshold}};
    model_part best = model_judge_feature(m, x[0], 0);
    int anomalous = best.anomalous;
    out.uncertain = best.uncertain;
    for (uint32_t f = 1; f < m->config.features; f++) {
        model_part p = model_judge_feature(m, x[f], f);
        anomalous |= p.anomalous;
        out.uncertain |= p.uncertain;
        if (model_beats(m, &p, &best)) {
            best = p;
            out.v.feature = f;
        }
    }
    out.v.score = best.score;
    out.v.expected = best.expected;
    out.v.lower = best.lower;
    out.v.upper = best.upper;
    out.v.events = best.n;
    out.v.flags = model_event_flags(m, x, t) | model_part_flags(&best);
    out.v.flags |= anomalous ? (uint32_t)ANOMALY_IS_ANOMALY : 0;
    out.scale = best.scale;
    return out;
}

/* ---- learning ---- */

static inline int model_any_finite(const model *m, const double *x)
{
    for (uint32_t f = 0; f < m->config.features; f++)
        if (isfinite(x[f]))
            return 1;
    return 0;
}

/* Takes the event in, at its place in time; 0: the count bound has put it out again. */
static inline int model_insert(model *m, const double *x, int64_t t)
{
    size_t at = m->count, cut = 0;
    while (model_by_time(m) && at > 0 && m->events[at - 1].t > t)
        at--;
    memmove(m->events + at + 1, m->events + at, (m->count - at) * sizeof *m->events);
    m->count++;
    m->events[at].t = t;
    for (uint32_t f = 0; f < m->config.features; f++)
        m->events[at].x[f] = isfinite(x[f]) ? x[f] + 0.0 : (double)NAN;
    if (m->count <= model_bound(m))
        return 1;
    if (model_by_time(m) && (m->cut == ANOMALY_NO_TIME || m->events[0].t > m->cut))
        m->cut = m->events[0].t;
    cut = at == 0;
    model_remove(m, 0);
    return !cut;
}

/* The policy's answer to an event with that flags, which could be learned. */
static inline int model_policy(model *m, uint32_t flags)
{
    if (m->config.learn == ANOMALY_LEARN_ALWAYS)
        return 1;
    if (flags & ANOMALY_NONFINITE)
        return !(flags & ANOMALY_IS_ANOMALY);
    if (!(flags & ANOMALY_IS_ANOMALY)) {
        m->run = 0;
        return 1;
    }
    m->run++;
    return m->config.learn_after != 0 && m->run >= m->config.learn_after;
}

/* Once the clock stands: learns the event whose verdict has `flags`. 1: the policy kept it out. */
static inline int model_take(model *m, const double *x, int64_t t, uint32_t flags)
{
    m->counts.missing += (flags & ANOMALY_MISSING) != 0;
    m->counts.nonfinite += (flags & ANOMALY_NONFINITE) != 0;
    m->counts.late += (flags & ANOMALY_LATE) != 0;
    m->counts.jumped += (flags & ANOMALY_JUMPED) != 0;
    if ((flags & (ANOMALY_LATE | ANOMALY_JUMPED)) || !model_any_finite(m, x))
        return 0;
    if (!model_policy(m, flags)) {
        m->counts.skipped++;
        return 1;
    }
    m->counts.learned += (uint64_t)model_insert(m, x, t);
    return 0;
}

static inline void model_count(model *m, uint32_t flags)
{
    m->counts.events++;
    m->counts.anomalies += (flags & ANOMALY_IS_ANOMALY) != 0;
    m->counts.warming_up += (flags & ANOMALY_WARMING_UP) != 0;
    m->counts.flat += (flags & ANOMALY_FLAT) != 0;
    m->counts.truncated += (flags & ANOMALY_TRUNCATED) != 0;
}

/* Where rounding decides, the library's answer counts: `hint` has ANOMALY_IS_ANOMALY or not. */
static inline uint32_t model_settle(const model_verdict *v, uint32_t hint)
{
    if (!v->uncertain)
        return v->v.flags;
    return (v->v.flags & ~(uint32_t)ANOMALY_IS_ANOMALY) | (hint & ANOMALY_IS_ANOMALY);
}

/* The clock moves, unless the event leaps too far ahead; then the verdict. */
static inline model_verdict model_prepare(model *m, const double *x, int64_t t)
{
    if (!model_is_jump(m, t))
        model_advance(m, t);
    return model_score(m, x, t);
}

static inline void model_learn(model *m, const double *x, int64_t t, uint32_t hint)
{
    model_verdict v = model_prepare(m, x, t);
    (void)model_take(m, x, t, model_settle(&v, hint));
}

static inline model_verdict model_update(model *m, const double *x, int64_t t, uint32_t hint)
{
    model_verdict v = model_prepare(m, x, t);
    uint32_t kept_out = 0;
    v.v.flags = model_settle(&v, hint);
    if (model_take(m, x, t, v.v.flags))
        kept_out = ANOMALY_NOT_LEARNED;
    if (m->config.include_self) {
        v = model_score(m, x, t);
        v.v.flags = model_settle(&v, hint);
    }
    v.v.flags |= kept_out;
    model_count(m, v.v.flags);
    return v;
}

#endif
