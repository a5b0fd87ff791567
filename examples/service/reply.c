/* SPDX-License-Identifier: MIT
 * reply.c - writes the replies. Every one is a head and fields: ` name=value` in text, `,"name":value` in JSON.
 */
#include "reply.h"

#include "common/flags.h"
#include "common/number.h"
#include "common/text.h"
#include "common/times.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* ---- pieces ---- */

static void put(reply *r, const char *text, size_t size)
{
    assert(size <= sizeof r->text - r->size);
    memcpy(r->text + r->size, text, size);
    r->size += size;
}

static void put_text(reply *r, const char *text)
{
    put(r, text, strlen(text));
}

static void put_count(reply *r, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    put(r, digits + at, sizeof digits - at);
}

/* Only these two are in need of it: the texts are printable ASCII. */
static void put_quoted(reply *r, const char *text)
{
    put_text(r, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            put(r, "\\", 1);
        put(r, text, 1);
    }
    put_text(r, "\"");
}

/* Any bytes: what is no UTF-8 is replaced. */
static void put_json(reply *r, const char *text, size_t size)
{
    cli_buffer buffer = {0};
    cli_add_json_string(&buffer, text, size);
    put(r, buffer.data, buffer.length);
    cli_buffer_free(&buffer);
}

static void put_name(reply *r, const char *name)
{
    put_text(r, r->json ? ",\"" : " ");
    put_text(r, name);
    put_text(r, r->json ? "\":" : "=");
}

static void field_number(reply *r, const char *name, double value)
{
    char text[CLI_NUMBER_SIZE];
    put_name(r, name);
    if (r->json && !isfinite(value))
        put_text(r, "null");
    else
        put(r, text, cli_format_number(text, value));
}

static void field_count(reply *r, const char *name, uint64_t value)
{
    put_name(r, name);
    put_count(r, value);
}

static void finish(reply *r)
{
    put_text(r, r->json ? "}\n" : "\n");
}

/* ---- the flags of a verdict ---- */

static void field_flags(reply *r, uint32_t flags)
{
    const char *name;
    size_t first;
    put_name(r, "flags");
    put_text(r, r->json ? "[" : "");
    first = r->size;
    for (size_t next = 0; (name = cli_next_flag(flags, &next)) != NULL;) {
        if (r->size > first)
            put_text(r, r->json ? "," : "|");
        put_text(r, r->json ? "\"" : "");
        put_text(r, name);
        put_text(r, r->json ? "\"" : "");
    }
    put_text(r, r->json ? "]" : r->size > first ? "" : "-");
}

/* ---- replies ---- */

void reply_verdict(reply *r, uint64_t number, const anomaly_verdict *verdict)
{
    bool anomaly = (verdict->flags & ANOMALY_IS_ANOMALY) != 0;
    r->size = 0;
    put_text(r, r->json ? "{\"n\":" : "");
    put_count(r, number);
    if (r->json)
        put_text(r, anomaly ? ",\"anomaly\":true" : ",\"anomaly\":false");
    else
        put_text(r, anomaly ? " anomaly" : " ok");
    field_number(r, "score", verdict->score);
    field_number(r, "threshold", verdict->threshold);
    if (r->tail)
        field_number(r, "tail", verdict->tail);
    field_number(r, "expected", verdict->expected);
    field_number(r, "lower", verdict->lower);
    field_number(r, "upper", verdict->upper);
    field_count(r, "events", verdict->events);
    field_flags(r, verdict->flags);
    finish(r);
}

static void error_as_text(reply *r, uint64_t number, const char *reason, const char *message)
{
    if (number != 0) {
        put_count(r, number);
        put_text(r, " error ");
    } else {
        put_text(r, "!error ");
    }
    put_text(r, reason);
    put_text(r, ": ");
    put_text(r, message);
}

static void error_as_json(reply *r, uint64_t number, const char *reason, const char *message)
{
    put_text(r, "{");
    if (number != 0) {
        put_text(r, "\"n\":");
        put_count(r, number);
        put_text(r, ",");
    }
    put_text(r, "\"error\":");
    put_quoted(r, reason);
    put_text(r, ",\"message\":");
    put_quoted(r, message);
}

void reply_error(reply *r, uint64_t number, const char *reason, const char *message)
{
    r->size = 0;
    if (r->json)
        error_as_json(r, number, reason, message);
    else
        error_as_text(r, number, reason, message);
    finish(r);
}

static void start_word(reply *r, const char *word)
{
    r->size = 0;
    put_text(r, r->json ? "{\"" : "!");
    put_text(r, word);
    put_text(r, r->json ? "\":" : " ");
}

void reply_word(reply *r, const char *word)
{
    start_word(r, word);
    if (r->json)
        put_text(r, "true");
    else
        r->size--; /* the blank */
    finish(r);
}

void reply_count(reply *r, const char *word, uint64_t number)
{
    start_word(r, word);
    put_count(r, number);
    finish(r);
}

void reply_source(reply *r, const char *name, uint64_t lines)
{
    start_word(r, "source");
    if (r->json)
        put_quoted(r, name);
    else
        put_text(r, name);
    field_count(r, "lines", lines);
    finish(r);
}

void reply_silence(reply *r, const char *metric, size_t size, const anomaly_silence *silence)
{
    char last[CLI_TIME_SIZE];
    r->size = 0;
    put_text(r, r->json ? "{\"silent\":true" : "!silent");
    put_name(r, "last");
    put_text(r, r->json ? "\"" : "");
    put(r, last, cli_format_time(last, silence->last_ns));
    put_text(r, r->json ? "\"" : "");
    field_number(r, "usual", (double)silence->usual_ns / 1e9);
    field_number(r, "overdue", (double)silence->overdue_ns / 1e9);
    put_name(r, "metric");
    if (r->json)
        put_json(r, metric, size);
    else
        put(r, metric, size);
    finish(r);
}

void reply_stats(reply *r, const anomaly_stats *stats)
{
    r->size = 0;
    put_text(r, r->json ? "{\"stats\":true" : "!stats");
    field_count(r, "count", stats->count);
    field_number(r, "mean", stats->mean);
    field_number(r, "stddev", stats->stddev);
    field_number(r, "min", stats->min);
    field_number(r, "max", stats->max);
    finish(r);
}
