/* SPDX-License-Identifier: MIT
 * subjects.h - all options of the command line, by subject. A new one is a row in the table of its subject.
 */
#ifndef CLI_SUBJECTS_H
#define CLI_SUBJECTS_H

#include "options/collect.h"

extern const cli_subject cli_of_detection, cli_of_input, cli_of_keeping, cli_of_known, cli_of_output;

#endif
