/* SPDX-License-Identifier: MIT
 * values.h - what the text of a value says: a number, or that there is none.
 */
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include "common/number.h"
#include "common/text.h"
#include "options/options.h"

/** How values are written in one file. */
typedef struct cli_values {
    bool plain;            /* numbers have points and no thousands, and no word of --na may be a number */
    char thousands;        /* what stands between thousands, 0: nothing */
    char decimal;          /* '.' or ',' */
    const cli_list *words; /* of --na */
    cli_buffer text;       /* a number with its comma made a point */
} cli_values;

void cli_values_init(cli_values *values, const cli_options *options);
void cli_values_decimal(cli_values *values, char decimal); /* once the file has shown it; 0: a point */
void cli_values_free(cli_values *values);

/** Copies a number without what stands between its thousands, of which there may be none; false if the groups are not
 *  of three digits, so that it may not be a number. */
bool cli_values_ungroup(cli_buffer *copy, char thousands, const char *text, size_t length);

/** Tells whether a text stands for a missing value: it is empty, or one of the words for that. */
bool cli_values_missing(const cli_values *values, const char *text, size_t length);

/** Reads what is no plain number, for cli_values_read(). */
enum cli_number cli_values_read_other(cli_values *values, const char *text, size_t length, double *value);

/** Reads a number, NaN for a missing value. text[length] as for cli_parse_number(). */
static inline enum cli_number cli_values_read(cli_values *values, const char *text, size_t length, double *value)
{
    enum cli_number result = values->plain ? cli_parse_number(text, length, value) : CLI_NUMBER_TEXT;
    return result != CLI_NUMBER_TEXT ? result : cli_values_read_other(values, text, length, value);
}

#endif
