/* SPDX-License-Identifier: MIT
 * silent.c - keys of which an event is overdue, with the option silence.
 *
 * A silence is told once: a key is due at a time that stays the same as long as the key is silent, so that the keys
 * to tell are those that were due between the last look and this one.
 */
#include "run/silent.h"

#include "common/times.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct silent_key {
    char *key;
    size_t length;
    anomaly_silence silence;
} silent_key;

typedef struct silent_keys {
    silent_key *items;
    size_t count, capacity;
    int64_t before, now;
} silent_keys;

static int take_key(void *context, uint64_t slot, const void *key, size_t length, const anomaly_detector *detector)
{
    silent_keys *found = context;
    anomaly_silence silence;
    (void)slot;
    if (anomaly_overdue(detector, found->now, &silence) != ANOMALY_OK || silence.due_ns < found->before)
        return 0;
    if (found->count == found->capacity) {
        found->capacity = found->capacity == 0 ? 16 : 2 * found->capacity;
        found->items = cli_resize(found->items, found->capacity, sizeof *found->items);
    }
    size_t named = *(const char *)key != '\0' ? length : 0; /* the nameless stream's key is a NUL */
    found->items[found->count++] = (silent_key){cli_copy(key, named), named, silence};
    return 0;
}

static int by_time_and_key(const void *left, const void *right)
{
    const silent_key *a = left, *b = right;
    if (a->silence.last_ns != b->silence.last_ns)
        return a->silence.last_ns < b->silence.last_ns ? -1 : 1;
    int order = memcmp(a->key, b->key, a->length < b->length ? a->length : b->length);
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static void tell_key(cli_app *app, const silent_key *s)
{
    char last[CLI_TIME_SIZE], usual[CLI_TIME_SIZE], overdue[CLI_TIME_SIZE];
    cli_buffer key = {0};
    cli_add_printable(&key, s->key, s->length);
    cli_format_time(last, s->silence.last_ns);
    cli_format_span(usual, (double)s->silence.usual_ns);
    cli_format_span(overdue, (double)s->silence.overdue_ns);
    cli_terminal_clear(&app->session.terminal);
    fprintf(stderr, "silent: %.*s%sno event since %s, usually one every %s; overdue for %s\n", (int)key.length, key.data,
            key.length > 0 ? ": " : "", last, usual, overdue);
    cli_buffer_free(&key);
    cli_writer_add_silence(&app->session.writer, s->key, s->length, &s->silence);
}

static void look(cli_app *app, int64_t now)
{
    silent_keys found = {.before = app->looked, .now = now};
    if (app->session.keys.pool == NULL || anomaly_pool_overdue(app->session.keys.pool, now, take_key, &found) != ANOMALY_OK)
        return; /* it was not asked for */
    if (found.count > 0)
        qsort(found.items, found.count, sizeof *found.items, by_time_and_key);
    for (size_t i = 0; i < found.count; i++) {
        tell_key(app, &found.items[i]);
        free(found.items[i].key);
    }
    free(found.items);
    app->silent += found.count;
    app->looked = now;
}

static int64_t wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool is_asked_for(const cli_app *app)
{
    return app->session.config.silence > 0 && !app->session.options->whole;
}

void cli_silent_tick(cli_app *app)
{
    int64_t now = is_asked_for(app) && app->session.options->follow ? wall_clock() : app->looked;
    if (now / 1000000000 > app->looked / 1000000000)
        look(app, now);
}

void cli_silent_end(cli_app *app)
{
    int64_t now = app->session.options->follow ? wall_clock() : app->session.order.newest.time;
    if (is_asked_for(app) && now != ANOMALY_NO_TIME)
        look(app, now);
}
