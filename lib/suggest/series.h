/* SPDX-License-Identifier: MIT */
/* A series whose like is to be judged, and the picks by which it is looked at: so many of its rows, evenly apart, so
 * that looking takes the same memory and time however long the series is. */
#ifndef AN_SUGGEST_SERIES_H
#define AN_SUGGEST_SERIES_H

#include "anomaly.h"
#include "suggest/sort.h"

#define AN_SECOND_NS INT64_C(1000000000)
#define AN_MINUTE_NS (60 * AN_SECOND_NS)
#define AN_HOUR_NS   (60 * AN_MINUTE_NS)
#define AN_DAY_NS    (24 * AN_HOUR_NS)

#define AN_PICKS 65536u
#define AN_HOURS 16384u /* that a rhythm is looked for in: not quite two years */

typedef struct an_series {
    const anomaly_rows *rows;
    uint32_t features;
    const an_ordered *order; /* the numbers of its rows are order[0 .. count-1].then; NULL: 0 .. count-1 */
    size_t count;
} an_series;

/* The memory of a suggestion beside that of its detector. */
typedef struct an_desk {
    an_ordered pick[AN_PICKS]; /* what is being sorted */
    int64_t time[AN_PICKS];    /* of each pick, and ... */
    double value[AN_PICKS];    /* ... its value, or what a counter grew by; NaN: none */
    size_t picks;
    double hour[AN_HOURS], left[AN_HOURS], sum[AN_HOURS + 1];
    int64_t first_hour; /* of hour[0], since time 0 */
    size_t hours;
} an_desk;

/* How a feature's values are read: as they are, or as growth since the row before, which is NaN where a counter began
 * anew; per second with times. */
enum an_reading { AN_AS_IS, AN_GROWTH };

/* Fills in the picks of a feature. A row that is not finite is NaN. */
void an_series_pick(const an_series *series, uint32_t feature, enum an_reading reading, an_desk *desk);

/* The time of the i-th event of the series, ANOMALY_NO_TIME where it has none. */
int64_t an_series_time(const an_series *series, size_t i);

/* Is a feature a counter: never negative, and falling only where it begins anew? */
int an_series_is_counter(const an_series *series, uint32_t feature);

/* The usual time between two events, 0 where most events have none or times stand still. */
int64_t an_series_interval(const an_series *series, an_desk *desk);

/* How many different values the picks have. */
size_t an_series_different(an_desk *desk);

#endif
