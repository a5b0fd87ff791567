/* SPDX-License-Identifier: MIT */
/* What the looked-at features of the looked-at series have shown; most of them decide. */
#ifndef AN_SUGGEST_FACTS_H
#define AN_SUGGEST_FACTS_H

#include "suggest/lean.h"
#include "suggest/rhythm.h"

#define AN_SERIES_LOOKED   16u /* of the keys, */
#define AN_FEATURES_LOOKED 8u  /* of the features of each */

typedef struct an_facts {
    size_t looked; /* features of series that were looked at; of these ... */
    size_t counters, negative, leaning, few, daily, weekly;
    int may_be_zero;  /* a logarithm has to take 0 */
    an_lean lean;     /* of the first that leans, else of the first */
    an_rhythm rhythm; /* of the first with a week, else with a day, else of the first */
    size_t series;    /* of which the intervals are known: */
    int64_t interval_ns[AN_SERIES_LOOKED];
} an_facts;

/* Looks at one more series. in_order: its events follow each other, so they may show a rhythm. */
void an_facts_add(an_facts *facts, const an_series *series, int in_order, an_desk *desk);

/* The usual time between two events of a series, 0: no times. */
int64_t an_facts_interval(const an_facts *facts);

int an_facts_transform(const an_facts *facts);  /* enum anomaly_transform */
int64_t an_facts_season(const an_facts *facts); /* its period, 0: none */

#endif
