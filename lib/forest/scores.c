/* SPDX-License-Identifier: MIT */
/* Keeps the last scores and finds the threshold that follows them: scores.h explains the floor. */
#include "forest/scores.h"

#include "window/window.h"

#include <math.h>
#include <string.h>

#define SCORES_SCANNED_AN_EVENT 128u /* of the ring, while the floor is lowered; more than count / margin_of(count) */
#define SCORES_DROPPED_AN_EVENT 2u
#define EVENTS_BETWEEN_RAISES   64u /* events between two looks whether the floor can be raised */

#define FEW_SCORES         16u
#define MANY_SCORES        100u
#define TAIL_SHARE         0.01
#define TAIL_SHARE_OF_FEW  0.1
#define TIMES_APART        1.45
#define TIMES_APART_OF_FEW 3.0
#define SHARE_LEFT_TO_ONE  0.3 /* of the way from the cut to 1: the threshold leaves at least so much of the way free */
#define LEAST_THRESHOLD    0.55

/* ---- memory ---- */

size_t an_scores_bytes(uint64_t bound)
{
    uint64_t slots = an_window_slots(bound);
    return an_sum(an_product(slots, sizeof(double)), an_ranks_bytes(slots, an_ranks_buckets_worst(slots)));
}

void an_scores_free(an_scores *scores, const anomaly_allocator *allocator)
{
    an_ranks_free(&scores->ranks, allocator);
    an_free(allocator, scores->ring, scores->slots, sizeof *scores->ring);
}

void an_scores_set_share(an_scores *scores, double share, uint64_t bound)
{
    scores->share = share;
    scores->most = share > 0 ? share : TAIL_SHARE;
    scores->bound = bound;
}

void an_scores_reset(an_scores *scores)
{
    if (scores->slots)
        an_ranks_reset(&scores->ranks);
    scores->head = 0;
    scores->count = scores->above = 0;
    scores->floor = scores->lower = 0.0;
    memset(scores->tally, 0, sizeof scores->tally);
    scores->quantile = scores->cut = (double)NAN;
}

static double score_at(const an_scores *scores, uint64_t i)
{
    return scores->ring[i & (scores->slots - 1)];
}

static int resize_ring(an_scores *scores, uint64_t slots, const anomaly_allocator *allocator)
{
    double *ring = an_alloc(allocator, slots, sizeof *ring);
    if (!ring)
        return ANOMALY_E_NOMEM;
    for (uint64_t i = scores->head - scores->count; i < scores->head; i++)
        ring[i & (slots - 1)] = score_at(scores, i);
    an_free(allocator, scores->ring, scores->slots, sizeof *ring);
    scores->ring = ring;
    scores->slots = slots;
    return ANOMALY_OK;
}

/* Grows the ranks first: a refusal of the ring then leaves ranks that hold more than the ring needs, which does no
 * harm. The ranks have room for all scores, because all may be equal and hence above the floor. */
int an_scores_grow(an_scores *scores, uint64_t slots, const anomaly_allocator *allocator)
{
    uint32_t buckets = an_ranks_buckets_worst(slots);
    if (slots <= scores->slots)
        return ANOMALY_OK;
    if (!an_ranks_fits(&scores->ranks, slots, buckets))
        return an_ranks_resize(&scores->ranks, slots, buckets, allocator);
    return resize_ring(scores, slots, allocator);
}

int an_scores_resize(an_scores *scores, uint64_t slots, const anomaly_allocator *allocator)
{
    int status = ANOMALY_OK;
    while (!status && slots > scores->slots)
        status = an_scores_grow(scores, slots, allocator);
    return status;
}

int an_scores_prepare(an_scores *scores, const anomaly_allocator *allocator)
{
    if (scores->count < scores->slots || scores->count == scores->bound)
        return ANOMALY_OK;
    return an_scores_resize(scores, an_window_slots((uint64_t)scores->count + 1), allocator);
}

