/* SPDX-License-Identifier: MIT
 * foreign.h - formats that people have and the program does not read.
 */
#ifndef CLI_FOREIGN_H
#define CLI_FOREIGN_H

#include "read/source.h"

/** Says which such format the input looks like and how to convert it; NULL if it looks like none. The source stays
 *  where it is. */
const char *cli_foreign(cli_source *source);

#endif
