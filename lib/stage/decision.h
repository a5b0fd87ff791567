/* SPDX-License-Identifier: MIT */
/* The last stage: which odd events somebody is to be told of. One incident, one alarm:
 *
 *     odd events   .  .  #  #  .  #  .  .  .  .  .  #      rest = 4 events
 *     flags              A  EH E  EH E  E  E  E  X  A      A alarm, E episode, H held, X the episode's end
 *
 *   - min_change: an odd event that lies nearer to what was expected than that is not worth a word;
 *   - confirm=K/M: K of the last M events have to be odd (and worth a word) before there is an alarm;
 *   - rest: after an alarm an episode goes on until so many events, or so much time, have come without an odd one.
 *     Meanwhile nobody is told again, unless a score exceeds the largest that was told by `margin`. */
#ifndef AN_STAGE_DECISION_H
#define AN_STAGE_DECISION_H

#include "base/bytes.h"

#define AN_CONFIRM_MOST 64u

/* 0 of everything: each odd event is an alarm. */
typedef struct an_decision_options {
    uint64_t rest_events;
    int64_t rest_ns;
    double margin;        /* 0: not told again in an episode */
    uint32_t confirm, of; /* K, M: 1 <= K <= M <= AN_CONFIRM_MOST; 0, 0: the first odd one */
    double min_change;    /* in units of the value, */
    double min_percent;   /* or in percent of what was expected */
} an_decision_options;

typedef struct an_decision {
    an_decision_options options;
    uint64_t odd;    /* the last 64 events, the newest in the lowest bit: was it odd and worth a word? */
    int in_episode;  /* the rest is about the last one */
    uint64_t since;  /* events since its last odd one */
    uint64_t lasted; /* events since its alarm */
    int64_t odd_ns;  /* the time of that */
    double bar;      /* the largest score of its alarms */
} an_decision;

/* What is known of an event once it has been judged. */
typedef struct an_judged {
    int is_odd;
    double score, value, expected; /* NaN where there is none */
    int64_t t_ns;                  /* ANOMALY_NO_TIME for rest_ns 0 */
} an_judged;

void an_decision_init(an_decision *decision, const an_decision_options *options);
void an_decision_reset(an_decision *decision);

/* ALARM, EPISODE, EPISODE_END, HELD and its reasons, of an event that comes next. */
uint32_t an_decide(const an_decision *decision, const an_judged *event);

/* The same, and it has come. */
uint32_t an_decision_move(an_decision *decision, const an_judged *event);

/* Has it nothing to say of an event that is not odd? Then all there is to do is an_decision_pass(). */
static inline int an_decision_is_idle(const an_decision *decision)
{
    return !decision->in_episode;
}

static inline void an_decision_pass(an_decision *decision)
{
    decision->odd <<= 1;
}

/* restore reads into one that was just made; the reader is bad where a writer cannot have written that. */
void an_decision_save(const an_decision *decision, an_writer *writer);
void an_decision_restore(an_decision *decision, an_reader *reader);

#endif
