/* SPDX-License-Identifier: MIT */
#include "window/ranks.h"

#include <math.h>
#include <string.h>

#define MOST_BUCKET_VALUES 64
#define TRUSTED_TIMES      4    /* a bucket into which so many fell one after the other is looked at first, and its end */
#define PRODUCT_ERROR      1e-6 /* more than a product of a share and 2^30 values can be off */

/* Answers how many values a bucket holds: a small window is one bucket. */
static uint32_t width_for(uint64_t slots)
{
    return slots < AN_PLACES_GROUP ? AN_PLACES_GROUP : slots < MOST_BUCKET_VALUES ? (uint32_t)slots : MOST_BUCKET_VALUES;
}

/* Counts the places in the directory: whole stretches for the search. */
static size_t directory_length(uint32_t buckets)
{
    return buckets <= AN_PLACES_GROUP ? AN_PLACES_GROUP
                                      : ((size_t)buckets + AN_PLACES_STRETCH - 1) / AN_PLACES_STRETCH * AN_PLACES_STRETCH;
}

static int is_one_bucket(uint64_t slots)
{
    return slots <= MOST_BUCKET_VALUES;
}

uint32_t an_ranks_buckets_usual(uint64_t slots)
{
    return is_one_bucket(slots) ? 1 : (uint32_t)((slots + slots / 2) / MOST_BUCKET_VALUES) + 2;
}

uint32_t an_ranks_buckets_worst(uint64_t slots)
{
    return is_one_bucket(slots) ? 1 : (uint32_t)(4 * slots / (MOST_BUCKET_VALUES + 2)) + 3;
}

int an_ranks_fits(const an_ranks *ranks, uint64_t slots, uint32_t buckets)
{
    return ranks->first && ranks->width == width_for(slots) && ranks->capacity >= buckets;
}

static size_t whole_groups(size_t count)
{
    return (count + AN_PLACES_GROUP - 1) / AN_PLACES_GROUP * (size_t)AN_PLACES_GROUP;
}

/* Counts the numbers beside count and slot: those behind the last count, and the groups'. Few buckets have none. */
static size_t numbers_beside(uint32_t buckets)
{
    size_t counts = whole_groups(buckets);
    return buckets <= AN_PLACES_GROUP ? 0 : counts - buckets + whole_groups(counts / AN_PLACES_GROUP);
}

/* Answers the bytes of the one piece of memory that holds first, pool, slot, count and group, in this order, so that
 * there is memory right before and after every bucket (window/places.h). The piece begins on a line of the cache, and
 * so does every bucket: fewer vectors straddle two lines. */
static size_t bytes_of_buckets(uint32_t width, uint32_t buckets)
{
    size_t bucket = width * sizeof(double) + 2 * sizeof(uint32_t);
    size_t beside = directory_length(buckets) * sizeof(double) + numbers_beside(buckets) * sizeof(uint32_t);
    return an_sum(AN_CACHE_LINE_BYTES + beside, an_product(buckets, bucket));
}

static double *at_cache_line(void *memory)
{
    return (double *)(void *)((char *)memory + (AN_CACHE_LINE_BYTES - (uintptr_t)memory % AN_CACHE_LINE_BYTES));
}

size_t an_ranks_bytes(uint64_t slots, uint32_t buckets)
{
    return bytes_of_buckets(width_for(slots), buckets);
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

/* Sums up the first `count` of a group of numbers, without a branch: nobody could guess it. */
static uint32_t sum_of_first(const uint32_t *numbers, uint32_t count)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < AN_PLACES_GROUP; i++)
        sum += numbers[i] & -(uint32_t)(i < count);
    return sum;
}

/* Counts the values of the groups anew, from that of a bucket on. */
static void count_groups(an_ranks *ranks, uint32_t bucket)
{
    for (uint32_t g = bucket / AN_PLACES_GROUP; ranks->group && g * AN_PLACES_GROUP < ranks->buckets; g++)
        ranks->group[g] = sum_of_first(ranks->count + g * AN_PLACES_GROUP, ranks->buckets - g * AN_PLACES_GROUP);
}

