/* SPDX-License-Identifier: MIT */
/* Counts the events of the window that are equal to a given one.
 *
 * Each event of the window has a hash beside its codes. For an event that may be flagged, about one in a hundred, the
 * hashes of the newest events are compared, and then those events whose hash is the same. Another machine may find
 * other hashes: they only save comparisons and decide nothing. */
#include "base/stack.h"
#include "forest/forest.h"

#define HASH_STEP 0x9e3779b1u

static inline uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Hashes in four independent chains: the steps of a single chain would wait for each other. */
static uint32_t hash_values(const double *event, uint32_t n)
{
    uint64_t a = 0, b = 0, c = 0, d = 0;
    uint32_t i = 0;
    for (; i + 4 <= n; i += 4) {
        a = 3 * a + bits_of(event[i]);
        b = 3 * b + bits_of(event[i + 1]);
        c = 3 * c + bits_of(event[i + 2]);
        d = 3 * d + bits_of(event[i + 3]);
    }
    for (; i < n; i++)
        a = 3 * a + bits_of(event[i]);
    a = a + 5 * b + 7 * (c + 5 * d);
    return (uint32_t)((a * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

uint32_t an_forest_hash_leaving(const an_forest *f)
{
    uint32_t power = 1;
    for (uint32_t lag = 0; lag < f->lags; lag++)
        power *= HASH_STEP;
    return power;
}

/* With lags the hash of an event is a sum over the events seen, newest first: h + h1 * STEP + h2 * STEP^2 + ... It
 * follows from the hash of the event before: times STEP, with the newest added and the oldest taken away, all modulo
 * 2^32. */
uint32_t an_forest_hash(const an_forest *f, uint64_t index, const double *event)
{
    uint32_t hash = hash_values(event, f->values), oldest;
    if (f->lags == 1 || index == f->window->tail)
        return hash;
    hash += *an_forest_hash_at(f, index - 1) * HASH_STEP;
    if (index - f->window->tail < f->lags)
        return hash;
    oldest = hash_values(an_window_event(f->window, index - f->lags), f->values);
    return hash - oldest * f->hash_leaving;
}

/* Copies an event as the window would have it: +0.0 for each zero, NaN for what is not finite. */
static void copy_plain(const double *x, uint32_t n, double *event)
{
    for (uint32_t i = 0; i < n; i++)
        event[i] = an_not_finite(x[i]) ? (double)NAN : x[i] + 0.0;
}

/* Is event `index` equal to the next one, and those before it to those before that one? */
static int is_equal(const an_forest *f, const double *event, uint64_t index)
{
    size_t bytes = f->values * sizeof *event;
    int equal = memcmp(event, an_window_event(f->window, index), bytes) == 0;
    for (uint32_t lag = 1; equal && lag < f->lags; lag++)
        equal =
            memcmp(an_window_event(f->window, f->window->head - lag), an_window_event(f->window, index - lag), bytes) == 0;
    return equal;
}

/* Counts the equal ones among n events from `index` on, whose hashes lie together. */
static uint32_t equal_in_run(const an_forest *f, const double *event, uint32_t hash, uint64_t index, uint32_t n)
{
    const uint32_t *h = an_forest_hash_at(f, index);
    uint32_t same = 0, equal = 0;
    for (uint32_t i = 0; i < n; i++)
        same += h[i] == hash;
    for (uint32_t i = 0; same && i < n; i++)
        equal += h[i] == hash && is_equal(f, event, index + i);
    return equal;
}

/* Returns how many of n events from `index` on have their hashes in one piece of memory. */
static uint32_t run_at(const an_forest *f, uint64_t index, uint32_t n)
{
    uint64_t slot = index & f->window->mask;
    uint64_t end = an_segments_before(an_segments_piece(slot)) + an_segments_rows(an_segments_piece(slot));
    uint64_t left = end - slot;
    return left < n ? (uint32_t)left : n;
}

/* Counts until there are more than `most`. There is room in `event` for a copy of x. */
static uint32_t count_equals(const an_forest *f, const double *x, uint32_t n, double most, double *event)
{
    uint64_t index = f->window->head - n;
    uint32_t equal = 0;
    copy_plain(x, f->values, event);
    uint32_t hash = an_forest_hash(f, f->window->head, event);
    while (n > 0 && (double)equal <= most) {
        uint32_t run = run_at(f, index, n);
        equal += equal_in_run(f, event, hash, index, run);
        index += run;
        n -= run;
    }
    return equal;
}

static AN_OWN_STACK uint32_t count_narrow(const an_forest *f, const double *x, uint32_t n, double most)
{
    double event[AN_NARROW_FEATURES];
    return count_equals(f, x, n, most, event);
}

static AN_OWN_STACK uint32_t count_wide(const an_forest *f, const double *x, uint32_t n, double most)
{
    double event[AN_FOREST_MAX_FEATURES];
    return count_equals(f, x, n, most, event);
}

uint32_t an_forest_compared(const an_forest *f)
{
    uint32_t count = an_forest_count(f);
    return count < AN_EVENTS_COMPARED ? count : AN_EVENTS_COMPARED;
}

uint32_t an_forest_equals(const an_forest *f, const double *x, double most)
{
    uint32_t n = an_forest_compared(f);
    return an_forest_is_narrow(f) ? count_narrow(f, x, n, most) : count_wide(f, x, n, most);
}

/* One equal event may be x itself, when the window has learned x already. */
int an_forest_is_common(const an_forest *f, const double *x, double share)
{
    double most = share * (double)an_forest_compared(f);
    most = most > 1.0 ? most : 1.0;
    return (double)an_forest_equals(f, x, most) > most;
}
