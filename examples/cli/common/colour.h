/* SPDX-License-Identifier: MIT
 * colour.h - colour on a terminal.
 */
#ifndef CLI_COLOUR_H
#define CLI_COLOUR_H

#include <stdbool.h>

/* Reverse video would do too, but bold orange is seen by every eye, on dark and light. */
#define CLI_COLOUR_ODD  "\033[1;38;5;208m"
#define CLI_COLOUR_HEAD "\033[1m"
#define CLI_COLOUR_OFF  "\033[0m"

/** Is standard output a terminal that shows colour, and NO_COLOR not set? */
bool cli_wants_colour(void);

#endif
