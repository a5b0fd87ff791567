/* SPDX-License-Identifier: MIT
 * report.c - the page: its fixed parts, from report/, and the data that its script draws.
 *
 * The data is JSON in an element that no browser runs, without a character that could end the element; the script puts
 * every text into the page as text. The page forbids itself every request.
 */
#include "write/report.h"

#include "write/report_page.h"
#include "write/sentence.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- JSON that may stand in a page ---- */

/* < > & could begin markup, U+2028 and U+2029 end a line of a script. */
static void add_safe(cli_buffer *page, const cli_buffer *json)
{
    const char *at = json->data;
    for (size_t left = json->length; left > 0; at++, left--) {
        bool separator = left >= 3 && memcmp(at, "\xE2\x80", 2) == 0 && ((unsigned char)at[2] & 0xFE) == 0xA8;
        char escaped[8];
        if (*at == '<' || *at == '>' || *at == '&') {
            snprintf(escaped, sizeof escaped, "\\u00%02x", (unsigned)*at);
            cli_buffer_text(page, escaped);
        } else if (separator) {
            cli_buffer_text(page, (unsigned char)at[2] == 0xA8 ? "\\u2028" : "\\u2029");
            at += 2;
            left -= 2;
        } else {
            cli_buffer_char(page, *at);
        }
    }
}

static void add_name(cli_buffer *b, const char *name)
{
    cli_buffer_char(b, '"');
    cli_buffer_text(b, name);
    cli_buffer_text(b, "\":");
}

static void add_text(cli_buffer *b, const char *name, const char *text, size_t length)
{
    add_name(b, name);
    cli_add_json_string(b, text, length);
    cli_buffer_char(b, ',');
}

static void add_count(cli_buffer *b, const char *name, uint64_t count)
{
    add_name(b, name);
    cli_buffer_uint(b, count);
    cli_buffer_char(b, ',');
}

/* Nine digits are more than a picture shows. */
static void add_number(cli_buffer *b, double number)
{
    char text[32];
    if (!isfinite(number)) {
        cli_buffer_text(b, "null");
        return;
    }
    snprintf(text, sizeof text, "%.9g", number);
    cli_buffer_text(b, text);
}

static void add_lines(cli_buffer *b, const char *name, const char *lines)
{
    add_name(b, name);
    cli_buffer_char(b, '[');
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        cli_add_json_string(b, lines, length);
        lines += length + (lines[length] != '\0');
        cli_buffer_text(b, *lines != '\0' ? "," : "");
    }
    cli_buffer_text(b, "],");
}

/* ---- a key ---- */

enum column { FROM, TO, LOW, HIGH, LOWER, UPPER, SCORE, THRESHOLD, ODD, TOLD, COLUMNS };

static double cell_of(const cli_bucket *k, enum column column)
{
    switch (column) {
    case FROM: return k->from;
    case TO: return k->to;
    case LOW: return k->low;
    case HIGH: return k->high;
    case LOWER: return k->bounds > 0 ? k->lower / (double)k->bounds : NAN;
    case UPPER: return k->bounds > 0 ? k->upper / (double)k->bounds : NAN;
    case SCORE: return k->score;
    case THRESHOLD: return k->threshold;
    case ODD: return (double)k->odd;
    default: return (double)k->told;
    }
}

/* Columns of buckets are shorter than buckets of names; one that says nothing is left out. */
static void add_column(cli_buffer *b, const cli_chart *c, enum column column)
{
    static const char *const names[] = {"from", "to", "low", "high", "lower", "upper", "score", "threshold", "odd", "told"};
    bool says = false, exact = column == FROM || column == TO;
    for (size_t i = 0; i < c->count && !says; i++)
        says = isfinite(cell_of(&c->buckets[i], column)) && (column < ODD || cell_of(&c->buckets[i], column) > 0);
    if (!says || (column == TO && c->each == 1) || (column == HIGH && c->each == 1))
        return;
    add_name(b, names[column]);
    for (size_t i = 0; i < c->count; i++) {
        double cell = cell_of(&c->buckets[i], column);
        cli_buffer_char(b, i == 0 ? '[' : ',');
        if (exact)
            cli_add_number(b, cell, "null");
        else
            add_number(b, cell);
    }
    cli_buffer_text(b, "],");
}

