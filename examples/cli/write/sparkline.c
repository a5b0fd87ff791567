/* SPDX-License-Identifier: MIT
 * sparkline.c - a line for each key: its series in blocks, one after the other, what was told marked.
 *
 * A column is some events, its height their mean; where something was told it is their largest or least value, which
 * the mean would hide.
 */
#include "write/sparkline.h"

#include "common/colour.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { USUAL_WIDTH = 80, LEAST_COLUMNS = 10, MOST_NAME = 24, LEVELS = 8 };

static bool locale_is_utf8(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]), *code = value != NULL ? strchr(value, '.') : NULL;
        if (value != NULL && *value != '\0')
            return code != NULL && (strncasecmp(code, ".UTF-8", 6) == 0 || strncasecmp(code, ".utf8", 5) == 0);
    }
    return false;
}

static size_t terminal_width(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    int given = columns != NULL ? atoi(columns) : 0;
    return given > 0 && given < 10000 ? (size_t)given : USUAL_WIDTH;
}

cli_spark cli_spark_of_terminal(void)
{
    return (cli_spark){.width = terminal_width(), .utf8 = locale_is_utf8(), .colour = cli_wants_colour()};
}

/* ---- a line ---- */

static double height_of(const cli_bucket *k, bool together)
{
    if (together)
        return k->score;
    if (k->told > 0)
        return k->above > 0 ? k->high : k->low;
    return k->values > 0 ? k->sum / (double)k->values : NAN;
}

static cli_bucket column_of(const cli_chart *c, size_t column, size_t columns)
{
    size_t begin = column * c->count / columns, end = (column + 1) * c->count / columns;
    cli_bucket all = c->buckets[begin];
    for (size_t i = begin + 1; i < end; i++)
        cli_bucket_merge(&all, &c->buckets[i]);
    return all;
}

static void add_block(cli_buffer *b, const cli_spark *spark, const cli_bucket *k, int level)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}, ascii[] = "_.-~=+*#";
    const char plain[] = {ascii[level], '\0'}, *block = spark->utf8 ? blocks[level] : plain;
    bool told = k->told > 0, mark = told && !spark->colour;
    cli_buffer_text(b, told && spark->colour ? CLI_COLOUR_ODD : "");
    cli_buffer_text(b, !mark ? block : !spark->utf8 ? "!" : k->above > 0 ? "▲" : "▼");
    cli_buffer_text(b, told && spark->colour ? CLI_COLOUR_OFF : "");
}

static void add_series(cli_buffer *b, const cli_chart *c, const cli_spark *spark, size_t columns)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < columns; i++) {
        cli_bucket k = column_of(c, i, columns);
        low = fmin(low, height_of(&k, spark->together));
        high = fmax(high, height_of(&k, spark->together));
    }
    for (size_t i = 0; i < columns; i++) {
        cli_bucket k = column_of(c, i, columns);
        double height = height_of(&k, spark->together),
               share = high > low ? (height / 2 - low / 2) / (high / 2 - low / 2) : 0.5;
        if (isnan(height))
            cli_buffer_char(b, ' ');
        else
            add_block(b, spark, &k, (int)fmin(share * LEVELS, LEVELS - 1));
    }
}

/* "20.3 to 65.99, 5 anomalies" */
static void add_tail(cli_buffer *b, const cli_chart *c, const cli_spark *spark)
{
    char text[96];
    cli_bucket all = column_of(c, 0, 1);
    if (!spark->together && all.values > 0) {
        snprintf(text, sizeof text, "  %.4g to %.4g", all.low, all.high);
        cli_buffer_text(b, text);
    }
    if (c->told == 0)
        return;
    snprintf(text, sizeof text, "%s%" PRIu64 " %s", spark->together || all.values == 0 ? "  " : ", ", c->told,
             spark->alarms  ? (c->told == 1 ? "alarm" : "alarms")
             : c->told == 1 ? "anomaly"
                            : "anomalies");
    cli_buffer_text(b, text);
}

/* The name, cut where it is long. */
static void add_name(cli_buffer *b, const cli_indexed_key *key, size_t width)
{
    cli_buffer name = {0};
    cli_add_printable(&name, key->key, key->length);
    size_t shown = name.length > 0 ? cli_utf8_cut(name.data, name.length, MOST_NAME) : 0;
    cli_buffer_add(b, name.data, shown);
    for (size_t taken = shown > 0 ? cli_text_width(name.data, shown) : 0; taken < width; taken++)
        cli_buffer_char(b, ' ');
    cli_buffer_free(&name);
}

/* How wide the names and what stands behind the blocks are. */
static void measure(const cli_charts *charts, const cli_spark *spark, size_t *name, size_t *tail)
{
    cli_buffer text = {0};
    *name = *tail = 0;
    for (size_t i = 0; i < charts->keys.count; i++) {
        text.length = 0;
        add_tail(&text, &charts->items[i], spark);
        *tail = text.length > *tail ? text.length : *tail;
        text.length = 0;
        add_name(&text, &charts->keys.keys[i], 0);
        size_t width = text.length > 0 ? cli_text_width(text.data, text.length) : 0;
        *name = width > *name ? width : *name;
    }
    cli_buffer_free(&text);
}

void cli_add_sparklines(cli_buffer *b, const cli_charts *charts, const cli_spark *spark)
{
    size_t name, tail;
    measure(charts, spark, &name, &tail);
    size_t gap = name > 0 ? 2 : 0, taken = name + gap + tail;
    size_t columns = spark->width >= taken + LEAST_COLUMNS ? spark->width - taken : LEAST_COLUMNS;
    for (size_t i = 0; i < charts->keys.count; i++) {
        const cli_chart *c = &charts->items[i];
        add_name(b, &charts->keys.keys[i], name + gap);
        add_series(b, c, spark, c->count < columns ? c->count : columns);
        add_tail(b, c, spark);
        cli_buffer_char(b, '\n');
    }
}