/* Appends values that come in order, filling each bucket to three quarters. */
static void append_in_order(an_ranks *ranks, const double *values, uint32_t count)
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
    grown.memory = an_alloc(allocator, 1, bytes_of_buckets(grown.width, buckets));
    if (!grown.memory)
        return ANOMALY_E_NOMEM;
    grown.first = at_cache_line(grown.memory);
    grown.pool = grown.first + directory_length(buckets);
    grown.slot = (uint32_t *)(void *)(grown.pool + (size_t)buckets * grown.width);
    grown.count = grown.slot + buckets;
    grown.group = numbers_beside(buckets) ? grown.count + whole_groups(buckets) : NULL;
    set_unused(grown.first, directory_length(buckets));
    for (uint32_t i = 0; i < buckets; i++)
        grown.slot[i] = i;
    for (uint32_t i = 0; i < ranks->buckets; i++)
        append_in_order(&grown, values_of(ranks, i), ranks->count[i]);
    count_groups(&grown, 0);
    an_ranks_free(ranks, allocator);
    *ranks = grown;
    return ANOMALY_OK;
}

void an_ranks_free(an_ranks *ranks, const anomaly_allocator *allocator)
{
    an_free(allocator, ranks->memory, 1, bytes_of_buckets(ranks->width, ranks->capacity));
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

/* Finds the last bucket that begins at or below x; the first one when none does. */
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
    return guess->times >= TRUSTED_TIMES;
}

/* Does the same as bucket_for(), but looks first at the bucket that the last few values fell into, if that was one
 * bucket. So it is on a ramp, or where there are few different values; in noise the guess would mostly be wrong, and
 * is not made. */
static inline uint32_t bucket_near(const an_ranks *ranks, an_guess *guess, double x)
{
    if (is_trusted(guess) && is_in_bucket(ranks, guess->bucket, x))
        return guess->bucket;
    uint32_t bucket = bucket_for(ranks, x);
    guess->times = bucket == guess->bucket ? guess->times + 1 : 0;
    guess->bucket = bucket;
    return bucket;
}

/* Opens an empty bucket in the directory at `at`; the caller fills the bucket and sets its first and count. */
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
    count_groups(ranks, at);
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
    count_groups(ranks, at);
}

static void put_in_bucket(an_ranks *ranks, uint32_t bucket, double x)
{
    double *values = values_of(ranks, bucket);
    uint32_t count = ranks->count[bucket]++;
    if (ranks->group)
        ranks->group[bucket / AN_PLACES_GROUP]++;
    if (is_trusted(&ranks->put) && count > 0 && x >= values[count - 1])
        values[count] = x;
    else
        ranks->places->put(values, whole_groups(count + 1), x); /* places behind hold infinity, and go on to do so */
    if (x < ranks->first[bucket])
        ranks->first[bucket] = x;
    for (int c = 0; c < AN_CURSORS; c++)
        ranks->cursor[c].before += bucket < ranks->cursor[c].bucket;
}

/* Puts a value into a full bucket or beside it. Beyond the end of the bucket (a ramp, a run of equal values) the
 * value goes to the front of the next bucket, or to a new one, so that the full bucket stays full; before all values
 * (a falling ramp) it goes to a new one; elsewhere the bucket is halved. */
static void put_in_full_bucket(an_ranks *ranks, uint32_t bucket, double x)
{
    uint32_t last = ranks->width - 1, half = ranks->width / 2;
    if (x >= values_of(ranks, bucket)[last]) {
        if (bucket + 1 == ranks->buckets || ranks->count[bucket + 1] == ranks->width)
            open_bucket(ranks, bucket + 1);
        put_in_bucket(ranks, bucket + 1, x);
    } else if (x < ranks->first[bucket]) {
        open_bucket(ranks, bucket);
        put_in_bucket(ranks, bucket, x);
    } else {
        split_bucket(ranks, bucket, half);
        put_in_bucket(ranks, bucket + (x >= ranks->first[bucket + 1]), x);
    }
}

void an_ranks_insert(an_ranks *ranks, double x)
{
    if (ranks->buckets == 0)
        open_bucket(ranks, 0);
    uint32_t bucket = bucket_near(ranks, &ranks->put, x);
    ranks->size++;
    if (ranks->count[bucket] < ranks->width)
        put_in_bucket(ranks, bucket, x);
    else
        put_in_full_bucket(ranks, bucket, x);
}

