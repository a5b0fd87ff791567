/* SPDX-License-Identifier: MIT
 * foreign.h - text that the program reads only with an option.
 */
#ifndef CLI_FOREIGN_H
#define CLI_FOREIGN_H

#include "read/source.h"

/** Says what the input looks like and which option reads it; NULL if it looks like none such. The source stays
 *  where it is. */
const char *cli_foreign(cli_source *source);

#endif
