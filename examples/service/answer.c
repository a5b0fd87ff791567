/* SPDX-License-Identifier: MIT
 * answer.c - does what a line asks for and replies.
 */
#include "answer.h"

#include "silence.h"

#include <string.h>

/* ---- events ---- */

static void refuse(connection *c, const line *l, uint64_t number)
{
    reply r = {.json = l->json};
    c->service->metrics.errors[l->reason]++;
    reply_error(&r, number, line_reason_name(l->reason), l->message);
    conn_send(c, &r);
}

/* The window, or another option, wants a time and the line has none: that of its arrival. */
static int64_t time_of(const service *s, const line *l)
{
    return l->time_ns != ANOMALY_NO_TIME || !anomaly_needs_times(&s->options->config) ? l->time_ns : service_time_ns();
}

static void judge(connection *c, line *l)
{
    service *s = c->service;
    const anomaly_config *config = &s->options->config;
    reply r = {.json = l->json, .tail = config->alarm_rate > 0 || config->alarms_ns != 0};
    anomaly_verdict verdict;
    uint64_t number = ++*conn_lines(c);
    int status = anomaly_pool_update(s->pool, l->name, l->name_size, &l->value, time_of(s, l), &verdict);
    if (status != ANOMALY_OK) {
        line_refuse(l, REASON_FULL, "%s", anomaly_status_text(status));
        refuse(c, l, number);
        return;
    }
    metrics_verdict(&s->metrics, verdict.flags);
    if (c->quiet && (verdict.flags & ANOMALY_IS_ANOMALY) == 0)
        return;
    reply_verdict(&r, number, &verdict);
    conn_send(c, &r);
}

/* ---- commands ---- */

/* Who speaks last speaks for the source: the connection before may be one that the network has long lost. */
static void take_over(connection *c, source *taken)
{
    if (taken->connection != NULL && taken->connection != c)
        conn_drop(taken->connection, CLOSED_REPLACED, "another connection speaks for this source now");
    if (c->source != NULL)
        c->source->connection = NULL;
    taken->connection = c;
    c->source = taken;
    c->tell_saved = false; /* the save now running counted other lines */
}

static void do_source(connection *c, line *l)
{
    sources *all = &c->service->sources;
    reply r = {.json = l->json};
    source *wanted = sources_find(all, l->name);
    if (wanted == NULL && all->count < c->service->options->limits.sources)
        wanted = sources_add(all, l->name, 0);
    if (wanted == NULL) {
        line_refuse(l, REASON_REFUSED, "source: there are %zu already, see --max-sources", all->count);
        refuse(c, l, 0);
        return;
    }
    take_over(c, wanted);
    reply_source(&r, wanted->name, wanted->lines);
    conn_send(c, &r);
}

static void do_save(connection *c, line *l)
{
    if (c->service->options->state == NULL) {
        line_refuse(l, REASON_REFUSED, "save: the service runs without --state");
        refuse(c, l, 0);
        return;
    }
    c->wants_saved = true;
    saver_request(c->service);
}

typedef struct question {
    int64_t time_ns;
    anomaly_stats stats;
} question;

static int ask(void *ctx, anomaly_detector *detector)
{
    question *q = ctx;
    int status = q->time_ns == ANOMALY_NO_TIME ? ANOMALY_OK : anomaly_advance(detector, q->time_ns);
    return status != ANOMALY_OK ? status : anomaly_window_stats(detector, 0, &q->stats);
}

static void do_stats(connection *c, line *l)
{
    reply r = {.json = l->json};
    question q = {.time_ns = l->time_ns};
    uint64_t slot;
    int status = anomaly_pool_find(c->service->pool, l->name, l->name_size, &slot);
    if (status == ANOMALY_OK)
        status = anomaly_pool_with(c->service->pool, slot, ask, &q);
    if (status != ANOMALY_OK) {
        line_refuse(l, REASON_REFUSED, "stats: %s", anomaly_status_text(status));
        refuse(c, l, 0);
        return;
    }
    reply_stats(&r, &q.stats);
    conn_send(c, &r);
}

static void do_silent(connection *c, line *l)
{
    if (silence_is_watched(c->service)) {
        silence_begin(c);
        return;
    }
    line_refuse(l, REASON_REFUSED, "silent: the service runs without -s silence=, as 1/7d or 3x");
    refuse(c, l, 0);
}

static void do_ping(connection *c, const line *l)
{
    reply r = {.json = l->json};
    reply_word(&r, "pong");
    conn_send(c, &r);
}

/* ---- lines ---- */

/* A command that is no command is not counted; nor is one that is. All else is a line of data, good or bad. */
static uint64_t number_of_bad(connection *c, const line *l)
{
    return l->reason == REASON_COMMAND ? 0 : ++*conn_lines(c);
}

void answer_line(connection *c, const char *text, size_t size)
{
    line l;
    line_read(&c->service->clock, text, size, &l);
    c->json = l.json;
    c->service->metrics.lines[l.json]++;
    switch (l.kind) {
    case LINE_BAD: refuse(c, &l, number_of_bad(c, &l)); break;
    case LINE_EVENT: judge(c, &l); break;
    case LINE_SOURCE: do_source(c, &l); break;
    case LINE_SAVE: do_save(c, &l); break;
    case LINE_STATS: do_stats(c, &l); break;
    case LINE_QUIET: c->quiet = true; break;
    case LINE_SILENT: do_silent(c, &l); break;
    case LINE_PING: do_ping(c, &l); break;
    }
}

void answer_too_long(connection *c, bool json)
{
    line l = {.json = json};
    c->json = json;
    c->service->metrics.lines[l.json]++;
    line_refuse(&l, REASON_LENGTH, "longer than %zu bytes", (size_t)c->service->options->limits.line_bytes);
    refuse(c, &l, ++*conn_lines(c));
}

void answer_unfinished(connection *c)
{
    line l = {.json = c->json};
    line_refuse(&l, REASON_LENGTH, "the last line has no line end, it was not taken");
    refuse(c, &l, 0);
}
