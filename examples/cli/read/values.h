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
    bool plain;            /* with points, and no word of --na that might be a number */
    char decimal;          /* '.' or ',' */
    const cli_list *words; /* of --na */
    cli_buffer text;       /* a number with its comma made a point */
} cli_values;

void cli_values_init(cli_values *values, const cli_options *options);
void cli_values_decimal(cli_values *values, char decimal); /* once it is found out; 0: a point */
void cli_values_free(cli_values *values);

/** True for an empty text and for the words that stand for no value. */
bool cli_values_missing(const cli_values *values, const char *text, size_t length);

/** What is no plain number: use cli_values_read(). */
enum cli_number cli_values_read_other(cli_values *values, const char *text, size_t length, double *value);

/** Reads a number, NaN where the value is missing. text[length] as for cli_parse_number(). */
static inline enum cli_number cli_values_read(cli_values *values, const char *text, size_t length, double *value)
{
    enum cli_number result = values->plain ? cli_parse_number(text, length, value) : CLI_NUMBER_TEXT;
    return result != CLI_NUMBER_TEXT ? result : cli_values_read_other(values, text, length, value);
}

#endif
