/* SPDX-License-Identifier: MIT
 * held.c - all rows of a run, held to be looked at as a whole.
 */
#include "suggest/held.h"

#include "judge/event.h"

#include <stdlib.h>
#include <string.h>

static void make_room(cli_held *held)
{
    if (held->count < held->capacity)
        return;
    held->capacity = held->capacity == 0 ? 1024 : 2 * held->capacity;
    held->values = cli_resize(held->values, held->capacity, held->features * sizeof *held->values);
    held->times = cli_resize(held->times, held->capacity, sizeof *held->times);
    held->lines = cli_resize(held->lines, held->capacity, sizeof *held->lines);
    held->key_of = cli_resize(held->key_of, held->capacity, sizeof *held->key_of);
}

static void hold_event(cli_held *held, cli_session *session, const cli_row *row, size_t index)
{
    const char *key;
    size_t length = cli_event_key(session, row, index, &key);
    make_room(held);
    memcpy(held->values + held->count * held->features, row->values + index, held->features * sizeof *held->values);
    held->times[held->count] = row->time;
    held->lines[held->count] = row->line;
    held->key_of[held->count++] = cli_key_index_get(&held->keys, key, length, SIZE_MAX);
    held->timed |= row->time != ANOMALY_NO_TIME;
}

void cli_held_add(cli_held *held, cli_session *session, const cli_row *row)
{
    bool each = session->options->each;
    session->counts[session->file_index].rows++;
    held->features = session->config.features;
    if (!each)
        hold_event(held, session, row, 0);
    for (size_t i = 0; each && i < row->value_count; i++)
        if (row->present[i])
            hold_event(held, session, row, i);
}

void cli_held_free(cli_held *held)
{
    cli_key_index_free(&held->keys);
    free(held->values);
    free(held->times);
    free(held->lines);
    free(held->key_of);
}

anomaly_rows cli_held_rows(const cli_held *held)
{
    return (anomaly_rows){.count = held->count, .values = held->values, .times = held->timed ? held->times : NULL};
}

void cli_part_make(cli_part *part, const cli_held *held, size_t key)
{
    size_t count = 0, at = 0;
    for (size_t i = 0; i < held->count; i++)
        count += held->key_of[i] == key;
    *part = (cli_part){.values = cli_resize(NULL, count + 1, held->features * sizeof *part->values),
                       .times = cli_resize(NULL, count + 1, sizeof *part->times),
                       .events = cli_resize(NULL, count + 1, sizeof *part->events)};
    for (size_t i = 0; i < held->count; i++) {
        if (held->key_of[i] != key)
            continue;
        memcpy(part->values + at * held->features, held->values + i * held->features, held->features * sizeof *part->values);
        part->times[at] = held->times[i];
        part->events[at++] = i;
    }
    part->rows = (anomaly_rows){.count = count, .values = part->values, .times = held->timed ? part->times : NULL};
}

void cli_part_free(cli_part *part)
{
    free(part->values);
    free(part->times);
    free(part->events);
}
