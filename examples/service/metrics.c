/* SPDX-License-Identifier: MIT
 * metrics.c - the text for Prometheus.
 */
#include "metrics.h"

#include "service.h"
#include "silence.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <string.h>

/* ---- counting ---- */

uint64_t metrics_lines(const metrics *m)
{
    return m->lines[0] + m->lines[1];
}

void metrics_verdict(metrics *m, uint32_t flags)
{
    m->events++;
    m->anomalies += (flags & ANOMALY_IS_ANOMALY) != 0;
    m->warming_up += (flags & ANOMALY_WARMING_UP) != 0;
    m->missing += (flags & ANOMALY_MISSING) != 0;
    m->nonfinite += (flags & ANOMALY_NONFINITE) != 0;
    m->late += (flags & ANOMALY_LATE) != 0;
    m->jumped += (flags & ANOMALY_JUMPED) != 0;
    m->flat += (flags & ANOMALY_FLAT) != 0;
    m->untransformed += (flags & ANOMALY_UNTRANSFORMED) != 0;
    m->alarms += (flags & ANOMALY_ALARM) != 0;
    m->held += (flags & ANOMALY_HELD) != 0;
    m->unconfirmed += (flags & ANOMALY_UNCONFIRMED) != 0;
    m->small_change += (flags & ANOMALY_SMALL_CHANGE) != 0;
}

static const double bounds[LATENCY_BUCKETS] = {1e-6,   2.5e-6, 5e-6, 1e-5,   2.5e-5, 5e-5, 1e-4,
                                               2.5e-4, 5e-4,   1e-3, 2.5e-3, 5e-3,   1e-2, 0.1};

void metrics_latency(metrics *m, uint64_t lines, double seconds)
{
    size_t i = 0;
    while (i < LATENCY_BUCKETS && seconds > bounds[i])
        i++;
    m->latency[i] += lines;
    m->latency_sum += (double)lines * seconds;
}

/* ---- writing ---- */

void metrics_escape(char *out, size_t size, const char *text)
{
    char *end = out + size - 2;
    for (; *text != '\0' && out < end; text++) {
        if (*text == '\\' || *text == '"' || *text == '\n')
            *out++ = '\\';
        *out++ = *text == '\n' ? 'n' : *text;
    }
    *out = '\0';
}

static void head(struct evbuffer *out, const char *name, const char *type, const char *help)
{
    evbuffer_add_printf(out, "# HELP anomaly_service_%s %s\n# TYPE anomaly_service_%s %s\n", name, help, name, type);
}

static void count(struct evbuffer *out, const char *name, uint64_t value, const char *help)
{
    head(out, name, "counter", help);
    evbuffer_add_printf(out, "anomaly_service_%s %" PRIu64 "\n", name, value);
}

static void gauge(struct evbuffer *out, const char *name, double value, const char *help)
{
    head(out, name, "gauge", help);
    evbuffer_add_printf(out, "anomaly_service_%s %.17g\n", name, value);
}

static void labelled(struct evbuffer *out, const char *name, const char *label, const char *text, uint64_t value)
{
    evbuffer_add_printf(out, "anomaly_service_%s{%s=\"%s\"} %" PRIu64 "\n", name, label, text, value);
}

static void write_info(const service *s, struct evbuffer *out)
{
    static const char *const names[] = {"window", "threshold", "learn"};
    char text[64], escaped[512];
    head(out, "info", "gauge", "What is running, in its labels.");
    evbuffer_add_printf(out, "anomaly_service_info{version=\"%d.%d.%d\",detector=\"%s\"", ANOMALY_VERSION_MAJOR,
                        ANOMALY_VERSION_MINOR, ANOMALY_VERSION_PATCH, s->options->detector);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (anomaly_config_get(&s->options->config, names[i], text, sizeof text) == ANOMALY_OK)
            evbuffer_add_printf(out, ",%s=\"%s\"", names[i], text);
    metrics_escape(escaped, sizeof escaped, s->options->unix_path != NULL ? s->options->unix_path : "");
    evbuffer_add_printf(out, ",unix=\"%s\"} 1\n", escaped);
}

