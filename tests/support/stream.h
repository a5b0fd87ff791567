/* SPDX-License-Identifier: MIT
 * stream.h - random configurations and random streams of events, from a seed. */
#ifndef STREAM_H
#define STREAM_H

#include "anomaly.h"
#include "random.h"

#include <math.h>

#define STREAM_SECOND INT64_C(1000000000)

static inline double pick_double(random_state *r, const double *from, size_t count)
{
    return from[random_below(r, count)];
}

/* ---- configurations ---- */

static inline void random_window(random_state *r, anomaly_config *c, uint64_t most)
{
    uint64_t shape = random_below(r, 4);
    if (shape != 0)
        c->window_events = 1 + random_below(r, one_in(r, 3) ? most : 12);
    else
        c->window_events = 0;
    c->window_ns = 0;
    if (shape == 0 || shape == 1) {
        c->window_ns = (int64_t)(1 + random_below(r, one_in(r, 3) ? most : 12)) * STREAM_SECOND;
        c->max_late_ns = one_in(r, 2) ? -1 : (int64_t)random_below(r, 20) * STREAM_SECOND;
        c->max_jump_ns = one_in(r, 2) ? 0 : (int64_t)(5 + random_below(r, 20)) * STREAM_SECOND;
    }
    c->warmup_events = 1 + random_below(r, 2 + (c->window_events != 0 ? c->window_events : 8) / 2);
}

static inline void random_percentile(random_state *r, anomaly_config *c)
{
    static const double LOWER[] = {0, 0.5, 1, 5, 10, 25, 50}, UPPER[] = {50, 75, 90, 95, 99, 99.9, 100};
    static const double THRESHOLD[] = {0, 0, 0.125, 0.5};
    c->lower_percent = pick_double(r, LOWER, 7);
    c->upper_percent = pick_double(r, UPPER, 7);
    if (c->lower_percent >= c->upper_percent)
        c->lower_percent = 1;
    c->quantile = (int32_t)random_below(r, 2);
    c->threshold = pick_double(r, THRESHOLD, 4);
}

static inline void random_zscore(random_state *r, anomaly_config *c)
{
    static const double THRESHOLD[] = {0.5, 1, 1.5, 2, 3}, LEAST[] = {0, 0, 0, 0.1, 2};
    c->threshold = pick_double(r, THRESHOLD, 5);
    c->ddof = (int32_t)random_below(r, 2);
    c->robust = one_in(r, 3);
    c->min_stddev = pick_double(r, LEAST, 5);
}

/* At random a fixed threshold or one that follows, few trees or more than events, shallow or deep. */
static inline void random_forest(random_state *r, anomaly_config *c)
{
    static const double THRESHOLD[] = {0.5, 0.6, 0.7}, SHARE[] = {0, 0, 0.02, 0.2}, GUIDED[] = {0, 0.5, 1};
    uint64_t least = 16;
    c->window_ns = 0;
    c->window_events = least + (one_in(r, 3) ? 0 : c->window_events);
    c->sample = 2 + (uint32_t)random_below(r, c->window_events - 1);
    c->trees = 1 + (uint32_t)random_below(r, one_in(r, 3) ? 70 : 18);
    c->depth = 1 + (uint32_t)random_below(r, 12);
    c->candidates = 1 + (uint32_t)random_below(r, 16);
    c->threshold = pick_double(r, THRESHOLD, 3);
    c->contamination = pick_double(r, SHARE, 4);
    c->guided = pick_double(r, GUIDED, 3);
    c->seed = random_bits(r);
    c->lags = one_in(r, 3) ? (int32_t)random_below(r, 7) : 0;
    c->window_events += c->lags > 1 ? (uint64_t)c->lags - 1 : 0;
    c->max_late_ns = -1;
    c->max_jump_ns = 0;
}

/* One value an event, and a window that holds the longest spans. */
static inline void random_watch(random_state *r, anomaly_config *c)
{
    static const double THRESHOLD[] = {3, 5, 7.3};
    c->features = 1;
    c->window_ns = 0;
    c->window_events = 256 + (one_in(r, 3) ? 0 : c->window_events);
    c->threshold = pick_double(r, THRESHOLD, 3);
    c->max_late_ns = -1;
    c->max_jump_ns = 0;
}

static inline void random_policy(random_state *r, anomaly_config *c)
{
    c->include_self = one_in(r, 5);
    if (!c->include_self && one_in(r, 2)) {
        c->learn = ANOMALY_LEARN_NORMAL;
        c->learn_after = (uint32_t)random_below(r, 6);
    }
}

