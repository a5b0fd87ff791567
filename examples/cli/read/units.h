/* SPDX-License-Identifier: MIT
 * units.h - numbers with a unit: 12MB, 1.5 GiB, 5%, $5, 20ms.
 *
 * Sizes are read as bytes and durations as seconds, so that 980M and 1.1G can be compared, in further files too. Other
 * units are left out, and have to be the same in all rows.
 */
#ifndef CLI_UNITS_H
#define CLI_UNITS_H

#include "read/values.h"

#include <stdbool.h>
#include <stddef.h>

enum cli_measure { CLI_MEASURE_OTHER, CLI_MEASURE_BYTES, CLI_MEASURE_BYTES_S, CLI_MEASURE_BITS_S, CLI_MEASURE_SECONDS };

/** A unit as a number has it. */
typedef struct cli_unit {
    char text[16]; /* as it is written */
    bool before;   /* it stands before the number: $5 */
    enum cli_measure measure;
    int ten;      /* the number counts 10^ten, ... */
    double times; /* ... times this, of what the measure says */
} cli_unit;

/** Tells a unit that stands alone: [degC], (ms), %, kWh, MB/s. */
bool cli_unit_alone(const char *text, size_t length);

/** Finds the unit of a number that has one, and the number; false if the text is nothing of that kind. */
bool cli_unit_cut(const char *text, size_t length, cli_unit *unit, const char **number, size_t *number_length);

/** Reads a number with its unit, in what its measure counts. CLI_NUMBER_TEXT: there is no number or no unit. */
enum cli_number cli_unit_read(cli_values *values, const char *text, size_t length, cli_unit *unit, double *value);

/** Tells whether numbers of the two units can be compared. */
bool cli_unit_fits(const cli_unit *a, const cli_unit *b);

/** Tells whether a number beside such a unit may go without: 512 beside 4.0K. */
bool cli_unit_optional(const cli_unit *unit);

/** Appends what is made of the unit: "% dropped", "in seconds". */
void cli_unit_add(cli_buffer *text, const cli_unit *unit);

#endif
