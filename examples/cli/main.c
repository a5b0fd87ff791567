/* SPDX-License-Identifier: MIT
 * main.c - anomaly: reads events from files and prints those that are anomalies. docs/program.md is its manual.
 */
#include "common/files.h"
#include "options/options.h"
#include "run/run.h"

int main(int argc, char **argv)
{
    return cli_files_start() ? cli_run(argc, argv) : CLI_EXIT_INPUT;
}
