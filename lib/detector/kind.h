/* SPDX-License-Identifier: MIT */
/* The contract of a kind of detector: what a kind implements, and when each part of it is called. lib/kinds.c lists
 * the kinds.
 *
 * A kind has one of two shapes:
 *
 *                 judged feature by feature                    judged as whole events
 *     window      a ring for each feature, NaN where missing   one ring of whole events
 *     an update   by_feature.judge(f, x) for each feature,     by_event.judge_next(x, t): score and flags of all
 *                 the strangest feature's verdict counts       features together; by_event.name_cause finds one
 *                 life.evict(tail)                             life.evict(tail)
 *                 by_feature.insert(position)                  by_event.insert(x, t)
 *                 by_feature.settle()                          by_event.scored(verdict)
 *     sets        by_feature, nothing of by_event              whole = 1, by_event, nothing of by_feature
 *     such are    zscore.c, robust.c, percentile.c             forest/kind.c, mahalanobis/kind.c, watch.c
 *
 * Both shapes set every other group; where a kind has nothing to do, it names one of the shared functions an_no_...()
 * below. "Or NULL" stands only at a member that each event would have to call. */
#ifndef AN_DETECTOR_KIND_H
#define AN_DETECTOR_KIND_H

#include "anomaly.h"
#include "window/moments.h"

typedef struct an_writer an_writer;
typedef struct an_reader an_reader;

/* What a kind asks of its configuration. */
typedef struct an_rules {
    int bounds_at_threshold;                                   /* lower and upper lie where the score is the threshold */
    int follows_at_zero;                                       /* a threshold of 0 stands for one that follows the scores */
    uint64_t (*values_to_judge)(const anomaly_config *config); /* fewest of a feature that judging needs */
    /* With include_self an event raises the spread that it is judged by: can an event among `samples` still be
     * flagged? */
    int (*can_flag_with_self)(const anomaly_config *config, uint64_t samples);
    int (*validate)(const anomaly_config *config, anomaly_error *error); /* every option is within its bounds already */
} an_rules;

/* The kind's memory beside the window. Only create, take_early, resize and prepare can fail (ANOMALY_E_NOMEM); they
 * may leave more memory than asked for, never less. */
typedef struct an_life {
    size_t (*bytes)(const anomaly_config *config, uint64_t slots); /* for a full ring of that many slots */
    int (*create)(anomaly_detector *detector);
    void (*destroy)(anomaly_detector *detector); /* also after a create that failed */
    void (*reset)(anomaly_detector *detector);
    int (*take_early)(anomaly_detector *detector);             /* memory no event should wait for; not for keys of pools */
    int (*resize)(anomaly_detector *detector, uint64_t slots); /* room for a ring of that many slots */
    int (*prepare)(anomaly_detector *detector);                /* room for one more event; or NULL: resize is enough */
    const void *(*touched)(const anomaly_detector *detector);  /* what an event reads beside window and state; or NULL */
    void (*evict)(anomaly_detector *detector, uint64_t tail);  /* events [window.tail, tail) are about to leave */
} an_life;

typedef struct an_by_feature {
    /* Fills score, expected, lower, upper, events and the flags FLAT, ABOVE and BELOW; x of any kind, NaN included. */
    void (*judge)(const anomaly_detector *detector, uint32_t feature, double x, anomaly_verdict *verdict);
    void (*insert)(anomaly_detector *detector, uint64_t position); /* the event there has come into the window */
    void (*settle)(anomaly_detector *detector); /* all evictions and insertions are done; or NULL: nothing to do */
} an_by_feature;

typedef struct an_by_event {
    /* Fill the whole verdict but `feature`: judge for any event, judge_next for the event that the update will then
     * learn. */
    void (*judge)(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict);
    void (*judge_next)(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict);
    /* Of an anomaly that somebody sees: fills `feature`, sets the flags that only say of what kind it is. */
    void (*name_cause)(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict);
    void (*insert)(anomaly_detector *detector, const double *x, int64_t t_ns);  /* x has become the newest event */
    void (*scored)(anomaly_detector *detector, const anomaly_verdict *verdict); /* at the end of an update */
    void (*unscored)(anomaly_detector *detector, const double *x); /* x is about to be learned without an update */
} an_by_event;

/* Do what the public calls of these names do, once their arguments are checked. */
typedef struct an_questions {
    an_moments (*moments)(const anomaly_detector *detector, uint32_t feature);
    int (*quantile)(const anomaly_detector *detector, uint32_t feature, double q, double *value);
    int (*explain)(const anomaly_detector *detector, const double *x, double *contribution);
    int (*rebuild)(anomaly_detector *detector);
} an_questions;

/* Do some rows from `from` on faster than one by one, to the same bits; return how many, 0 for none now. Or NULL:
 * never. */
typedef struct an_fast_rows {
    size_t (*update)(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts, size_t from);
    size_t (*score)(const anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                    size_t from);
} an_fast_rows;

/* save writes what cannot be made anew from the window. When restore is called, the window's events are in their
 * places, the kind is as after create and resize, and the reader stands at what save wrote; restore makes the rest, so
 * that all later verdicts have the same bits. ANOMALY_E_CORRUPT, E_NOMEM. */
typedef struct an_saving {
    void (*save)(const anomaly_detector *detector, an_writer *writer);
    int (*restore)(anomaly_detector *detector, an_reader *reader);
} an_saving;

typedef struct an_kind {
    int whole;     /* 1: the second shape */
    int bare;      /* 1: ... whose window counts events and holds none: the kind keeps what it needs of them */
    size_t beside; /* bytes a feature needs behind its an_order (percentile/order.h) */
    an_rules rules;
    an_life life;
    an_by_feature by_feature;
    an_by_event by_event;
    an_questions questions;
    an_fast_rows rows;
    an_saving saving;
    /* How many of the newest *of events, at most AN_EVENTS_COMPARED, are equal to x as the next one: in all that its
     * score depends on, which for a kind of the first shape is the value of `feature`. */
    uint64_t (*equals)(const anomaly_detector *detector, const double *x, uint32_t feature, uint64_t *of);
} an_kind;

/* ---- detector/nothing.c: what a kind names where it has nothing of its own ---- */

uint64_t an_one_value(const anomaly_config *config);
int an_can_always_flag(const anomaly_config *config, uint64_t samples);
int an_no_rule(const anomaly_config *config, anomaly_error *error);
int an_no_early_memory(anomaly_detector *detector);
an_moments an_count_moments(const anomaly_detector *detector, uint32_t feature); /* from the window, value by value */
int an_no_quantile(const anomaly_detector *detector, uint32_t feature, double q, double *value);
int an_no_explanation(const anomaly_detector *detector, const double *x, double *contribution);
int an_no_rebuild(anomaly_detector *detector);
uint64_t an_count_equals(const anomaly_detector *detector, const double *x, uint32_t feature, uint64_t *of);
uint64_t an_no_equals(const anomaly_detector *detector, const double *x, uint32_t feature, uint64_t *of);
void an_no_save(const anomaly_detector *detector, an_writer *writer);

/* ---- lib/kinds.c: all kinds ---- */

/* An option whose default is another one for a kind than in the table of options. */
typedef struct an_preset {
    const char *option, *text;
} an_preset;

/* The presets of a kind, the last one's option NULL; NULL where there is no such kind. */
const an_preset *an_kind_presets(int kind);

const an_kind *an_kind_of(const anomaly_config *config);

#endif
