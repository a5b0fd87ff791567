/* SPDX-License-Identifier: MIT
 * noted.c - anomaly backtest: what is noted of the events of a run.
 */
#include "backtest/noted.h"

#include "options/labels.h"
#include "read/rows.h"

#include <stdlib.h>
#include <string.h>

bool cli_backtest_begin(cli_backtest *b, const cli_options *options)
{
    if (cli_labels_column(options) != NULL || cli_incidents_of_file(&b->incidents, options))
        return true;
    cli_incidents_free(&b->incidents);
    return false;
}

void cli_backtest_free(cli_backtest *b)
{
    cli_incidents_free(&b->incidents);
    cli_key_index_free(&b->keys);
    free(b->of_key);
    free(b->alarms);
}

/* ---- events ---- */

/* Measures the key of the row: with --each the event's key has the column's name at its end. */
static size_t row_key_length(const cli_record *r)
{
    cli_buffer part = {0};
    cli_rows_add_part(&part, r->feature, strlen(r->feature));
    size_t behind = part.length + 1;
    cli_buffer_free(&part);
    return r->key_length > behind ? r->key_length - behind : 0;
}

static size_t number_of_key(cli_backtest *b, const cli_record *r, bool by_row)
{
    size_t length = by_row ? row_key_length(r) : r->key_length;
    size_t key = cli_key_index_get(&b->keys, r->key, length, SIZE_MAX);
    if (key >= b->key_room) {
        size_t room = b->key_room == 0 ? 16 : 2 * b->key_room;
        b->of_key = cli_resize(b->of_key, room, sizeof *b->of_key);
        memset(b->of_key + b->key_room, 0, (room - b->key_room) * sizeof *b->of_key);
        b->key_room = room;
    }
    return key;
}

/* Counts the rows of a key; with --each a row has several events. */
static uint64_t number_of_row(cli_labelled *l, const cli_record *r)
{
    bool same = l->file == r->file && l->row == r->row;
    l->count += !same;
    l->file = r->file;
    l->row = r->row;
    return l->count;
}

/* Labelled rows of a key one after the other are one incident. */
static void take_label(cli_backtest *b, size_t key, const cli_record *r, cli_when at)
{
    cli_labelled *l = &b->of_key[key];
    if (!r->labelled) {
        l->running = 0;
        return;
    }
    if (l->running == 0) {
        const cli_indexed_key *k = &b->keys.keys[key];
        cli_incidents_add(
            &b->incidents,
            &(cli_incident){
                .key = cli_copy(k->key, k->length), .key_length = k->length, .start = at, .end = at, .line = r->line});
        l->running = b->incidents.count;
    }
    cli_incident *incident = &b->incidents.items[l->running - 1];
    incident->start.time = at.time < incident->start.time ? at.time : incident->start.time;
    incident->end.time = at.time > incident->end.time ? at.time : incident->end.time;
    incident->end.event = at.event;
}

static void note_alarm(cli_backtest *b, size_t key, cli_when at)
{
    if (b->alarm_count == b->alarm_room) {
        b->alarm_room = b->alarm_room == 0 ? 64 : 2 * b->alarm_room;
        b->alarms = cli_resize(b->alarms, b->alarm_room, sizeof *b->alarms);
    }
    b->alarms[b->alarm_count++] = (cli_noted_alarm){key, at};
}

static void note_time(cli_backtest *b, int64_t time)
{
    bool first = b->events++ == b->untimed;
    if (time == ANOMALY_NO_TIME) {
        b->untimed++;
        return;
    }
    b->first = first || time < b->first ? time : b->first;
    b->last = first || time > b->last ? time : b->last;
}

void cli_backtest_note(void *context, const cli_options *options, const cli_record *record, bool told)
{
    cli_backtest *b = context;
    bool labels = cli_labels_column(options) != NULL;
    size_t key = number_of_key(b, record, labels && options->each);
    const cli_when at = {record->time, number_of_row(&b->of_key[key], record)};
    note_time(b, record->time);
    if (labels)
        take_label(b, key, record, at);
    if (told)
        note_alarm(b, key, at);
}
