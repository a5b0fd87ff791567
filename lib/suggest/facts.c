/* SPDX-License-Identifier: MIT */
#include "suggest/facts.h"

#include <math.h>

#define FEW     8u /* different values: states more than amounts */
#define WEEK_NS (7 * AN_DAY_NS)

static void add_rhythm(an_facts *facts, const an_rhythm *rhythm)
{
    facts->daily += rhythm->period_ns > 0;
    facts->weekly += rhythm->period_ns == WEEK_NS;
    if (facts->looked == 0 || rhythm->period_ns > facts->rhythm.period_ns)
        facts->rhythm = *rhythm;
}

static void add_lean(an_facts *facts, const an_lean *lean)
{
    facts->leaning += lean->helps != 0;
    facts->negative += lean->possible == ANOMALY_RAW;
    facts->may_be_zero |= lean->possible == ANOMALY_LOG1P;
    if (facts->looked == 0 || (lean->helps && !facts->lean.helps))
        facts->lean = *lean;
}

static void look_at_feature(an_facts *facts, const an_series *series, uint32_t feature, int64_t interval_ns, an_desk *desk)
{
    int counter = an_series_is_counter(series, feature);
    an_series_pick(series, feature, counter ? AN_GROWTH : AN_AS_IS, desk);
    an_rhythm rhythm = {0, (double)NAN, (double)NAN};
    if (interval_ns > 0)
        rhythm = an_rhythm_of(desk, interval_ns);
    an_lean lean = an_lean_of(desk, rhythm.period_ns);
    add_rhythm(facts, &rhythm);
    add_lean(facts, &lean);
    facts->few += an_series_different(desk) <= FEW;
    facts->counters += counter != 0;
    facts->looked++;
}

void an_facts_add(an_facts *facts, const an_series *series, int in_order, an_desk *desk)
{
    uint32_t features = series->features < AN_FEATURES_LOOKED ? series->features : AN_FEATURES_LOOKED;
    int64_t interval_ns = an_series_interval(series, desk);
    facts->interval_ns[facts->series++] = interval_ns;
    for (uint32_t k = 0; k < features; k++)
        look_at_feature(facts, series, (uint32_t)((uint64_t)k * series->features / features), in_order ? interval_ns : 0,
                        desk);
}

int64_t an_facts_interval(const an_facts *facts)
{
    size_t shorter = 0;
    for (size_t i = 0; i < facts->series; i++) { /* the lower median of a few */
        shorter = 0;
        for (size_t k = 0; k < facts->series; k++)
            shorter +=
                facts->interval_ns[k] < facts->interval_ns[i] || (facts->interval_ns[k] == facts->interval_ns[i] && k < i);
        if (shorter == (facts->series - 1) / 2)
            return facts->interval_ns[i];
    }
    return 0;
}

int an_facts_transform(const an_facts *facts)
{
    if (facts->counters > 0 && facts->counters == facts->looked)
        return an_facts_interval(facts) > 0 ? ANOMALY_RATE : ANOMALY_DIFF;
    if (facts->negative > 0 || 2 * facts->leaning <= facts->looked)
        return ANOMALY_RAW;
    return facts->may_be_zero ? ANOMALY_LOG1P : ANOMALY_LOG;
}

int64_t an_facts_season(const an_facts *facts)
{
    if (facts->looked == 0 || 2 * facts->daily < facts->looked)
        return 0;
    return 2 * facts->weekly >= facts->looked ? WEEK_NS : AN_DAY_NS;
}
