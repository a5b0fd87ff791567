/* SPDX-License-Identifier: MIT
 * contest.h - several ways of doing the same events, timed side by side. */
#ifndef CONTEST_H
#define CONTEST_H

#include "anomaly.h"
#include "naive.h"
#include "report.h"
#include "shapes.h"

enum { CONTESTANTS = 6, REPEATS_MOST = 99, CHUNK = 16384 };

enum manner { NAIVE, UPDATE, ROWS_SCORE, ROWS_ALL };

typedef struct contestant {
    enum manner manner;
    anomaly_detector *detector;
    naive naive;
    double *ring;
    int timed;                   /* its events need times */
    uint64_t allocations;        /* since the window was full */
    double sample[REPEATS_MOST]; /* ns an event */
} contestant;

/* On one machine everything that is compared runs in turn on the same chunk of a stream, so that a disturbance hits all. */
typedef struct contest {
    const shape_kind *shape;
    size_t window; /* the largest */
    int repeats, count;
    contestant of[CONTESTANTS];
} contest;

/* anomaly_config_init() with a window of so many events, or of so many seconds. */
anomaly_config config_for(int kind, size_t window, int timed, int simd);

contest *contest_new(const shape_kind *shape, size_t window, int repeats);
int contest_add_naive(contest *c, size_t window);
int contest_add(contest *c, enum manner manner, const anomaly_config *config);
void contest_run(contest *c);
void contest_free(contest *c);

double contest_ns(const contest *c, int who);
double contest_ratio(const contest *c, int who, int to);
double contest_extra(const contest *c, int who, int less, int to); /* the ratio of what it takes more than `less` */
double median_of(const double *values, int count);

/* Nanoseconds of this thread's own time. */
double cpu_ns(void);

/* Ends the program when a call fails. */
void must(int status, const char *what);

/* Counts into *(uint64_t *)ctx. */
anomaly_allocator counting_allocator(uint64_t *count);

#endif
