/* SPDX-License-Identifier: MIT
 * say_proposal.c - a proposal as text, or as JSON.
 */
#include "suggest/say_proposal.h"

#include "options/kinds.h"
#include "write/record.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { OPTION_WIDTH = 12, VALUE_WIDTH = 13 };

static bool wants_json(const cli_session *session)
{
    return session->options->output == CLI_TO_JSON || session->options->output == CLI_TO_NDJSON;
}

/* The value of an option that has a reason; of "kind" its name. */
static const char *value_of(const cli_proposal *p, const char *option, char text[64])
{
    if (strcmp(option, "kind") == 0)
        return cli_kind(p->config.kind)->name;
    return anomaly_config_get(&p->config, option, text, 64) == ANOMALY_OK ? text : "";
}

static size_t event_of(const cli_proposal *p, size_t row)
{
    return p->part != NULL ? p->part->events[row] : row;
}

/* ---- text ---- */

static void add_padded(cli_buffer *b, const char *text, size_t width)
{
    cli_buffer_text(b, text);
    for (size_t i = strlen(text); i < width; i++)
        cli_buffer_char(b, ' ');
}

static void add_span(cli_buffer *b, double ns)
{
    char text[CLI_TIME_SIZE];
    cli_format_span(text, ns);
    cli_buffer_text(b, text);
}

static void add_rounded(cli_buffer *b, double x)
{
    char text[32];
    snprintf(text, sizeof text, "%.2g", x);
    cli_buffer_text(b, text);
}

/* "2880 events, one each 30s" */
static void add_size(cli_buffer *b, const cli_proposal *p)
{
    cli_buffer_uint(b, p->events);
    cli_buffer_text(b, p->events == 1 ? " event" : " events");
    if (p->said.keys > 1) {
        cli_buffer_text(b, " of ");
        cli_buffer_uint(b, p->said.keys);
        cli_buffer_text(b, " keys");
    }
    if (p->said.interval_ns > 0) {
        cli_buffer_text(b, ", one each ");
        add_span(b, (double)p->said.interval_ns);
        cli_buffer_text(b, p->said.keys > 1 ? " of a key" : "");
    }
}

static void add_reasons(cli_buffer *b, const cli_proposal *p)
{
    char text[64];
    for (uint32_t i = 0; i < p->said.reason_count; i++) {
        const anomaly_reason *r = &p->said.reasons[i];
        cli_buffer_text(b, "  ");
        add_padded(b, r->option, OPTION_WIDTH);
        add_padded(b, value_of(p, r->option, text), VALUE_WIDTH);
        cli_buffer_text(b, r->text);
        cli_buffer_char(b, '\n');
    }
}

static void add_strongest(cli_buffer *b, const cli_proposal *p)
{
    for (uint32_t i = 0; i < p->said.strongest_count; i++) {
        size_t event = event_of(p, (size_t)p->said.strongest[i]);
        const cli_indexed_key *key = &p->held->keys.keys[p->held->key_of[event]];
        cli_buffer_text(b, "    line ");
        cli_buffer_uint(b, p->held->lines[event]);
        if (p->part == NULL && key->length > 0) {
            cli_buffer_text(b, "  ");
            cli_add_printable(b, key->key, key->length);
        }
        cli_buffer_text(b, p->held->times[event] != ANOMALY_NO_TIME ? "  " : "");
        cli_add_time(b, p->held->times[event]);
        for (size_t f = 0; f < p->held->features && p->held->features < 5; f++) {
            cli_buffer_text(b, "  ");
            cli_add_number(b, p->held->values[event * p->held->features + f], "-");
        }
        cli_buffer_text(b, "  score ");
        add_rounded(b, p->said.scores[i]);
        cli_buffer_char(b, '\n');
    }
}

static void add_alarms(cli_buffer *b, const cli_proposal *p)
{
    cli_buffer_text(b, "  ");
    if (p->said.whole != 0) {
        cli_buffer_text(b, "all rows");
    } else {
        cli_buffer_text(b, "the last ");
        if (p->said.span_ns > 0)
            add_span(b, (double)p->said.span_ns);
        else
            cli_buffer_text(b, "half");
    }
    cli_buffer_text(b, " would have brought ");
    cli_buffer_uint(b, p->said.alarms);
    cli_buffer_text(b, p->said.alarms == 1 ? " alarm" : " alarms");
    if (!isnan(p->said.alarms_a_day) && p->said.alarms > 0) {
        cli_buffer_text(b, ", ");
        add_rounded(b, p->said.alarms_a_day);
        cli_buffer_text(b, " a day");
    }
    cli_buffer_text(b, p->said.strongest_count > 1 ? "; the strongest:\n" : p->said.strongest_count == 1 ? ":\n" : "\n");
    add_strongest(b, p);
}

