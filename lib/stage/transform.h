/* SPDX-License-Identifier: MIT */
/* The first stage: what a kind is to see in place of a value, and the way back for its bounds. log, log1p and sqrt
 * look at the value alone; diff and rate also at the value before, which is whatever came last, flagged or not. */
#ifndef AN_STAGE_TRANSFORM_H
#define AN_STAGE_TRANSFORM_H

#include "base/bytes.h"
#include "base/memory.h"

typedef struct an_previous {
    double value; /* NaN: none yet */
    int64_t t_ns;
} an_previous;

typedef struct an_transform {
    int32_t how; /* enum anomaly_transform */
    uint32_t features;
    an_previous *previous; /* [features] for diff and rate, else NULL */
} an_transform;

/* Memory for the values before. ANOMALY_E_NOMEM changes nothing. */
int an_transform_create(an_transform *transform, int32_t how, uint32_t features, const anomaly_allocator *allocator);
void an_transform_free(an_transform *transform, const anomaly_allocator *allocator);
void an_transform_reset(an_transform *transform);
size_t an_transform_bytes(int32_t how, uint32_t features);

enum an_transformed {
    AN_TRANSFORMED = 0,
    AN_FIRST = ANOMALY_WARMING_UP, /* diff, rate: there is no value before; *y is NaN */
    AN_IMPOSSIBLE =
        ANOMALY_UNTRANSFORMED, /* no logarithm, no later than the value before, too large for a double; *y is NaN */
};

/* Writes to *y what the kind sees of x. NaN and infinities stay what they are: they are the kind's to tell. */
enum an_transformed an_transform_apply(const an_transform *transform, uint32_t feature, double x, int64_t t_ns, double *y);

/* The value whose transform is y, for an event of that value and time; never falls as y rises. Infinities
 * stay; NaN where there is none. */
double an_transform_back(const an_transform *transform, uint32_t feature, double x, double y, int64_t t_ns);

/* The same of three, in their places, but a negative zero is 0. */
void an_transform_three_back(const an_transform *transform, uint32_t feature, double x, int64_t t_ns, double *a, double *b,
                             double *c);

/* Remembers a value as the one before. Nothing happens when it is not finite or earlier than the one that is
 * remembered. */
void an_transform_learn(an_transform *transform, uint32_t feature, double x, int64_t t_ns);

/* restore reads into a transform that has just been created; the reader is bad where a writer cannot have written
 * that. */
void an_transform_save(const an_transform *transform, an_writer *writer);
void an_transform_restore(an_transform *transform, an_reader *reader);

#endif
