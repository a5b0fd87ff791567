/* SPDX-License-Identifier: MIT */
#include "window/ranks.h"

#include <math.h>
#include <string.h>

#define GROUP     AN_PLACES_GROUP
#define MAX_WIDTH 64
#define TRUST     4  /* a bucket into which so many fell one after the other is looked at first, and its end */
#define LINE      64 /* bytes in a line of the cache */
#define SURE      1e-6

/* A small window is one bucket. */
static uint32_t width_for(uint64_t slots)
{
    return slots < GROUP ? GROUP : slots < MAX_WIDTH ? (uint32_t)slots : MAX_WIDTH;
}

/* Places in the directory: whole stretches for the search. */
static size_t directory_length(uint32_t buckets)
{
    return buckets <= GROUP ? GROUP : ((size_t)buckets + AN_PLACES_STRETCH - 1) / AN_PLACES_STRETCH * AN_PLACES_STRETCH;
}

static int is_one_bucket(uint64_t slots)
{
    return slots <= MAX_WIDTH;
}

uint32_t an_ranks_buckets_usual(uint64_t slots)
{
    return is_one_bucket(slots) ? 1 : (uint32_t)((slots + slots / 2) / MAX_WIDTH) + 2;
}

uint32_t an_ranks_buckets_worst(uint64_t slots)
{
    return is_one_bucket(slots) ? 1 : (uint32_t)(4 * slots / (MAX_WIDTH + 2)) + 3;
}

int an_ranks_fits(const an_ranks *ranks, uint64_t slots, uint32_t buckets)
{
    return ranks->first && ranks->width == width_for(slots) && ranks->capacity >= buckets;
}

/* One piece of memory: first, pool, slot, count; so that there is memory right before and after every bucket (window/places.h).
 * It begins on a line of the cache, and so does every bucket: fewer vectors straddle two. */
static size_t bytes_for(uint32_t width, uint32_t buckets)
{
    size_t bucket = width * sizeof(double) + 2 * sizeof(uint32_t);
    return an_sum(LINE + directory_length(buckets) * sizeof(double), an_product(buckets, bucket));
}

static double *aligned(void *memory)
{
    return (double *)(void *)((char *)memory + (LINE - (uintptr_t)memory % LINE));
}

size_t an_ranks_bytes(uint64_t slots, uint32_t buckets)
{
    return bytes_for(width_for(slots), buckets);
}

static double *values_of(const an_ranks *ranks, uint32_t bucket)
{
    return ranks->pool + (size_t)ranks->slot[bucket] * ranks->width;
}

static void set_unused(double *places, size_t count)
{
    for (size_t i = 0; i < count; i++)
        places[i] = (double)INFINITY;
}

/* Appends values at the end, three quarters full, as they come in order. */
static void append(an_ranks *ranks, const double *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (ranks->buckets == 0 ||
            (ranks->count[ranks->buckets - 1] >= ranks->width - ranks->width / 4 && ranks->capacity > 1)) {
            ranks->first[ranks->buckets] = values[i];
            ranks->count[ranks->buckets++] = 0;
            set_unused(values_of(ranks, ranks->buckets - 1), ranks->width);
        }
        uint32_t last = ranks->buckets - 1;
        values_of(ranks, last)[ranks->count[last]++] = values[i];
        ranks->size++;
    }
}

int an_ranks_resize(an_ranks *ranks, uint64_t slots, uint32_t buckets, const anomaly_allocator *allocator)
{
    an_ranks grown = {.places = ranks->places};
    grown.width = width_for(slots);
    grown.capacity = buckets;
    grown.memory = an_alloc(allocator, 1, bytes_for(grown.width, buckets));
    if (!grown.memory)
        return ANOMALY_E_NOMEM;
    grown.first = aligned(grown.memory);
    grown.pool = grown.first + directory_length(buckets);
    grown.slot = (uint32_t *)(void *)(grown.pool + (size_t)buckets * grown.width);
    grown.count = grown.slot + buckets;
    set_unused(grown.first, directory_length(buckets));
    for (uint32_t i = 0; i < buckets; i++)
        grown.slot[i] = i;
    for (uint32_t i = 0; i < ranks->buckets; i++)
        append(&grown, values_of(ranks, i), ranks->count[i]);
    an_ranks_free(ranks, allocator);
    *ranks = grown;
    return ANOMALY_OK;
}

