/* SPDX-License-Identifier: MIT */
/* How many events of the window are equal to one.
 *
 * Each event of the window has a hash beside its codes. An event that may be flagged, one in a hundred, looks at the hashes of
 * the newest ones and compares the few whose hash is its own. A hash need not be the same everywhere: it decides nothing. */
#include "forest.h"

#define LOOKED_AT 4096u /* of the newest events, at most */
#define LANES     4u

/* The bits of a value as the window has it: one zero, and whatever is not finite is missing. */
static inline uint64_t bits_of(double x)
{
    uint64_t bits;
    x += 0.0;
    memcpy(&bits, &x, sizeof bits);
    return an_not_finite(x) ? 1 : bits;
}

static uint32_t hash_of(const double *x, uint32_t n)
{
    uint64_t lane[LANES] = {0}, hash = 0;
    for (uint32_t i = 0; i < n; i++)
        lane[i % LANES] = (lane[i % LANES] << 13 | lane[i % LANES] >> 51) ^ bits_of(x[i]);
    for (uint32_t j = 0; j < LANES; j++)
        hash = (hash ^ lane[j]) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(hash >> 32);
}

void an_forest_note_hash(an_forest *f, uint64_t index, const double *x)
{
    *an_forest_hash_at(f, index) = hash_of(x, f->features);
}

static int are_equal(const double *a, const double *b, uint32_t n)
{
    uint32_t i = 0;
    while (i < n && bits_of(a[i]) == bits_of(b[i]))
        i++;
    return i == n;
}

/* So many events from `index` on, whose hashes lie together. */
static uint32_t equal_in_run(const an_forest *f, const double *x, uint32_t hash, uint64_t index, uint32_t n)
{
    const uint32_t *h = an_forest_hash_at(f, index);
    uint32_t same = 0, equal = 0;
    for (uint32_t i = 0; i < n; i++)
        same += h[i] == hash;
    for (uint32_t i = 0; same && i < n; i++)
        equal += h[i] == hash && are_equal(x, an_window_event(f->window, index + i), f->features);
    return equal;
}

/* How many of n events from `index` on have their hashes together. */
static uint32_t run_at(const an_forest *f, uint64_t index, uint32_t n)
{
    uint64_t slot = index & f->window->mask;
    uint64_t end = an_segments_before(an_segments_piece(slot)) + an_segments_rows(an_segments_piece(slot));
    uint64_t left = end - slot;
    return left < n ? (uint32_t)left : n;
}

int an_forest_is_common(const an_forest *f, const double *x, double share)
{
    uint32_t count = an_forest_count(f), n = count < LOOKED_AT ? count : LOOKED_AT, equal = 0,
             hash = hash_of(x, f->features);
    uint64_t index = f->window->head - n;
    double most = share * (double)n;
    while (n > 0 && (double)equal <= most) {
        uint32_t run = run_at(f, index, n);
        equal += equal_in_run(f, x, hash, index, run);
        index += run;
        n -= run;
    }
    return (double)equal > most;
}
