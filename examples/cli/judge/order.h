/* SPDX-License-Identifier: MIT
 * order.h - whether the times of the input go forward, noted for the summary.
 */
#ifndef CLI_ORDER_H
#define CLI_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** An event that was newer than all before it, and what came late behind it. */
typedef struct cli_reach {
    int64_t time;
    int64_t before; /* the newest until then; ANOMALY_NO_TIME: it was the first */
    size_t file;
    uint64_t line;
    uint64_t late;
    int64_t newest_late;
} cli_reach;

/** Set by cli_order_start(). */
typedef struct cli_order {
    uint64_t events, late;  /* with a time */
    uint64_t forward, back; /* steps from one to the next */
    int64_t previous;
    int64_t oldest; /* if there were events */
    cli_reach newest;
    cli_reach worst; /* of those before it: the one behind which most came late */
} cli_order;

void cli_order_start(cli_order *order);
void cli_order_note(cli_order *order, size_t file, uint64_t line, int64_t time, bool late);

#endif
