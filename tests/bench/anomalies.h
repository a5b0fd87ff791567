/* SPDX-License-Identifier: MIT
 * anomalies.h - one metric each five minutes, and one kind of anomaly planted in it, made from a seed. */
#ifndef ANOMALIES_H
#define ANOMALIES_H

#include "story.h"

enum { SORTS = 8 };

typedef struct sort_of_anomaly {
    const char *name, *what;
    int jointly; /* two metrics: each time has an event of key 0, then one of key 1 */
    int rhythm;  /* there is none without a daily rhythm */
} sort_of_anomaly;

extern const sort_of_anomaly SORT[SORTS];

/* Without a rhythm the metric is 100 with a spread of 10, each value near the one before; with one its mean goes from 60
 * by night to 140 by day. */
story anomalies_of(const sort_of_anomaly *which, int rhythm, uint64_t seed);

#endif
