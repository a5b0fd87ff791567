/* SPDX-License-Identifier: MIT
 * report.h - what the benchmarks found, as a table or as JSON. */
#ifndef REPORT_H
#define REPORT_H

#include <stddef.h>
#include <stdint.h>

typedef struct result {
    const char *part;
    char what[40];
    size_t window;
    const char *shape; /* of the data */
    const char *path;  /* of the library's code */
    double ns;         /* an event; the median of the repeats */
    const char *to;    /* what the ratio is to; NULL: no ratio */
    double ratio;      /* the median of the repeats' own ratios */
    double bar;        /* `ratio`, or `ns` where there is none, is to be at most so much; 0: no bar */
    uint64_t allocations;
} result;

/* Prints to standard output. */
void report_start(int json);
void report(const result *r);

/* The end of the report. Returns how many bars were missed. */
int report_end(void);

/* The name of an ANOMALY_SIMD_*. */
const char *path_name(int simd);

/* Can this machine run that path? */
int has_path(int simd);
int best_path(void);

#endif