static void add_key(cli_buffer *b, const cli_indexed_key *key, const cli_chart *c)
{
    cli_buffer_char(b, '{');
    add_text(b, "name", key->key, key->length);
    add_count(b, "events", c->events);
    add_count(b, "oddEvents", c->odd);
    add_count(b, "alarms", c->told);
    add_count(b, "each", c->each);
    for (int column = 0; column < COLUMNS; column++)
        add_column(b, c, (enum column)column);
    b->data[b->length - 1] = '}';
}

/* ---- an alarm ---- */

/* How long its episode went on is known by now. */
static void add_sentence(cli_buffer *b, const cli_alarm *a)
{
    static const char first[] = CLI_FIRST_OF_EPISODE;
    size_t end = sizeof first - 1;
    bool is_last = a->text_length > end && strcmp(a->text + a->text_length - end, first) == 0;
    cli_buffer text = {0};
    cli_buffer_add(&text, a->text, a->text_length);
    if (a->episode.odd > 1) {
        cli_buffer_text(&text, is_last ? " of " : "; the episode: ");
        cli_add_episode(&text, &a->episode);
    }
    add_text(b, "text", text.data, text.length);
    cli_buffer_free(&text);
}

static void add_alarm(cli_buffer *b, const cli_alarm *a)
{
    char time[CLI_TIME_SIZE] = "";
    cli_buffer_char(b, '{');
    if (a->key != SIZE_MAX)
        add_count(b, "key", a->key);
    add_text(b, "file", a->file, strlen(a->file));
    add_count(b, "line", a->line);
    if (a->time != ANOMALY_NO_TIME)
        add_text(b, "time", time, cli_format_time(time, a->time));
    add_sentence(b, a);
    if (a->episode.odd > 1)
        add_count(b, "odd", a->episode.odd);
    if (a->episode.odd > 1 && a->episode.last != ANOMALY_NO_TIME) {
        add_name(b, "until");
        cli_add_number(b, (double)(a->episode.last / 1000) / 1000, "null");
        cli_buffer_char(b, ',');
    }
    static const char *const names[] = {"at", "value", "score"};
    const double numbers[] = {a->at, a->value, a->score};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        add_name(b, names[i]);
        cli_add_number(b, numbers[i], "null");
        cli_buffer_char(b, ',');
    }
    b->data[b->length - 1] = '}';
}

/* ---- the page ---- */

static void add_data(cli_buffer *b, const cli_report *report)
{
    const cli_charts *charts = report->charts;
    char version[32];
    int v = anomaly_version();
    int length = snprintf(version, sizeof version, "%d.%d.%d", v / 10000, v / 100 % 100, v % 100);
    cli_buffer_char(b, '{');
    add_text(b, "version", version, (size_t)length);
    const char *noun = report->decided ? "alarm" : "anomaly";
    add_text(b, "title", report->title, strlen(report->title));
    add_text(b, "noun", noun, strlen(noun));
    add_text(b, "method", report->method, strlen(report->method));
    add_lines(b, "understood", report->understood);
    add_lines(b, "summary", report->summary);
    add_count(b, "timed", charts->timed);
    add_count(b, "together", report->together);
    add_count(b, "alarmsBeyond", charts->alarms_beyond);
    add_count(b, "eventsBeyond", charts->events_beyond);
    add_name(b, "alarms");
    for (size_t i = 0; i < charts->alarm_count; i++) {
        cli_buffer_char(b, i == 0 ? '[' : ',');
        add_alarm(b, &charts->alarms[i]);
    }
    cli_buffer_text(b, charts->alarm_count > 0 ? "]," : "[],");
    add_name(b, "keys");
    for (size_t i = 0; i < charts->keys.count; i++) {
        cli_buffer_text(b, i == 0 ? "[" : ",\n");
        add_key(b, &charts->keys.keys[i], &charts->items[i]);
    }
    cli_buffer_text(b, charts->keys.count > 0 ? "]}" : "[]}");
}

void cli_add_report(cli_buffer *page, const cli_report *report)
{
    cli_buffer data = {0};
    add_data(&data, report);
    cli_buffer_add(page, (const char *)cli_page_head, cli_page_head_size);
    add_safe(page, &data);
    cli_buffer_char(page, '\n');
    cli_buffer_add(page, (const char *)cli_page_tail, cli_page_tail_size);
    cli_buffer_free(&data);
}
