/* SPDX-License-Identifier: MIT
 * metrics.h - what the service counts, and its text for Prometheus.
 */
#ifndef SERVICE_METRICS_H
#define SERVICE_METRICS_H

#include "anomaly.h"
#include "line.h"

#include <stddef.h>
#include <stdint.h>

struct evbuffer;
struct service;

enum close_reason { CLOSED_BY_CLIENT, CLOSED_IDLE, CLOSED_STALLED, CLOSED_REPLACED, CLOSED_STOPPING, CLOSE_REASONS };

enum { LATENCY_BUCKETS = 14 };

typedef struct metrics {
    uint64_t lines[2]; /* [json] */
    uint64_t events, anomalies, warming_up, missing, nonfinite, late, jumped, flat, untransformed, alarms, held;
    uint64_t unconfirmed, small_change; /* of those held */
    uint64_t errors[LINE_REASONS];
    uint64_t accepted, refused, closed[CLOSE_REASONS], pauses;
    uint64_t received_bytes, sent_bytes;
    uint64_t saves, failed_saves;
    double saved_at, save_seconds; /* the last good one; 0 = none yet */
    uint64_t latency[LATENCY_BUCKETS + 1];
    double latency_sum;
} metrics;

/** All lines that were received. */
uint64_t metrics_lines(const metrics *m);

void metrics_verdict(metrics *m, uint32_t flags);

/** `lines` that were answered `seconds` after they had been read. */
void metrics_latency(metrics *m, uint64_t lines, double seconds);

/** The text exposition format, 0.0.4. */
void metrics_write(const struct service *s, struct evbuffer *out);

/** Writes the value of a label: backslash, quote and line end escaped. `size` at least 2 * strlen(text) + 1. */
void metrics_escape(char *out, size_t size, const char *text);

#endif
