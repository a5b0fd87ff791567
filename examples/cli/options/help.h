/* SPDX-License-Identifier: MIT
 * help.h - what --help and --options print.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

void cli_print_help(void);
void cli_print_options(void);

#endif