/* `most` events in the window, `features` at most; kind 0: one of those that judge feature by feature. */
static inline void random_config(random_state *r, anomaly_config *c, int kind, uint64_t most, uint32_t features)
{
    if (kind == 0)
        kind = one_in(r, 3) ? ANOMALY_PERCENTILE : ANOMALY_ZSCORE;
    (void)anomaly_config_init(c, sizeof *c, kind);
    c->features = one_in(r, 2) ? 1 : 1 + (uint32_t)random_below(r, features);
    random_window(r, c, most);
    if (kind == ANOMALY_PERCENTILE)
        random_percentile(r, c);
    else if (kind == ANOMALY_IFOREST)
        random_forest(r, c);
    else if (kind == ANOMALY_WATCH)
        random_watch(r, c);
    else
        random_zscore(r, c);
    random_policy(r, c);
    if (kind == ANOMALY_IFOREST || kind == ANOMALY_WATCH)
        c->include_self = 0;
    c->compare = (int32_t)random_below(r, 2);
    c->side = kind == ANOMALY_IFOREST || kind == ANOMALY_WATCH ? ANOMALY_BOTH : (int32_t)random_below(r, 3);
    c->flat = (int32_t)random_below(r, 2);
    c->reserve = one_in(r, 4);
}

/* ---- values ---- */

enum stream_shape {
    SHAPE_NORMAL,
    SHAPE_FEW,
    SHAPE_STRETCHES,
    SHAPE_RAMP,
    SHAPE_HEAVY,
    SHAPE_WALK,
    SHAPE_OFFSET,
    SHAPE_MIXED,
    SHAPES
};

typedef struct stream {
    random_state r;
    enum stream_shape shape;
    uint64_t odd;  /* one value in so many is NaN, infinite or a spike; 0: none */
    uint64_t late; /* one event in so many comes late or far ahead; 0: none */
    uint64_t i;
    double at;
    uint64_t hold;
    int64_t clock;
    int64_t step;
} stream;

static inline stream random_stream(random_state *r)
{
    static const int64_t STEP[] = {STREAM_SECOND, STREAM_SECOND / 2, 3 * STREAM_SECOND};
    stream s = {.r = {random_bits(r)}, .shape = (enum stream_shape)random_below(r, SHAPES)};
    s.odd = one_in(r, 3) ? 0 : 5 + random_below(r, 60);
    s.late = one_in(r, 3) ? 0 : 3 + random_below(r, 30);
    s.clock = one_in(r, 4) ? -7 * STREAM_SECOND : (int64_t)random_below(r, 1000) * STREAM_SECOND;
    s.step = STEP[random_below(r, 3)];
    return s;
}

static inline double stream_odd(stream *s)
{
    static const double ODD[] = {NAN, NAN, INFINITY, -INFINITY, 1e3, -1e6, 1e8, -0.0};
    return pick_double(&s->r, ODD, 8);
}

static inline double stream_held(stream *s)
{
    if (s->hold == 0) {
        s->hold = 1 + random_below(&s->r, 40);
        s->at = one_in(&s->r, 3) ? random_normal(&s->r) : (double)random_below(&s->r, 3) / 10;
    }
    s->hold--;
    return s->at;
}

static inline double stream_shaped(stream *s, enum stream_shape shape)
{
    switch (shape) {
    case SHAPE_FEW: return (double)random_below(&s->r, 4) / 10 - 0.1;
    case SHAPE_STRETCHES: return stream_held(s);
    case SHAPE_RAMP: return (double)(s->i % 200) * (s->i % 400 < 200 ? 0.5 : -0.5);
    case SHAPE_HEAVY: return random_normal(&s->r) / (0.001 + random_unit(&s->r));
    case SHAPE_WALK: return s->at += random_normal(&s->r);
    case SHAPE_OFFSET: return 1e9 + 1e-3 * random_normal(&s->r);
    default: return random_normal(&s->r);
    }
}

static inline double stream_value(stream *s)
{
    if (s->odd != 0 && one_in(&s->r, s->odd))
        return stream_odd(s);
    if (s->shape == SHAPE_MIXED)
        return stream_shaped(s, (enum stream_shape)((s->i / 97) % SHAPE_OFFSET));
    return stream_shaped(s, s->shape);
}

static inline void stream_values(stream *s, double *x, uint32_t features)
{
    s->i++;
    for (uint32_t f = 0; f < features; f++)
        x[f] = f > 0 && one_in(&s->r, 10) ? x[0] : stream_value(s);
}

/* Mostly a step on, often the same time again, now and then a gap, a late one, a leap. */
static inline int64_t stream_time(stream *s)
{
    if (s->late != 0 && one_in(&s->r, s->late))
        return s->clock - (int64_t)random_below(&s->r, 30) * s->step / 2;
    if (s->late != 0 && one_in(&s->r, 8 * s->late))
        return s->clock + (int64_t)random_below(&s->r, 60) * s->step;
    if (one_in(&s->r, 100))
        s->clock += (int64_t)random_below(&s->r, 40) * s->step;
    else
        s->clock += (int64_t)random_below(&s->r, 3) * s->step / 2;
    return s->clock;
}

#endif
