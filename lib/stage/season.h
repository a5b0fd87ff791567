/* SPDX-License-Identifier: MIT */
/* The stage that knows the time of day: what is usual at this hour, so that a busy noon is not odd and a quiet one is.
 *
 * A cycle divides its period (a day) into slots (of 15 minutes). Each time round, the values that fall into a slot
 * are a visit, summed up by their mean and by how far they lay from what was expected, on average. What is usual in
 * a slot is the median over its last 7 visits: so one odd day moves nothing, and what is older than 7 periods is
 * forgotten completely. A slot is known after 2 visits.
 *
 *     slot 37, visits:   Mon 210   Tue 205   Wed 990 (incident)   Thu 214   ...     centre 212
 *
 * Flagged values are left out of a visit, unless more than half of the visit was flagged: then it is the new usual.
 *
 * The spread of a slot is 1.2533 (the ratio of standard deviation and mean absolute deviation of normal values)
 * times the median over its visits of how far their values lay from the centre, drawn towards that of all slots as
 * long as few values stand behind it.
 *
 * With two cycles (a day, a week) the second sees what the first has left: value - centre of the day.
 *
 * Visits go by the order in which events come. Time moves on to an event's slot at once, up to two periods ahead; to
 * one further ahead with the second such event in a row, back to one that is past with the 16th in a row. So one wrong
 * time costs nothing but its own value, and a clock that was wrong and came back has cost the values of 15 events. */
#ifndef AN_STAGE_SEASON_H
#define AN_STAGE_SEASON_H

#include "base/bytes.h"
#include "base/memory.h"

#define AN_SEASON_CYCLES 2
#define AN_SEASON_VISITS 7u
#define AN_SEASON_KNOWN  2u                              /* visits after which a slot is known */
#define AN_SEASON_SLOTS  96u                             /* of a period up to two days; */
#define AN_SEASON_MANY   168u                            /* of a longer one: hours of a week */
#define AN_SEASON_MOST   (INT64_C(366) * 86400000000000) /* longest period */

typedef struct an_season_options {
    int64_t period_ns[AN_SEASON_CYCLES]; /* the second 0: there is none */
    int64_t offset_ns;                   /* added to the events' times: the zone's, for local days */
    uint32_t features;
} an_season_options;

/* What is usual: value = centre + spread * what the kind sees. */
typedef struct an_usual {
    int known;
    double centre, spread; /* spread > 0 */
} an_usual;

typedef struct an_slot_values {
    uint32_t values;
    double mean, deviation;
} an_slot_values;

/* What a slot of a feature has seen. */
typedef struct an_season_slot {
    uint64_t visits; /* ever; the last AN_SEASON_VISITS are kept */
    an_slot_values visit[AN_SEASON_VISITS];
    double values, centre; /* of these visits */
} an_season_slot;

/* The visit that goes on, of a feature. */
typedef struct an_season_visit {
    an_slot_values usual, flagged;
} an_season_visit;

typedef struct an_cycle {
    int64_t period_ns;
    uint32_t slots;
    int64_t now; /* the slot that time has come to, counted from 1970 on; only there is learned */
    int started;
    int astray;                      /* so many of the last events were too far ahead, or (negative) behind */
    an_season_slot *slot;            /* [features][slots] */
    an_season_visit *visit;          /* [features] */
    double *spread;                  /* [features][slots] of the visits of a slot; 0 where it is not known */
    double *all;                     /* [features] the mean spread of all known slots, */
    double *known;                   /* [features] ... which are so many */
    an_usual *usual;                 /* [features] what is usual in the slot `here` */
    int64_t from_ns, until_ns, here; /* times from the one to before the other are known to be of the slot `here`, */
    uint32_t here_within;            /* ... which is this one of the period */
} an_cycle;

typedef struct an_season {
    an_season_options options;
    uint32_t cycles;
    an_cycle cycle[AN_SEASON_CYCLES];
} an_season;

size_t an_season_bytes(const an_season_options *options);
uint64_t an_season_least_saved(const an_season_options *options); /* bytes: one for each slot of a feature */

/* ANOMALY_E_NOMEM changes nothing. Nothing else takes memory. */
int an_season_create(an_season *season, const an_season_options *options, const anomaly_allocator *allocator);
void an_season_free(an_season *season, const anomaly_allocator *allocator);
void an_season_reset(an_season *season);

/* Is a time of the slot that is known best? Most are. */
static inline int an_cycle_is_here(const an_cycle *cycle, int64_t t_ns)
{
    return t_ns >= cycle->from_ns && t_ns < cycle->until_ns;
}

/* ... and time has come to that slot, so that it need not move. */
static inline int an_season_is_now(const an_season *season, int64_t t_ns)
{
    const an_cycle *cycle = &season->cycle[0];
    return season->cycles == 1 && an_cycle_is_here(cycle, t_ns) && cycle->started && cycle->here == cycle->now;
}

/* What is usual at that time. Not known: centre 0, spread 1. */
an_usual an_season_find(const an_season *season, uint32_t feature, int64_t t_ns);

/* The same where it is at hand; else NULL. */
static inline const an_usual *an_season_here(const an_season *season, uint32_t feature, int64_t t_ns)
{
    return season->cycles == 1 && an_cycle_is_here(&season->cycle[0], t_ns) ? &season->cycle[0].usual[feature] : NULL;
}

/* Puts centre + spread * y in the place of three y. */
void an_season_three_back(const an_season *season, uint32_t feature, int64_t t_ns, double *a, double *b, double *c);

/* Time comes to t_ns, unless that is behind or too far ahead: visits that are over are summed up. */
void an_season_move(an_season *season, int64_t t_ns);

static inline void an_season_advance(an_season *season, int64_t t_ns)
{
    if (!an_season_is_now(season, t_ns))
        an_season_move(season, t_ns);
}

/* An event of that time has come; once for each, before its values are learned. Time may follow it where it did not
 * advance. */
void an_season_believe(an_season *season, int64_t t_ns);

static inline void an_season_follow(an_season *season, int64_t t_ns)
{
    if (an_season_is_now(season, t_ns))
        season->cycle[0].astray = 0;
    else
        an_season_believe(season, t_ns);
}

/* A finite value of a time that is now. */
void an_season_learn_now(an_season *season, uint32_t feature, double value, int flagged);

/* A finite value of that time. Nothing happens when time is not in its slot. */
void an_season_learn(an_season *season, uint32_t feature, double value, int64_t t_ns, int flagged);

/* restore reads into a season that was just created; the reader is bad where a writer cannot have written that. */
void an_season_save(const an_season *season, an_writer *writer);
void an_season_restore(an_season *season, an_reader *reader);

#endif
