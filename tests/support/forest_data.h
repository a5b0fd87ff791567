/* SPDX-License-Identifier: MIT
 * forest_data.h - what the tests of the forest share: detectors, events of several features, and how well scores part two
 * groups. */
#ifndef FOREST_DATA_H
#define FOREST_DATA_H

#include "random.h"
#include "test.h"

enum { WIDEST = 4096 };

static inline anomaly_detector *forest_of(const char *options)
{
    return detector_of(ANOMALY_IFOREST, options);
}

static inline anomaly_verdict update(anomaly_detector *d, const double *x)
{
    anomaly_verdict v;
    assert_ok(anomaly_update(d, x, ANOMALY_NO_TIME, &v));
    return v;
}

static inline anomaly_verdict score(const anomaly_detector *d, const double *x)
{
    anomaly_verdict v;
    assert_ok(anomaly_score(d, x, ANOMALY_NO_TIME, &v));
    return v;
}

static inline void normal_event(random_state *r, double *x, uint32_t features, double mean, double spread)
{
    for (uint32_t f = 0; f < features; f++)
        x[f] = mean + spread * random_normal(r);
}

/* `count` standard normal events of `features`. */
static inline void teach_normal(anomaly_detector *d, random_state *r, int count, uint32_t features)
{
    double x[WIDEST];
    for (int i = 0; i < count; i++) {
        normal_event(r, x, features, 0, 1);
        assert_ok(anomaly_learn(d, x, ANOMALY_NO_TIME));
    }
}

/* The chance that an anomaly's score is above another event's; equal ones count half. */
static inline double auc_of(const double *score, const int *anomaly, size_t count)
{
    double pairs = 0, above = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; anomaly[i] && k < count; k++)
            if (!anomaly[k]) {
                pairs++;
                above += score[i] > score[k] ? 1 : score[i] == score[k] ? 0.5 : 0;
            }
    return above / pairs;
}

#endif
