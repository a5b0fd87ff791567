/* SPDX-License-Identifier: MIT
 * say.h - messages on standard error, each a line, whatever stands on the terminal at that moment.
 */
#ifndef CLI_SAY_H
#define CLI_SAY_H

#include <stdbool.h>
#include <stdint.h>

/** What stands on the terminal's last line. */
typedef struct cli_terminal {
    bool progress; /* a line that shows progress, which goes before anything else is written */
} cli_terminal;

/** Removes the line that shows progress, if it is there. */
void cli_terminal_clear(cli_terminal *terminal);

/** Says what a file is called in messages. */
const char *cli_shown_name(const char *file);

/** Writes "FILE:LINE: TEXT: DETAIL". LINE 0: none. DETAIL NULL: none. */
void cli_say(cli_terminal *terminal, const char *file, uint64_t line, const char *text, const char *detail);

#endif
