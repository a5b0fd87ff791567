/* SPDX-License-Identifier: MIT
 * csv_signs.h - what the first rows of a CSV file show of how it is written, before they are read.
 */
#ifndef CLI_CSV_SIGNS_H
#define CLI_CSV_SIGNS_H

#include "read/values.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct cli_csv_signs {
    size_t rows;      /* that were looked at, at most 100 */
    bool units;       /* the first row holds units, which the second row proves */
    bool undecided;   /* the first row may hold units: a second row has to be seen */
    bool commas;      /* numbers have decimal commas, for certain */
    bool unsure;      /* a comma may be decimal or not: numbers as 1,234, or as 1,5 beside others as 2.5 */
    char thousands;   /* , . or ' stands between the thousands of a number, as in 1,234.5; 0: not seen */
    char example[24]; /* the first such number */
} cli_csv_signs;

/** Sets how numbers are read, unless `given` says it; true if *text says something of that. */
bool cli_csv_decimal(const cli_csv_signs *signs, char given, cli_values *reading, char *text, size_t size);

/** Looks at the rows in the `length` bytes at `text`, which are whole lines. */
cli_csv_signs cli_csv_look(const char *text, size_t length, char delimiter);

#endif
