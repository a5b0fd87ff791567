/* SPDX-License-Identifier: MIT */
#include "stage/decision.h"

#include <math.h>
#include <string.h>

void an_decision_init(an_decision *decision, const an_decision_options *options)
{
    decision->options = *options;
    an_decision_reset(decision);
}

void an_decision_reset(an_decision *decision)
{
    decision->odd = 0;
    decision->in_episode = 0;
    decision->since = 0;
    decision->lasted = 0;
    decision->odd_ns = ANOMALY_NO_TIME;
    decision->bar = 0.0;
}

/* ---- is it worth a word? ---- */

/* Where nothing was expected nothing can be near it. Halves: a difference of two doubles may be none. */
static int is_near(const an_decision_options *options, const an_judged *event)
{
    double half = fabs(event->value * 0.5 - event->expected * 0.5);
    if (options->min_change > 0 && half < options->min_change * 0.5)
        return 1;
    return options->min_percent > 0 && half < fabs(event->expected) * (options->min_percent * 0.005);
}

static int is_worth_a_word(const an_decision *decision, const an_judged *event)
{
    return event->is_odd && !is_near(&decision->options, event);
}

static uint32_t count_bits(uint64_t bits)
{
    uint32_t count = 0;
    for (; bits; bits &= bits - 1)
        count++;
    return count;
}

/* K of the last M, this one included. */
static int is_confirmed(const an_decision *decision)
{
    const an_decision_options *options = &decision->options;
    if (options->confirm <= 1)
        return 1;
    uint64_t last = options->of > 1 ? decision->odd & ((UINT64_C(1) << (options->of - 1)) - 1) : 0;
    return count_bits(last) + 1 >= options->confirm;
}

/* ---- episodes ---- */

static int rests(const an_decision_options *options)
{
    return options->rest_events > 0 || options->rest_ns > 0;
}

/* How long the event comes after the last odd one; one that comes late comes at once. */
static uint64_t elapsed_ns(const an_decision *decision, int64_t t_ns)
{
    return t_ns > decision->odd_ns ? (uint64_t)t_ns - (uint64_t)decision->odd_ns : 0;
}

/* Is the episode over when this event comes? */
static int is_over(const an_decision *decision, int64_t t_ns)
{
    const an_decision_options *options = &decision->options;
    if (options->rest_ns > 0 && elapsed_ns(decision, t_ns) <= (uint64_t)options->rest_ns)
        return 0;
    return options->rest_events == 0 || decision->since >= options->rest_events;
}

static uint32_t flags_of_odd(const an_decision *decision, const an_judged *event, int goes_on)
{
    if (!is_worth_a_word(decision, event))
        return ANOMALY_HELD | ANOMALY_SMALL_CHANGE;
    if (!goes_on)
        return is_confirmed(decision) ? ANOMALY_ALARM : ANOMALY_HELD | ANOMALY_UNCONFIRMED;
    int again = decision->options.margin > 0 && event->score - decision->bar > decision->options.margin;
    return again ? ANOMALY_ALARM : ANOMALY_HELD;
}

uint32_t an_decide(const an_decision *decision, const an_judged *event)
{
    int over = decision->in_episode && is_over(decision, event->t_ns), goes_on = decision->in_episode && !over;
    uint32_t flags = (goes_on ? ANOMALY_EPISODE : 0u) | (over ? ANOMALY_EPISODE_END : 0u);
    return flags | (event->is_odd ? flags_of_odd(decision, event, goes_on) : 0u);
}

/* An odd event begins an episode by its alarm, or makes the one that goes on last. */
static void move_episode(an_decision *decision, const an_judged *event, uint32_t flags)
{
    int begins = (flags & (ANOMALY_ALARM | ANOMALY_EPISODE)) == ANOMALY_ALARM && rests(&decision->options);
    if (begins || (flags & ANOMALY_EPISODE_END))
        decision->in_episode = begins;
    if (!decision->in_episode)
        return;
    decision->lasted = begins ? 0 : decision->lasted + (decision->lasted < UINT64_MAX);
    if (!is_worth_a_word(decision, event)) {
        decision->since += decision->since < AN_COUNTED - 1;
        return;
    }
    decision->since = 0;
    decision->odd_ns = begins || event->t_ns > decision->odd_ns ? event->t_ns : decision->odd_ns;
    if (flags & ANOMALY_ALARM)
        decision->bar = event->score;
}

uint32_t an_decision_move(an_decision *decision, const an_judged *event)
{
    uint32_t flags = an_decide(decision, event);
    move_episode(decision, event, flags);
    decision->odd = decision->odd << 1 | (uint64_t)is_worth_a_word(decision, event);
    return flags;
}

/* ---- snapshots ---- */

void an_decision_save(const an_decision *decision, an_writer *writer)
{
    an_write_u64(writer, decision->odd);
    an_write_u8(writer, (uint8_t)decision->in_episode);
    if (!decision->in_episode)
        return;
    an_write_endless(writer, decision->since);
    an_write_endless(writer, decision->lasted);
    an_write_i64(writer, decision->odd_ns);
    an_write_double(writer, decision->bar);
}

void an_decision_restore(an_decision *decision, an_reader *reader)
{
    decision->odd = an_read_u64(reader);
    uint8_t in_episode = an_read_u8(reader);
    reader->bad |= in_episode > (rests(&decision->options) ? 1 : 0);
    decision->in_episode = in_episode && !reader->bad;
    if (!decision->in_episode)
        return;
    decision->since = an_read_endless(reader);
    decision->lasted = an_read_endless(reader);
    decision->odd_ns = an_read_i64(reader);
    decision->bar = an_read_double(reader);
    reader->bad |= isnan(decision->bar);
}
