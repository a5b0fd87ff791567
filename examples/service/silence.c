/* SPDX-License-Identifier: MIT
 * silence.c - tells the clients that ask for it of metrics of which an event is overdue.
 *
 * A metric is due at a time that stays the same as long as it is silent. So a client has heard of those that were due
 * before the last look, and nothing needs to be remembered for a metric. A look passes over all metrics, and time for
 * it is bounded: the next one comes when at least 100 times as long has gone by.
 */
#include "silence.h"

enum { REST = 100 };

typedef struct look {
    service *service;
    int64_t now_ns;
} look;

bool silence_is_watched(const service *s)
{
    return s->options->config.silence > 0;
}

void silence_begin(connection *c)
{
    c->hears = true;
    c->heard_ns = INT64_MIN;
    c->service->look_again = 0;
}

static int count_one(void *ctx, uint64_t slot, const void *metric, size_t size, const anomaly_detector *detector)
{
    (void)slot, (void)metric, (void)size, (void)detector;
    ++*(uint64_t *)ctx;
    return 0;
}

uint64_t silence_count(const service *s)
{
    uint64_t count = 0;
    anomaly_pool_overdue(s->pool, service_time_ns(), count_one, &count);
    return count;
}

static void tell(connection *c, const char *metric, size_t size, const anomaly_silence *silence)
{
    reply r = {.json = c->json};
    if (!c->hears || c->closing || silence->due_ns < c->heard_ns)
        return;
    if (conn_is_behind(c)) {
        c->unheard++;
        return;
    }
    reply_silence(&r, metric, size, silence);
    conn_send(c, &r);
}

static int visit(void *ctx, uint64_t slot, const void *metric, size_t size, const anomaly_detector *detector)
{
    const look *l = ctx;
    anomaly_silence silence;
    (void)slot;
    if (anomaly_overdue(detector, l->now_ns, &silence) == ANOMALY_OK)
        for (connection *c = l->service->connections; c != NULL; c = c->next)
            tell(c, metric, size, &silence);
    return 0;
}

/* A client that was behind is told how many it has missed when it has caught up: it may ask with !silent again. */
static void finish(connection *c, int64_t now_ns)
{
    reply r = {.json = c->json};
    c->heard_ns = now_ns;
    if (c->unheard == 0 || conn_is_behind(c) || c->closing)
        return;
    reply_count(&r, "unheard", c->unheard);
    conn_send(c, &r);
    c->unheard = 0;
}

static bool is_wanted(const service *s)
{
    for (const connection *c = s->connections; c != NULL; c = c->next)
        if (c->hears)
            return true;
    return false;
}

void silence_look(service *s)
{
    look l = {s, service_time_ns()};
    double began = service_now();
    if (began < s->look_again || !is_wanted(s))
        return;
    anomaly_pool_overdue(s->pool, l.now_ns, visit, &l);
    for (connection *c = s->connections; c != NULL; c = c->next)
        if (c->hears)
            finish(c, l.now_ns);
    s->look_again = began + REST * (service_now() - began);
}
