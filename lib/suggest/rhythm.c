/* SPDX-License-Identifier: MIT */
#include "suggest/rhythm.h"

#include <math.h>

#define DAY           24u
#define WEEK          168u
#define PERIODS_LEAST 3u   /* of which two or more pairs can be made */
#define EVENTS_LEAST  4u   /* in a period */
#define RHYTHM_WIDTHS 5.0  /* of noise */
#define LEAST         0.25 /* less is not worth a season */

/* ---- the hours ---- */

static int64_t hour_of(int64_t t_ns)
{
    return t_ns / AN_HOUR_NS - (t_ns % AN_HOUR_NS < 0);
}

/* The hours round the median of the times: one wrong time does not move them. 0: no pick has a time. */
static int place_hours(an_desk *desk)
{
    size_t count = 0;
    for (size_t k = 0; k < desk->picks; k++)
        if (desk->time[k] != ANOMALY_NO_TIME)
            desk->pick[count++] = (an_ordered){an_order_of_time(desk->time[k]), 0};
    an_ordered_sort(desk->pick, count);
    if (count == 0)
        return 0;
    desk->first_hour = hour_of(an_time_of_order(desk->pick[(count - 1) / 2].by)) - (int64_t)AN_HOURS / 2;
    return 1;
}

/* Writes the picks that lie in the hours, by hour and value; returns how many. */
static size_t sort_by_hour(an_desk *desk)
{
    size_t count = 0;
    for (size_t k = 0; k < desk->picks; k++) {
        int64_t hour = desk->time[k] == ANOMALY_NO_TIME ? -1 : hour_of(desk->time[k]) - desk->first_hour;
        if (hour >= 0 && hour < (int64_t)AN_HOURS && !isnan(desk->value[k]))
            desk->pick[count++] = (an_ordered){(uint64_t)hour, an_order_of_value(desk->value[k])};
    }
    an_ordered_sort(desk->pick, count);
    return count;
}

/* Makes hour[] the medians of the hours, NaN where there is none, from the first that there is to the last. */
static void find_hours(an_desk *desk)
{
    size_t count = place_hours(desk) ? sort_by_hour(desk) : 0;
    desk->hours = 0;
    if (count == 0)
        return;
    uint64_t first = desk->pick[0].by;
    desk->first_hour += (int64_t)first;
    for (size_t from = 0, to; from < count; from = to) {
        uint64_t hour = desk->pick[from].by;
        for (to = from; to < count && desk->pick[to].by == hour; to++)
            continue;
        for (; desk->hours < hour - first; desk->hours++)
            desk->hour[desk->hours] = (double)NAN;
        desk->hour[desk->hours++] = an_of_order(desk->pick[from + (to - from - 1) / 2].then);
    }
}

/* Puts ranks in place of the medians, the mean one for those that are equal. */
static void rank_hours(an_desk *desk)
{
    size_t count = 0;
    for (size_t i = 0; i < desk->hours; i++)
        if (!isnan(desk->hour[i]))
            desk->pick[count++] = (an_ordered){an_order_of_value(desk->hour[i]), i};
    an_ordered_sort(desk->pick, count);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from; to < count && desk->pick[to].by == desk->pick[from].by; to++)
            continue;
        for (size_t i = from; i < to; i++)
            desk->hour[desk->pick[i].then] = ((double)from + (double)(to - 1)) / 2;
    }
}

/* ---- what repeats ---- */

/* Makes left[] the ranks without the mean of the period round each. sum[i] is exact: halves of whole numbers. */
static void take_slow_away(an_desk *desk, size_t period)
{
    size_t there = 0, from = 0, to = 0;
    desk->sum[0] = 0;
    for (size_t i = 0; i < desk->hours; i++)
        desk->sum[i + 1] = desk->sum[i] + (isnan(desk->hour[i]) ? 0 : desk->hour[i]);
    for (size_t i = 0; i < desk->hours; i++) {
        for (; to < desk->hours && to <= i + period / 2; to++)
            there += isnan(desk->hour[to]) ? 0 : 1;
        for (; from + period / 2 < i; from++)
            there -= isnan(desk->hour[from]) ? 0 : 1;
        desk->left[i] =
            isnan(desk->hour[i]) ? (double)NAN : desk->hour[i] - (desk->sum[to] - desk->sum[from]) / (double)there;
    }
}

/* Takes from left[] what its hours of the day have in common. */
static void take_days_away(an_desk *desk)
{
    for (size_t hour = 0; hour < DAY; hour++) {
        double sum = 0, count = 0;
        for (size_t i = hour; i < desk->hours; i += DAY)
            if (!isnan(desk->left[i])) {
                sum += desk->left[i];
                count++;
            }
        for (size_t i = hour; i < desk->hours; i += DAY)
            desk->left[i] -= sum / count;
    }
}

/* r of left[] at a lag, and over how many pairs. NaN where there is no spread or no pair. */
static double repeats(const an_desk *desk, size_t lag, double *pairs)
{
    double products = 0, squares = 0, count = 0;
    *pairs = 0;
    for (size_t i = 0; i < desk->hours; i++) {
        if (isnan(desk->left[i]))
            continue;
        squares += desk->left[i] * desk->left[i];
        count++;
        if (i + lag >= desk->hours || isnan(desk->left[i + lag]))
            continue;
        products += desk->left[i] * desk->left[i + lag];
        ++*pairs;
    }
    return *pairs > 0 && squares > 0 ? products / *pairs / (squares / count) : (double)NAN;
}

static an_rhythm ask(const an_desk *desk, size_t period)
{
    double pairs, fewer;
    an_rhythm answer = {.repeats = repeats(desk, period, &pairs)};
    answer.by_chance = fmax(LEAST, RHYTHM_WIDTHS / sqrt(pairs));
    int is_peak =
        !(repeats(desk, period / 2, &fewer) >= answer.repeats) && !(repeats(desk, period / 4 * 3, &fewer) >= answer.repeats);
    if (answer.repeats >= answer.by_chance && is_peak)
        answer.period_ns = (int64_t)period * AN_HOUR_NS;
    return answer;
}

static int can_show(const an_desk *desk, size_t period, int64_t interval_ns)
{
    return desk->hours >= PERIODS_LEAST * period && interval_ns <= (int64_t)(period / EVENTS_LEAST) * AN_HOUR_NS;
}

an_rhythm an_rhythm_of(an_desk *desk, int64_t interval_ns)
{
    an_rhythm day = {0, (double)NAN, (double)NAN}, week = day;
    find_hours(desk);
    rank_hours(desk);
    if (can_show(desk, DAY, interval_ns)) {
        take_slow_away(desk, DAY);
        day = ask(desk, DAY);
    }
    if (can_show(desk, WEEK, interval_ns)) {
        take_slow_away(desk, WEEK);
        if (day.period_ns)
            take_days_away(desk);
        week = ask(desk, WEEK);
    }
    return week.period_ns ? week : day;
}
