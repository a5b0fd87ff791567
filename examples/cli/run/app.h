/* SPDX-License-Identifier: MIT
 * app.h - one run of the program: rows in, verdicts out, and what is said about it.
 */
#ifndef CLI_APP_H
#define CLI_APP_H

#include "backtest/backtest.h"
#include "common/text.h"
#include "judge/session.h"
#include "read/source.h"
#include "state/atomic.h"
#include "state/keep.h"
#include "suggest/held.h"

#include <stdbool.h>

/** All that a run has. It holds places of itself: it must not be copied. */
typedef struct cli_app {
    cli_session session;
    cli_keep keep;
    const cli_source *source; /* being read, NULL between files */

    cli_held held; /* suggest: the rows */
    cli_backtest backtest;

    bool *unreadable; /* for each file: could it not be read, or not to its end? */
    bool refused;     /* an error that ends the run was told, and it was the command line's fault */
    bool ended;       /* by an interrupt, where the input has no other end */
    bool interrupted; /* by a signal, before the input's end */

    uint64_t silent; /* keys told to be overdue: silent.c's, as the next */
    int64_t looked;  /* when it looked last; ANOMALY_NO_TIME: never */

    char *understood; /* what was told last of a file's columns */
    cli_buffer text;  /* understood.c's */

    cli_atomic page; /* --html: page.c's, as the next three */
    cli_buffer page_notes;
    double next_page;
    bool page_failed;

    bool show_progress; /* progress.c's, as the next two */
    double next_progress, started;
} cli_app;

#endif
