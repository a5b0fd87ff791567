/* SPDX-License-Identifier: MIT
 * line_json.c - reads a line that is a JSON object: an event, or a command. Members it does not know are left alone.
 *
 *     {"metric": "cpu", "value": 71.5, "time": "2025-01-21T12:00:00Z"}
 *     {"command": "source", "name": "web-7"}
 */
#include "line_parts.h"

#include "common/number.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool take_value(line *l, const json_t *value)
{
    if (value == NULL)
        return line_refuse(l, REASON_FIELDS, "there is no \"value\"");
    if (!json_is_number(value) && !json_is_null(value))
        return line_refuse(l, REASON_VALUE, "\"value\" is neither a number nor null");
    l->value = json_is_null(value) ? (double)NAN : json_number_value(value);
    return true;
}

/* A number goes through its text, so that it is read by the rules that text times follow. */
static bool take_time(line *l, cli_clock *clock, const json_t *time)
{
    char number[CLI_NUMBER_SIZE];
    if (time == NULL || json_is_null(time))
        return true;
    if (json_is_string(time))
        return line_take_time(l, clock, json_string_value(time), json_string_length(time));
    if (!json_is_number(time))
        return line_refuse(l, REASON_TIME, "\"time\" is neither a text nor a number");
    if (json_is_integer(time))
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(time));
    else
        cli_format_number(number, json_real_value(time));
    return line_take_time(l, clock, number, strlen(number));
}

static const json_t *time_of(const json_t *object)
{
    const json_t *time = json_object_get(object, "time");
    return time != NULL ? time : json_object_get(object, "timestamp");
}

static bool take_name(line *l, const json_t *name, const char *member, bool (*take)(line *, const char *, size_t))
{
    if (!json_is_string(name))
        return line_refuse(l, REASON_FIELDS, "there is no \"%s\" that is a text", member);
    return take(l, json_string_value(name), json_string_length(name));
}

static bool read_command(cli_clock *clock, const json_t *object, const json_t *command, line *l)
{
    if (!take_name(l, command, "command", line_take_command))
        return false;
    if (l->kind == LINE_SOURCE)
        return take_name(l, json_object_get(object, "name"), "name", line_take_source);
    if (l->kind == LINE_STATS)
        return take_name(l, json_object_get(object, "metric"), "metric", line_take_metric) &&
               take_time(l, clock, time_of(object));
    return true;
}

static bool read_object(cli_clock *clock, const json_t *object, line *l)
{
    const json_t *command = json_object_get(object, "command");
    if (command != NULL)
        return read_command(clock, object, command, l);
    return take_name(l, json_object_get(object, "metric"), "metric", line_take_metric) &&
           take_value(l, json_object_get(object, "value")) && take_time(l, clock, time_of(object));
}

bool line_read_json(cli_clock *clock, const char *text, size_t size, line *l)
{
    json_error_t error;
    quoted q;
    json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (object == NULL) /* the parser's words may hold what the client sent */
        return line_refuse(l, REASON_JSON, "byte %d: %s", error.position, line_quote(&q, error.text, strlen(error.text)));
    bool good = read_object(clock, object, l);
    json_decref(object);
    return good;
}
