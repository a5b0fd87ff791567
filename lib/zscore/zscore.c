/* SPDX-License-Identifier: MIT */
/* Judges by mean and standard deviation. State: while the ring is small the borders of a sliding, the same for every
 * feature; then one an_sliding for each feature. */
#include "base/bytes.h"
#include "detector/detector.h"
#include "detector/judgement.h"
#include "window/sliding.h"
#include "zscore/rows.h"

#include <string.h>

#define MOST_BLOCK_BITS 30 /* no window has more than 2^30 events */

static an_sliding *sliding_of(const anomaly_detector *detector, uint32_t feature)
{
    return (an_sliding *)detector->state + feature;
}

static size_t zscore_bytes(const anomaly_config *config, uint64_t slots)
{
    if (slots <= AN_SMALL_SLOTS)
        return 0;
    size_t tables = an_sliding_bytes(an_sliding_block_bits(an_config_bound(config)), slots);
    return an_product(config->features, an_sum(sizeof(an_sliding), tables));
}

static int create_zscore(anomaly_detector *detector)
{
    detector->borders.block_bits = an_sliding_block_bits(detector->window.bound);
    return ANOMALY_OK;
}

static void free_slidings(an_sliding *slidings, uint32_t features, const anomaly_allocator *allocator)
{
    for (uint32_t f = 0; slidings && f < features; f++)
        an_sliding_free(&slidings[f], allocator);
    an_free(allocator, slidings, features, sizeof *slidings);
}

static void destroy_zscore(anomaly_detector *detector)
{
    free_slidings(detector->state, detector->config->features, detector->allocator);
}

static void reset_zscore(anomaly_detector *detector)
{
    an_borders *at = &detector->borders;
    at->inner_end = at->split = at->open_start = 0;
    for (uint32_t f = 0; detector->state && f < detector->config->features; f++)
        an_sliding_reset(sliding_of(detector, f));
}

static int resize_tables(an_sliding *slidings, uint32_t features, uint64_t slots, const anomaly_allocator *allocator)
{
    int status = ANOMALY_OK;
    for (uint32_t f = 0; f < features && !status; f++)
        status = an_sliding_resize(&slidings[f], slots, allocator);
    return status;
}

/* Makes the slidings of a window that has outgrown the borders alone. */
static int make_slidings(anomaly_detector *detector, uint64_t slots)
{
    const an_window *window = &detector->window;
    uint32_t features = window->features;
    an_sliding *slidings = an_alloc(detector->allocator, features, sizeof *slidings);
    if (!slidings)
        return ANOMALY_E_NOMEM;
    memset(slidings, 0, features * sizeof *slidings);
    for (uint32_t f = 0; f < features; f++)
        slidings[f].at = detector->borders;
    int status = resize_tables(slidings, features, slots, detector->allocator);
    if (status) {
        free_slidings(slidings, features, detector->allocator);
        return status;
    }
    for (uint32_t f = 0; f < features && window->values; f++)
        an_sliding_restore(&slidings[f], an_window_ring(window, f), window->mask, window->tail, window->head);
    detector->state = slidings;
    return ANOMALY_OK;
}

static int resize_zscore(anomaly_detector *detector, uint64_t slots)
{
    if (detector->state)
        return resize_tables(detector->state, detector->window.features, slots, detector->allocator);
    return slots <= AN_SMALL_SLOTS ? ANOMALY_OK : make_slidings(detector, slots);
}

static const void *touched_suffix(const anomaly_detector *detector)
{
    const an_sliding *s = detector->state;
    return s ? &s->inner[detector->window.tail & s->inner_mask] : NULL;
}

static void evict_from_slidings(anomaly_detector *detector, uint64_t tail)
{
    const an_window *window = &detector->window;
    if (!detector->state)
        an_borders_evict(&detector->borders, tail, window->head);
    for (uint32_t f = 0; detector->state && f < window->features; f++)
        an_sliding_evict(sliding_of(detector, f), an_window_ring(window, f), window->mask, tail, window->head);
}

static void insert_into_slidings(anomaly_detector *detector, uint64_t position)
{
    const an_window *window = &detector->window;
    uint64_t last = window->head - 1;
    if (!detector->state)
        an_borders_push(&detector->borders, last);
    for (uint32_t f = 0; detector->state && f < window->features; f++) {
        an_sliding_push(sliding_of(detector, f), last, an_window_value(window, f, last));
        if (position != last)
            an_sliding_refresh(sliding_of(detector, f), an_window_ring(window, f), window->mask, window->tail, window->head,
                               position);
    }
}

