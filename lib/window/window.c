/* SPDX-License-Identifier: MIT */
#include "window/window.h"

#include <math.h>
#include <string.h>

uint64_t an_window_slots(uint64_t events)
{
    return events <= AN_FIRST_SLOTS ? AN_FIRST_SLOTS : an_power_of_two(events);
}

/* Values in the rings of all features. */
static size_t ring_length(const an_window *window, uint64_t slots)
{
    return an_product(slots, window->features);
}

size_t an_window_bytes(const an_window *window, uint64_t slots)
{
    if (window->bare)
        return 0;
    if (window->whole)
        return an_sum(sizeof(an_segments), an_segments_bytes(window->features * sizeof(double), slots));
    return an_sum(an_product(ring_length(window, slots), sizeof(double)),
                  window->span_ns ? an_product(slots, sizeof(int64_t)) : 0);
}

/* Copies the 8-byte elements [tail, head) from one ring to another. */
static void move_ring(const void *from, uint64_t from_mask, void *to, uint64_t to_mask, uint64_t tail, uint64_t head)
{
    for (uint64_t i = tail; i < head;) {
        uint64_t in_from = from_mask + 1 - (i & from_mask), in_to = to_mask + 1 - (i & to_mask);
        uint64_t run = head - i;
        run = run < in_from ? run : in_from;
        run = run < in_to ? run : in_to;
        memcpy((char *)to + (i & to_mask) * 8, (const char *)from + (i & from_mask) * 8, (size_t)run * 8);
        i += run;
    }
}

static void free_segments(an_segments *events, const anomaly_allocator *allocator)
{
    if (events)
        an_segments_free(events, allocator);
    an_free(allocator, events, 1, sizeof *events);
}

static an_segments *new_segments(uint32_t features, const anomaly_allocator *allocator)
{
    an_segments *events = an_alloc(allocator, 1, sizeof *events);
    if (events) {
        memset(events, 0, sizeof *events);
        events->row_bytes = features * sizeof(double);
    }
    return events;
}

/* Event i lies in slot i as long as none has left, so more slots are just more. */
static int grow_whole(an_window *window, uint64_t slots, const anomaly_allocator *allocator)
{
    an_segments *events = window->events ? window->events : new_segments(window->features, allocator);
    int status = events ? an_segments_grow(events, slots, allocator) : ANOMALY_E_NOMEM;
    if (status && !window->events)
        free_segments(events, allocator);
    if (status)
        return status;
    window->events = events;
    window->mask = slots - 1;
    return ANOMALY_OK;
}

static void free_rings(an_window *window, const anomaly_allocator *allocator)
{
    uint64_t slots = window->mask + 1;
    if (window->lent)
        return;
    an_free(allocator, window->values, ring_length(window, slots), sizeof(double));
    an_free(allocator, window->times, slots, sizeof(int64_t));
}

int an_window_resize(an_window *window, uint64_t slots, const anomaly_allocator *allocator)
{
    if (window->bare) {
        window->mask = slots - 1;
        return ANOMALY_OK;
    }
    if (window->whole)
        return grow_whole(window, slots, allocator);
    an_window grown = *window;
    grown.lent = 0;
    grown.mask = slots - 1;
    grown.values = an_alloc(allocator, ring_length(window, slots), sizeof(double));
    grown.times = window->span_ns ? an_alloc(allocator, slots, sizeof(int64_t)) : NULL;
    if (!grown.values || (window->span_ns && !grown.times)) {
        free_rings(&grown, allocator);
        return ANOMALY_E_NOMEM;
    }
    for (uint32_t f = 0; window->values && f < window->features; f++)
        move_ring(an_window_ring(window, f), window->mask, an_window_ring(&grown, f), grown.mask, window->tail,
                  window->head);
    if (window->times)
        move_ring(window->times, window->mask, grown.times, grown.mask, window->tail, window->head);
    free_rings(window, allocator);
    *window = grown;
    return ANOMALY_OK;
}