void an_ranks_free(an_ranks *ranks, const anomaly_allocator *allocator)
{
    an_free(allocator, ranks->memory, 1, bytes_for(ranks->width, ranks->capacity));
    ranks->memory = NULL;
    ranks->first = NULL;
}

void an_ranks_reset(an_ranks *ranks)
{
    set_unused(ranks->first, ranks->buckets);
    ranks->size = ranks->buckets = 0;
    memset(ranks->cursor, 0, sizeof ranks->cursor);
}

double *an_ranks_spare(const an_ranks *ranks, size_t *count)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < ranks->buckets; i++)
        used = ranks->slot[i] >= used ? ranks->slot[i] + 1 : used;
    *count = (size_t)(ranks->capacity - used) * ranks->width;
    return ranks->pool + (size_t)used * ranks->width;
}

/* The last bucket that begins at or below x; the first one when none does. */
static uint32_t bucket_for(const an_ranks *ranks, double x)
{
    uint32_t begun = an_places_up_to(ranks->first, directory_length(ranks->buckets), x);
    return begun ? begun - 1 : 0;
}

static int is_in_bucket(const an_ranks *ranks, uint32_t bucket, double x)
{
    return bucket < ranks->buckets && (bucket == 0 || ranks->first[bucket] <= x) &&
           (bucket + 1 == ranks->buckets || x < ranks->first[bucket + 1]);
}

static int is_trusted(const an_guess *guess)
{
    return guess->times >= TRUST;
}

/* The same. Looks first where the last few values fell, if that was one bucket: on a ramp or in few values, then, and not
 * where it is a coin toss. */
static inline uint32_t bucket_near(const an_ranks *ranks, an_guess *guess, double x)
{
    if (is_trusted(guess) && is_in_bucket(ranks, guess->bucket, x))
        return guess->bucket;
    uint32_t bucket = bucket_for(ranks, x);
    guess->times = bucket == guess->bucket ? guess->times + 1 : 0;
    guess->bucket = bucket;
    return bucket;
}

/* A new empty bucket in the directory at `at`; the caller fills it and sets first and count. */
static void open_bucket(an_ranks *ranks, uint32_t at)
{
    uint32_t moved = ranks->buckets - at, slot = ranks->slot[ranks->buckets];
    memmove(ranks->first + at + 1, ranks->first + at, moved * sizeof *ranks->first);
    memmove(ranks->slot + at + 1, ranks->slot + at, moved * sizeof *ranks->slot);
    memmove(ranks->count + at + 1, ranks->count + at, moved * sizeof *ranks->count);
    ranks->first[at] = (double)INFINITY;
    ranks->slot[at] = slot;
    ranks->count[at] = 0;
    ranks->buckets++;
    set_unused(values_of(ranks, at), ranks->width);
    for (int c = 0; c < AN_CURSORS; c++)
        ranks->cursor[c].bucket += ranks->cursor[c].bucket >= at && ranks->buckets > 1;
}

/* Takes an emptied bucket out; its place in the pool becomes free. */
static void close_bucket(an_ranks *ranks, uint32_t at)
{
    uint32_t slot = ranks->slot[at];
    ranks->buckets--;
    uint32_t moved = ranks->buckets - at;
    memmove(ranks->first + at, ranks->first + at + 1, moved * sizeof *ranks->first);
    memmove(ranks->slot + at, ranks->slot + at + 1, moved * sizeof *ranks->slot);
    memmove(ranks->count + at, ranks->count + at + 1, moved * sizeof *ranks->count);
    ranks->slot[ranks->buckets] = slot;
    ranks->first[ranks->buckets] = (double)INFINITY;
}

/* Moves the values from `keep` on into a new bucket behind. */
static void split_bucket(an_ranks *ranks, uint32_t at, uint32_t keep)
{
    uint32_t moved = ranks->count[at] - keep;
    open_bucket(ranks, at + 1);
    double *to = values_of(ranks, at + 1);
    memcpy(to, values_of(ranks, at) + keep, moved * sizeof *to);
    set_unused(values_of(ranks, at) + keep, moved);
    ranks->first[at + 1] = to[0];
    ranks->count[at + 1] = moved;
    ranks->count[at] = keep;
}

static void put(an_ranks *ranks, uint32_t bucket, double x)
{
    double *values = values_of(ranks, bucket);
    uint32_t count = ranks->count[bucket]++;
    if (is_trusted(&ranks->put) && count > 0 && x >= values[count - 1])
        values[count] = x;
    else
        ranks->places->put(values, ranks->width, x);
    if (x < ranks->first[bucket])
        ranks->first[bucket] = x;
    for (int c = 0; c < AN_CURSORS; c++)
        ranks->cursor[c].before += bucket < ranks->cursor[c].bucket;
}

