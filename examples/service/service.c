/* SPDX-License-Identifier: MIT
 * service.c - puts the parts together: what is made at the start, what a signal ends.
 */
#include "service.h"

#include "connection.h"
#include "http.h"
#include "listen.h"
#include "log.h"
#include "silence.h"
#include "state.h"

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <inttypes.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

double service_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int64_t service_time_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct timeval milliseconds(uint64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

/* ---- the pool ---- */

static bool set_pool_options(const options *o, anomaly_pool_options *p)
{
    if (anomaly_pool_options_init(p, sizeof *p) != ANOMALY_OK)
        return log_wrong("the library is older than its header");
    p->max_keys = o->limits.keys;
    p->max_bytes = o->limits.memory_bytes;
    p->locks = 0;                                                    /* one thread */
    evutil_secure_rng_get_bytes(&p->hash_seed, sizeof p->hash_seed); /* clients choose the keys */
    return true;
}

static bool new_pool(service *s, const anomaly_pool_options *p)
{
    anomaly_error error;
    if (anomaly_pool_create(&s->options->config, p, NULL, &s->pool, &error) != ANOMALY_OK)
        return log_wrong("%s%s%s", error.field, error.field[0] != '\0' ? ": " : "", error.message);
    if (error.message[0] != '\0')
        log_say("warning: %s", error.message);
    return true;
}

static bool open_pool(service *s)
{
    anomaly_pool_options p;
    if (!set_pool_options(s->options, &p))
        return false;
    if (s->options->state == NULL)
        return new_pool(s, &p);
    s->saver.lock = state_lock(s->options->state);
    if (s->saver.lock < 0)
        return false;
    switch (state_restore(s->options->state, &s->options->config, &p, &s->pool, &s->sources)) {
    case STATE_RESTORED:
        log_say("restored %" PRIu64 " keys from %s", anomaly_pool_count(s->pool), s->options->state);
        return true;
    case STATE_NONE: log_say("starting afresh, there is no %s yet", s->options->state); return new_pool(s, &p);
    default: return false;
    }
}

/* ---- listening ---- */

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int size, void *ctx)
{
    service *s = ctx;
    (void)from, (void)size;
    conn_accept(s, fd, listener == s->tcp);
}

/* Mostly: no descriptor left. Trying again at once would be a busy loop; on_sweep() tries in a second. */
static void on_accept_error(struct evconnlistener *listener, void *ctx)
{
    (void)ctx;
    evconnlistener_disable(listener);
}

static struct evconnlistener *listen_on(service *s, int fd)
{
    struct evconnlistener *made =
        fd < 0 ? NULL : evconnlistener_new(s->base, on_accept, s, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (made != NULL)
        evconnlistener_set_error_cb(made, on_accept_error);
    else if (fd >= 0)
        close(fd);
    return made;
}

static bool open_sockets(service *s)
{
    const options *o = s->options;
    if (o->listen != NULL && (s->tcp = listen_on(s, listen_tcp(o->listen, "lines"))) == NULL)
        return false;
    if (o->unix_path != NULL && (s->local = listen_on(s, listen_unix(o->unix_path))) == NULL)
        return false;
    if (o->metrics != NULL && (s->web = listen_on(s, listen_tcp(o->metrics, "metrics"))) == NULL)
        return false;
    return o->metrics == NULL || http_start(s);
}

static void close_listeners(service *s)
{
    if (s->tcp != NULL)
        evconnlistener_free(s->tcp);
    if (s->local != NULL) {
        evconnlistener_free(s->local);
        unlink(s->options->unix_path);
    }
    s->tcp = s->local = NULL;
}

/* ---- the end ---- */

static void on_drained(evutil_socket_t fd, short what, void *ctx)
{
    service *s = ctx;
    struct timeval drain = milliseconds(s->options->limits.drain_ms);
    (void)fd, (void)what;
    s->status = s->options->state == NULL || saver_finish(s) ? 0 : 1;
    s->stopped = true;
    conn_stop(s);
    event_base_loopexit(s->base, s->connections == NULL ? NULL : &drain);
}

/* What is on its way when the signal comes is still answered; then the state is saved and the clients are told. */
static void on_stop(evutil_socket_t number, short what, void *ctx)
{
    static const struct timeval on_its_way = {.tv_sec = 0, .tv_usec = 100 * 1000};
    service *s = ctx;
    (void)what;
    if (s->stopping) {
        log_say("signal %d again: ending at once", (int)number);
        event_base_loopbreak(s->base);
        return;
    }
    log_say("signal %d: ending", (int)number);
    s->stopping = true;
    s->status = 1; /* until it is saved */
    close_listeners(s);
    event_base_once(s->base, -1, EV_TIMEOUT, on_drained, s, &on_its_way);
}

static void on_sweep(evutil_socket_t fd, short what, void *ctx)
{
    service *s = ctx;
    (void)fd, (void)what;
    struct evconnlistener *listeners[] = {s->tcp, s->local, s->web};
    for (size_t i = 0; i < sizeof listeners / sizeof *listeners; i++)
        if (listeners[i] != NULL)
            evconnlistener_enable(listeners[i]);
    conn_sweep(s);
    silence_look(s);
}

/* ---- the whole ---- */

static bool add_events(service *s)
{
    static const struct timeval second = {.tv_sec = 1, .tv_usec = 0};
    s->sweep = event_new(s->base, -1, EV_PERSIST, on_sweep, s);
    s->sigterm = evsignal_new(s->base, SIGTERM, on_stop, s);
    s->sigint = evsignal_new(s->base, SIGINT, on_stop, s);
    return s->sweep != NULL && event_add(s->sweep, &second) == 0 && s->sigterm != NULL && event_add(s->sigterm, NULL) == 0 &&
           s->sigint != NULL && event_add(s->sigint, NULL) == 0;
}

bool service_start(service *s, const options *o)
{
    *s = (service){.options = o, .saver.lock = -1};
    signal(SIGPIPE, SIG_IGN); /* a client that is gone is an error of its write */
    if (!listen_limit_descriptors(o->limits.connections) || !open_pool(s))
        return false;
    s->base = event_base_new();
    if (s->base == NULL || !add_events(s) || (o->state != NULL && !saver_start(s)))
        return log_wrong("out of memory");
    return open_sockets(s);
}

int service_run(service *s)
{
    log_say("ready");
    event_base_dispatch(s->base);
    return s->status;
}

void service_free(service *s)
{
    close_listeners(s);
    conn_free_all(s);
    saver_free(s);
    struct event *events[] = {s->sweep, s->sigterm, s->sigint};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (events[i] != NULL)
            event_free(events[i]);
    if (s->http != NULL)
        evhttp_free(s->http);
    if (s->base != NULL)
        event_base_free(s->base);
    anomaly_pool_destroy(s->pool);
    sources_free(&s->sources);
    libevent_global_shutdown();
}
