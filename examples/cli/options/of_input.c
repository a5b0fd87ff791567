/* SPDX-License-Identifier: MIT
 * of_input.c - options that say how the files are read, and which column is what.
 */
#include "common/encoding.h"
#include "common/zone.h"
#include "options/amounts.h"
#include "options/subjects.h"

#include <string.h>

#define LEAST_INTERVAL INT64_C(1000000000)
#define MOST_INTERVAL  INT64_C(2678400000000000)

static const cli_choice units[] = {
    {"auto", CLI_UNIT_AUTO}, {"s", CLI_UNIT_S}, {"ms", CLI_UNIT_MS}, {"us", CLI_UNIT_US}, {"ns", CLI_UNIT_NS},
    {"iso", CLI_UNIT_ISO},   {NULL, 0}};
static const cli_choice inputs[] = {{"auto", CLI_AUTO},     {"csv", CLI_CSV},       {"json", CLI_JSON},
                                    {"ndjson", CLI_NDJSON}, {"txt", CLI_TXT},       {"prometheus", CLI_PROMETHEUS},
                                    {"blanks", CLI_BLANKS}, {"influx", CLI_INFLUX}, {"access", CLI_ACCESS},
                                    {"logfmt", CLI_LOGFMT}, {"ping", CLI_PING},     {NULL, 0}};

static void take_encoding(cli_collector *c, const cli_option *self, char *text)
{
    if (!cli_encoding_known(text))
        cli_complain_of_value(c, self, text);
    c->options->encoding = text;
}

static void take_delimiter(cli_collector *c, const cli_option *self, char *text)
{
    bool tab = strcmp(text, "\\t") == 0 || strcmp(text, "tab") == 0;
    bool usable = strlen(text) == 1 && strpbrk(text, "\"\r\n.+-0123456789") == NULL && (*text & 0x80) == 0;
    if (!tab && !usable)
        cli_complain_of_value(c, self, text);
    c->options->delimiter = tab ? '\t' : *text;
}

static void take_header(cli_collector *c, const cli_option *self, char *text)
{
    (void)text;
    c->options->header = strcmp(self->name, "header") == 0 ? CLI_HEADER_YES : CLI_HEADER_NO;
}

static void take_decimal_point(cli_collector *c, const cli_option *self, char *text)
{
    if (strcmp(text, ".") != 0 && strcmp(text, ",") != 0)
        cli_complain_of_value(c, self, text);
    c->options->decimal = *text;
}

static void take_thousands(cli_collector *c, const cli_option *self, char *text)
{
    bool blank = strcmp(text, "blank") == 0;
    if (!blank && (strlen(text) != 1 || strchr(",.' ", *text) == NULL))
        cli_complain_of_value(c, self, text);
    c->options->thousands = blank ? ' ' : *text;
}

static void take_zone(cli_collector *c, const cli_option *self, char *text)
{
    if (!cli_zone_set(text))
        cli_complain_of_value(c, self, text);
    c->options->zone = text;
    c->options->clock.local = true;
}

static void take_interval(cli_collector *c, const cli_option *self, char *text)
{
    int64_t *ns = &c->options->interval_ns;
    if (!cli_parse_span(text, ns) || *ns < LEAST_INTERVAL || *ns > MOST_INTERVAL)
        cli_complain_of_value(c, self, text);
}

#define AT(member) offsetof(cli_options, member)

