/* SPDX-License-Identifier: MIT
 * values.c - what the text of a value says: a number, or that there is none.
 */
#include "read/values.h"

#include <math.h>
#include <string.h>
#include <strings.h>

void cli_values_init(cli_values *values, const cli_options *options)
{
    *values = (cli_values){.words = &options->na, .thousands = options->thousands};
    cli_values_decimal(values, options->decimal);
}

void cli_values_decimal(cli_values *values, char decimal)
{
    values->decimal = decimal == ',' ? ',' : '.';
    values->plain = values->decimal == '.' && values->thousands == 0 && values->words->count == 0;
}

void cli_values_free(cli_values *values)
{
    cli_buffer_free(&values->text);
}

static bool is_word(const char *word, const char *text, size_t length)
{
    return strlen(word) == length && strncasecmp(word, text, length) == 0;
}

static bool is_given(const cli_list *words, const char *text, size_t length)
{
    for (size_t i = 0; i < words->count; i++)
        if (is_word(words->items[i], text, length))
            return true;
    return false;
}

bool cli_values_missing(const cli_values *values, const char *text, size_t length)
{
    static const char *const usual[] = {"-", "NA", "N/A", "#N/A", "NaN", "NULL", "None"};
    bool none = values->words->given && values->words->count == 0;
    if (length == 0 || is_given(values->words, text, length))
        return true;
    for (size_t i = 0; !none && i < sizeof usual / sizeof *usual; i++)
        if (is_word(usual[i], text, length))
            return true;
    return false;
}

/* Measures what stands between thousands at `text`: with a blank also those that spreadsheets write, with an
 * apostrophe also the curved one. 0: nothing. */
static size_t mark_length(char thousands, const char *text, size_t length)
{
    static const char *const others[] = {" \xC2\xA0", " \xE2\x80\xAF", " \xE2\x80\x89", "'\xE2\x80\x99"};
    if (length > 0 && *text == thousands)
        return 1;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        size_t n = strlen(others[i] + 1);
        if (*others[i] == thousands && length > n && memcmp(text, others[i] + 1, n) == 0)
            return n;
    }
    return 0;
}

static size_t count_digits(const char *text, size_t length)
{
    size_t n = 0;
    while (n < length && cli_is_digit(text[n]))
        n++;
    return n;
}

bool cli_values_ungroup(cli_buffer *copy, char thousands, const char *text, size_t length)
{
    size_t at = length > 0 && (*text == '-' || *text == '+'), digits = count_digits(text + at, length - at), mark;
    bool grouped = false;
    copy->length = 0;
    cli_buffer_add(copy, text, at + digits);
    at += digits;
    while (digits > 0 && (grouped ? digits == 3 : digits <= 3) &&
           (mark = mark_length(thousands, text + at, length - at)) > 0) {
        grouped = true;
        at += mark;
        digits = count_digits(text + at, length - at);
        cli_buffer_add(copy, text + at, digits);
        at += digits;
    }
    cli_buffer_add(copy, text + at, length - at);
    cli_buffer_char(copy, '\0');
    return !grouped || digits == 3;
}

/* Reads a number that has thousands or a decimal comma. A point that no option explains is refused then: it may stand
 * between thousands. */
static enum cli_number read_written(cli_values *values, const char *text, size_t length, double *value)
{
    cli_buffer *copy = &values->text;
    if (!cli_values_ungroup(copy, values->thousands, text, length))
        return CLI_NUMBER_TEXT;
    if (values->decimal == ',') {
        char *comma = memchr(copy->data, ',', copy->length);
        if (memchr(copy->data, '.', copy->length) != NULL)
            return CLI_NUMBER_TEXT;
        if (comma != NULL)
            *comma = '.';
    }
    return cli_parse_number(copy->data, copy->length - 1, value);
}

enum cli_number cli_values_read_other(cli_values *values, const char *text, size_t length, double *value)
{
    if (cli_values_missing(values, text, length)) {
        *value = (double)NAN;
        return CLI_NUMBER_OK;
    }
    bool written = values->decimal == ',' || values->thousands != 0;
    return written ? read_written(values, text, length, value) : cli_parse_number(text, length, value);
}
