/* SPDX-License-Identifier: MIT
 * charts.h - the series of each key, thinned while it streams, and what was told of it: what pictures are drawn from.
 *
 * A series is a row of buckets of as many events each. Where they become too many, two neighbours are merged, and a
 * bucket holds twice as many events from then on: so memory is bounded, and no extreme value is lost. What was told is
 * kept by itself, event by event.
 */
#ifndef CLI_CHARTS_H
#define CLI_CHARTS_H

#include "anomaly.h"
#include "common/key_index.h"
#include "write/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLI_CHARTED = 4096, CLI_ALARMS_KEPT = 10000 }; /* keys with a chart; alarms kept event by event */

/** Some events of a key, one after the other. */
typedef struct cli_bucket {
    double from, to;           /* where they lie: milliseconds since 1970, or the number of the event */
    double low, high, sum;     /* of the finite values, of which there are `values` */
    double lower, upper;       /* the sums of the bounds, where both are finite */
    double score, threshold;   /* the largest finite score, and what that one was compared with; NaN: none */
    uint64_t values, bounds;   /* how many */
    uint64_t odd, above, told; /* events that were anomalous, those of them above the usual, and those told */
} cli_bucket;

typedef struct cli_chart {
    cli_bucket *buckets;
    size_t count, capacity;
    uint64_t each;    /* events in a bucket, */
    uint64_t in_last; /* ... and in the last one so far */
    uint64_t events, judged, odd, told;
    size_t episode; /* the alarm whose episode goes on + 1, 0: none */
} cli_chart;

/** One event that was told. */
typedef struct cli_alarm {
    size_t key;
    const char *file;
    uint64_t line;
    double at; /* as in a bucket */
    int64_t time;
    double value, score, threshold;
    bool above;
    char *text; /* the sentence */
    size_t text_length;
    cli_episode episode;
} cli_alarm;

/** All keys; all zero but for `timed` is none. */
typedef struct cli_charts {
    bool timed; /* events lie where their times say */
    cli_key_index keys;
    cli_chart *items; /* by a key's number */
    size_t capacity;
    cli_alarm *alarms;
    size_t alarm_count, alarm_capacity;
    uint64_t alarms_beyond, events_beyond; /* alarms that were not kept; events of keys without a chart */
} cli_charts;

/** Takes an event; `told`: it is one to tell, and has its sentence. */
void cli_charts_add(cli_charts *charts, const cli_record *record, bool told);
void cli_charts_free(cli_charts *charts);

/** Appends to the first bucket what the second one holds, which comes behind it. */
void cli_bucket_merge(cli_bucket *to, const cli_bucket *from);

#endif