static const cli_option options[] = {
    {.name = "key", .letter = 'k', .take = cli_take_names, .member = AT(keys)},
    {.name = "value", .letter = 'v', .take = cli_take_names, .member = AT(values)},
    {.name = "time", .letter = 'T', .take = cli_take_names, .member = AT(time)},
    {.name = "time-unit", .take = cli_take_choice, .member = AT(clock.unit), .choices = units},
    {.name = "time-format", .take = cli_take_text, .member = AT(clock.format)},
    {.name = "tz", .take = take_zone, .why = "is no time zone of this machine: a name as Europe/Berlin, or UTC"},
    {.name = "each", .alone = true, .take = cli_take_switch, .member = AT(each)},
    {.name = "input", .letter = 'i', .take = cli_take_choice, .member = AT(input), .choices = inputs},
    {.name = "encoding",
     .take = take_encoding,
     .why = "is no encoding that iconv knows here (iconv -l lists them): a name as latin1"},
    {.name = "rows", .take = cli_take_text, .member = AT(rows)},
    {.name = "format", .take = cli_take_text, .member = AT(log_format)},
    {.name = "interval", .take = take_interval, .why = "must be a time as 10s, 1m or 1h, from 1s to 31d"},
    {.name = "delimiter", .take = take_delimiter, .why = "must be one character that no number has, or \"tab\""},
    {.name = "header", .alone = true, .take = take_header},
    {.name = "no-header", .alone = true, .take = take_header},
    {.name = "decimal", .take = take_decimal_point, .why = "must be . or ,"},
    {.name = "thousands", .take = take_thousands, .why = "must be , or . or ' or \"blank\""},
    {.name = "na", .take = cli_take_names, .member = AT(na)},
    {.name = "follow", .letter = 'f', .alone = true, .take = cli_take_switch, .member = AT(follow)},
    {.name = NULL},
};

static void settle(cli_collector *c)
{
    cli_options *o = c->options;
    if (o->log_format != NULL && o->input == CLI_AUTO)
        o->input = CLI_ACCESS;
    cli_refuse(c, o->thousands != 0 && o->thousands == o->decimal, "--thousands", "--decimal",
               "one character cannot be both");
    if (o->thousands == ',' || o->thousands == '.')
        o->decimal = o->thousands == ',' ? '.' : ',';
}

static void check_columns(cli_collector *c)
{
    const cli_options *o = c->options;
    const char *format = o->clock.format;
    cli_refuse(c, format != NULL && strchr(format, '%') == NULL, "--time-format", format,
               "must have the letters of strptime, as %d/%m/%Y %H:%M:%S");
    cli_refuse(c, format != NULL && o->clock.unit != CLI_UNIT_AUTO, "--time-unit", "--time-format",
               "one of them says how times are read");
    if (o->time.count > 1)
        cli_complain(c, "--time", o->time.items[1], "only one column can be the time");
    cli_refuse(c, o->values.given && o->values.count == 0, "--value", "", "must name a column");
}

/* Is the input of another format than these? */
static bool is_other(const cli_options *o, enum cli_format format, enum cli_format or_this)
{
    return o->input != CLI_AUTO && o->input != format && o->input != or_this;
}

static void check(cli_collector *c)
{
    const cli_options *o = c->options;
    check_columns(c);
    cli_refuse(c, o->encoding != NULL && o->follow && cli_encoding_find(o->encoding) != CLI_UTF8, "--encoding", "--follow",
               "a file that is followed is UTF-8");
    cli_refuse(c, o->header != CLI_HEADER_AUTO && is_other(o, CLI_CSV, CLI_BLANKS), "--input", "--header, --no-header",
               "only CSV and tables with blanks have a header or none");
    cli_refuse(c, o->rows != NULL && is_other(o, CLI_JSON, CLI_NDJSON), "--input", "--rows",
               "only JSON has arrays in objects");
    cli_refuse(c, o->rows != NULL && *o->rows == '\0', "--rows", "",
               "must name an array of objects, by its path: data.items");
    cli_refuse(c, o->log_format != NULL && is_other(o, CLI_ACCESS, CLI_ACCESS), "--input", "--format",
               "only an access log has a format");
    cli_refuse(c, o->interval_ns > 0 && is_other(o, CLI_ACCESS, CLI_ACCESS), "--input", "--interval",
               "only requests of an access log are counted by intervals");
}

const cli_subject cli_of_input = {options, settle, check};