static void add_text(cli_buffer *b, const cli_session *session, const cli_proposal *p)
{
    if (p->key_length > 0)
        cli_add_printable(b, p->key, p->key_length);
    else
        cli_buffer_text(b, p->said.keys > 1 ? "all keys" : cli_shown_name(cli_session_file(session, 0)));
    cli_buffer_text(b, ": ");
    add_size(b, p);
    cli_buffer_char(b, '\n');
    add_reasons(b, p);
    add_alarms(b, p);
    cli_buffer_char(b, '\n');
}

/* ---- command line, Python, C ---- */

static void add_command(cli_buffer *b, const cli_session *session, const cli_proposal *p)
{
    const cli_options *o = session->options;
    cli_buffer_text(b, "anomaly ");
    cli_method_add(b, &p->config, p->said.whole != 0);
    for (size_t i = 0; i < o->argument_count; i++) {
        cli_buffer_char(b, ' ');
        cli_add_word(b, o->arguments[i]);
    }
}

static bool is_number(const char *text)
{
    return text[strspn(text, "0123456789.")] == '\0';
}

/* Each option that is not what it is by default, between `before` and `after`. */
static void add_options(cli_buffer *b, const cli_proposal *p, const char *before, const char *between, const char *after,
                        bool numbers)
{
    const anomaly_option *option;
    char text[64];
    for (size_t i = 0; (option = anomaly_option_at(i)) != NULL; i++) {
        if (!cli_method_differs(&p->config, option, text))
            continue;
        const char *quote = numbers && is_number(text) ? "" : "\"";
        cli_buffer_text(b, before);
        cli_buffer_text(b, option->name);
        cli_buffer_text(b, between);
        cli_buffer_text(b, quote);
        cli_buffer_text(b, text);
        cli_buffer_text(b, quote);
        cli_buffer_text(b, after);
    }
}

static const char *python_class(int kind)
{
    return kind == ANOMALY_ZSCORE ? "ZScore" : kind == ANOMALY_IFOREST ? "IsolationForest" : "Mahalanobis";
}

static void add_python(cli_buffer *b, const cli_proposal *p)
{
    cli_buffer_text(b, "  import libanomaly\n  ");
    if (p->said.keys > 1) {
        cli_buffer_text(b, "pool = libanomaly.Pool(\"");
        cli_buffer_text(b, cli_kind(p->config.kind)->name);
        cli_buffer_char(b, '"');
        add_options(b, p, ", ", "=", "", true);
        cli_buffer_text(b, ")\n");
        return;
    }
    cli_buffer_text(b, "detector = libanomaly.");
    cli_buffer_text(b, python_class(p->config.kind));
    cli_buffer_char(b, '(');
    size_t begin = b->length;
    add_options(b, p, ", ", "=", "", true);
    if (b->length > begin) { /* the comma before the first */
        memmove(b->data + begin, b->data + begin + 2, b->length - begin - 2);
        b->length -= 2;
    }
    cli_buffer_text(b, ")\n");
}

static void add_c(cli_buffer *b, const cli_proposal *p)
{
    cli_buffer_text(b, "  anomaly_config_init(&config, sizeof config, ANOMALY_");
    for (const char *c = cli_kind(p->config.kind)->name; *c != '\0'; c++)
        cli_buffer_char(b, (char)toupper((unsigned char)*c));
    cli_buffer_text(b, ");\n");
    add_options(b, p, "  anomaly_config_set(&config, \"", "\", ", ", NULL);\n", false);
    cli_buffer_text(b, p->said.keys > 1 ? "  anomaly_pool_create(&config, NULL, NULL, &pool, NULL);\n"
                                        : "  anomaly_create(&config, NULL, &detector, NULL);\n");
}

static void add_agreement(cli_buffer *b, const cli_proposal *all)
{
    if (all->told == 0)
        return;
    cli_buffer_text(b, "One configuration for all keys, as most have it (");
    cli_buffer_uint(b, all->agree);
    cli_buffer_text(b, " of ");
    cli_buffer_uint(b, all->told);
    cli_buffer_text(b, " are just so");
    if (all->untold > 0) {
        cli_buffer_text(b, "; ");
        cli_buffer_uint(b, all->untold);
        cli_buffer_text(b, " more are not shown");
    }
    cli_buffer_text(b, "):\n\n");
}

static void add_ways(cli_buffer *b, const cli_session *session, const cli_proposal *all)
{
    cli_buffer_text(b, "  ");
    add_command(b, session, all);
    cli_buffer_text(b, "\n\n");
    if (all->said.whole != 0) {
        cli_buffer_text(b, "Python and C judge few rows so too: libanomaly.suggest(series).alarms, anomaly_suggest().\n");
        return;
    }
    add_python(b, all);
    cli_buffer_char(b, '\n');
    add_c(b, all);
}

