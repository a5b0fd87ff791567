/* SPDX-License-Identifier: MIT */
/* Judges percentile rows with the whole window in order, as the loop does, for windows by time and where no bracket
 * holds (percentile/rows.c). Less is done for each event: the bounds are read once, right before they are needed, the
 * median only where it is asked for, and what never changes is asked once. An event that is late, missing, among too
 * few, or without room is left to the loop. */
#include "percentile/walk.h"

typedef struct list_walk {
    anomaly_detector *detector;
    an_order *order;
    const anomaly_verdicts *verdicts;
    int median;      /* is it asked for? */
    int changed;     /* is the window another than when it was last settled as a whole? */
    uint32_t placed; /* the size for which the places are worked out */
} list_walk;

static void place_bounds(list_walk *w)
{
    const anomaly_config *config = w->detector->config;
    an_order_place(w->order, 0, config->lower_percent, 100, config->quantile);
    an_order_place(w->order, 2, config->upper_percent, 100, config->quantile);
    if (w->median)
        an_order_place(w->order, 1, 0.5, 1, config->quantile);
    w->placed = w->order->ranks.size;
}

static inline void settle_bounds(list_walk *w)
{
    an_order *order = w->order;
    if (w->placed != order->ranks.size)
        place_bounds(w);
    order->lower = an_order_value(order, 0);
    order->upper = an_order_value(order, 2);
    if (w->median)
        order->centre = an_order_value(order, 1);
}

static inline void evict_from_list(list_walk *w, uint64_t tail)
{
    an_order_evict(w->detector, tail);
    w->detector->window.tail = tail;
    w->changed = 1;
}

/* Judges and learns one row. 0: the row is left to the loop, before it has been judged. */
static inline int walk_row(list_walk *w, size_t row, double x, int64_t t)
{
    an_window *window = &w->detector->window;
    uint64_t tail;
    if (!isfinite(x) || !an_ranks_has_room(&w->order->ranks, window->mask + 1))
        return 0;
    if (!an_window_make_way(window, t, w->detector->config->max_jump_ns, &tail))
        return 0;
    if (tail != window->tail)
        evict_from_list(w, tail);
    if (w->order->ranks.size < w->detector->warmup)
        return 0;
    settle_bounds(w);
    an_percentile_judge_row(w->detector, w->order, w->verdicts, row, x);
    if (an_window_count(window) == window->bound)
        evict_from_list(w, window->tail + 1);
    an_window_append(window, x, t);
    an_ranks_insert(&w->order->ranks, x);
    w->changed = 1;
    return 1;
}

size_t an_percentile_walk(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                          size_t from, size_t most)
{
    an_order *order = an_order_of(detector, 0);
    list_walk w = {detector, order, verdicts, verdicts && verdicts->expected, 0, 0};
    const char *values = an_rows_column(rows, 0);
    ptrdiff_t stride = an_rows_stride(rows, 1);
    size_t row = from, end = most < rows->count - from ? from + most : rows->count;
    for (; row < end; row++) {
        double x = an_load_double(values + (ptrdiff_t)row * stride) + 0.0; /* no negative zero */
        if (!walk_row(&w, row, x, an_rows_time(rows, row)))
            break;
    }
    detector->counts.events += row - from;
    detector->counts.learned += row - from;
    if (w.changed) {
        order->placed = 0; /* not all three */
        detector->kind->by_feature.settle(detector);
    }
    return row - from;
}
