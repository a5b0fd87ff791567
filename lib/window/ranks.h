/* SPDX-License-Identifier: MIT */
/* Keeps the values of a window of one feature in order, for exact quantiles: a two-level sorted list.
 *
 * Values lie in sorted buckets of at most `width`, the buckets in order in a directory with the smallest value of
 * each. An insertion or removal is a search in the directory, one in the bucket and a short move; a full bucket is
 * split, two neighbours that together would be half full or less are joined, so there are at most 4 * size / (width +
 * 2) + 1 buckets. Cost does not depend much on the shape of the data: no rank is favoured. On a ramp or in few values
 * the bucket of the last few times is the right one again, and a value at a bucket's end moves no others.
 *
 * A cursor remembers a bucket and how many values lie before it; the directory keeps every cursor right, so a rank
 * that moves by one or two an event is found at once. */
#ifndef AN_WINDOW_RANKS_H
#define AN_WINDOW_RANKS_H

#include "base/memory.h"
#include "window/places.h"

#define AN_CURSORS 3

typedef struct an_cursor {
    uint32_t bucket;
    uint32_t before; /* values in earlier buckets */
} an_cursor;

/* The bucket that the last insertion or removal fell into, and how many before it had. */
typedef struct an_guess {
    uint32_t bucket, times;
} an_guess;

typedef struct an_ranks {
    const an_places *places; /* set by the owner before anything else */
    uint32_t size;           /* values */
    uint32_t buckets;        /* in use */
    uint32_t capacity;       /* buckets there is memory for */
    uint32_t width;          /* values a bucket can hold */
    void *memory;            /* that the following lie in */
    double *first;           /* [capacity] smallest value of each bucket, in order; places without a bucket hold infinity */
    double *pool;            /* [capacity][width] values; places without a value hold infinity */
    uint32_t *slot;          /* [capacity] where in the pool; behind `buckets`: the free ones */
    uint32_t *count;         /* [capacity] values of each bucket, at least 1 */
    uint32_t *group;         /* values of each 16 buckets; NULL where there are never more */
    an_cursor cursor[AN_CURSORS];
    an_guess put, taken;
} an_ranks;

/* Answer how many buckets a ring of that many slots wants to begin with, and how many it can ever need. */
uint32_t an_ranks_buckets_usual(uint64_t slots);
uint32_t an_ranks_buckets_worst(uint64_t slots);
size_t an_ranks_bytes(uint64_t slots, uint32_t buckets);

/* Is there memory for a ring of that many slots, in that many buckets? */
int an_ranks_fits(const an_ranks *ranks, uint64_t slots, uint32_t buckets);

/* Is there room for one more value? An insertion opens at most one bucket, and none where one bucket holds the whole
 * ring. */
static inline int an_ranks_has_room(const an_ranks *ranks, uint64_t slots)
{
    return ranks->buckets < ranks->capacity || slots <= ranks->width;
}

/* Takes memory for a ring of that many slots, keeping the values. ANOMALY_E_NOMEM changes nothing. */
int an_ranks_resize(an_ranks *ranks, uint64_t slots, uint32_t buckets, const anomaly_allocator *allocator);
void an_ranks_free(an_ranks *ranks, const anomaly_allocator *allocator);
void an_ranks_reset(an_ranks *ranks);

/* Finds the buckets at the pool's end that are not in use, memory for *count doubles. The caller may write to it
 * until the next insertion. */
double *an_ranks_spare(const an_ranks *ranks, size_t *count);

/* Inserts x. There must be room. */
void an_ranks_insert(an_ranks *ranks, double x);

/* Removes x, which must be there. */
void an_ranks_remove(an_ranks *ranks, double x);

/* Answers the value of that rank, 0 .. size-1, and moves the cursor there. */
double an_ranks_at(const an_ranks *ranks, an_cursor *cursor, uint32_t rank);

/* Writes the n <= size largest values, the largest first. */
void an_ranks_largest(const an_ranks *ranks, double *to, uint32_t n);

/* How many of the values are <= x. Cost: a search in the directory, and one number for each 16 buckets. */
uint32_t an_ranks_up_to(const an_ranks *ranks, double x);

/* How many of the values are < x, and how many <= x: at the same cost. */
void an_ranks_count(const an_ranks *ranks, double x, uint32_t *below, uint32_t *up_to);

/* The least value and the largest; there must be one. */
double an_ranks_least(const an_ranks *ranks);
double an_ranks_most(const an_ranks *ranks);

/* Where a quantile lies among n values: at that rank, or the share t of the way to the next. */
typedef struct an_place {
    uint32_t rank;
    double t;
} an_place;

/* Finds the place of the quantile `share` of `of` (0.95 of 1, 95 of 100) among n > 0 values by one of enum
 * anomaly_interpolation. Linear is NumPy's default rule; nearest is the first rank at which that share of the values
 * is reached. */
an_place an_place_of(double share, double of, uint32_t n, int rule);
double an_ranks_value(const an_ranks *ranks, an_cursor *cursor, an_place place);

/* Answers the median of |x - median| by the linear rule; size > 0. `hint` (any value) comes back as the answer's, for
 * the next call. */
double an_ranks_mad(const an_ranks *ranks, an_cursor *left, an_cursor *right, double median, uint32_t *hint);

/* Interpolates between neighbours a <= b by NumPy's linear rule. */
double an_interpolate(double a, double b, double t);

#endif
