/* SPDX-License-Identifier: MIT */
/* z-score by mean and standard deviation. State: one an_sliding per feature. */
#include "bytes.h"
#include "internal.h"
#include "sliding.h"
#include "zscore_rows.h"

#include <string.h>

static an_sliding *sliding_of(const anomaly_detector *detector, uint32_t feature)
{
    return (an_sliding *)detector->state + feature;
}

static size_t bytes(const anomaly_config *config, uint64_t slots)
{
    return config->features * (sizeof(an_sliding) + an_sliding_bytes(an_sliding_block_bits(an_config_bound(config)), slots));
}

static int create(anomaly_detector *detector)
{
    uint32_t features = detector->config->features;
    detector->state = an_alloc(detector->allocator, features, sizeof(an_sliding));
    if (!detector->state)
        return ANOMALY_E_NOMEM;
    memset(detector->state, 0, features * sizeof(an_sliding));
    for (uint32_t f = 0; f < features; f++)
        sliding_of(detector, f)->block_bits = an_sliding_block_bits(detector->window.bound);
    return ANOMALY_OK;
}

static void destroy(anomaly_detector *detector)
{
    for (uint32_t f = 0; detector->state && f < detector->config->features; f++)
        an_sliding_free(sliding_of(detector, f), detector->allocator);
    an_free(detector->allocator, detector->state, detector->config->features, sizeof(an_sliding));
}

static void reset(anomaly_detector *detector)
{
    for (uint32_t f = 0; f < detector->config->features; f++)
        an_sliding_reset(sliding_of(detector, f));
}

static int resize(anomaly_detector *detector, uint64_t slots)
{
    int status = ANOMALY_OK;
    for (uint32_t f = 0; f < detector->config->features && !status; f++)
        status = an_sliding_resize(sliding_of(detector, f), slots, detector->allocator);
    return status;
}

static void evict(anomaly_detector *detector, uint64_t tail)
{
    const an_window *window = &detector->window;
    for (uint32_t f = 0; f < window->features; f++)
        an_sliding_evict(sliding_of(detector, f), an_window_ring(window, f), window->mask, tail, window->head);
}

static void insert(anomaly_detector *detector, uint64_t position)
{
    const an_window *window = &detector->window;
    uint64_t last = window->head - 1;
    for (uint32_t f = 0; f < window->features; f++) {
        an_sliding_push(sliding_of(detector, f), last, an_window_value(window, f, last));
        if (position != last)
            an_sliding_refresh(sliding_of(detector, f), an_window_ring(window, f), window->mask, window->tail, window->head,
                               position);
    }
}

static an_moments moments(const anomaly_detector *detector, uint32_t feature)
{
    return an_sliding_moments(sliding_of(detector, feature), detector->window.tail);
}

/* (x - mean) / spread where x - mean is more than the largest double. */
static double huge_score(double x, double mean, double spread)
{
    return (x * 0.25 - mean * 0.25) / (spread * 0.25);
}

void an_zscore_judge(const anomaly_config *config, const an_moments *m, double x, anomaly_verdict *v)
{
    double deviation = m->n ? an_deviation(m, x) : (double)NAN, spread = an_moments_stddev(m, config->ddof);
    spread = spread < config->min_stddev ? config->min_stddev : spread;
    v->events = m->n;
    an_judge_spread(config, deviation, m->n ? m->hi + m->lo : (double)NAN, spread, v);
    if (isinf(deviation) && isfinite(x)) {
        anomaly_verdict huge;
        an_judge_spread(config, huge_score(x, m->hi, spread), 0, 1, &huge);
        v->score = huge.score;
    }
}

static void judge(const anomaly_detector *detector, uint32_t feature, double x, anomaly_verdict *v)
{
    an_moments m = moments(detector, feature);
    an_zscore_judge(detector->config, &m, x, v);
}

/* The borders of the sliding's tables are the same for every feature; small numbers, counted from their neighbours. */
static void save(const anomaly_detector *detector, an_writer *writer)
{
    const an_sliding *s = sliding_of(detector, 0);
    an_write_varint(writer, s->block_bits);
    an_write_varint(writer, s->inner_end - detector->window.tail);
    an_write_varint(writer, detector->window.head - s->open_start);
    an_write_varint(writer, (s->open_start >> s->block_bits) - s->split);
}

static void load_borders(an_sliding *s, const an_window *window, an_reader *reader)
{
    s->inner_end = window->tail + an_read_varint(reader);
    s->open_start = window->head - an_read_varint(reader);
    s->split = (s->open_start >> s->block_bits) - an_read_varint(reader);
}

static int restore(anomaly_detector *detector, an_reader *reader)
{
    const an_window *window = &detector->window;
    an_sliding *first = sliding_of(detector, 0);
    int same_blocks = an_read_varint(reader) == first->block_bits;
    load_borders(first, window, reader);
    if (!same_blocks) /* saved by a version that chose another block size: the same window, other roundings */
        an_sliding_guess(first, window->tail, window->head);
    for (uint32_t f = 0; !reader->bad && f < window->features; f++) {
        an_sliding *s = sliding_of(detector, f);
        s->inner_end = first->inner_end;
        s->open_start = first->open_start;
        s->split = first->split;
        reader->bad |= !an_sliding_restore(s, an_window_count(window) ? an_window_ring(window, f) : NULL, window->mask,
                                           window->tail, window->head);
    }
    return reader->bad ? ANOMALY_E_CORRUPT : ANOMALY_OK;
}

const an_kind an_kind_zscore = {
    .bytes = bytes,
    .create = create,
    .destroy = destroy,
    .reset = reset,
    .resize = resize,
    .evict = evict,
    .insert = insert,
    .judge = judge,
    .moments = moments,
    .update_rows = an_zscore_update_rows,
    .save = save,
    .restore = restore,
};
