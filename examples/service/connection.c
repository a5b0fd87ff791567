/* SPDX-License-Identifier: MIT
 * connection.c - one client.
 *
 * Memory of a client is bounded: libevent reads no more than INPUT_MOST ahead, a line that is longer than --max-line
 * is skipped as it comes, and a client whose untaken replies exceed --max-backlog is not read from until half of them
 * are gone.
 */
#include "connection.h"

#include "answer.h"
#include "log.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INPUT_MOST = 128 * 1024 }; /* more than the longest line */

uint64_t *conn_lines(connection *c)
{
    return c->source != NULL ? &c->source->lines : &c->lines;
}

static size_t backlog(const connection *c)
{
    return evbuffer_get_length(bufferevent_get_output(c->io));
}

/* The replies to what was read at once go to the socket at once, without a turn of the event loop: that would cost
 * three more calls of the kernel than this one. libevent keeps, and sends later, what the socket does not take (or
 * refuses: then it sees the error too). */
static void send_ready(connection *c)
{
    service *s = c->service;
    ssize_t sent = -1;
    if (s->ready_size > 0 && backlog(c) == 0)
        sent = send((int)bufferevent_getfd(c->io), s->ready, s->ready_size, MSG_NOSIGNAL | MSG_DONTWAIT);
    size_t taken = sent > 0 ? (size_t)sent : 0;
    if (taken < s->ready_size)
        bufferevent_write(c->io, s->ready + taken, s->ready_size - taken);
    s->ready_size = 0;
}

void conn_send(connection *c, const reply *r)
{
    service *s = c->service;
    s->metrics.sent_bytes += r->size;
    if (s->working != c) {
        bufferevent_write(c->io, r->text, r->size);
        return;
    }
    if (r->size > sizeof s->ready - s->ready_size)
        send_ready(c);
    memcpy(s->ready + s->ready_size, r->text, r->size);
    s->ready_size += r->size;
}

/* ---- the end of a connection ---- */

static void conn_free(connection *c, enum close_reason reason)
{
    *c->link = c->next;
    if (c->next != NULL)
        c->next->link = c->link;
    if (c->source != NULL)
        c->source->connection = NULL;
    c->service->connection_count--;
    c->service->metrics.closed[reason]++;
    if (c->service->stopped && c->service->connections == NULL)
        event_base_loopbreak(c->service->base);
    bufferevent_free(c->io); /* closes the socket */
    free(c);
}

/* Without waiting: what the socket does not take at once is lost. */
static void tell(int fd, bool json, const char *word, const char *message)
{
    reply r = {.json = json};
    reply_error(&r, 0, word, message);
    (void)!send(fd, r.text, r.size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void conn_drop(connection *c, enum close_reason reason, const char *why)
{
    if (backlog(c) == 0) /* else it would land inside a reply */
        tell((int)bufferevent_getfd(c->io), c->json, "closed", why);
    conn_free(c, reason);
}

/* When all is said. The client may still be sending: closing now would make the kernel throw away replies that it has
 * not read yet, so wait for it to close (its input is dropped), at most until the service ends. */
static void close_when_taken(connection *c)
{
    if (backlog(c) > 0)
        return;
    if (c->ended)
        conn_free(c, c->closing ? CLOSED_STOPPING : CLOSED_BY_CLIENT);
    else if (c->closing)
        shutdown((int)bufferevent_getfd(c->io), SHUT_WR);
}

/* ---- lines in, replies out ---- */

bool conn_is_behind(const connection *c)
{
    return backlog(c) > c->service->options->limits.backlog_bytes;
}

/* `size` bytes have come without a line end, or with one (`whole`). */
static void take_piece(connection *c, const char *text, size_t size, bool whole)
{
    if (!c->skipping && size > c->service->options->limits.line_bytes)
        answer_too_long(c, text[0] == '{');
    else if (!c->skipping && whole)
        answer_line(c, text, size);
    c->skipping = !whole;
}

/* Answers the lines of `text`; how many bytes are done with. */
static size_t take_lines(connection *c, const char *text, size_t size)
{
    size_t most = c->service->options->limits.line_bytes, used = 0;
    while (used < size && !conn_is_behind(c)) {
        const char *end = memchr(text + used, '\n', size - used);
        size_t length = end != NULL ? (size_t)(end - text) - used : size - used;
        if (end == NULL && length <= most && !c->skipping)
            break;
        take_piece(c, text + used, length, end != NULL);
        used += length + (end != NULL);
    }
    return used;
}

static void pause_reading(connection *c)
{
    c->paused = true;
    c->paused_at = service_now();
    c->service->metrics.pauses++;
    bufferevent_disable(c->io, EV_READ);
}

/* What is left of a client that has ended is no line: whether it is whole cannot be known. */
static void end_input(connection *c, struct evbuffer *input)
{
    if (evbuffer_get_length(input) > 0)
        answer_unfinished(c);
    evbuffer_drain(input, evbuffer_get_length(input));
    close_when_taken(c);
}

static void work(connection *c)
{
    struct evbuffer *input = bufferevent_get_input(c->io);
    metrics *m = &c->service->metrics;
    size_t size = evbuffer_get_length(input), used = size;
    uint64_t before = metrics_lines(m);
    double started = service_now();
    if (!c->closing && size > 0) {
        c->service->working = c;
        used = take_lines(c, (const char *)evbuffer_pullup(input, -1), size);
        send_ready(c);
        c->service->working = NULL;
    }
    evbuffer_drain(input, used);
    m->received_bytes += used;
    metrics_latency(m, metrics_lines(m) - before, service_now() - started);
    if (metrics_lines(m) != before)
        c->heard = started;
    if (conn_is_behind(c) && !c->paused)
        pause_reading(c);
    else if (c->ended && !c->paused)
        end_input(c, input);
}

/* ---- libevent's calls ---- */

static void on_read(struct bufferevent *io, void *ctx)
{
    (void)io;
    work(ctx);
}

/* The replies are down to half the limit, or gone. */
static void on_write(struct bufferevent *io, void *ctx)
{
    connection *c = ctx;
    if (!c->paused) {
        close_when_taken(c);
        return;
    }
    c->paused = false;
    if (!c->ended)
        bufferevent_enable(io, EV_READ);
    work(c);
}

static void on_event(struct bufferevent *io, short what, void *ctx)
{
    connection *c = ctx;
    (void)io;
    if ((what & BEV_EVENT_EOF) == 0) {
        conn_free(c, CLOSED_BY_CLIENT);
        return;
    }
    c->ended = true;
    work(c);
}

/* ---- the beginning ---- */

static void set_tcp_options(int fd)
{
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on); /* finds out that the other machine is gone */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* replies are written many at a time anyway */
}

static connection *conn_new(service *s, int fd)
{
    connection *c = calloc(1, sizeof *c);
    struct bufferevent *io = c != NULL ? bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE) : NULL;
    if (io == NULL) {
        free(c);
        return NULL;
    }
    c->service = s;
    c->io = io;
    c->heard = service_now();
    c->next = s->connections;
    c->link = &s->connections;
    if (c->next != NULL)
        c->next->link = &c->next;
    s->connections = c;
    s->connection_count++;
    return c;
}

