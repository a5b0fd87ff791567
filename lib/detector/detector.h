/* SPDX-License-Identifier: MIT */
/* A detector as the library sees it: the struct, and the calls between this room, the pool and the kinds. */
#ifndef AN_DETECTOR_DETECTOR_H
#define AN_DETECTOR_DETECTOR_H

#include "anomaly.h"
#include "base/memory.h"
#include "detector/config.h"
#include "detector/kind.h"
#include "stage/stages.h"
#include "window/sliding.h"
#include "window/window.h"

#include <stddef.h>

typedef struct an_crowd an_crowd;

/* What the detectors of a pool's shard have in common. It outlives them. */
typedef struct an_shared {
    anomaly_config config;
    anomaly_allocator allocator;
    an_crowd *crowd; /* what all keys of the pool judge by together (detector/crowd.h); NULL: nothing */
    an_tail *record; /* ... and its record of scores; NULL: each has its own */
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
    int needs_times; /* of events */
    enum an_sharing sharing;
    anomaly_counts counts;
    void *state;        /* the kind's own: one element per feature */
    an_stages *stages;  /* round the kind; NULL: none is asked for */
    an_borders borders; /* z-score: in place of state while the window is small */
};

/* ---- detector/detector.c: its life ---- */

/* The same as an_config_check(), and E_CONFIG where the full window could not be had whatever the machine's memory, or
 * the library was built in a way that breaks its promises. */
int an_detector_check(const anomaly_config *config, anomaly_config *own, anomaly_error *error);

/* Create a detector of a configuration that an_config_check() has passed, on its own or one of many.
 * ANOMALY_E_NOMEM. */
int an_detector_alone(const anomaly_config *own, const anomaly_allocator *allocator, anomaly_detector **detector);
int an_detector_shared(const an_shared *shared, anomaly_detector **detector);

/* The bytes of its block. */
size_t an_detector_size(const anomaly_detector *detector);

/* Sets a threshold other than the shared one, from now on. ANOMALY_E_NOMEM. */
int an_detector_own_threshold(anomaly_detector *detector, double threshold);
/* Goes back to the shared threshold. */
void an_detector_share_threshold(anomaly_detector *detector, const an_shared *shared);

/* Makes a ring of that many slots, the events kept. ANOMALY_E_NOMEM changes nothing that can be seen. */
int an_detector_resize(anomaly_detector *detector, uint64_t slots);

/* The slots of its ring: 0 before it has one; where events are only counted 1. */
static inline uint64_t an_detector_slots(const anomaly_detector *detector)
{
    return detector->window.values || detector->window.bare ? detector->window.mask + 1 : 0;
}

/* What it shares with others, or would; the configuration there has no threshold of its own. */
static inline const an_shared *an_shared_of(const anomaly_detector *detector)
{
    return (const an_shared *)(const void *)((const char *)detector->allocator - offsetof(an_shared, allocator));
}

/* ---- detector/events.c: one event ---- */

int an_check_event(const anomaly_detector *detector, const double *x, int64_t t_ns);
void an_judge(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict);

/* MISSING and NONFINITE. */
uint32_t an_value_flags(const anomaly_detector *detector, const double *x);

/* Finds the first infinite feature; there is one. */
uint32_t an_first_infinite(const double *x);

/* Learns the event, which may have no finite value, unless something keeps it out; `flags` are its verdict's. Returns
 * ANOMALY_NOT_LEARNED when that was the policy. */
uint32_t an_learn_event(anomaly_detector *detector, const double *x, int64_t t_ns, uint32_t flags);

/* Is it further ahead of the clock than may be? */
static inline int an_is_jump(const anomaly_detector *detector, int64_t t_ns)
{
    int64_t allowed = detector->config->max_jump_ns, clock = detector->window.clock_ns;
    if (!allowed || !detector->window.span_ns || clock == ANOMALY_NO_TIME || t_ns <= clock)
        return 0;
    return an_elapsed_ns(t_ns, clock) > (uint64_t)allowed;
}

/* Counts what a verdict says; ALARM and HELD only come with IS_ANOMALY. */
void an_count_flags(anomaly_counts *counts, uint32_t flags);

static inline void an_count_verdict(anomaly_counts *counts, uint32_t flags)
{
    counts->events++;
    if (flags & (ANOMALY_IS_ANOMALY | ANOMALY_WARMING_UP | ANOMALY_FLAT | ANOMALY_TRUNCATED))
        an_count_flags(counts, flags);
}

/* Does what an update does once the event is judged: learns it and counts. */
void an_finish_update(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict);

/* Goes from a feature's judgement to the verdict: threshold, WARMING_UP, IS_ANOMALY. */
void an_conclude(const anomaly_detector *detector, anomaly_verdict *verdict);

/* Judges the event that comes next, and will then be learned. */
static inline void an_judge_next(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict)
{
    if (detector->kind->whole)
        detector->kind->by_event.judge_next(detector, x, t_ns, verdict);
    else
        an_judge(detector, x, t_ns, verdict);
}

/* Lets a kind that judges whole events say what an anomaly is about; somebody sees the verdict. */
static inline void an_name_cause(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict)
{
    if (detector->kind->whole && (verdict->flags & ANOMALY_IS_ANOMALY))
        detector->kind->by_event.name_cause(detector, x, t_ns, verdict);
}

/* ---- detector/staged.c: one event of a detector that has stages ---- */

/* Does what can fail about an update, or (said NULL) about learning, where stages begin; *said is what the population
 * of a pool says of the event. ANOMALY_E_NOMEM changes nothing that can be seen. */
int an_staged_begin(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *said);

/* An update of a key that has a crowd; *said is what an_staged_begin() has said.
 * wanted: the caller sees the verdict. */
void an_staged_update_in_crowd(anomaly_detector *detector, const double *x, int64_t t_ns, const anomaly_verdict *said,
                               anomaly_verdict *verdict, int wanted);
void an_staged_score(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *verdict);
void an_staged_learn(anomaly_detector *detector, const double *x, int64_t t_ns);

#endif
