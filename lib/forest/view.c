/* SPDX-License-Identifier: MIT */
/* What trees see of an event. Without lags its values; with lags the values of the newest events, this one first:
 *
 *     3 values, lags=2        a0 a1 a2  b0 b1 b2     a: the event, b: the one learned before it
 *
 * So feature i is value i % values of the event i / values before. The window has all of these events, so nothing is
 * kept beside it: what leaves the window is seen no more, and reset and snapshots need to know nothing of lags. */
#include "forest/forest.h"

const double *an_forest_put_together(const an_forest *f, uint64_t index, const double *x, double *room)
{
    size_t bytes = f->values * sizeof *room;
    memcpy(room, x, bytes);
    for (uint32_t lag = 1; lag < f->lags; lag++)
        memcpy(room + (size_t)lag * f->values, an_window_event(f->window, index - lag), bytes);
    return room;
}

const double *an_forest_block_view(const an_forest *f, an_forest_block *b, const double *x)
{
    if (f->lags == 1)
        return x;
    if (b->rows == 0)
        return an_forest_put_together(f, f->window->head, x, b->view);
    if (b->learned)
        memmove(b->view + f->values, b->view, (size_t)(f->features - f->values) * sizeof *b->view);
    memcpy(b->view, x, f->values * sizeof *b->view);
    return b->view;
}

void an_forest_spread_coding(const an_forest *f, an_coding *g)
{
    for (uint32_t i = f->values; i < f->features; i++) {
        g->origin[i] = g->origin[i - f->values];
        g->inverse[i] = g->inverse[i - f->values];
    }
}

void an_forest_add_lags(const an_forest *f, const double *seen, double *share)
{
    memcpy(share, seen, f->values * sizeof *share);
    for (uint32_t i = f->values; i < f->features; i++)
        share[i % f->values] += seen[i];
}
