/* SPDX-License-Identifier: MIT
 * values.c - what the text of a value says: a number, or that there is none.
 */
#include "read/values.h"

#include <math.h>
#include <string.h>
#include <strings.h>

void cli_values_init(cli_values *values, const cli_options *options)
{
    *values = (cli_values){.words = &options->na};
    cli_values_decimal(values, options->decimal);
}

void cli_values_decimal(cli_values *values, char decimal)
{
    values->decimal = decimal == ',' ? ',' : '.';
    values->plain = values->decimal == '.' && values->words->count == 0;
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

/* Reads a number with a decimal comma. A number with a point as well is refused: the point may separate thousands. */
static enum cli_number read_comma(cli_values *values, const char *text, size_t length, double *value)
{
    cli_buffer *copy = &values->text;
    copy->length = 0;
    cli_buffer_add(copy, text, length);
    cli_buffer_char(copy, '\0');
    char *comma = memchr(copy->data, ',', length);
    if (memchr(text, '.', length) != NULL)
        return CLI_NUMBER_TEXT;
    if (comma != NULL)
        *comma = '.';
    return cli_parse_number(copy->data, length, value);
}

enum cli_number cli_values_read_other(cli_values *values, const char *text, size_t length, double *value)
{
    if (cli_values_missing(values, text, length)) {
        *value = (double)NAN;
        return CLI_NUMBER_OK;
    }
    return values->decimal == ',' ? read_comma(values, text, length, value) : cli_parse_number(text, length, value);
}
