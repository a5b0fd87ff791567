/* SPDX-License-Identifier: MIT
 * sparkline.h - --sparkline: a line for each key, a small picture of its series.
 */
#ifndef CLI_SPARKLINE_H
#define CLI_SPARKLINE_H

#include "common/text.h"
#include "write/charts.h"

/** How a terminal is drawn on. */
typedef struct cli_spark {
    size_t width; /* columns of the terminal */
    bool utf8;    /* it shows blocks, not only ASCII */
    bool colour;
    bool together; /* several values make one event: the scores are drawn */
    bool alarms;   /* what is told are alarms, not anomalies */
} cli_spark;

/** Takes what standard output and the environment say. */
cli_spark cli_spark_of_terminal(void);

/** Appends the lines. */
void cli_add_sparklines(cli_buffer *buffer, const cli_charts *charts, const cli_spark *spark);

#endif
