/* SPDX-License-Identifier: MIT
 * connection.h - one client: reads its lines, keeps its replies until it takes them, within limits.
 */
#ifndef SERVICE_CONNECTION_H
#define SERVICE_CONNECTION_H

#include "reply.h"
#include "service.h"

struct bufferevent;

typedef struct connection {
    service *service;
    struct connection *next, **link; /* link: what points here */
    struct bufferevent *io;
    source *source;   /* NULL until it has said who it is */
    uint64_t lines;   /* ... then they are counted there */
    uint64_t saving;  /* its lines that the save now running holds */
    bool tell_saved;  /* it is to hear of that save */
    bool wants_saved; /* it has asked for one */
    bool json;        /* it spoke JSON last */
    bool quiet;       /* it wants no reply that says all is well */
    bool hears;       /* it wants to hear of silent metrics */
    int64_t heard_ns; /* ... of those that have become so since then */
    uint64_t unheard; /* ... and has not been told of so many, for its replies were too many */
    bool skipping;    /* inside a line that is too long */
    bool paused;      /* not read from, for its replies are too many */
    bool ended;       /* it has sent all it had to */
    bool closing;     /* we have said all we had to */
    double heard;     /* when it last sent a whole line */
    double paused_at;
} connection;

void conn_accept(service *s, int fd, bool tcp);
void conn_send(connection *c, const reply *r);

/** Tells whether more replies wait for the client than it may leave untaken. */
bool conn_is_behind(const connection *c);

/** Another connection speaks for its source now, or it overstays. `why` is told it, if it can be at once. */
void conn_drop(connection *c, enum close_reason reason, const char *why);

/** How many lines have been worked on, and so the number of the last. */
uint64_t *conn_lines(connection *c);

/** Once a second: closes those that are idle or stalled. */
void conn_sweep(service *s);

/** A save begins: its acknowledgement will be about the lines until now. It has ended: tells those concerned. */
void conn_saving(service *s);
void conn_saved(service *s, bool good);

/** No more is read; each is closed when it has taken its replies. */
void conn_stop(service *s);
void conn_free_all(service *s);

#endif