static void write_events(const metrics *m, struct evbuffer *out)
{
    head(out, "lines_total", "counter", "Lines received, by form.");
    labelled(out, "lines_total", "form", "text", m->lines[0]);
    labelled(out, "lines_total", "form", "json", m->lines[1]);
    count(out, "events_total", m->events, "Events judged or learned.");
    count(out, "anomalies_total", m->anomalies, "Events that were anomalies.");
    count(out, "alarms_total", m->alarms, "Events that were alarms; 0 without rest, confirm and min_change.");
    head(out, "flagged_total", "counter", "Events by what else their verdict says.");
    labelled(out, "flagged_total", "flag", "warming_up", m->warming_up);
    labelled(out, "flagged_total", "flag", "missing", m->missing);
    labelled(out, "flagged_total", "flag", "nonfinite", m->nonfinite);
    labelled(out, "flagged_total", "flag", "late", m->late);
    labelled(out, "flagged_total", "flag", "jumped", m->jumped);
    labelled(out, "flagged_total", "flag", "flat", m->flat);
    labelled(out, "flagged_total", "flag", "untransformed", m->untransformed);
    labelled(out, "flagged_total", "flag", "held", m->held);
    labelled(out, "flagged_total", "flag", "unconfirmed", m->unconfirmed);
    labelled(out, "flagged_total", "flag", "small_change", m->small_change);
    head(out, "errors_total", "counter", "Lines refused, by what was wrong.");
    for (int i = 0; i < LINE_REASONS; i++)
        labelled(out, "errors_total", "reason", line_reason_name((enum line_reason)i), m->errors[i]);
}

static void write_latency(const metrics *m, struct evbuffer *out)
{
    uint64_t below = 0;
    head(out, "line_seconds", "histogram",
         "From reading a line to sending its reply; a line counts with those read with it.");
    for (int i = 0; i < LATENCY_BUCKETS; i++) {
        below += m->latency[i];
        evbuffer_add_printf(out, "anomaly_service_line_seconds_bucket{le=\"%g\"} %" PRIu64 "\n", bounds[i], below);
    }
    below += m->latency[LATENCY_BUCKETS];
    labelled(out, "line_seconds_bucket", "le", "+Inf", below);
    evbuffer_add_printf(out, "anomaly_service_line_seconds_sum %.9g\nanomaly_service_line_seconds_count %" PRIu64 "\n",
                        m->latency_sum, below);
}

static void write_connections(const service *s, struct evbuffer *out)
{
    static const char *const reasons[CLOSE_REASONS] = {"client", "idle", "stalled", "replaced", "stopping"};
    const metrics *m = &s->metrics;
    gauge(out, "connections", (double)s->connection_count, "Clients connected.");
    count(out, "connections_accepted_total", m->accepted, "Clients that were let in.");
    count(out, "connections_refused_total", m->refused, "Clients that were not, for there were too many.");
    head(out, "connections_closed_total", "counter", "Connections that ended, by why.");
    for (int i = 0; i < CLOSE_REASONS; i++)
        labelled(out, "connections_closed_total", "reason", reasons[i], m->closed[i]);
    count(out, "backlog_pauses_total", m->pauses, "How often a client was not read from until it took its replies.");
    gauge(out, "sources", (double)s->sources.count, "Clients with a name, present or past.");
    count(out, "received_bytes_total", m->received_bytes, "Bytes of lines.");
    count(out, "sent_bytes_total", m->sent_bytes, "Bytes of replies.");
}

static void write_pool(const service *s, struct evbuffer *out)
{
    anomaly_usage usage = {0};
    anomaly_pool_usage(s->pool, &usage);
    gauge(out, "keys", (double)usage.keys, "Metrics that have a window.");
    if (silence_is_watched(s))
        gauge(out, "keys_silent", (double)silence_count(s), "Metrics of which an event is overdue.");
    gauge(out, "pool_bytes", (double)usage.bytes, "Memory of the windows.");
    count(out, "keys_created_total", usage.created, "Metrics that were new, or restored.");
    count(out, "keys_evicted_total", usage.evicted, "Metrics forgotten because of --max-keys or --max-memory.");
}

static void write_saves(const metrics *m, struct evbuffer *out)
{
    head(out, "saves_total", "counter", "Saves of the state, by how they went.");
    labelled(out, "saves_total", "result", "ok", m->saves);
    labelled(out, "saves_total", "result", "failed", m->failed_saves);
    gauge(out, "last_save_timestamp_seconds", m->saved_at, "When the state was last saved; 0: not yet.");
    gauge(out, "last_save_duration_seconds", m->save_seconds, "How long that took.");
}

void metrics_write(const service *s, struct evbuffer *out)
{
    write_info(s, out);
    write_events(&s->metrics, out);
    write_latency(&s->metrics, out);
    write_connections(s, out);
    write_pool(s, out);
    write_saves(&s->metrics, out);
}
