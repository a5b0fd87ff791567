/* SPDX-License-Identifier: MIT
 * whole.c - --whole: hold all rows, then judge each against the others of its stream.
 *
 * A window by count that has room for all but one holds exactly "the others" at every step of a rotation: learn the
 * rows 1 .. n-1, judge row 0; learn row 0, which pushes row 1 out, judge row 1; and so on. That is exact for every
 * method and costs two steps a row. Rows that the detector never learns (missing, infinite) are judged against all
 * that it does.
 *
 * A forest is fitted to all rows, as in a batch, and judges each of them: one row among many changes next to nothing.
 */
#include "judge/whole.h"

#include "judge/event.h"

#include "options/kinds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct held_row {
    cli_stream *stream;
    size_t file_index;
    uint64_t line, row;
    bool labelled;
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

static void *grow_array(void *array, size_t count, size_t more, size_t *capacity, size_t size)
{
    if (count + more <= *capacity)
        return array;
    size_t wanted = *capacity < 64 ? 64 : 2 * *capacity;
    *capacity = wanted < count + more ? count + more : wanted;
    return cli_resize(array, *capacity, size);
}

/* The place of these names in the list of all; files mostly have the same ones. */
static size_t place_names(cli_whole *w, const char *const *names, size_t count)
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

static void hold(cli_session *session, const cli_row *row, size_t index, size_t features)
{
    cli_whole *w = session->whole;
    const char *key;
    size_t length = cli_event_key(session, row, index, &key);
    cli_stream *s = cli_streams_get(&w->streams, key, length, SIZE_MAX);
    w->rows = grow_array(w->rows, w->count, 1, &w->capacity, sizeof *w->rows);
    w->values = grow_array(w->values, w->value_count, features, &w->value_capacity, sizeof *w->values);
    s->rows = grow_array(s->rows, s->row_count, 1, &s->row_capacity, sizeof *s->rows);
    s->rows[s->row_count++] = w->count;
    held_row *held = &w->rows[w->count++];
    *held = (held_row){.stream = s,
                       .file_index = session->file_index,
                       .line = row->line,
                       .row = session->counts[session->file_index].rows,
                       .labelled = row->labelled,
                       .time = row->time,
                       .values = w->value_count,
                       .rest = w->rest.length,
                       .rest_length = row->rest_length,
                       .name = place_names(w, row->value_names, row->value_count) + index};
    memcpy(w->values + w->value_count, row->values + index, features * sizeof *w->values);
    w->value_count += features;
    cli_buffer_add(&w->rest, row->rest, row->rest_length);
}

bool cli_whole_row(cli_session *session, const cli_row *row)
{
    if (session->whole == NULL) {
        session->whole = cli_resize(NULL, 1, sizeof *session->whole);
        *session->whole = (cli_whole){0};
    }
    if (!session->options->each)
        hold(session, row, 0, row->value_count);
    for (size_t i = 0; session->options->each && i < row->value_count; i++)
        if (row->present[i])
            hold(session, row, i, 1);
    return true;
}

static const double *values_of(const cli_whole *w, size_t row)
{
    return w->values + w->rows[row].values;
}

/* Whether the detector would take the row in: at least one value is finite. */
static bool learnable(const cli_session *session, size_t row)
{
    const double *x = values_of(session->whole, row);
    for (uint32_t i = 0; i < session->config.features; i++)
        if (isfinite(x[i]))
            return true;
    return false;
}

/* Learns or judges; false after an error was told. */
static bool step(cli_session *session, anomaly_detector *d, size_t row, bool learn)
{
    const double *x = values_of(session->whole, row);
    anomaly_verdict *v = &session->whole->rows[row].verdict;
    int status = learn ? anomaly_learn(d, x, ANOMALY_NO_TIME) : anomaly_score(d, x, ANOMALY_NO_TIME, v);
    if (status == ANOMALY_OK)
        return true;
    cli_say(&session->terminal, "anomaly", 0, anomaly_status_text(status), NULL);
    session->failed = true;
    return false;
}

static bool rotate(cli_session *session, anomaly_detector *d, const size_t *rows, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (!step(session, d, rows[i], true))
            return false;
    for (size_t i = 0; i < count; i++)
        if (!step(session, d, rows[i], false) || !step(session, d, rows[i], true))
            return false;
    return true;
}

static bool judge_against_all(cli_session *session, anomaly_detector *d, const size_t *learned, size_t count,
                              const size_t *judged, size_t judged_count)
{
    for (size_t i = 0; i < count; i++)
        if (!step(session, d, learned[i], true))
            return false;
    for (size_t i = 0; i < judged_count; i++)
        if (!step(session, d, judged[i], false))
            return false;
    return true;
}