/* ---- the floor ---- */

static uint32_t bin_of(double score)
{
    uint32_t bin = (uint32_t)(score * AN_SCORE_BINS);
    return bin < AN_SCORE_BINS ? bin : AN_SCORE_BINS - 1;
}

/* Returns how many scores more than are needed stay above the floor, at least. */
static uint32_t margin_of(uint32_t count)
{
    return count / 64 + 16;
}

/* Finds the highest floor that leaves at least `wanted` scores above it; *above gets how many it leaves. */
static double floor_for(const an_scores *scores, uint32_t wanted, uint32_t *above)
{
    uint32_t bin = AN_SCORE_BINS;
    *above = 0;
    while (bin > 0 && *above < wanted)
        *above += scores->tally[--bin];
    return (double)bin / AN_SCORE_BINS;
}

static int is_lowering(const an_scores *scores)
{
    return scores->lower < scores->floor;
}

/* Drops up to `most` scores below the floor from the ranks, which still hold them after the floor was raised. */
static void drop_below_floor(an_scores *scores, uint32_t most)
{
    for (uint32_t i = 0; i < most && scores->ranks.size > scores->above; i++)
        an_ranks_remove(&scores->ranks, scores->ranks.first[0]);
}

static void raise_floor(an_scores *scores, uint32_t wanted)
{
    uint32_t above;
    double floor = floor_for(scores, wanted, &above);
    if (floor <= scores->floor)
        return;
    scores->floor = scores->lower = floor;
    scores->above = above;
}

static void begin_lowering(an_scores *scores, uint32_t wanted)
{
    uint32_t above;
    drop_below_floor(scores, UINT32_MAX);
    scores->lower = floor_for(scores, wanted, &above);
    scores->scanned = scores->head - scores->count;
}

/* Puts the scores of the next `most` places of the ring that belong above the lower floor into the ranks; at the end
 * of the ring the lower floor becomes the floor. */
static void scan_ring(an_scores *scores, uint64_t most)
{
    uint64_t left = scores->head - scores->scanned, end = scores->scanned + (left < most ? left : most);
    for (; scores->scanned < end; scores->scanned++) {
        double score = score_at(scores, scores->scanned);
        if (score >= scores->lower && score < scores->floor)
            an_ranks_insert(&scores->ranks, score);
    }
    if (scores->scanned == scores->head) {
        scores->floor = scores->lower;
        scores->above = scores->ranks.size;
    }
}

/* Keeps `needed` scores above the floor. */
static void keep_floor(an_scores *scores, uint32_t needed)
{
    uint32_t margin = margin_of(scores->count);
    if (is_lowering(scores))
        scan_ring(scores, SCORES_SCANNED_AN_EVENT);
    else if (scores->above < needed + margin && scores->floor > 0)
        begin_lowering(scores, needed + 2 * margin);
    else if (scores->head % EVENTS_BETWEEN_RAISES == 0 && scores->above > needed + 4 * margin)
        raise_floor(scores, needed + 2 * margin);
    else
        drop_below_floor(scores, SCORES_DROPPED_AN_EVENT);
    if (scores->above < needed) /* does not happen: the margin outlasts a scan */
        scan_ring(scores, UINT64_MAX);
}

/* ---- scores ---- */

static void take_score_out(an_scores *scores)
{
    uint64_t oldest = scores->head - scores->count--;
    double score = score_at(scores, oldest);
    scores->tally[bin_of(score)]--;
    scores->above -= score >= scores->floor;
    if (score >= (oldest < scores->scanned ? scores->lower : scores->floor))
        an_ranks_remove(&scores->ranks, score);
    if (scores->scanned == oldest)
        scores->scanned++;
}

static void take_score_in(an_scores *scores, double score)
{
    scores->ring[scores->head++ & (scores->slots - 1)] = score;
    scores->count++;
    scores->tally[bin_of(score)]++;
    scores->above += score >= scores->floor;
    if (score >= scores->floor)
        an_ranks_insert(&scores->ranks, score);
}

