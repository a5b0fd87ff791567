/* SPDX-License-Identifier: MIT
 * line.c - reads a line: text here, JSON in line_json.c. Touches nothing else, so it can be tested and fuzzed alone.
 */
#include "line.h"

#include "anomaly.h"
#include "common/number.h"
#include "line_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- what is wrong ---- */

const char *line_reason_name(enum line_reason reason)
{
    static const char *const names[LINE_REASONS] = {
        [REASON_FIELDS] = "fields", [REASON_METRIC] = "metric", [REASON_VALUE] = "value",
        [REASON_TIME] = "time",     [REASON_JSON] = "json",     [REASON_COMMAND] = "command",
        [REASON_LENGTH] = "length", [REASON_FULL] = "full",     [REASON_REFUSED] = "refused",
    };
    return names[reason];
}

bool line_refuse(line *l, enum line_reason reason, const char *format, ...)
{
    va_list arguments;
    l->kind = LINE_BAD;
    l->reason = reason;
    va_start(arguments, format);
    vsnprintf(l->message, sizeof l->message, format, arguments);
    va_end(arguments);
    return false;
}

const char *line_quote(quoted *q, const char *text, size_t size)
{
    char *out = q->text, *end = q->text + sizeof q->text - 7; /* one escape may go 3 beyond, then the dots and the NUL */
    size_t i = 0;
    for (; i < size && out < end; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c < 0x7f)
            *out++ = (char)c;
        else
            out += snprintf(out, 5, "\\x%02x", c);
    }
    strcpy(out, i < size ? "..." : "");
    return q->text;
}

/* ---- the parts of a line ---- */

bool line_take_metric(line *l, const char *text, size_t size)
{
    if (size == 0 || size > LINE_METRIC_MAX)
        return line_refuse(l, REASON_METRIC, "a metric has 1 to %d bytes, this one has %zu", LINE_METRIC_MAX, size);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return line_refuse(l, REASON_METRIC, "a metric has no control characters, byte %zu is \\x%02x", i + 1,
                               (unsigned)text[i]);
    memcpy(l->name, text, size);
    l->name[size] = '\0';
    l->name_size = size;
    return true;
}

/* Few characters, so that a name can be shown anywhere as it is. */
bool line_take_source(line *l, const char *text, size_t size)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";
    quoted q;
    if (size > 0 && size <= LINE_SOURCE_MAX) {
        memcpy(l->name, text, size);
        l->name[size] = '\0';
        l->name_size = size;
        if (strspn(l->name, allowed) == size)
            return true;
    }
    return line_refuse(l, REASON_COMMAND, "a source's name is 1 to %d letters, digits and . _ : -, not \"%s\"",
                       LINE_SOURCE_MAX, line_quote(&q, text, size));
}

bool line_take_value(line *l, const char *text, size_t size)
{
    quoted q;
    switch (cli_parse_number(text, size, &l->value)) {
    case CLI_NUMBER_OK: return true;
    case CLI_NUMBER_RANGE: return line_refuse(l, REASON_VALUE, "%s is larger than any double", line_quote(&q, text, size));
    default: return line_refuse(l, REASON_VALUE, "\"%s\" is not a number", line_quote(&q, text, size));
    }
}

bool line_take_time(line *l, cli_clock *clock, const char *text, size_t size)
{
    const char *why = "";
    quoted q;
    return cli_parse_time(clock, text, size, &l->time_ns, &why) ||
           line_refuse(l, REASON_TIME, "\"%s\": %s", line_quote(&q, text, size), why);
}

bool line_take_command(line *l, const char *text, size_t size)
{
    static const struct {
        const char *word;
        enum line_kind kind;
    } commands[] = {{"source", LINE_SOURCE}, {"save", LINE_SAVE},     {"stats", LINE_STATS},
                    {"quiet", LINE_QUIET},   {"silent", LINE_SILENT}, {"ping", LINE_PING}};
    quoted q;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strlen(commands[i].word) == size && memcmp(commands[i].word, text, size) == 0) {
            l->kind = commands[i].kind;
            return true;
        }
    }
    return line_refuse(l, REASON_COMMAND, "no command \"%s\", there are source, save, stats, quiet, silent and ping",
                       line_quote(&q, text, size));
}

/* ---- text: fields with blanks between ---- */

enum { MOST_FIELDS = 3 };

typedef struct field {
    const char *text;
    size_t size;
} field;

/* How many fields there are; the first three of them. */
static size_t split(const char *text, size_t size, field fields[MOST_FIELDS])
{
    size_t count = 0, i = 0;
    while (i < size) {
        size_t start = i;
        while (i < size && text[i] != ' ' && text[i] != '\t')
            i++;
        if (i > start && ++count <= MOST_FIELDS)
            fields[count - 1] = (field){text + start, i - start};
        i += i < size;
    }
    return count;
}

static bool read_command(cli_clock *clock, const field *fields, size_t count, line *l)
{
    if (!line_take_command(l, fields[0].text + 1, fields[0].size - 1))
        return false;
    size_t least = l->kind == LINE_SOURCE || l->kind == LINE_STATS ? 2 : 1, most = l->kind == LINE_STATS ? 3 : least;
    if (count < least || count > most)
        return line_refuse(l, REASON_COMMAND,
                           "%zu words, expected !source NAME, !save, !stats METRIC [TIME], !quiet, !silent or !ping", count);
    if (l->kind == LINE_SOURCE)
        return line_take_source(l, fields[1].text, fields[1].size);
    if (l->kind == LINE_STATS)
        return line_take_metric(l, fields[1].text, fields[1].size) &&
               (count < 3 || line_take_time(l, clock, fields[2].text, fields[2].size));
    return true;
}

static bool read_text(cli_clock *clock, const char *text, size_t size, line *l)
{
    field fields[MOST_FIELDS];
    size_t count = split(text, size, fields);
    if (count > 0 && fields[0].text[0] == '!')
        return read_command(clock, fields, count, l);
    if (count < 2 || count > 3)
        return line_refuse(l, REASON_FIELDS, "%zu fields, expected: metric value [time]", count);
    return line_take_metric(l, fields[0].text, fields[0].size) && line_take_value(l, fields[1].text, fields[1].size) &&
           (count < 3 || line_take_time(l, clock, fields[2].text, fields[2].size));
}

void line_read(cli_clock *clock, const char *text, size_t size, line *l)
{
    if (size > 0 && text[size - 1] == '\r')
        size--;
    l->kind = LINE_EVENT;
    l->json = size > 0 && text[0] == '{';
    l->time_ns = ANOMALY_NO_TIME;
    if (l->json)
        line_read_json(clock, text, size, l);
    else
        read_text(clock, text, size, l);
}