/* Moves the next bucket's values to the end of this one. */
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
    count_groups(ranks, bucket);
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
    if (ranks->group)
        ranks->group[bucket / AN_PLACES_GROUP]--;
    if (is_trusted(&ranks->taken) && x == values[last])
        values[last] = (double)INFINITY;
    else
        ranks->places->take(values, whole_groups(last + 1), x);
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

static uint32_t sum_of_few(const uint32_t *numbers, uint32_t count)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += numbers[i];
    return sum;
}

/* Sums up the buckets before one: whole groups of groups, groups, and those of its own group. */
static uint32_t values_before(const an_ranks *ranks, uint32_t bucket)
{
    if (!ranks->group)
        return sum_of_few(ranks->count, bucket);
    uint32_t groups = bucket / AN_PLACES_GROUP, g = 0;
    uint32_t before = sum_of_first(ranks->count + groups * AN_PLACES_GROUP, bucket % AN_PLACES_GROUP);
    for (; g + AN_PLACES_GROUP <= groups; g += AN_PLACES_GROUP)
        before += sum_of_first(ranks->group + g, AN_PLACES_GROUP);
    return before + sum_of_first(ranks->group + g, groups - g);
}

/* Of a bucket; its free places hold infinity, as x may. */
static uint32_t count_up_to(const an_ranks *ranks, uint32_t bucket, double x)
{
    uint32_t count = ranks->count[bucket], up_to = an_places_in_bucket(values_of(ranks, bucket), ranks->width, x);
    return up_to < count ? up_to : count;
}

static uint32_t count_below(const an_ranks *ranks, uint32_t bucket, double x)
{
    const double *values = values_of(ranks, bucket);
    uint32_t below = 0;
    for (uint32_t i = 0; i < ranks->count[bucket]; i++)
        below += values[i] < x;
    return below;
}

/* Every bucket before the last that begins at x or below is full of such values. */
uint32_t an_ranks_up_to(const an_ranks *ranks, double x)
{
    uint32_t bucket = bucket_for(ranks, x);
    return ranks->size ? values_before(ranks, bucket) + count_up_to(ranks, bucket, x) : 0;
}

/* What is below x ends in a bucket that begins below x: some back, where many values are x. */
void an_ranks_count(const an_ranks *ranks, double x, uint32_t *below, uint32_t *up_to)
{
    *below = *up_to = 0;
    if (ranks->size == 0)
        return;
    uint32_t bucket = bucket_for(ranks, x), before = values_before(ranks, bucket);
    *up_to = before + count_up_to(ranks, bucket, x);
    while (bucket > 0 && ranks->first[bucket] >= x)
        before -= ranks->count[--bucket];
    *below = before + count_below(ranks, bucket, x);
}

void an_ranks_largest(const an_ranks *ranks, double *to, uint32_t n)
{
    uint32_t bucket = ranks->buckets, left = 0;
    const double *values = NULL;
    for (uint32_t i = 0; i < n; i++) {
        if (left == 0) {
            values = values_of(ranks, --bucket);
            left = ranks->count[bucket];
        }
        to[i] = values[--left];
    }
}

double an_ranks_least(const an_ranks *ranks)
{
    return ranks->first[0];
}

