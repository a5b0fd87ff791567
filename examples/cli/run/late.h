/* SPDX-License-Identifier: MIT
 * late.h - why many events were late.
 */
#ifndef CLI_LATE_H
#define CLI_LATE_H

#include "run/app.h"

#include <stdio.h>

/** Where many events were late: says why, and what to do. False: there is nothing to say. */
bool cli_late_tell(FILE *to, const cli_app *app);

#endif
