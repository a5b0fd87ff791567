/* SPDX-License-Identifier: MIT
 * source.h - the clients that have a name, and how many lines of each have been worked on.
 *
 * The numbers are saved together with the pool, in one file and of one moment. So after a crash a client learns
 * exactly which of its lines the restored windows hold, and sends those after them again.
 */
#ifndef SERVICE_SOURCE_H
#define SERVICE_SOURCE_H

#include "line.h"

struct connection;

typedef struct source {
    char name[LINE_SOURCE_MAX + 1];
    uint64_t lines;
    struct connection *connection; /* that speaks for it now, or NULL */
} source;

typedef struct sources {
    source **items;
    size_t count, room;
} sources;

/** NULL if there is none. A search from end to end: it happens once a connection. */
source *sources_find(const sources *all, const char *name);

/** NULL if there is no memory. Stays where it is until sources_free(). */
source *sources_add(sources *all, const char *name, uint64_t lines);

void sources_free(sources *all);

#endif
