/* SPDX-License-Identifier: MIT
 * summary.h - what is said on standard error when all is read.
 */
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include "run/app.h"

/** Says how much was read and judged, and why not more. */
void cli_summary(const cli_app *app);

#endif
