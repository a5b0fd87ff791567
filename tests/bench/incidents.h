/* SPDX-License-Identifier: MIT
 * incidents.h - five ordinary trades with incidents planted in them, made from a seed. */
#ifndef INCIDENTS_H
#define INCIDENTS_H

#include "story.h"

typedef struct trade {
    const char *name;
    void (*tell)(story *s, uint64_t seed);
} trade;

enum { TRADES = 5 };
extern const trade TRADE[TRADES];

story story_of(const trade *which, uint64_t seed);

#endif
