/* SPDX-License-Identifier: MIT */
/* What is usual at this time of the day, for the kind `watch`: known from the second time round on, and before as
 * well as it can be.
 *
 * The day has 96 slots of a quarter of an hour. The values that fall into a slot on one day are a visit, of which
 * the mean is kept; a slot keeps its last 8 visits, so what is older has left no trace. Expected is the median of
 * the means of the visits before today's: one odd day moves nothing. With fewer than two of them it is the mean of
 * all that the slot has seen, and nothing for a slot that has seen nothing; watch.c helps where only today is known.
 *
 * Events without a time have a slot of their own, in which 64 of them are a visit: expected is then the median of
 * the means of the last 7 or 8 such stretches.
 *
 * Nothing depends on the order of times: an event that comes late falls into its own slot, and a clock that once was
 * wrong has spoilt a single visit. */
#ifndef AN_WATCH_SLOTS_H
#define AN_WATCH_SLOTS_H

#include "base/bytes.h"

#define AN_SLOTS        97u /* the last: of events without a time */
#define AN_SLOT_VISITS  8u
#define AN_VISIT_EVENTS 64u /* without times */
#define AN_LEVEL_VALUES 9u

typedef struct an_visit {
    int64_t day;
    double mean;
    uint32_t values;
} an_visit;

typedef struct an_day_slot {
    uint32_t visits, newest;
    an_visit visit[AN_SLOT_VISITS];
} an_day_slot;

typedef struct an_slots {
    an_day_slot slot[AN_SLOTS];
} an_slots;

/* Where an event belongs: a slot, and the day (or the stretch) of the visit. */
typedef struct an_slot_time {
    uint32_t slot;
    int64_t day;
} an_slot_time;

/* `index` counts the events that were learned before. */
an_slot_time an_slot_time_of(int64_t t_ns, uint64_t index);

/* NaN: nothing is known. */
double an_slots_expected(const an_slots *slots, an_slot_time at);

/* Whether the newest AN_LEVEL_VALUES values tell more than the slot: it is first seen today, and the quarter of an
 * hour before it has so many. */
int an_slots_follow_level(const an_slots *slots, an_slot_time at);

/* x is at most 2^1000 in size. */
void an_slots_learn(an_slots *slots, an_slot_time at, double x);

void an_slots_reset(an_slots *slots);
void an_slots_save(const an_slots *slots, an_writer *writer);
void an_slots_restore(an_slots *slots, an_reader *reader);

#endif