/* A value for a full bucket. Beyond its end (a ramp, a run of equal values) it goes to the front of the next, or to a new
 * one, so that what lies behind stays full; before all there are (a falling ramp) to a new one; elsewhere the bucket is
 * halved. */
static void put_in_full(an_ranks *ranks, uint32_t bucket, double x)
{
    uint32_t last = ranks->width - 1, half = ranks->width / 2;
    if (x >= values_of(ranks, bucket)[last]) {
        if (bucket + 1 == ranks->buckets || ranks->count[bucket + 1] == ranks->width)
            open_bucket(ranks, bucket + 1);
        put(ranks, bucket + 1, x);
    } else if (x < ranks->first[bucket]) {
        open_bucket(ranks, bucket);
        put(ranks, bucket, x);
    } else {
        split_bucket(ranks, bucket, half);
        put(ranks, bucket + (x >= ranks->first[bucket + 1]), x);
    }
}

void an_ranks_insert(an_ranks *ranks, double x)
{
    if (ranks->buckets == 0)
        open_bucket(ranks, 0);
    uint32_t bucket = bucket_near(ranks, &ranks->put, x);
    ranks->size++;
    if (ranks->count[bucket] < ranks->width)
        put(ranks, bucket, x);
    else
        put_in_full(ranks, bucket, x);
}

/* The next bucket's values go to the end of this one. */
static void join_next(an_ranks *ranks, uint32_t bucket)
{
    uint32_t here = ranks->count[bucket], moved = ranks->count[bucket + 1];
    for (int c = 0; c < AN_CURSORS; c++) {
        an_cursor *cursor = &ranks->cursor[c];
        cursor->before -= cursor->bucket == bucket + 1 ? here : 0;
        cursor->bucket -= cursor->bucket > bucket;
    }
    memcpy(values_of(ranks, bucket) + here, values_of(ranks, bucket + 1), moved * sizeof(double));
    if (here == 0)
        ranks->first[bucket] = ranks->first[bucket + 1];
    ranks->count[bucket] += moved;
    close_bucket(ranks, bucket + 1);
}

static int can_join_next(const an_ranks *ranks, uint32_t bucket)
{
    if (bucket + 1 >= ranks->buckets)
        return 0;
    uint32_t here = ranks->count[bucket], next = ranks->count[bucket + 1];
    return here + next <= ranks->width / 2 || here == 0 || next == 0;
}

void an_ranks_remove(an_ranks *ranks, double x)
{
    uint32_t bucket = bucket_near(ranks, &ranks->taken, x);
    double *values = values_of(ranks, bucket);
    uint32_t last = --ranks->count[bucket];
    if (is_trusted(&ranks->taken) && x == values[last])
        values[last] = (double)INFINITY;
    else
        ranks->places->take(values, ranks->width, x);
    ranks->size--;
    if (ranks->first[bucket] != values[0])
        ranks->first[bucket] = values[0];
    for (int c = 0; c < AN_CURSORS; c++)
        ranks->cursor[c].before -= bucket < ranks->cursor[c].bucket;
    if (ranks->size == 0)
        an_ranks_reset(ranks);
    else if (can_join_next(ranks, bucket))
        join_next(ranks, bucket);
    else if (bucket > 0 && can_join_next(ranks, bucket - 1))
        join_next(ranks, bucket - 1);
}

double an_ranks_at(const an_ranks *ranks, an_cursor *cursor, uint32_t rank)
{
    uint32_t bucket = cursor->bucket, before = cursor->before;
    while (rank < before)
        before -= ranks->count[--bucket];
    while (rank - before >= ranks->count[bucket])
        before += ranks->count[bucket++];
    cursor->bucket = bucket;
    cursor->before = before;
    return values_of(ranks, bucket)[rank - before];
}

/* The value after the one the cursor was just moved to. */
static double next_of(const an_ranks *ranks, const an_cursor *cursor, uint32_t rank)
{
    uint32_t place = rank - cursor->before + 1;
    return place < ranks->count[cursor->bucket] ? values_of(ranks, cursor->bucket)[place] : ranks->first[cursor->bucket + 1];
}

double an_interpolate(double a, double b, double t)
{
    double distance = b - a;
    if (a == b || t == 0)
        return a;
    if (!(distance <= 1.7976931348623157e308)) /* infinite: halve first */
        return 2 * (a / 2 * (1 - t) + b / 2 * t);
    return t < 0.5 ? a + distance * t : b - distance * (1 - t);
}