static anomaly_detector *detector_for(cli_session *session, size_t window)
{
    anomaly_config config = session->config;
    config.window_events = window > 0 ? window : 1;
    config.window_ns = 0;
    return cli_session_detector(session, &config);
}

/* The window has room for a tree's sample, however few the rows. */
static void judge_as_batch(cli_session *session, const size_t *sorted, size_t learned, size_t count)
{
    size_t least = session->config.sample > 16 ? session->config.sample : 16;
    anomaly_detector *d = detector_for(session, learned > least ? learned : least);
    bool good = d != NULL;
    for (size_t i = 0; i < learned && good; i++)
        good = step(session, d, sorted[i], true);
    if (good && anomaly_rebuild(d) != ANOMALY_OK) {
        cli_say(&session->terminal, "anomaly", 0, anomaly_status_text(ANOMALY_E_NOMEM), NULL);
        session->failed = true;
        good = false;
    }
    for (size_t i = 0; i < count && good; i++)
        good = step(session, d, sorted[i], false);
    anomaly_destroy(d);
}

/* A kind whose events have others before them judges in order, all rows being in the window already. */
static void judge_again(cli_session *session, const size_t *sorted, size_t learned, size_t count)
{
    size_t window = (size_t)1 << 20;
    while (window < learned)
        window *= 2;
    anomaly_detector *d = detector_for(session, window);
    bool good = d != NULL;
    for (size_t i = 0; i < learned && good; i++)
        good = step(session, d, sorted[i], true);
    for (size_t i = 0; i < count && good; i++)
        good = step(session, d, sorted[i], false) && (i >= learned || step(session, d, sorted[i], true));
    anomaly_destroy(d);
}

/* Sorts a stream's rows into those that are learned, in front, and the others; answers how many are learned. */
static size_t part(const cli_session *session, const cli_stream *s, size_t *sorted)
{
    size_t learned = 0, others = 0;
    for (size_t i = 0; i < s->row_count; i++)
        if (learnable(session, s->rows[i]))
            sorted[learned++] = s->rows[i];
    for (size_t i = 0; i < s->row_count; i++)
        if (!learnable(session, s->rows[i]))
            sorted[learned + others++] = s->rows[i];
    return learned;
}

static void judge_stream(cli_session *session, cli_stream *s)
{
    size_t *sorted = cli_resize(NULL, s->row_count, sizeof *sorted);
    size_t learned = part(session, s, sorted), others = s->row_count - learned;
    bool self = session->config.include_self != 0;
    if (cli_kind_offers(session->config.kind, ANOMALY_OFFERS_WHOLE)) {
        bool batch = cli_kind_offers(session->config.kind, ANOMALY_OFFERS_REBUILD);
        (batch ? judge_as_batch : judge_again)(session, sorted, learned, s->row_count);
        free(sorted);
        return;
    }
    if (learned > 0 && !self) {
        anomaly_detector *d = detector_for(session, learned - 1);
        if (d != NULL)
            rotate(session, d, sorted, learned);
        anomaly_destroy(d);
    }
    if (others > 0 || self) {
        anomaly_detector *d = detector_for(session, learned);
        const size_t *judged = self ? sorted : sorted + learned;
        if (d != NULL)
            judge_against_all(session, d, sorted, learned, judged, self ? s->row_count : others);
        anomaly_destroy(d);
    }
    free(sorted);
}

static bool tell_held(cli_session *session, const held_row *held)
{
    const cli_whole *w = session->whole;
    size_t worst = session->options->each ? 0 : held->verdict.feature;
    cli_record r = {.file = cli_session_file(session, held->file_index),
                    .line = held->line,
                    .row = held->row,
                    .labelled = held->labelled,
                    .key = held->stream->key,
                    .key_length = held->stream->key_length,
                    .time = held->time,
                    .feature = w->names[held->name + worst],
                    .value = w->values[held->values + worst],
                    .verdict = held->verdict,
                    .rest = held->rest_length ? w->rest.data + held->rest : "",
                    .rest_length = held->rest_length};
    return cli_event_verdict(session, held->file_index, &r);
}

void cli_whole_judge(cli_session *session)
{
    if (session->whole == NULL)
        return;
    for (size_t i = 0; i < session->whole->streams.count && !session->failed; i++)
        judge_stream(session, session->whole->streams.items[i]);
    for (size_t i = 0; i < session->whole->count && !session->failed; i++)
        if (!tell_held(session, &session->whole->rows[i]))
            return;
}

void cli_whole_free(cli_session *session)
{
    cli_whole *w = session->whole;
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
    session->whole = NULL;
}
