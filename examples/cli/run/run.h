/* SPDX-License-Identifier: MIT
 * run.h - the program from its options to its exit status.
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

/** The whole program. `argv` as main has it; answers the exit status. */
int cli_run(int argc, char **argv);

#endif
