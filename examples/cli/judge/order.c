/* SPDX-License-Identifier: MIT
 * order.c - whether the times of the input go forward, noted for the summary.
 */
#include "judge/order.h"

#include "anomaly.h"

void cli_order_start(cli_order *order)
{
    const cli_reach none = {.time = ANOMALY_NO_TIME, .newest_late = ANOMALY_NO_TIME};
    *order = (cli_order){.previous = ANOMALY_NO_TIME, .newest = none, .worst = none};
}

void cli_order_note(cli_order *order, size_t file, uint64_t line, int64_t time, bool late)
{
    cli_reach *newest = &order->newest;
    order->oldest = order->events == 0 || time < order->oldest ? time : order->oldest;
    order->events++;
    order->late += late;
    order->forward += time > order->previous;
    order->back += time < order->previous;
    order->previous = time;
    if (time > newest->time) {
        if (newest->late > order->worst.late)
            order->worst = *newest;
        *newest = (cli_reach){time, newest->time, file, line, 0, ANOMALY_NO_TIME};
    } else if (late) {
        newest->late++;
        newest->newest_late = time > newest->newest_late ? time : newest->newest_late;
    }
}