void an_window_lend(an_window *window, void *memory)
{
    window->lent = 1;
    window->mask = AN_FIRST_SLOTS - 1;
    window->values = memory;
    if (window->span_ns)
        window->times = (int64_t *)memory + (size_t)AN_FIRST_SLOTS * window->features;
}

void an_window_free(an_window *window, const anomaly_allocator *allocator)
{
    if (window->whole)
        free_segments(window->events, allocator);
    else
        free_rings(window, allocator);
    window->values = NULL;
    window->times = NULL;
}

void an_window_reset(an_window *window)
{
    window->head = window->tail = 0;
    window->clock_ns = window->cut_ns = ANOMALY_NO_TIME;
}

void an_window_touch(an_window *window)
{
    if (window->bare)
        return;
    if (window->whole)
        an_segments_touch(window->events);
    else
        memset(window->values, 0, an_product(ring_length(window, window->mask + 1), sizeof(double)));
}

static int is_too_old(const an_window *window, uint64_t index, int64_t now_ns)
{
    int64_t t = window->times[index & window->mask];
    return t < now_ns && an_elapsed_ns(now_ns, t) > (uint64_t)window->span_ns;
}

uint64_t an_window_tail_at(const an_window *window, int64_t now_ns)
{
    uint64_t low = window->tail, step = 1;
    if (!window->span_ns || low == window->head || !is_too_old(window, low, now_ns))
        return low;
    while (step < window->head - low && is_too_old(window, low + step, now_ns)) { /* low is always too old */
        low += step;
        step *= 2;
    }
    uint64_t high = step < window->head - low ? low + step : window->head; /* high is not, or the end */
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (is_too_old(window, middle, now_ns))
            low = middle;
        else
            high = middle;
    }
    return high;
}

uint64_t an_window_position(const an_window *window, int64_t t_ns)
{
    uint64_t low = window->tail, high = window->head;
    if (!window->span_ns || low == high || window->times[(high - 1) & window->mask] <= t_ns)
        return high;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (window->times[middle & window->mask] <= t_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Moves the elements [position, head) of a ring of 8-byte elements one slot up, in at most three runs. */
static void shift_up(void *ring, uint64_t mask, uint64_t position, uint64_t head)
{
    uint64_t *slots = ring;
    while (head > position) {
        uint64_t last = head & mask, run = head - position;
        if (last == 0) { /* the element before it lies at the ring's end */
            slots[0] = slots[mask];
            head--;
            continue;
        }
        run = run < last ? run : last;
        memmove(slots + last - run + 1, slots + last - run, (size_t)run * 8);
        head -= run;
    }
}

/* NaN for what is not finite; + 0.0: no negative zero. */
static void append_whole(an_window *window, const double *restrict x)
{
    double *restrict event = an_window_event(window, window->head++);
    uint64_t not_finite = 0;
    for (uint32_t f = 0; f < window->features; f++) {
        event[f] = x[f] + 0.0;
        not_finite |= an_not_finite(x[f]);
    }
    for (uint32_t f = 0; not_finite && f < window->features; f++)
        event[f] = isfinite(x[f]) ? event[f] : (double)NAN;
}

void an_window_insert(an_window *window, uint64_t position, const double *x, int64_t t_ns)
{
    if (window->bare) {
        window->head++;
        return;
    }
    if (window->whole) {
        append_whole(window, x);
        return;
    }
    for (uint32_t f = 0; f < window->features; f++) {
        double *ring = an_window_ring(window, f);
        if (position < window->head)
            shift_up(ring, window->mask, position, window->head);
        ring[position & window->mask] = isfinite(x[f]) ? x[f] + 0.0 : (double)NAN; /* + 0.0: no negative zero */
    }
    if (window->times) {
        if (position < window->head)
            shift_up(window->times, window->mask, position, window->head);
        window->times[position & window->mask] = t_ns;
    }
    window->head++;
}
