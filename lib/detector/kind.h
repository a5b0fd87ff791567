/* SPDX-License-Identifier: MIT */
/* The detector as the library sees it: what detector/config.c, detector/detector.c, detector/rows.c and the kinds share. */
#ifndef AN_DETECTOR_KIND_H
#define AN_DETECTOR_KIND_H

#include "anomaly.h"
#include "base/memory.h"
#include "window/moments.h"
#include "window/sliding.h"
#include "window/window.h"

#define AN_MAX_FEATURES        4096
#define AN_MAX_WINDOW_EVENTS   ((uint64_t)1 << 30)
#define AN_FOREST_LEAST_WINDOW 16 /* the first tree is grown from so many events */

typedef struct an_writer an_writer;
typedef struct an_reader an_reader;

/* A kind of detector: what it keeps beside the window, and how it judges by it. Only create, resize and prepare can fail
 * (ANOMALY_E_NOMEM); they may leave more memory than asked for, never less. */
typedef struct an_kind {
    int whole;     /* keeps events whole in the window */
    size_t beside; /* bytes a feature needs behind its an_order (percentile/order.h) */
    size_t (*bytes)(const anomaly_config *config, uint64_t slots); /* for a full ring of that many slots */
    int (*create)(anomaly_detector *detector);
    void (*destroy)(anomaly_detector *detector);
    void (*reset)(anomaly_detector *detector);
    int (*early)(
        anomaly_detector *detector); /* memory that no event should wait for; not taken for many quiet keys. Or NULL */
    int (*resize)(anomaly_detector *detector, uint64_t slots); /* room for a ring of that many slots */
    int (*prepare)(anomaly_detector *detector);                /* room for one more event; NULL: resize is enough */
    const void *(*touched)(const anomaly_detector *detector);  /* what an event will read beside window and state; or NULL */
    void (*evict)(anomaly_detector *detector, uint64_t tail);  /* events [window.tail, tail) are about to leave */
    void (*insert)(anomaly_detector *detector, uint64_t position); /* that event has come into the window */
    void (*settle)(anomaly_detector *detector); /* evictions and insertions are over; NULL: nothing to do */
    /* Fills score, expected, lower, upper, events and the flags FLAT, ABOVE and BELOW; x of any kind, NaN included. */
    void (*judge)(const anomaly_detector *detector, uint32_t feature, double x, anomaly_verdict *verdict);
    an_moments (*moments)(const anomaly_detector *detector, uint32_t feature);                    /* NULL: not kept */
    int (*quantile)(const anomaly_detector *detector, uint32_t feature, double q, double *value); /* NULL: not kept */
    /* Does some rows from `from` on faster than one by one; returns how many, 0 when none can be. NULL: never. */
    size_t (*update_rows)(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                          size_t from);
    size_t (*score_rows)(const anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                         size_t from);

    /* A kind that judges events as a whole has these in place of judge, insert and settle. judge_event fills the verdict to the
     * end, but for `feature`, which name_cause finds out where it is wanted. */
    void (*judge_event)(const anomaly_detector *detector, const double *x, anomaly_verdict *verdict);
    void (*judge_next)(anomaly_detector *detector, const double *x,
                       anomaly_verdict *verdict); /* at the begin of an update */
    void (*name_cause)(const anomaly_detector *detector, const double *x, anomaly_verdict *verdict);
    void (*insert_event)(anomaly_detector *detector, const double *x);          /* has become the newest */
    void (*scored)(anomaly_detector *detector, const anomaly_verdict *verdict); /* at the end of an update */
    void (*unscored)(anomaly_detector *detector, const double *x); /* is about to be learned without an update */
    int (*rebuild)(anomaly_detector *detector);
    int (*explain)(const anomaly_detector *detector, const double *x, double *contribution);
    /* Snapshots. save writes what cannot be made anew from the window; NULL: nothing. restore finds the window's events in
     * their places, the kind as it is after create and resize, and the reader at what save wrote; it makes the rest, to the
     * same bits ever after. ANOMALY_E_CORRUPT, E_NOMEM. */
    void (*save)(const anomaly_detector *detector, an_writer *writer);
    int (*restore)(anomaly_detector *detector, an_reader *reader);
} an_kind;

extern const an_kind an_kind_zscore, an_kind_robust, an_kind_percentile, an_kind_iforest;

/* What the detectors of a pool's shard have in common. It outlives them. */
typedef struct an_shared {
    anomaly_config config;
    anomaly_allocator allocator;
} an_shared;

enum an_sharing {
    AN_SHARES_ALL,    /* one of many */
    AN_OWN_THRESHOLD, /* ... but with a copy of the configuration */
    AN_ALONE          /* has all that is shared in its own block */
};

struct anomaly_detector {
    const anomaly_config *config;
    const anomaly_allocator *allocator; /* that of its an_shared */
    const an_kind *kind;
    an_window window;
    uint64_t warmup; /* values of a feature before it is judged */
    uint32_t flagged_in_row;
    enum an_sharing sharing;
    anomaly_counts counts;
    void *state;        /* the kind's own: one element per feature */
    an_borders borders; /* z-score: in place of state while the window is small */
};

/* ---- detector/status.c ---- */