/* ---- JSON ---- */

static void add_json_name(cli_buffer *b, const char *name)
{
    cli_add_json_string(b, name, strlen(name));
    cli_buffer_char(b, ':');
}

static void add_json_reasons(cli_buffer *b, const cli_proposal *p)
{
    char text[64];
    cli_buffer_text(b, "\"reasons\":[");
    for (uint32_t i = 0; i < p->said.reason_count; i++) {
        const anomaly_reason *r = &p->said.reasons[i];
        cli_buffer_text(b, i > 0 ? ",{" : "{");
        add_json_name(b, "option");
        cli_add_json_string(b, r->option, strlen(r->option));
        cli_buffer_char(b, ',');
        add_json_name(b, "value");
        const char *value = value_of(p, r->option, text);
        cli_add_json_string(b, value, strlen(value));
        cli_buffer_char(b, ',');
        add_json_name(b, "why");
        cli_add_json_string(b, r->text, strlen(r->text));
        cli_buffer_char(b, '}');
    }
    cli_buffer_char(b, ']');
}

static void add_json_strongest(cli_buffer *b, const cli_proposal *p)
{
    cli_buffer_text(b, "\"strongest\":[");
    for (uint32_t i = 0; i < p->said.strongest_count; i++) {
        size_t event = event_of(p, (size_t)p->said.strongest[i]);
        const cli_indexed_key *key = &p->held->keys.keys[p->held->key_of[event]];
        cli_buffer_text(b, i > 0 ? ",{\"line\":" : "{\"line\":");
        cli_buffer_uint(b, p->held->lines[event]);
        cli_buffer_text(b, ",\"key\":");
        cli_add_json_string(b, key->key, key->length);
        cli_buffer_text(b, ",\"time\":");
        cli_buffer_text(b, p->held->times[event] == ANOMALY_NO_TIME ? "null" : "\"");
        cli_add_time(b, p->held->times[event]);
        cli_buffer_text(b, p->held->times[event] == ANOMALY_NO_TIME ? "" : "\"");
        cli_buffer_text(b, ",\"score\":");
        cli_add_number(b, p->said.scores[i], "null");
        cli_buffer_char(b, '}');
    }
    cli_buffer_char(b, ']');
}

static void add_json(cli_buffer *b, const cli_session *session, const cli_proposal *p)
{
    cli_buffer command = {0};
    cli_buffer_text(b, "{\"key\":");
    if (p->part != NULL || p->said.keys == 1)
        cli_add_json_string(b, p->key, p->key_length);
    else
        cli_buffer_text(b, "null");
    cli_buffer_text(b, ",\"events\":");
    cli_buffer_uint(b, p->events);
    cli_buffer_text(b, ",\"keys\":");
    cli_buffer_uint(b, p->said.keys);
    cli_buffer_text(b, ",\"interval_s\":");
    cli_add_number(b, p->said.interval_ns > 0 ? (double)p->said.interval_ns / 1e9 : (double)NAN, "null");
    cli_buffer_char(b, ',');
    add_json_reasons(b, p);
    cli_buffer_text(b, ",\"command\":");
    add_command(&command, session, p);
    cli_add_json_string(b, command.data, command.length);
    cli_buffer_free(&command);
    cli_buffer_text(b, ",\"counted_s\":");
    cli_add_number(b, p->said.span_ns > 0 ? (double)p->said.span_ns / 1e9 : (double)NAN, "null");
    cli_buffer_text(b, ",\"alarms\":");
    cli_buffer_uint(b, p->said.alarms);
    cli_buffer_text(b, ",\"alarms_a_day\":");
    cli_add_number(b, p->said.alarms_a_day, "null");
    cli_buffer_char(b, ',');
    add_json_strongest(b, p);
    cli_buffer_char(b, '}');
}

/* ---- */

void cli_begin_proposals(cli_buffer *out, const cli_session *session)
{
    if (wants_json(session))
        cli_buffer_text(out, "{\"keys\":[");
}

void cli_add_proposal(cli_buffer *out, const cli_session *session, const cli_proposal *p)
{
    if (!wants_json(session)) {
        add_text(out, session, p);
        return;
    }
    if (out->data[out->length - 1] == '}')
        cli_buffer_char(out, ',');
    add_json(out, session, p);
}

void cli_end_proposals(cli_buffer *out, const cli_session *session, const cli_proposal *all)
{
    if (wants_json(session)) {
        cli_buffer_text(out, "],\"all\":");
        add_json(out, session, all);
        cli_buffer_text(out, "}\n");
        return;
    }
    add_text(out, session, all);
    add_agreement(out, all);
    add_ways(out, session, all);
}
