/* SPDX-License-Identifier: MIT
 * report.h - --html: one page with charts, alarms, and what was understood.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "common/text.h"
#include "write/charts.h"

/** What a page says. All is borrowed. */
typedef struct cli_report {
    const cli_charts *charts;
    const char *title;      /* what was read */
    const char *method;     /* how the events were judged, as options; "" if none came */
    const char *understood; /* what was understood of each file, lines */
    const char *summary;    /* lines too */
    bool decided;           /* what is told are alarms, not anomalies */
    bool together;          /* several values make one event: a chart shows scores alone */
} cli_report;

/** Appends the page. */
void cli_add_report(cli_buffer *page, const cli_report *report);

#endif
