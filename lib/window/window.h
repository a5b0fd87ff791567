/* SPDX-License-Identifier: MIT */
/* Keeps the events of a window: a ring for each feature, and one of times where the window is one of time. Or, for a
 * kind that wants whole events of a window of so many, the features of an event side by side, in memory that never
 * moves (base/segments.h). Or nothing: for a kind that keeps totals of its own, events are only counted.
 *
 * An event has an absolute index that never changes while it is the newest; [tail, head) are in the window, event i
 * lies in slot i & mask. Features that are missing or infinite are held as NaN. With times the events are in order of
 * time, those of equal time in order of arrival. The ring doubles as it fills, up to its bound. */
#ifndef AN_WINDOW_H
#define AN_WINDOW_H

#include "base/ieee.h"
#include "base/segments.h"

#include <string.h>

#define AN_TIME_WINDOW_MAX_EVENTS 65536 /* bound of a window that is given by time alone */
#define AN_NARROW_FEATURES        256u  /* up to so many a call keeps to 16 KB of stack */
#define AN_EVENTS_COMPARED        4096u /* of the newest events, at most, where equal ones are looked for */

typedef struct an_window {
    uint64_t head, tail;
    uint64_t mask;    /* slots - 1 */
    uint64_t bound;   /* most events */
    int64_t span_ns;  /* 0: no bound by time */
    int64_t clock_ns; /* newest time seen; ANOMALY_NO_TIME before the first */
    int64_t cut_ns;   /* newest time that the count bound has cut; ANOMALY_NO_TIME: none */
    uint32_t features;
    int whole;               /* events lie whole; there is no span then */
    int bare;                /* ... and nowhere: they are only counted */
    int lent;                /* the first rings lie in the detector's block */
    union {                  /* NULL: no slots yet */
        double *values;      /* [features][slots] */
        an_segments *events; /* [slots] rows of [features] */
    };
    int64_t *times; /* [slots], NULL without a span */
} an_window;

/* Answers the slots that a window of `events` needs: a power of two. */
uint64_t an_window_slots(uint64_t events);
size_t an_window_bytes(const an_window *window, uint64_t slots);

/* Makes a ring of that many slots with the events in it. A ring of whole events grows only while none has left it.
 * ANOMALY_E_NOMEM changes nothing that can be seen. */
int an_window_resize(an_window *window, uint64_t slots, const anomaly_allocator *allocator);
void an_window_free(an_window *window, const anomaly_allocator *allocator);

/* Lets the first rings of a window that is not of whole events lie in memory of an_window_bytes(window,
 * AN_FIRST_SLOTS). */
#define AN_FIRST_SLOTS 8
void an_window_lend(an_window *window, void *memory);
void an_window_reset(an_window *window);

/* Writes to all memory of an empty window: what has been written to costs the events that come no page faults. */
void an_window_touch(an_window *window);

/* Answers how long ago `then` was, for then <= now: exact over the whole range of int64_t. */
static inline uint64_t an_elapsed_ns(int64_t now, int64_t then)
{
    return (uint64_t)now - (uint64_t)then;
}

static inline uint64_t an_window_count(const an_window *window)
{
    return window->head - window->tail;
}

static inline double *an_window_ring(const an_window *window, uint32_t feature)
{
    return window->values + (size_t)feature * (size_t)(window->mask + 1);
}

/* Answers 0 where x is finite, else the bits of a NaN: those of several values can be ORed, which compilers do many
 * at a time. (Where the caller rounds downwards a finite x gives the sign bit: not 0 then only means that the values
 * are to be looked at one by one.) */
static inline uint64_t an_not_finite(double x)
{
    double difference = x - x;
    uint64_t bits;
    memcpy(&bits, &difference, sizeof bits);
    return bits;
}

static inline int an_all_finite(const double *x, uint32_t n)
{
    uint64_t not_finite = 0;
    for (uint32_t i = 0; i < n; i++)
        not_finite |= an_not_finite(x[i]);
    return not_finite == 0;
}

/* Finds the features of an event, in a window of whole events. */
static inline double *an_window_event(const an_window *window, uint64_t index)
{
    return an_segments_row(window->events, index & window->mask);
}

static inline double *an_window_at(const an_window *window, uint32_t feature, uint64_t index)
{
    if (window->whole)
        return an_window_event(window, index) + feature;
    return an_window_ring(window, feature) + (index & window->mask);
}

static inline double an_window_value(const an_window *window, uint32_t feature, uint64_t index)
{
    return *an_window_at(window, feature, index);
}

/* Finds the tail once the clock stands at now_ns: the first event that is not older than the span. Galloping
 * search. */
uint64_t an_window_tail_at(const an_window *window, int64_t now_ns);

static inline uint64_t an_window_is_too_old(const an_window *window, uint64_t index, int64_t now_ns)
{
    return an_elapsed_ns(now_ns, window->times[index & window->mask]) > (uint64_t)window->span_ns;
}

/* Finds the same tail for now_ns >= the clock, where about as many leave as come. The processor cannot predict
 * whether none, one or two leave: so four at a time are counted without a branch. */
static inline uint64_t an_window_next_tail(const an_window *window, int64_t now_ns)
{
    uint64_t tail = window->tail, old = 4;
    while (old == 4 && window->head - tail >= 4) {
        old = 0;
        for (uint64_t i = 0; i < 4; i++)
            old += an_window_is_too_old(window, tail + i, now_ns);
        tail += old;
    }
    while (old == 4 && tail < window->head && an_window_is_too_old(window, tail, now_ns))
        tail++;
    return tail;
}

/* Does an event of that time come next: in order, without a jump, into a window that would hold nothing that the
 * count bound has cut? */
static inline int an_window_is_next(const an_window *window, int64_t t_ns, int64_t max_jump_ns)
{
    int64_t clock = window->clock_ns;
    if (clock == ANOMALY_NO_TIME || t_ns < clock || (max_jump_ns && an_elapsed_ns(t_ns, clock) > (uint64_t)max_jump_ns))
        return 0;
    return window->cut_ns == ANOMALY_NO_TIME || an_elapsed_ns(t_ns, window->cut_ns) > (uint64_t)window->span_ns;
}

/* Finds room for an event that comes next. *tail: the tail before the event is judged, once what is too old has left;
 * a full window of so many events loses its oldest after that. 0: the event does not come next in order, or the ring
 * must grow first. */
static inline int an_window_make_way(const an_window *window, int64_t t_ns, int64_t max_jump_ns, uint64_t *tail)
{
    *tail = window->tail;
    if (!window->times)
        return an_window_count(window) >= window->bound || an_window_count(window) <= window->mask;
    if (!an_window_is_next(window, t_ns, max_jump_ns))
        return 0;
    *tail = an_window_next_tail(window, t_ns);
    uint64_t count = window->head - *tail;
    return count <= window->mask && count < window->bound;
}

/* Finds where an event of that time belongs: behind all of its own time or earlier. In [tail, head]. */
uint64_t an_window_position(const an_window *window, int64_t t_ns);

/* Appends a finite value of the only feature, no negative zero. There must be a free slot. */
static inline void an_window_append(an_window *window, double x, int64_t t_ns)
{
    uint64_t slot = window->head++ & window->mask;
    window->values[slot] = x;
    if (window->times) {
        window->times[slot] = t_ns;
        window->clock_ns = t_ns;
    }
}

/* Puts the event at `position` (head: at the end); later ones move up one. There must be a free slot. NaN for values
 * that are not finite. */
void an_window_insert(an_window *window, uint64_t position, const double *x, int64_t t_ns);

#endif
