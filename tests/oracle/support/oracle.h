/* SPDX-License-Identifier: MIT
 * oracle.h - what a z-score or percentile detector has to answer, written from the documentation alone.
 *
 * Whoever changes this reads include/anomaly.h and docs/, and never lib/: a mistake that is made twice is seen by nobody.
 * Everything is done in the most obvious way: the window is an array in order, each question is answered from all of its
 * values, and numbers have 113 bits. So an answer comes with its slack: how far a double may lie from it. */
#ifndef ORACLE_H
#define ORACLE_H

#include <stddef.h>
#include <stdint.h>

#include "anomaly.h"
#include "real.h"

#define ORACLE_FEATURES 4

typedef struct oracle_event {
    int64_t t;
    double x[ORACLE_FEATURES];
} oracle_event;

typedef struct oracle {
    anomaly_config config;
    oracle_event *events; /* oldest first */
    size_t count;
    size_t room;
    double *values;   /* scratch: one feature's finite values */
    real *deviations; /* scratch: their distances from the median */
    int has_clock;
    int64_t clock; /* the newest time */
    int has_cut;
    int64_t cut;  /* the newest time that the count bound has cut */
    uint64_t run; /* flagged events in a row */
    anomaly_counts counts;
} oracle;

/* Which features may give the verdict: any with a lower standing is asked before one with a higher. */
enum oracle_standing { ORACLE_JUDGED, ORACLE_FLAT_IGNORED, ORACLE_WARMING, ORACLE_MISSING };

/* One feature's part of the verdict. */
typedef struct oracle_judgement {
    int standing;
    real score;
    real score_slack;
    real expected;
    real expected_slack;
    real lower;
    real upper;
    real lower_slack;
    real upper_slack;
    uint32_t flags;  /* those that are the feature's: anomalous, warming up, flat, above, below */
    uint32_t unsure; /* flags that a rounding decides */
    uint64_t events;
} oracle_judgement;

typedef struct oracle_number {
    real value;
    real slack;
} oracle_number;

/* ---- oracle.c: window, time, policy, counters ---- */

void oracle_init(oracle *o, const anomaly_config *config);
void oracle_clear(oracle *o);
void oracle_reset(oracle *o);
void oracle_advance(oracle *o, int64_t t);

/* The clock's part of update and learn: a jumped event does not move it. */
void oracle_arrive(oracle *o, int64_t t);

/* Flags that are the event's and not a feature's. */
uint32_t oracle_event_flags(const oracle *o, const double *x, int64_t t);

/* The window's part: returns ANOMALY_NOT_LEARNED if the policy keeps the event out, else 0. */
uint32_t oracle_take(oracle *o, const double *x, int64_t t, int flagged);

/* Counts what an update has come to. */
void oracle_count_update(oracle *o, uint32_t flags);

/* ---- judge.c: statistics of the window as it stands ---- */

/* The finite values of a feature, oldest first, in o->values. */
size_t oracle_values(const oracle *o, uint32_t feature);

void oracle_judge(const oracle *o, uint32_t feature, double x, oracle_judgement *judgement);

/* The feature that gives the verdict: the largest score among those of the lowest standing, the first of equals. */
uint32_t oracle_best(const oracle_judgement *judgements, uint32_t features);

typedef struct oracle_stats {
    uint64_t count;
    oracle_number mean;
    oracle_number variance;
    oracle_number stddev;
    double min;
    double max;
} oracle_stats;

void oracle_window_stats(const oracle *o, uint32_t feature, oracle_stats *stats);

/* ---- quantile.c ---- */

void oracle_sort(double *values, size_t count);

/* The share-quantile of sorted values, `whole` being what stands for all of them: 100 for percent, 1 for anomaly_quantile(). */
oracle_number oracle_quantile(const double *sorted, size_t count, double share, unsigned whole, int interpolation);

/* The middle one, or the mean of the two in the middle. */
oracle_number oracle_median(const double *sorted, size_t count);

#endif
