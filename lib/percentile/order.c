/* SPDX-License-Identifier: MIT */
#include "percentile/order.h"

#include "base/simd.h"

#include <string.h>

/* Answers the bytes of the state that a feature takes. */
static size_t bytes_a_feature(const anomaly_config *config)
{
    return sizeof(an_order) + an_kind_of(config)->beside;
}

size_t an_order_bytes(const anomaly_config *config, uint64_t slots)
{
    size_t ranks = an_ranks_bytes(slots, an_ranks_buckets_worst(slots));
    return an_product(config->features, an_sum(bytes_a_feature(config), ranks));
}

int an_order_create(anomaly_detector *detector)
{
    detector->state = an_alloc(detector->allocator, detector->config->features, bytes_a_feature(detector->config));
    if (!detector->state)
        return ANOMALY_E_NOMEM;
    memset(detector->state, 0, detector->config->features * bytes_a_feature(detector->config));
    for (uint32_t f = 0; f < detector->config->features; f++)
        an_order_of(detector, f)->ranks.places = an_places_for(an_simd_path(detector->config->simd));
    an_order_reset(detector);
    return ANOMALY_OK;
}

void an_order_destroy(anomaly_detector *detector)
{
    for (uint32_t f = 0; detector->state && f < detector->config->features; f++)
        an_ranks_free(&an_order_of(detector, f)->ranks, detector->allocator);
    an_free(detector->allocator, detector->state, detector->config->features, bytes_a_feature(detector->config));
}

void an_order_reset(anomaly_detector *detector)
{
    for (uint32_t f = 0; f < detector->config->features; f++) {
        an_order *order = an_order_of(detector, f);
        an_ranks_reset(&order->ranks);
        if (order->sums)
            an_deviations_reset(an_order_deviations(detector, f));
        order->hint = order->placed = order->sums = 0;
        order->runs_from = 0;
        order->centre = order->lower = order->upper = (double)NAN;
    }
}

/* Makes room for the worst case once the ring has its last size, so that nothing is allocated after that (memory that
 * no bucket has come to use costs no more than addresses); before, room for the usual. */
int an_order_resize(anomaly_detector *detector, uint64_t slots)
{
    int last = slots >= an_window_slots(detector->window.bound);
    uint32_t buckets = last ? an_ranks_buckets_worst(slots) : an_ranks_buckets_usual(slots);
    int status = ANOMALY_OK;
    for (uint32_t f = 0; f < detector->config->features && !status; f++) {
        an_ranks *ranks = &an_order_of(detector, f)->ranks;
        if (!an_ranks_fits(ranks, slots, buckets))
            status = an_ranks_resize(ranks, slots, buckets, detector->allocator);
    }
    return status;
}

int an_order_prepare(anomaly_detector *detector)
{
    uint64_t slots = detector->window.mask + 1;
    int status = ANOMALY_OK;
    for (uint32_t f = 0; f < detector->config->features && !status; f++) {
        an_ranks *ranks = &an_order_of(detector, f)->ranks;
        if (!an_ranks_has_room(ranks, slots))
            status = an_ranks_resize(ranks, slots, ranks->capacity + ranks->capacity / 2 + 1, detector->allocator);
    }
    return status;
}

/* Puts what stays in order anew: the smaller piece of work when most of the window leaves at once. */
static void keep_only(an_ranks *ranks, const double *ring, uint64_t mask, uint64_t tail, uint64_t head)
{
    an_ranks_reset(ranks);
    for (uint64_t i = tail; i < head; i++)
        if (!isnan(ring[i & mask]))
            an_ranks_insert(ranks, ring[i & mask]);
}

static void remove_range(an_ranks *ranks, const double *ring, uint64_t mask, uint64_t from, uint64_t end)
{
    for (uint64_t i = from; i < end; i++)
        if (!isnan(ring[i & mask]))
            an_ranks_remove(ranks, ring[i & mask]);
}

void an_order_evict(anomaly_detector *detector, uint64_t tail)
{
    const an_window *window = &detector->window;
    for (uint32_t f = 0; f < window->features; f++) {
        an_ranks *ranks = &an_order_of(detector, f)->ranks;
        const double *ring = an_window_ring(window, f);
        if (an_order_of(detector, f)->sums)
            an_deviations_evict(an_order_deviations(detector, f), window, f, tail);
        if (tail - window->tail > window->head - tail)
            keep_only(ranks, ring, window->mask, tail, window->head);
        else
            remove_range(ranks, ring, window->mask, window->tail, tail);
    }
}

void an_order_insert(anomaly_detector *detector, uint64_t position)
{
    for (uint32_t f = 0; f < detector->config->features; f++) {
        double x = an_window_value(&detector->window, f, position);
        if (an_order_of(detector, f)->sums)
            an_deviations_insert(an_order_deviations(detector, f), x);
        if (!isnan(x))
            an_ranks_insert(&an_order_of(detector, f)->ranks, x);
    }
}

/* Inserts the values of the window again. Quantiles depend on the values only, not on how the values came to lie in
 * the buckets. */
int an_order_restore(anomaly_detector *detector, an_reader *reader)
{
    const an_window *window = &detector->window;
    int status = ANOMALY_OK;
    (void)reader;
    for (uint64_t i = window->tail; !status && i < window->head; i++) {
        status = an_order_prepare(detector);
        if (!status)
            an_order_insert(detector, i);
    }
    if (!status)
        detector->kind->by_feature.settle(detector);
    return status;
}

int an_order_quantile(const anomaly_detector *detector, uint32_t feature, double q, double *value)
{
    const an_ranks *ranks = &an_order_of(detector, feature)->ranks;
    an_cursor cursor = {0, 0};
    if (ranks->size == 0)
        return ANOMALY_E_EMPTY;
    *value = an_ranks_value(ranks, &cursor, an_place_of(q, 1, ranks->size, detector->config->quantile));
    return ANOMALY_OK;
}

void an_order_place(an_order *order, int i, double share, double of, int rule)
{
    order->place[i] = an_place_of(share, of, order->ranks.size, rule);
}
