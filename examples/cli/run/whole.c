/* SPDX-License-Identifier: MIT
 * whole.c - --whole: hold all rows, then judge each against the others of its stream.
 *
 * A window by count that has room for all but one holds exactly "the others" at every step of a rotation: learn the rows
 * 1 .. n-1, judge row 0; learn row 0, which pushes row 1 out, judge row 1; and so on. That is exact for every method and
 * costs two steps a row. Rows that the detector never learns (missing, infinite) are judged against all that it does.
 *
 * A forest is fitted to all rows, as in a batch, and judges each of them: one row among many changes next to nothing.
 */
#include "run/app.h"

#include "options/kinds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct held_row {
    cli_stream *stream;
    size_t file_index;
    uint64_t line;
    int64_t time;
    size_t values; /* where they begin in cli_whole.values */
    size_t rest, rest_length;
    size_t name; /* index of the first value's name */
    anomaly_verdict verdict;
} held_row;

struct cli_whole {
    held_row *rows;
    size_t count, capacity;
    double *values;
    size_t value_count, value_capacity;
    cli_streams streams;
    cli_buffer rest;
    char **names; /* copies: the reader's own are gone when the verdicts are told */
    size_t name_count;
};

static void *make_room(void *array, size_t count, size_t more, size_t *capacity, size_t size)
{
    if (count + more <= *capacity)
        return array;
    size_t wanted = *capacity < 64 ? 64 : 2 * *capacity;
    *capacity = wanted < count + more ? count + more : wanted;
    return cli_resize(array, *capacity, size);
}

/* The place of these names in the list of all; files mostly have the same ones. */
static size_t keep_names(cli_whole *w, const char *const *names, size_t count)
{
    for (size_t at = 0; at + count <= w->name_count; at++) {
        size_t i = 0;
        while (i < count && strcmp(w->names[at + i], names[i]) == 0)
            i++;
        if (i == count)
            return at;
    }
    w->names = cli_resize(w->names, w->name_count + count, sizeof *w->names);
    for (size_t i = 0; i < count; i++)
        w->names[w->name_count++] = cli_copy(names[i], strlen(names[i]));
    return w->name_count - count;
}

static void hold(cli_app *app, const cli_row *row, size_t index, size_t features)
{
    cli_whole *w = app->whole;
    const char *key;
    size_t length = cli_app_key(app, row, index, &key);
    cli_stream *s = cli_streams_get(&w->streams, key, length, SIZE_MAX);
    w->rows = make_room(w->rows, w->count, 1, &w->capacity, sizeof *w->rows);
    w->values = make_room(w->values, w->value_count, features, &w->value_capacity, sizeof *w->values);
    s->rows = make_room(s->rows, s->row_count, 1, &s->row_capacity, sizeof *s->rows);
    s->rows[s->row_count++] = w->count;
    held_row *held = &w->rows[w->count++];
    *held = (held_row){.stream = s,
                       .file_index = app->file_index,
                       .line = row->line,
                       .time = row->time,
                       .values = w->value_count,
                       .rest = w->rest.length,
                       .rest_length = row->rest_length,
                       .name = keep_names(w, row->value_names, row->value_count) + index};
    memcpy(w->values + w->value_count, row->values + index, features * sizeof *w->values);
    w->value_count += features;
    cli_buffer_add(&w->rest, row->rest, row->rest_length);
}

bool cli_whole_row(void *context, const cli_row *row)
{
    cli_app *app = context;
    if (app->whole == NULL) {
        app->whole = cli_resize(NULL, 1, sizeof *app->whole);
        *app->whole = (cli_whole){0};
    }
    if (!app->options->each)
        hold(app, row, 0, row->value_count);
    for (size_t i = 0; app->options->each && i < row->value_count; i++)
        if (row->present[i])
            hold(app, row, i, 1);
    return true;
}

static const double *values_of(const cli_whole *w, size_t row)
{
    return w->values + w->rows[row].values;
}

/* Whether the detector would take the row in: at least one value is finite. */
static bool learnable(const cli_app *app, size_t row)
{
    const double *x = values_of(app->whole, row);
    for (uint32_t i = 0; i < app->config.features; i++)
        if (isfinite(x[i]))
            return true;
    return false;
}

/* Learns or judges; false after an error was told. */
static bool step(cli_app *app, anomaly_detector *d, size_t row, bool learn)
{
    const double *x = values_of(app->whole, row);
    anomaly_verdict *v = &app->whole->rows[row].verdict;
    int status = learn ? anomaly_learn(d, x, ANOMALY_NO_TIME) : anomaly_score(d, x, ANOMALY_NO_TIME, v);
    if (status == ANOMALY_OK)
        return true;
    cli_say(app, "anomaly", 0, anomaly_status_text(status), NULL);
    app->failed = true;
    return false;
}

