/* SPDX-License-Identifier: MIT
 * told.h - what a run has found, in words, and what to do if it was too much.
 */
#ifndef CLI_TOLD_WORDS_H
#define CLI_TOLD_WORDS_H

#include "run/app.h"

#include <stdio.h>

/** Says what was found, where it is more than a glance takes in; `judged` events were judged. */
void cli_tell_found(FILE *to, const cli_app *app, uint64_t judged);

#endif
