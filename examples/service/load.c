/* SPDX-License-Identifier: MIT
 * load.c - anomaly-load: how fast does the service answer, at a given rate of lines from many connections?
 *
 * The load is open: a line is due at its time, whether or not earlier ones have been answered, and its latency counts
 * from then. So a service that stands still for a moment is charged for all the lines that were due meanwhile, not
 * just for one. The clients wake up every 0.2 ms; that and their own work is in the latencies.
 */
#include "common/files.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 900, DUE = 1 << 17, OUT = 1 << 20, LINE = 128 };

typedef struct client {
    int fd;
    size_t number;
    double next;     /* when its next lines are due */
    double due[DUE]; /* of those not answered yet: a ring */
    uint64_t sent, answered;
    char out[OUT]; /* what the socket has not taken yet */
    size_t out_size;
} client;

typedef struct load {
    size_t connections, batch, keys;
    double rate, seconds, warmup, started;
    int64_t epoch_ns; /* the time of day at the start: events of one run after another are not late */
    bool json;
    client **clients;
    double *latency;
    size_t measured, room;
    uint64_t errors, noise;
} load;

static double now_on(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now(void)
{
    return now_on(CLOCK_MONOTONIC);
}

static void stop(const char *what)
{
    fprintf(stderr, "anomaly-load: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* ---- connecting ---- */

static int connect_tcp(const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtol(port, NULL, 10))};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        stop("cannot connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static int connect_unix(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        stop("cannot connect");
    return fd;
}

/* The clients' turns are spread over the time between two turns of one. */
static void open_clients(load *l, const char *where)
{
    l->clients = calloc(l->connections, sizeof *l->clients);
    l->started = now();
    l->epoch_ns = (int64_t)(now_on(CLOCK_REALTIME) * 1e9);
    for (size_t i = 0; l->clients != NULL && i < l->connections; i++) {
        client *c = l->clients[i] = calloc(1, sizeof *c);
        if (c == NULL)
            stop("memory");
        c->fd = strchr(where, '/') != NULL ? connect_unix(where) : connect_tcp(where);
        c->number = i;
        c->next = l->started + (double)(i * l->batch) / l->rate;
        fcntl(c->fd, F_SETFL, O_NONBLOCK);
    }
}

/* ---- sending ---- */

static uint64_t random_next(load *l)
{
    l->noise ^= l->noise << 13;
    l->noise ^= l->noise >> 7;
    l->noise ^= l->noise << 17;
    return l->noise;
}

static void put_line(load *l, client *c)
{
    const char *form = l->json ? "{\"metric\":\"host%zu.m%zu\",\"value\":%u.%02u,\"time\":%" PRId64 "}\n"
                               : "host%zu.m%zu %u.%02u %" PRId64 "\n";
    uint64_t noise = random_next(l);
    unsigned value = 40 + (unsigned)(noise % 8) + (unsigned)(noise >> 8 & 7), cents = (unsigned)(noise >> 16) % 100;
    int64_t time_ns = l->epoch_ns + (int64_t)((c->next - l->started) * 1e9);
    if (c->sent - c->answered == DUE || c->out_size + LINE > OUT) {
        errno = ENOBUFS;
        stop("the service is far behind");
    }
    c->out_size +=
        (size_t)snprintf(c->out + c->out_size, LINE, form, c->number, (size_t)(c->sent % l->keys), value, cents, time_ns);
    c->due[c->sent++ % DUE] = c->next;
}

static void send_out(client *c)
{
    ssize_t sent = send(c->fd, c->out, c->out_size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        stop("cannot send");
    if (sent > 0) {
        c->out_size -= (size_t)sent;
        memmove(c->out, c->out + sent, c->out_size);
    }
}

static void send_what_is_due(load *l, client *c, double time)
{
    double every = (double)(l->connections * l->batch) / l->rate;
    for (; c->next <= time && c->next < l->started + l->seconds; c->next += every)
        for (size_t i = 0; i < l->batch; i++)
            put_line(l, c);
    if (c->out_size > 0)
        send_out(c);
}

/* ---- receiving ---- */

static void take_latency(load *l, client *c, double time)
{
    double due = c->due[c->answered++ % DUE];
    if (due < l->started + l->warmup)
        return;
    if (l->measured == l->room) {
        l->room = 2 * l->room + 1024;
        l->latency = realloc(l->latency, l->room * sizeof(double));
        if (l->latency == NULL)
            stop("memory");
    }
    l->latency[l->measured++] = time - due;
}

static void receive(load *l, client *c)
{
    static char text[1 << 16];
    ssize_t size = recv(c->fd, text, sizeof text, 0);
    if (size == 0 || (size < 0 && errno != EAGAIN))
        stop("the connection ended");
    double time = now();
    for (ssize_t i = 0; i < size; i++) {
        /* no other word of a reply begins so */
        l->errors += i > 1 && text[i] == 'r' && text[i - 1] == 'e' && (text[i - 2] == ' ' || text[i - 2] == '"');
        if (text[i] == '\n')
            take_latency(l, c, time);
    }
}

/* ---- the run ---- */

static bool all_answered(const load *l)
{
    for (size_t i = 0; i < l->connections; i++)
        if (l->clients[i]->answered < l->clients[i]->sent)
            return false;
    return true;
}

/* Sleeps for a tick, then says who has something to read. Without the sleep this program would need a core for
 * itself. */
static void wait_for_tick(const load *l, fd_set *readable)
{
    static const struct timespec tick = {0, 200 * 1000}, none = {0, 0};
    int most = 0;
    nanosleep(&tick, NULL);
    FD_ZERO(readable);
    for (size_t i = 0; i < l->connections; i++) {
        FD_SET(l->clients[i]->fd, readable);
        most = l->clients[i]->fd > most ? l->clients[i]->fd : most;
    }
    if (pselect(most + 1, readable, NULL, NULL, &none, NULL) < 0)
        stop("select");
}

static void run(load *l)
{
    double end = l->started + l->seconds;
    fd_set readable;
    while (now() < end || !all_answered(l)) {
        if (now() > end + 10) {
            errno = ETIMEDOUT;
            stop("replies are missing");
        }
        for (size_t i = 0; i < l->connections; i++)
            send_what_is_due(l, l->clients[i], now());
        wait_for_tick(l, &readable);
        for (size_t i = 0; i < l->connections; i++)
            if (FD_ISSET(l->clients[i]->fd, &readable))
                receive(l, l->clients[i]);
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile_ms(const load *l, double q)
{
    return l->measured == 0 ? 0 : 1e3 * l->latency[(size_t)(q * (double)(l->measured - 1))];
}

static void report(load *l, double ended)
{
    uint64_t answered = 0;
    for (size_t i = 0; i < l->connections; i++)
        answered += l->clients[i]->answered;
    qsort(l->latency, l->measured, sizeof(double), by_size);
    printf("%zu connections, %zu lines a write: %" PRIu64
           " lines answered, %.0f/s, p50 %.3f ms, p99 %.3f ms, p99.9 %.3f ms, "
           "max %.3f ms, %" PRIu64 " errors\n",
           l->connections, l->batch, answered, (double)answered / (ended - l->started), quantile_ms(l, 0.5),
           quantile_ms(l, 0.99), quantile_ms(l, 0.999), quantile_ms(l, 1), l->errors);
}

static int usage(void)
{
    fputs("Usage: anomaly-load [-c CONNECTIONS] [-r LINES_A_SECOND] [-b LINES_A_WRITE] [-s SECONDS] [-w WARMUP_SECONDS]\n"
          "                    [-k KEYS_A_CONNECTION] [-j] PORT|/SOCKET\n"
          "Loads anomaly-service on loopback and reports how long replies took. Defaults: 50, 100000, 1, 5, 1, 20; -j: "
          "JSON.\n",
          stderr);
    return 2;
}

static bool read_options(load *l, int argc, char **argv)
{
    for (int letter; (letter = getopt(argc, argv, "c:r:b:s:w:k:j")) != -1;) {
        switch (letter) {
        case 'c': l->connections = strtoul(optarg, NULL, 10); break;
        case 'r': l->rate = strtod(optarg, NULL); break;
        case 'b': l->batch = strtoul(optarg, NULL, 10); break;
        case 's': l->seconds = strtod(optarg, NULL); break;
        case 'w': l->warmup = strtod(optarg, NULL); break;
        case 'k': l->keys = strtoul(optarg, NULL, 10); break;
        case 'j': l->json = true; break;
        default: return false;
        }
    }
    return optind + 1 == argc && l->connections >= 1 && l->connections <= MOST_CONNECTIONS && l->rate > 0 && l->batch > 0 &&
           l->batch <= 1000 && l->keys > 0;
}

int main(int argc, char **argv)
{
    load l = {
        .connections = 50, .batch = 1, .keys = 20, .rate = 100000, .seconds = 5, .warmup = 1, .noise = 88172645463325252};
    if (!cli_files_start() || !read_options(&l, argc, argv))
        return usage();
    open_clients(&l, argv[optind]);
    run(&l);
    report(&l, now());
    for (size_t i = 0; i < l.connections; i++) {
        close(l.clients[i]->fd);
        free(l.clients[i]);
    }
    free(l.clients);
    free(l.latency);
    return l.errors > 0;
}
