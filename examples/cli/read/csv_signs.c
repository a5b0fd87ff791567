/* SPDX-License-Identifier: MIT
 * csv_signs.c - what the first rows of a CSV file show of how it is written: a line of units, decimal commas.
 */
#include "read/csv_signs.h"

#include "common/text.h"
#include "read/layout.h"
#include "read/units.h"

#include <csv.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { ROWS = 100 };

typedef struct look {
    cli_csv_signs signs;
    size_t field;     /* of the present row */
    bool points;      /* a number has a decimal point */
    bool data;        /* the first row has a number or a time */
    bool proven;      /* a unit stands above a number */
    cli_buffer units; /* for each field of the first row: is it a unit? */
} look;

/* ---- decimal commas ---- */

/* Notes a field that is digits around one comma. 1,5 and 0,123 and 1234,567 can only have a decimal comma; 1,234 may
 * as well be one thousand and more. */
static void keep_example(look *l, cli_span f)
{
    size_t shown = f.length < sizeof l->signs.example ? f.length : sizeof l->signs.example - 1;
    memcpy(l->signs.example, f.text, shown);
    l->signs.example[shown] = '\0';
}

static void look_at_comma(look *l, cli_span f)
{
    const char *comma = memchr(f.text, ',', f.length), *digits = f.text;
    if (comma == NULL || !cli_span_comma_number(f))
        return;
    digits += *digits == '-' || *digits == '+';
    size_t before = (size_t)(comma - digits), behind = f.length - (size_t)(comma - f.text) - 1;
    bool certain = behind != 3 || before == 0 || before > 3 || *digits == '0';
    if (l->signs.thousands == 0 && (l->signs.example[0] == '\0' || (certain && !l->signs.commas)))
        keep_example(l, f);
    l->signs.commas |= certain;
    l->signs.unsure |= !certain;
}

/* ---- thousands ---- */

/* Notes a field that is a number only without what stands between its thousands: 1,234.5, 1.234,5, 1'234. Points alone
 * are those of addresses. */
static void look_at_thousands(look *l, cli_span f)
{
    cli_buffer copy = {0};
    if (f.length >= sizeof l->signs.example || cli_span_number(f) || cli_span_comma_number(f))
        return;
    for (const char *mark = ",.'"; *mark != '\0' && l->signs.thousands == 0; mark++) {
        bool fits = memchr(f.text, *mark, f.length) != NULL && cli_values_ungroup(&copy, *mark, f.text, f.length);
        cli_span plain = {copy.data, copy.length > 0 ? copy.length - 1 : 0};
        if (!fits || !(cli_span_comma_number(plain) || (*mark != '.' && cli_span_number(plain))))
            continue;
        l->signs.thousands = *mark;
        keep_example(l, f);
    }
    cli_buffer_free(&copy);
}

/* ---- rows ---- */

static void take_field(void *text, size_t length, void *context)
{
    look *l = context;
    cli_span f = {text != NULL ? text : "", length}, number;
    cli_unit unit;
    size_t i = l->field++;
    bool data = cli_span_data(f, ';');
    if (l->signs.rows == 0) {
        l->data |= data;
        cli_buffer_char(&l->units, cli_unit_alone(f.text, f.length));
    }
    if (l->signs.rows == 1 && i < l->units.length)
        l->proven |= data && l->units.data[i];
    if (cli_unit_cut(f.text, f.length, &unit, &number.text, &number.length))
        f = number;
    l->points |= cli_span_number(f) && memchr(f.text, '.', f.length) != NULL;
    look_at_comma(l, f);
    look_at_thousands(l, f);
}

static void end_signs_row(int c, void *context)
{
    (void)c;
    look *l = context;
    l->signs.rows++;
    l->field = 0;
}

/* Finds the end of the rows that are looked at. */
static size_t first_rows_length(const char *text, size_t length)
{
    const char *end = text;
    for (int i = 0; i < ROWS && end != NULL; i++) {
        end = memchr(end, '\n', length - (size_t)(end - text));
        end = end != NULL ? end + 1 : NULL;
    }
    return end != NULL ? (size_t)(end - text) : length;
}

cli_csv_signs cli_csv_look(const char *text, size_t length, char delimiter)
{
    look l = {0};
    struct csv_parser parser;
    csv_init(&parser, CSV_APPEND_NULL);
    csv_set_delim(&parser, (unsigned char)delimiter);
    csv_parse(&parser, text, first_rows_length(text, length), take_field, end_signs_row, &l);
    csv_free(&parser);
    bool units = !l.data && l.signs.rows > 0 && memchr(l.units.data, 1, l.units.length) != NULL;
    l.signs.units = units && l.proven;
    l.signs.undecided = units && l.signs.rows == 1;
    if (l.points) {
        l.signs.unsure = l.signs.commas; /* 1,234 is one thousand then */
        l.signs.commas = false;
    }
    cli_buffer_free(&l.units);
    return l.signs;
}

bool cli_csv_decimal(const cli_csv_signs *signs, char given, cli_values *reading, char *text, size_t size)
{
    if (signs->thousands != 0 && reading->thousands == 0) {
        const char *mark = signs->thousands == '\'' ? "\"'\"" : signs->thousands == ',' ? "," : ".";
        snprintf(text, size, "%s may be a number with thousands: --thousands %s if so", signs->example, mark);
        return true;
    }
    if (given != 0 || reading->thousands == ',' || !(signs->commas || signs->unsure))
        return false;
    if (signs->commas)
        cli_values_decimal(reading, ',');
    snprintf(text, size,
             signs->commas ? "%s is read with a decimal comma (--decimal . if not)"
                           : "%s may have a decimal comma: --decimal , if so",
             signs->example);
    return true;
}