/* Finds the place of the q-quantile of n scores by the rule (n + 1) q: a new score is equally likely to take each of
 * the n + 1 places among the n scores, so under this rule it reaches the quantile with a chance of 1 - q (Weibull
 * 1939; number 6 of Hyndman and Fan 1996, "weibull" of NumPy). */
static an_place place_of(double q, uint32_t n)
{
    double position = q * ((double)n + 1.0) - 1.0, last = (double)n - 1.0;
    position = position < 0.0 ? 0.0 : position < last ? position : last;
    uint32_t rank = (uint32_t)position;
    return (an_place){rank, position - (double)rank};
}

/* Finds quantile and cut. Where the score before the quantile's place equals the quantile, more than the share of the
 * scores reach it: the cut is then the next number above. */
static void find_cut(an_scores *scores, an_place place)
{
    an_ranks *ranks = &scores->ranks;
    double below = -1.0, at = an_ranks_at(ranks, &ranks->cursor[0], place.rank);
    scores->quantile = at;
    if (place.t > 0) {
        scores->quantile = an_interpolate(at, an_ranks_at(ranks, &ranks->cursor[0], place.rank + 1), place.t);
        below = at;
    } else if (place.rank > 0) {
        below = an_ranks_at(ranks, &ranks->cursor[0], place.rank - 1);
    }
    scores->cut = below < scores->quantile ? scores->quantile : an_next_above(scores->quantile);
}

/* Returns which quantile of the scores is wanted: that of the share, or that above which the threshold lies apart. */
static double wanted_quantile(const an_scores *scores)
{
    if (an_scores_are_enough(scores))
        return 1.0 - scores->share;
    return 1.0 - (scores->count < MANY_SCORES ? TAIL_SHARE_OF_FEW : TAIL_SHARE);
}

void an_scores_add(an_scores *scores, double score)
{
    an_ranks *ranks = &scores->ranks;
    if (scores->count == scores->bound)
        take_score_out(scores);
    take_score_in(scores, score);
    an_place place = place_of(wanted_quantile(scores), scores->count);
    uint32_t from_top = scores->count - place.rank;
    keep_floor(scores, from_top);
    place.rank = ranks->size - from_top;
    find_cut(scores, place);
}

double an_scores_threshold(const an_scores *scores)
{
    double apart = scores->count < MANY_SCORES ? TIMES_APART_OF_FEW : TIMES_APART, cut = scores->cut;
    if (an_scores_are_enough(scores))
        return cut;
    if (scores->count < FEW_SCORES)
        return 1.0;
    double far = 0.5 + apart * (cut - 0.5), most = 1.0 - SHARE_LEFT_TO_ONE * (1.0 - cut);
    far = far < most ? far : most;
    return far > LEAST_THRESHOLD ? far : LEAST_THRESHOLD;
}

/* ---- snapshots ---- */

void an_scores_save(const an_scores *scores, an_writer *writer)
{
    an_write_varint(writer, scores->count);
    for (uint64_t i = scores->head - scores->count; i < scores->head; i++)
        an_write_double(writer, score_at(scores, i));
}

int an_scores_restore(an_scores *scores, an_reader *reader, const anomaly_allocator *allocator)
{
    uint64_t count = an_read_varint_to(reader, scores->bound);
    if (reader->bad || count > an_reader_left(reader) / sizeof(double))
        return ANOMALY_E_CORRUPT;
    int status = count ? an_scores_resize(scores, an_window_slots(count), allocator) : ANOMALY_OK;
    for (uint64_t i = 0; !status && i < count; i++) {
        double score = an_read_double(reader);
        if (!(score >= 0 && score <= 1) || signbit(score))
            status = ANOMALY_E_CORRUPT;
        else
            an_scores_add(scores, score);
    }
    return status;
}
