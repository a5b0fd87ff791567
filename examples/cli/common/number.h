/* SPDX-License-Identifier: MIT
 * number.h - decimal text to double and back, exactly, whatever the locale.
 */
#ifndef CLI_NUMBER_H
#define CLI_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool cli_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum cli_number {
    CLI_NUMBER_OK,
    CLI_NUMBER_TEXT, /* no number */
    CLI_NUMBER_RANGE /* larger than any double */
};

#define CLI_NUMBER_SIZE 32 /* bytes that the text of any double fits in, with its NUL */

/** Reads the `length` bytes at `text` as a number: decimal, `nan`, `inf`, `infinity` (any case), or nothing at all,
 *  which is NaN. text[length] must be readable and no part of a number (a NUL, a delimiter, a line end). */
enum cli_number cli_parse_number(const char *text, size_t length, double *value);

/** Writes the shortest decimal text that reads back to the same double, at most 17 digits, as "95", "0.1", "1e+300",
 *  "5e-324"; "nan", "inf" and "-inf" for those. Answers the length. */
size_t cli_format_number(char text[CLI_NUMBER_SIZE], double value);

#endif
