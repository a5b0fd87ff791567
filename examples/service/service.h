/* SPDX-License-Identifier: MIT
 * service.h - the service as a whole. One thread and one event loop own all of it, so there is no lock anywhere.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "anomaly.h"
#include "metrics.h"
#include "options.h"
#include "saver.h"
#include "source.h"

#include "common/times.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connection;
struct event;
struct event_base;
struct evconnlistener;
struct evhttp;

typedef struct service {
    const options *options;
    struct event_base *base;
    struct evconnlistener *tcp, *local, *web;
    struct evhttp *http;
    struct event *sweep, *sigterm, *sigint;
    anomaly_pool *pool;
    cli_clock clock; /* reads times */
    sources sources;
    struct connection *connections; /* a list */
    size_t connection_count;
    struct connection *working; /* whose lines are being answered; its replies gather here: */
    char ready[16384];
    size_t ready_size;
    saver saver;
    metrics metrics;
    double look_again; /* for silent metrics, not before service_now() is this */
    bool stopping;     /* a signal has come */
    bool stopped;      /* what came before it is saved: clients may go */
    int status;        /* of the process */
} service;

/** Restores the state and listens. False after having said what is wrong; service_free() is due either way. */
bool service_start(service *s, const options *o);

/** Until a signal ends it; answers the status of the process. */
int service_run(service *s);

void service_free(service *s);

/** Seconds on a clock that only goes forward. */
double service_now(void);

/** The time of day, in nanoseconds since 1970. */
int64_t service_time_ns(void);

#endif