void conn_accept(service *s, int fd, bool tcp)
{
    char message[80];
    connection *c = s->connection_count < s->options->limits.connections ? conn_new(s, fd) : NULL;
    if (c == NULL) {
        snprintf(message, sizeof message, "too many connections, the limit is %zu", (size_t)s->options->limits.connections);
        tell(fd, false, "closed", message);
        close(fd);
        s->metrics.refused++;
        return;
    }
    s->metrics.accepted++;
    if (tcp)
        set_tcp_options(fd);
    bufferevent_setcb(c->io, on_read, on_write, on_event, c);
    bufferevent_setwatermark(c->io, EV_READ, 0, INPUT_MOST);
    bufferevent_setwatermark(c->io, EV_WRITE, s->options->limits.backlog_bytes / 2, 0);
    bufferevent_enable(c->io, EV_READ | EV_WRITE);
}

/* ---- all of them ---- */

void conn_sweep(service *s)
{
    double idle = (double)s->options->limits.idle_ms / 1000, stall = (double)s->options->limits.stall_ms / 1000;
    double now = service_now();
    for (connection *c = s->connections, *next; c != NULL; c = next) {
        next = c->next;
        if (c->paused && now - c->paused_at > stall)
            conn_free(c, CLOSED_STALLED);
        else if (!c->paused && idle > 0 && now - c->heard > idle)
            conn_drop(c, CLOSED_IDLE, "no whole line for too long");
    }
}

void conn_saving(service *s)
{
    for (connection *c = s->connections; c != NULL; c = c->next) {
        c->saving = *conn_lines(c);
        c->tell_saved = c->source != NULL || c->wants_saved;
        c->wants_saved = false;
    }
}

void conn_saved(service *s, bool good)
{
    for (connection *c = s->connections; c != NULL; c = c->next) {
        reply r = {.json = c->json};
        if (!c->tell_saved)
            continue;
        if (good)
            reply_count(&r, "saved", c->saving);
        else
            reply_error(&r, 0, "save", "the state could not be saved, keep your lines");
        conn_send(c, &r);
        c->tell_saved = false;
    }
}

void conn_stop(service *s)
{
    for (connection *c = s->connections, *next; c != NULL; c = next) {
        reply r = {.json = c->json};
        next = c->next;
        reply_word(&r, "bye");
        conn_send(c, &r);
        c->closing = true;
        c->paused = false;
        evbuffer_drain(bufferevent_get_input(c->io), SIZE_MAX);
        bufferevent_enable(c->io, EV_READ);
    }
}

void conn_free_all(service *s)
{
    while (s->connections != NULL)
        conn_free(s->connections, CLOSED_STOPPING);
}
