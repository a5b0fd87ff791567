/* SPDX-License-Identifier: MIT
 * signals.h - what ends a run before its input does.
 */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <stdbool.h>

/** Catches an interrupt, and with `saves` also what else ends a program: the first ends the reading, the second kills.
 *  */
void cli_signals_catch(bool saves);

/** The last signal that was caught, 0: none. */
int cli_signals_last(void);

#endif
