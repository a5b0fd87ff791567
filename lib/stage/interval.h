/* SPDX-License-Identifier: MIT */
/* Beside the other stages: when do events come, and is the next one overdue?
 *
 *     events   |  |  |   |  |                       now
 *              gaps       last |<---- limit ---->|   :
 *                                               due  overdue
 *
 * The times of the last 64 events are kept, as they came; all else is made of them when somebody asks. Events of one
 * time count as one. Events later than the time that is asked about are not looked at, so a clock that ran ahead once
 * does no harm.
 *
 * By a factor the limit is so many times the longest gap but one of these: an outage alone changes nothing.
 *
 * By a budget, one false report in a period P, a gap may exceed the limit with a chance of mean gap / P. With u the
 * median of n gaps, m = n / 2 of them longer than u by e1 >= e2 >= ... >= em, and S = e2 + e2 + e3 + ... + em:
 *
 *     limit = u + S (((m + 1) / (n + 1) / chance)^(1 / (m - 1)) - 1)
 *
 * which has exactly that chance, n as small as it may be, for gaps whose tail is exponential (events that come by
 * themselves), and a smaller one for more regular gaps. S is the total time on test of a sample whose largest member
 * is censored (Epstein and Sobel, "Life testing", 1953): again one outage alone changes little.
 *
 * Nor is the limit less than twice the median, or than the longest gap but one of the last 64 events or of the last
 * two periods. In any stream of gaps of one kind, in whatever order, that one is exceeded once in P in the mean, also
 * where tails are heavy, or events come in bursts, or not by night. The longest two gaps of each quarter of a period
 * are kept for it, of eight quarters. */
#ifndef AN_STAGE_INTERVAL_H
#define AN_STAGE_INTERVAL_H

#include "base/bytes.h"
#include "base/memory.h"

#define AN_INTERVAL_LEAST 8u /* gaps before anything can be said */

typedef struct an_interval_options {
    double factor;     /* 0: by period */
    int64_t period_ns; /* of one false report; 0: by factor */
} an_interval_options;

typedef struct an_arrivals an_arrivals;

typedef struct an_interval {
    an_interval_options options;
    an_arrivals *arrivals;
} an_interval;

/* ANOMALY_E_NOMEM changes nothing. */
int an_interval_create(an_interval *interval, const an_interval_options *options, const anomaly_allocator *allocator);
void an_interval_free(an_interval *interval, const anomaly_allocator *allocator);
void an_interval_reset(an_interval *interval);
size_t an_interval_bytes(void);

/* An event has come. */
void an_interval_learn(an_interval *interval, int64_t t_ns);

/* Answers when the next event was or is due. ANOMALY_E_EMPTY: too few events until now_ns. */
int an_interval_at(const an_interval *interval, int64_t now_ns, anomaly_silence *silence);

/* Is it overdue? Mostly it is not, which a budget shows at a glance. */
int an_interval_is_overdue(const an_interval *interval, int64_t now_ns);

/* restore reads into one that was just created; the reader is bad where a writer cannot have written that. */
void an_interval_save(const an_interval *interval, an_writer *writer);
void an_interval_restore(an_interval *interval, an_reader *reader);

#endif