static an_moments moments_of(const anomaly_detector *detector, uint32_t feature)
{
    const an_window *window = &detector->window;
    if (detector->state)
        return an_sliding_moments(sliding_of(detector, feature), window->tail);
    return an_borders_moments(&detector->borders, window->values ? an_window_ring(window, feature) : NULL, window->mask,
                              window->tail, window->head);
}

/* Answers a quarter of the standard deviation, which is never infinite. */
static double quarter_stddev(const an_moments *m, int ddof)
{
    return an_moments_unscale(0.25 * sqrt(m->m2 * (1.0 / ((double)m->n - ddof))), m->scale);
}

static void judge_huge(const anomaly_config *config, const an_moments *m, double x, anomaly_verdict *v)
{
    double quarter = quarter_stddev(m, config->ddof), least = config->min_stddev * 0.25;
    an_judge_huge(config, x, m->hi + m->lo, quarter < least ? least : quarter, v);
}

void an_zscore_judge(const anomaly_config *config, const an_moments *m, double x, anomaly_verdict *v)
{
    double deviation = m->n ? an_deviation(m, x) : (double)NAN, spread = an_moments_stddev(m, config->ddof);
    spread = spread < config->min_stddev ? config->min_stddev : spread;
    v->events = m->n;
    an_judge_spread(config, deviation, m->n ? m->hi + m->lo : (double)NAN, spread, v);
    if (an_is_huge(deviation, spread))
        judge_huge(config, m, x, v);
}

static void judge_by_moments(const anomaly_detector *detector, uint32_t feature, double x, anomaly_verdict *v)
{
    an_moments m = moments_of(detector, feature);
    an_zscore_judge(detector->config, &m, x, v);
}

/* Writes the borders as small numbers, each counted from its neighbour. */
static void save_borders(const anomaly_detector *detector, an_writer *writer)
{
    const an_borders *at = detector->state ? &sliding_of(detector, 0)->at : &detector->borders;
    an_write_varint(writer, at->block_bits);
    an_write_varint(writer, at->inner_end - detector->window.tail);
    an_write_varint(writer, detector->window.head - at->open_start);
    an_write_varint(writer, (at->open_start >> at->block_bits) - at->split);
}

static void load_borders(an_borders *at, const an_window *window, an_reader *reader)
{
    int same_blocks = an_read_varint_to(reader, MOST_BLOCK_BITS) == at->block_bits;
    at->inner_end = window->tail + an_read_varint(reader);
    at->open_start = window->head - an_read_varint(reader);
    at->split = (at->open_start >> at->block_bits) - an_read_varint(reader);
    if (!same_blocks) /* saved by a version that chose another block size: the same window, other roundings */
        an_borders_guess(at, window->tail, window->head);
    reader->bad |= !an_borders_can_be(at, window->tail, window->head);
}

static int restore_slidings(anomaly_detector *detector, an_reader *reader)
{
    const an_window *window = &detector->window;
    load_borders(&detector->borders, window, reader);
    for (uint32_t f = 0; detector->state && !reader->bad && f < window->features; f++) {
        an_sliding *s = sliding_of(detector, f);
        s->at = detector->borders;
        an_sliding_restore(s, an_window_ring(window, f), window->mask, window->tail, window->head);
    }
    return reader->bad ? ANOMALY_E_CORRUPT : ANOMALY_OK;
}

static uint64_t values_for_spread(const anomaly_config *config)
{
    return (uint64_t)config->ddof + 1;
}

/* With include_self |z| is at most (n-1)/sqrt(n), or sqrt(n-1) with ddof 0. */
static int can_zscore_flag_with_self(const anomaly_config *config, uint64_t samples)
{
    double n = (double)samples;
    return config->min_stddev > 0 || an_exceeds(config, (config->ddof ? (n - 1) / sqrt(n) : sqrt(n - 1)) * (1 + 1e-12));
}

const an_kind an_kind_zscore = {
    .rules =
        {
            .bounds_at_threshold = 1,
            .values_to_judge = values_for_spread,
            .can_flag_with_self = can_zscore_flag_with_self,
            .validate = an_no_rule,
        },
    .life =
        {
            .bytes = zscore_bytes,
            .create = create_zscore,
            .destroy = destroy_zscore,
            .reset = reset_zscore,
            .take_early = an_no_early_memory,
            .resize = resize_zscore,
            .touched = touched_suffix,
            .evict = evict_from_slidings,
        },
    .by_feature = {.judge = judge_by_moments, .insert = insert_into_slidings},
    .questions =
        {
            .moments = moments_of,
            .quantile = an_no_quantile,
            .explain = an_no_explanation,
            .rebuild = an_no_rebuild,
        },
    .rows = {.update = an_zscore_update_rows},
    .saving = {.save = save_borders, .restore = restore_slidings},
    .equals = an_count_equals,
};
