/* SPDX-License-Identifier: MIT
 * command_line.h - the options of all subjects, read by getopt.
 */
#ifndef CLI_COMMAND_LINE_H
#define CLI_COMMAND_LINE_H

#include "options/options.h"

/** Reads the command line. Answers -1 to go on, else the exit status to end with (after --help or a message). */
int cli_options_read(cli_options *options, int argc, char **argv);

#endif