/* The first k >= 1 whose share, k * of / n as a double, is not less. A share of 99.9 % is no double, and neither are most
 * others: compared so, it counts as the number it was rounded from, and the 999th of 1000 has it. Near a whole number the product may be one
 * off; its error is less than SURE. */
static uint32_t nearest_rank(double share, double of, uint32_t n)
{
    double values = (double)n, product = share / of * values, rank = ceil(product);
    if (rank - product > SURE && rank - product < 1 - SURE)
        return (uint32_t)rank;
    if (rank > 1 && (rank - 1) * of / values >= share)
        rank--;
    else if (rank * of / values < share)
        rank++;
    return rank < 1 ? 1 : (uint32_t)rank;
}

an_place an_place_of(double share, double of, uint32_t n, int rule)
{
    if (rule == ANOMALY_NEAREST)
        return (an_place){nearest_rank(share, of, n) - 1, 0};
    double position = (double)(n - 1) * (share / of);
    uint32_t rank = (uint32_t)position;
    return (an_place){rank, position - (double)rank};
}

double an_ranks_value(const an_ranks *ranks, an_cursor *cursor, an_place place)
{
    double a = an_ranks_at(ranks, cursor, place.rank);
    return place.t == 0 ? a : an_interpolate(a, next_of(ranks, cursor, place.rank), place.t);
}

/* Deviations from the median run up on both sides of it, so the k-th smallest lies where the two runs meet: take `left` of
 * the `take` smallest from below and the rest from above. */
typedef struct mad_search {
    const an_ranks *ranks;
    an_cursor *low, *high;
    double median;
    uint32_t take;
} mad_search;

/* The i-th deviation below (i = 0: nearest to the median), the j-th above. */
static double below(const mad_search *s, uint32_t i)
{
    return fabs(s->median - an_ranks_at(s->ranks, s->low, s->take - 1 - i));
}

static double above(const mad_search *s, uint32_t j)
{
    return fabs(an_ranks_at(s->ranks, s->high, s->take + j) - s->median);
}

/* Are the `left` nearest below among the `take` nearest of all? True up to the answer, false beyond it. */
static int fits(const mad_search *s, uint32_t left)
{
    uint32_t right = s->take - left;
    return s->take + right >= s->ranks->size || below(s, left - 1) <= above(s, right);
}

/* The largest left in (low, high) that fits, or low, which does; high does not. */
static uint32_t bisect_left(const mad_search *s, uint32_t low, uint32_t high)
{
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (fits(s, middle))
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint32_t gallop_up(const mad_search *s, uint32_t low, uint32_t high)
{
    uint32_t step = 1;
    while (low + step < high && fits(s, low + step)) {
        low += step;
        step *= 2;
    }
    return bisect_left(s, low, low + step < high ? low + step : high);
}

static uint32_t gallop_down(const mad_search *s, uint32_t low, uint32_t high)
{
    uint32_t step = 1;
    while (high > low + step && !fits(s, high - step)) {
        high -= step;
        step *= 2;
    }
    return bisect_left(s, high > low + step ? high - step : low, high);
}

/* The largest left in [least, take] that fits, looked for near the hint; `least` always fits. */
static uint32_t find_left(const mad_search *s, uint32_t least, uint32_t hint)
{
    uint32_t probe = hint > s->take ? s->take : hint;
    if (probe <= least)
        return gallop_up(s, least, s->take + 1);
    return fits(s, probe) ? gallop_up(s, probe, s->take + 1) : gallop_down(s, least, probe);
}

double an_ranks_mad(const an_ranks *ranks, an_cursor *left_cursor, an_cursor *right_cursor, double median, uint32_t *hint)
{
    uint32_t n = ranks->size, take = (n - 1) / 2 + 1;
    mad_search s = {ranks, left_cursor, right_cursor, median, take};
    uint32_t left = find_left(&s, 2 * take > n ? 2 * take - n : 0, *hint), right = take - left;
    double a = 0, b = INFINITY;
    if (left > 0)
        a = below(&s, left - 1);
    if (right > 0)
        a = fmax(a, above(&s, right - 1));
    *hint = left;
    if (n % 2 == 1)
        return a;
    if (left < take)
        b = below(&s, left);
    if (take + right < n)
        b = fmin(b, above(&s, right));
    return an_interpolate(a, b, 0.5);
}
