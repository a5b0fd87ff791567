/* SPDX-License-Identifier: MIT
 * foreign.h - formats that people have and the program does not read: what to do with them.
 */
#ifndef CLI_FOREIGN_H
#define CLI_FOREIGN_H

#include "read/source.h"

/** What the input looks like and how its numbers get in; NULL if it looks like nothing known. The source stays where it is. */
const char *cli_foreign(cli_source *source);

#endif