static bool rotate(cli_app *app, anomaly_detector *d, const size_t *rows, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (!step(app, d, rows[i], true))
            return false;
    for (size_t i = 0; i < count; i++)
        if (!step(app, d, rows[i], false) || !step(app, d, rows[i], true))
            return false;
    return true;
}

static bool judge_against_all(cli_app *app, anomaly_detector *d, const size_t *learned, size_t count, const size_t *judged,
                              size_t judged_count)
{
    for (size_t i = 0; i < count; i++)
        if (!step(app, d, learned[i], true))
            return false;
    for (size_t i = 0; i < judged_count; i++)
        if (!step(app, d, judged[i], false))
            return false;
    return true;
}

static anomaly_detector *detector_for(cli_app *app, size_t window)
{
    anomaly_config config = app->config;
    config.window_events = window > 0 ? window : 1;
    config.window_ns = 0;
    return cli_app_detector(app, &config);
}

/* The window has room for a tree's sample, however few the rows. */
static void judge_as_batch(cli_app *app, const size_t *sorted, size_t learned, size_t count)
{
    size_t least = app->config.sample > 16 ? app->config.sample : 16;
    anomaly_detector *d = detector_for(app, learned > least ? learned : least);
    bool good = d != NULL;
    for (size_t i = 0; i < learned && good; i++)
        good = step(app, d, sorted[i], true);
    if (good && anomaly_rebuild(d) != ANOMALY_OK) {
        cli_say(app, "anomaly", 0, anomaly_status_text(ANOMALY_E_NOMEM), NULL);
        app->failed = true;
        good = false;
    }
    for (size_t i = 0; i < count && good; i++)
        good = step(app, d, sorted[i], false);
    anomaly_destroy(d);
}

/* Sorts a stream's rows into those that are learned, in front, and the others; answers how many are learned. */
static size_t part(const cli_app *app, const cli_stream *s, size_t *sorted)
{
    size_t learned = 0, others = 0;
    for (size_t i = 0; i < s->row_count; i++)
        if (learnable(app, s->rows[i]))
            sorted[learned++] = s->rows[i];
    for (size_t i = 0; i < s->row_count; i++)
        if (!learnable(app, s->rows[i]))
            sorted[learned + others++] = s->rows[i];
    return learned;
}

static void judge_stream(cli_app *app, cli_stream *s)
{
    size_t *sorted = cli_resize(NULL, s->row_count, sizeof *sorted);
    size_t learned = part(app, s, sorted), others = s->row_count - learned;
    bool self = app->config.include_self != 0;
    if (cli_kind_offers(app->config.kind, ANOMALY_OFFERS_REBUILD)) {
        judge_as_batch(app, sorted, learned, s->row_count);
        free(sorted);
        return;
    }
    if (learned > 0 && !self) {
        anomaly_detector *d = detector_for(app, learned - 1);
        if (d != NULL)
            rotate(app, d, sorted, learned);
        anomaly_destroy(d);
    }
    if (others > 0 || self) {
        anomaly_detector *d = detector_for(app, learned);
        const size_t *judged = self ? sorted : sorted + learned;
        if (d != NULL)
            judge_against_all(app, d, sorted, learned, judged, self ? s->row_count : others);
        anomaly_destroy(d);
    }
    free(sorted);
}

static bool tell(cli_app *app, const held_row *held)
{
    const cli_whole *w = app->whole;
    size_t worst = app->options->each ? 0 : held->verdict.feature;
    cli_record r = {.file = app->options->file_count > 0 ? app->options->files[held->file_index] : "-",
                    .line = held->line,
                    .key = held->stream->key,
                    .key_length = held->stream->key_length,
                    .time = held->time,
                    .feature = w->names[held->name + worst],
                    .value = w->values[held->values + worst],
                    .verdict = held->verdict,
                    .rest = held->rest_length ? w->rest.data + held->rest : "",
                    .rest_length = held->rest_length};
    return cli_tell_verdict(app, &app->counts[held->file_index], &r);
}

void cli_whole_judge(cli_app *app)
{
    if (app->whole == NULL)
        return;
    for (size_t i = 0; i < app->whole->streams.count && !app->failed; i++)
        judge_stream(app, app->whole->streams.items[i]);
    for (size_t i = 0; i < app->whole->count && !app->failed; i++)
        if (!tell(app, &app->whole->rows[i]))
            return;
}

void cli_whole_free(cli_app *app)
{
    cli_whole *w = app->whole;
    if (w == NULL)
        return;
    for (size_t i = 0; i < w->name_count; i++)
        free(w->names[i]);
    free(w->names);
    free(w->rows);
    free(w->values);
    cli_streams_free(&w->streams);
    cli_buffer_free(&w->rest);
    free(w);
    app->whole = NULL;
}
