/* SPDX-License-Identifier: MIT
 * incidents.h - five ordinary trades with incidents planted in them, made from a seed. */
#ifndef INCIDENTS_H
#define INCIDENTS_H

#include <stddef.h>
#include <stdint.h>

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

enum { INCIDENTS_MOST = 32 };

typedef struct happening {
    int64_t t_ns;
    double x;
    uint32_t key;
} happening;

typedef struct incident {
    int64_t from_ns, to_ns;
    uint32_t key;
    const char *what;
} incident;

typedef struct story {
    happening *event;
    size_t count, room;
    incident incident[INCIDENTS_MOST];
    size_t incidents;
    int64_t step_ns; /* between two events of a key, about */
    int64_t days;
} story;

typedef struct trade {
    const char *name;
    void (*tell)(story *s, uint64_t seed);
} trade;

enum { TRADES = 5 };
extern const trade TRADE[TRADES];

story story_of(const trade *which, uint64_t seed);
void story_free(story *s);

#endif