/* Fills *error (NULL: not wanted) and returns status. */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
int an_error(anomaly_error *error, int status, const char *field, const char *format, ...);

/* ---- detector/config.c ---- */

/* A complete copy of the caller's configuration, validated. ANOMALY_OK may carry a warning. */
int an_config_check(const anomaly_config *config, anomaly_config *own, anomaly_error *error);
uint64_t an_config_bound(const anomaly_config *config); /* most events in the window */

/* ---- detector/detector.c ---- */

const an_kind *an_kind_of(const anomaly_config *config);

/* The same as an_config_check(), and E_CONFIG where the full window could not be had whatever the machine's memory, or the
 * library was built in a way that breaks its promises. */
int an_detector_check(const anomaly_config *config, anomaly_config *own, anomaly_error *error);

/* A detector of a configuration that an_config_check() has passed, of its own or one of many. ANOMALY_E_NOMEM. */
int an_detector_alone(const anomaly_config *own, const anomaly_allocator *allocator, anomaly_detector **detector);
int an_detector_shared(const an_shared *shared, anomaly_detector **detector);

/* The bytes of its block. */
size_t an_detector_size(const anomaly_detector *detector);

/* Can it be set in place of the configured one? A forest's 0 stands for one that follows the scores. */
static inline int an_is_threshold(const anomaly_config *config, double threshold)
{
    return isfinite(threshold) && (config->kind != ANOMALY_IFOREST || threshold != 0);
}

/* A threshold other than the shared one, from now on. ANOMALY_E_NOMEM. */
int an_detector_own_threshold(anomaly_detector *detector, double threshold);
/* The shared one again. */
void an_detector_share_threshold(anomaly_detector *detector, const an_shared *shared);

/* A ring of that many slots, the events kept. ANOMALY_E_NOMEM changes nothing that can be seen. */
int an_detector_resize(anomaly_detector *detector, uint64_t slots);

int an_check_event(const anomaly_detector *detector, const double *x, int64_t t_ns);
void an_judge(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict);

/* MISSING and NONFINITE. */
uint32_t an_value_flags(const anomaly_detector *detector, const double *x);

/* What an update does once the event is judged: learns it and counts. */
void an_finish_update(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict);

/* From a feature's judgement to the verdict: threshold, WARMING_UP, IS_ANOMALY. */
void an_conclude(const anomaly_detector *detector, anomaly_verdict *verdict);

/* ---- inline ---- */

/* What it shares with others, or would; the configuration there has no threshold of its own. */
static inline const an_shared *an_shared_of(const anomaly_detector *detector)
{
    return (const an_shared *)(const void *)((const char *)detector->allocator - offsetof(an_shared, allocator));
}

static inline int an_exceeds(const anomaly_config *config, double score)
{
    return config->compare == ANOMALY_GT ? score > config->threshold : score >= config->threshold;
}

/* An infinite score, towards the watched side or away from it. */
static inline double an_infinite_score(const anomaly_config *config, int above)
{
    return config->side == (above ? ANOMALY_LOWER : ANOMALY_UPPER) ? -(double)INFINITY : (double)INFINITY;
}

/* The score and bounds of a z-score: deviation = x - centre in units of the spread. */
static inline void an_judge_spread(const anomaly_config *config, double deviation, double centre, double spread,
                                   anomaly_verdict *v)
{
    double score = deviation / spread, reach = config->threshold * spread;
    /* no branch on the sign, which is a coin toss to the processor */
    uint32_t flags = (uint32_t)(deviation > 0) * ANOMALY_ABOVE | (uint32_t)(deviation < 0) * ANOMALY_BELOW;
    v->lower = centre - reach;
    v->upper = centre + reach;
    if (spread == 0 && deviation == deviation) {
        score = deviation == 0 ? 0 : an_infinite_score(config, deviation > 0);
        flags |= deviation == 0 ? 0u : ANOMALY_FLAT;
    } else if (config->side == ANOMALY_BOTH) {
        score = fabs(score);
    } else if (config->side == ANOMALY_LOWER) {
        score = 0.0 - score; /* no negative zero */
    }
    if (config->side == ANOMALY_UPPER)
        v->lower = -(double)INFINITY;
    if (config->side == ANOMALY_LOWER)
        v->upper = (double)INFINITY;
    v->score = score;
    v->expected = centre;
    v->flags = flags;
}

/* May the deviation or the spread be more than the largest double? (Of infinite values, too: they are judged elsewhere.) */
static inline int an_is_huge(double deviation, double spread)
{
    return fabs(deviation) + spread > DBL_MAX;
}

/* Then what an_judge_spread() made of it is made good by quarters, which are in the same proportion. */
static inline void an_judge_huge(const anomaly_config *config, double x, double centre, double quarter_spread,
                                 anomaly_verdict *v)
{
    anomaly_verdict quarter;
    an_judge_spread(config, x * 0.25 - centre * 0.25, centre * 0.25, quarter_spread, &quarter);
    v->score = quarter.score;
    if (quarter_spread * 4 > DBL_MAX) {
        v->lower = quarter.lower * 4;
        v->upper = quarter.upper * 4;
    }
}

#endif
