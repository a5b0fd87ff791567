/* SPDX-License-Identifier: MIT */
/* From a deviation to a score: what the kinds share, in the innermost loops. */
#ifndef AN_DETECTOR_JUDGEMENT_H
#define AN_DETECTOR_JUDGEMENT_H

#include "anomaly.h"

#include <float.h>
#include <math.h>

static inline int an_exceeds(const anomaly_config *config, double score)
{
    return config->compare == ANOMALY_GT ? score > config->threshold : score >= config->threshold;
}

/* Gives an infinite score: positive towards the watched side, negative away from it. */
static inline double an_infinite_score(const anomaly_config *config, int above)
{
    return config->side == (above ? ANOMALY_LOWER : ANOMALY_UPPER) ? -(double)INFINITY : (double)INFINITY;
}

/* Fills score, bounds and flags of a z-score: deviation = x - centre, score = deviation / spread. */
static inline void an_judge_spread(const anomaly_config *config, double deviation, double centre, double spread,
                                   anomaly_verdict *v)
{
    double score = deviation / spread, reach = config->threshold * spread;
    /* no branch on the sign: the processor would guess it wrong every other time */
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

/* Tells whether the deviation or the spread may be more than the largest double. (True of infinite values too, whose
 * score judge_feature() overwrites.) */
static inline int an_is_huge(double deviation, double spread)
{
    return fabs(deviation) + spread > DBL_MAX;
}

/* Corrects what an_judge_spread() has made of a huge deviation or spread: judges the quarters of x, centre and spread,
 * which have the same score and do not overflow. */
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
