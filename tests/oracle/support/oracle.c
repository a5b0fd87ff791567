/* SPDX-License-Identifier: MIT
 * oracle.c - which events the window holds: time, lateness, jumps, the count bound, the learning policy. */
#include "oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BOUND_OF_TIME_ALONE 65536

static int by_time(const oracle *o)
{
    return o->config.window_ns > 0;
}

void oracle_init(oracle *o, const anomaly_config *config)
{
    memset(o, 0, sizeof *o);
    o->config = *config;
}

void oracle_clear(oracle *o)
{
    free(o->events);
    free(o->values);
    free(o->deviations);
    memset(o, 0, sizeof *o);
}

void oracle_reset(oracle *o)
{
    o->count = 0;
    o->has_clock = o->has_cut = 0;
    o->run = 0;
    memset(&o->counts, 0, sizeof o->counts);
}

/* ---- time ---- */

/* How far t lies behind the newest; negative: ahead of it. */
static real behind(const oracle *o, int64_t t)
{
    return (real)o->clock - t; /* exact */
}

static int is_late(const oracle *o, int64_t t)
{
    int64_t allowed = o->config.max_late_ns < 0 ? o->config.window_ns : o->config.max_late_ns;
    return by_time(o) && o->has_clock && behind(o, t) > allowed;
}

static int is_jump(const oracle *o, int64_t t)
{
    return by_time(o) && o->config.max_jump_ns > 0 && o->has_clock && -behind(o, t) > o->config.max_jump_ns;
}

static void drop_oldest(oracle *o, size_t count)
{
    o->count -= count;
    if (o->count > 0)
        memmove(o->events, o->events + count, o->count * sizeof *o->events);
}

static void forget(oracle *o)
{
    size_t old = 0;
    while (old < o->count && behind(o, o->events[old].t) > o->config.window_ns)
        old++;
    drop_oldest(o, old);
}

void oracle_advance(oracle *o, int64_t t)
{
    if (!by_time(o) || (o->has_clock && t <= o->clock))
        return;
    o->has_clock = 1;
    o->clock = t;
    forget(o);
}

void oracle_arrive(oracle *o, int64_t t)
{
    if (!is_jump(o, t))
        oracle_advance(o, t);
}

/* ---- the event as a whole ---- */

static int has_finite(const oracle *o, const double *x)
{
    for (uint32_t f = 0; f < o->config.features; f++)
        if (isfinite(x[f]))
            return 1;
    return 0;
}

uint32_t oracle_event_flags(const oracle *o, const double *x, int64_t t)
{
    uint32_t flags = 0;
    for (uint32_t f = 0; f < o->config.features; f++)
        flags |= isnan(x[f]) ? ANOMALY_MISSING : isinf(x[f]) ? ANOMALY_NONFINITE : 0;
    if (is_late(o, t))
        flags |= ANOMALY_LATE;
    if (is_jump(o, t))
        flags |= ANOMALY_JUMPED;
    if (o->has_cut && behind(o, o->cut) <= o->config.window_ns)
        flags |= ANOMALY_TRUNCATED;
    return flags;
}

/* ---- learning ---- */

static void make_room(oracle *o)
{
    if (o->count < o->room)
        return;
    o->room = o->room > 0 ? 2 * o->room : 16;
    o->events = realloc(o->events, o->room * sizeof *o->events);
    o->values = realloc(o->values, o->room * sizeof *o->values);
    o->deviations = realloc(o->deviations, o->room * sizeof *o->deviations);
    if (o->events == NULL || o->values == NULL || o->deviations == NULL)
        abort();
}

/* Behind all that are not newer: equal times keep their order of arrival. */
static size_t place_of(const oracle *o, int64_t t)
{
    size_t place = o->count;
    while (by_time(o) && place > 0 && o->events[place - 1].t > t)
        place--;
    return place;
}

static void insert(oracle *o, const double *x, int64_t t)
{
    size_t place = place_of(o, t);
    make_room(o);
    memmove(o->events + place + 1, o->events + place, (o->count - place) * sizeof *o->events);
    o->events[place].t = t;
    memcpy(o->events[place].x, x, o->config.features * sizeof *x);
    o->count++;
    o->counts.learned++;
    if (o->count <= (o->config.window_events > 0 ? o->config.window_events : BOUND_OF_TIME_ALONE))
        return;
    if (by_time(o) && (!o->has_cut || o->events[0].t > o->cut)) {
        o->has_cut = 1;
        o->cut = o->events[0].t;
    }
    if (place == 0) /* it is itself the one that is cut */
        o->counts.learned--;
    drop_oldest(o, 1);
}

/* Whether the policy keeps this one out. An infinity says nothing of a new level: such an event neither counts in the row of
 * flagged ones nor ends it, and stays out whatever K is. */
static int is_kept_out(oracle *o, int flagged, int has_infinity)
{
    if (o->config.learn != ANOMALY_LEARN_NORMAL)
        return 0;
    if (has_infinity)
        return flagged;
    o->run = flagged ? o->run + 1 : 0;
    return flagged && (o->config.learn_after == 0 || o->run < o->config.learn_after);
}

uint32_t oracle_take(oracle *o, const double *x, int64_t t, int flagged)
{
    uint32_t flags = oracle_event_flags(o, x, t);
    o->counts.missing += (flags & ANOMALY_MISSING) != 0;
    o->counts.nonfinite += (flags & ANOMALY_NONFINITE) != 0;
    o->counts.late += (flags & ANOMALY_LATE) != 0;
    o->counts.jumped += (flags & ANOMALY_JUMPED) != 0;
    if (!has_finite(o, x) || (flags & (ANOMALY_LATE | ANOMALY_JUMPED)) != 0)
        return 0;
    if (is_kept_out(o, flagged, (flags & ANOMALY_NONFINITE) != 0)) {
        o->counts.skipped++;
        return ANOMALY_NOT_LEARNED;
    }
    insert(o, x, t);
    return 0;
}

void oracle_count_update(oracle *o, uint32_t flags)
{
    o->counts.events++;
    o->counts.anomalies += (flags & ANOMALY_IS_ANOMALY) != 0;
    o->counts.warming_up += (flags & ANOMALY_WARMING_UP) != 0;
    o->counts.flat += (flags & ANOMALY_FLAT) != 0;
    o->counts.truncated += (flags & ANOMALY_TRUNCATED) != 0;
}