double an_ranks_most(const an_ranks *ranks)
{
    uint32_t last = ranks->buckets - 1;
    return values_of(ranks, last)[ranks->count[last] - 1];
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

/* Answers the value after the one that the cursor was just moved to. */
static double value_after(const an_ranks *ranks, const an_cursor *cursor, uint32_t rank)
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

/* Finds the first k >= 1 whose share, k * of / n as a double, is not less than the share wanted. 99.9 % is no double,
 * and neither are most other shares: as doubles are compared, a share counts as the number it was rounded from, and
 * the 999th of 1000 values reaches 99.9 %. Where the product is within PRODUCT_ERROR of a whole number, its rank may
 * be one off and is checked. */
static uint32_t nearest_rank(double share, double of, uint32_t n)
{
    double values = (double)n, product = share / of * values, rank = ceil(product);
    if (rank - product > PRODUCT_ERROR && rank - product < 1 - PRODUCT_ERROR)
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
    return place.t == 0 ? a : an_interpolate(a, value_after(ranks, cursor, place.rank), place.t);
}

/* ---- the median of the deviations from the median ----
 *
 * To each side of the median the deviations are in order: downwards through the ranks below, upwards through those
 * above. So the `take` smallest are the `left` nearest below and the `take - left` nearest above, and what is looked
 * for is `left`, by bisection. For n = 5 values, take = 3, since the third smallest deviation is the median of five:
 *
 *     rank              0    1    2    3    4        median 5; below: ranks 2, 1, 0; above: ranks 3, 4
 *     value             1    4    5    7   20
 *     deviation below   4    1    0                  distance_below(i), i = 0, 1, 2: 0, 1, 4
 *     deviation above                  2   15        distance_above(j), j = 0, 1:    2, 15
 *
 *     left = 1: distance_below(0) = 0 <= distance_above(2), which does not exist: the nearest below is among the three
 *     left = 2: distance_below(1) = 1 <= distance_above(1) = 15: both are
 *     left = 3: distance_below(2) = 4 >  distance_above(0) = 2: the third below is not
 *
 * So left = 2, the three smallest are 0, 1 and 2, and the MAD is the larger of distance_below(1) = 1 and
 * distance_above(0) = 2: it is 2. With an even n it is half-way from there to the next larger deviation. */
typedef struct mad_search {
    const an_ranks *ranks;
    an_cursor *low, *high;
    double median;
    uint32_t take;
} mad_search;

/* Answers the i-th deviation below (i = 0: nearest to the median). */
static double distance_below(const mad_search *s, uint32_t i)
{
    return fabs(s->median - an_ranks_at(s->ranks, s->low, s->take - 1 - i));
}

/* Answers the j-th deviation above. */
static double distance_above(const mad_search *s, uint32_t j)
{
    return fabs(an_ranks_at(s->ranks, s->high, s->take + j) - s->median);
}

/* Are the `left` nearest below among the `take` nearest of all? So it is up to the answer, and not beyond it. */
static int are_nearest(const mad_search *s, uint32_t left)
{
    uint32_t right = s->take - left;
    return s->take + right >= s->ranks->size || distance_below(s, left - 1) <= distance_above(s, right);
}

/* Finds the largest left in [low, high) that are_nearest(): low is so, high is not. */
static uint32_t bisect_nearest(const mad_search *s, uint32_t low, uint32_t high)
{
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (are_nearest(s, middle))
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint32_t gallop_up(const mad_search *s, uint32_t low, uint32_t high)
{
    uint32_t step = 1;
    while (low + step < high && are_nearest(s, low + step)) {
        low += step;
        step *= 2;
    }
    return bisect_nearest(s, low, low + step < high ? low + step : high);
}

static uint32_t gallop_down(const mad_search *s, uint32_t low, uint32_t high)
{
    uint32_t step = 1;
    while (high > low + step && !are_nearest(s, high - step)) {
        high -= step;
        step *= 2;
    }
    return bisect_nearest(s, high > low + step ? high - step : low, high);
}

/* Finds the largest left in [least, take] that are_nearest(), beginning at the hint; `least` always is. */
static uint32_t find_nearest_below(const mad_search *s, uint32_t least, uint32_t hint)
{
    uint32_t probe = hint > s->take ? s->take : hint;
    if (probe <= least)
        return gallop_up(s, least, s->take + 1);
    return are_nearest(s, probe) ? gallop_up(s, probe, s->take + 1) : gallop_down(s, least, probe);
}

double an_ranks_mad(const an_ranks *ranks, an_cursor *left_cursor, an_cursor *right_cursor, double median, uint32_t *hint)
{
    uint32_t n = ranks->size, take = (n - 1) / 2 + 1;
    mad_search s = {ranks, left_cursor, right_cursor, median, take};
    uint32_t left = find_nearest_below(&s, 2 * take > n ? 2 * take - n : 0, *hint), right = take - left;
    double a = 0, b = INFINITY;
    if (left > 0)
        a = distance_below(&s, left - 1);
    if (right > 0)
        a = fmax(a, distance_above(&s, right - 1));
    *hint = left;
    if (n % 2 == 1)
        return a;
    if (left < take)
        b = distance_below(&s, left);
    if (take + right < n)
        b = fmin(b, distance_above(&s, right));
    return an_interpolate(a, b, 0.5);
}
