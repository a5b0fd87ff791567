/* SPDX-License-Identifier: MIT
 * summary.h - what is said when all is read.
 */
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include "run/app.h"

#include <stdio.h>

/** Says how much was read and judged, and why not more. */
void cli_summary(FILE *to, const cli_app *app);

#endif
