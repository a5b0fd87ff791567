/* SPDX-License-Identifier: MIT */
/* What the keys of a pool judge by together: one record of scores (calibrate=pool), and one detector that every event
 * goes through, the population (population=1), by which a key is judged that knows too little of its own.
 *
 * It has a lock of its own, taken after that of a shard and never before it. An event holds it three times and
 * shortly: when it begins, when its score is rated, and when the score is recorded. Memory is taken at the beginning,
 * before anything changes. */
#ifndef AN_DETECTOR_CROWD_H
#define AN_DETECTOR_CROWD_H

#include "base/threads.h"
#include "detector/detector.h"

struct an_crowd {
    an_mutex lock;
    int locks;                   /* 0: one thread alone */
    uint32_t at_once;            /* events that are under way at the same time, at most */
    anomaly_allocator outer;     /* the caller's */
    anomaly_allocator allocator; /* the same, counted in `bytes` */
    size_t bytes;
    int records;                  /* is there a record? */
    an_tail record;               /* of the scores of all keys */
    anomaly_detector *population; /* NULL: none */
    double *seen;                 /* [seen_count] what the population sees of an event where there is a transform */
    uint32_t seen_count;
};

/* The crowd of a detector; NULL: it has none, and the two calls below do nothing. */
static inline an_crowd *an_crowd_of(const anomaly_detector *detector)
{
    return an_shared_of(detector)->crowd;
}

static inline void an_crowd_lock(an_crowd *crowd)
{
    if (crowd && crowd->locks)
        an_mutex_lock(&crowd->lock);
}

static inline void an_crowd_unlock(an_crowd *crowd)
{
    if (crowd && crowd->locks)
        an_mutex_unlock(&crowd->lock);
}

/* An update of a key begins: there is room for its score, the population judges the event and learns it. *said is its
 * verdict on what the key's transform makes of x; WARMING_UP where there is no population. ANOMALY_E_NOMEM changes
 * nothing that can be seen. */
int an_crowd_take(an_crowd *crowd, const an_stages *stages, const double *x, int64_t t_ns, anomaly_verdict *said);

/* The verdict of the population as it is. */
void an_crowd_ask(an_crowd *crowd, const an_stages *stages, const double *x, int64_t t_ns, anomaly_verdict *said);

#endif
