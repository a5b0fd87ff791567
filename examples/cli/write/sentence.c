/* SPDX-License-Identifier: MIT
 * sentence.c - a verdict as a sentence.
 *
 * "disk 95.3 at 14:05, usually 8.3 to 11.8: 146 spreads above; begins an episode": what came, what is usual (where the
 * kind expects something), how far off it is in the kind's own measure, then what the flags add.
 */
#include "write/sentence.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void add(cli_buffer *b, const char *format, ...)
{
    char text[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    cli_buffer_text(b, text);
}

/* ---- numbers ---- */

/* Adds a measure as people say it: 3.2, 21, 146. */
static void add_measure(cli_buffer *b, double number)
{
    double size = fabs(number);
    add(b, size < 9.95 ? "%.1f" : size < 1e6 ? "%.0f" : "%.1e", size);
}

/* The digits of a number: at least `least`, those that show two numbers apart which lie so far `apart` (NaN, 0: there
 * are none), and all before the point where there are at most twelve: 49395, not 4.94e+04. */
static int digits_for(double number, double apart, int least)
{
    double size = fabs(number);
    if (!(size > 0) || !isfinite(size))
        return least;
    double order = floor(log10(size)), digits = fmax(least, order < 12 ? order + 1 : 0);
    if (apart > 0 && isfinite(apart))
        digits = fmax(digits, 2 + order - floor(log10(apart)));
    return (int)fmin(digits, 15);
}

/* ---- what came ---- */

static void add_subject(cli_buffer *b, const anomaly_config *config, const cli_record *record)
{
    cli_add_printable(b, record->key, record->key_length);
    if (record->key_length > 0 && config->features == 1)
        return;
    cli_buffer_text(b, record->key_length > 0 ? " " : "");
    cli_add_printable(b, record->feature, strlen(record->feature));
}

/* 14:05, or 14:05:30: the day stands in the field beside. */
static void add_clock(cli_buffer *b, int64_t time)
{
    char text[CLI_TIME_SIZE];
    if (time == ANOMALY_NO_TIME)
        return;
    size_t length = cli_format_time(text, time);
    const char *clock = strchr(text, 'T') + 1;
    bool minute = strcmp(clock + strlen("14:05"), ":00Z") == 0;
    cli_buffer_text(b, " at ");
    cli_buffer_add(b, clock, minute ? strlen("14:05") : (size_t)(text + length - 1 - clock));
}

static void add_value(cli_buffer *b, const anomaly_verdict *v, double value)
{
    if (isnan(value))
        cli_buffer_text(b, " has no value");
    else
        add(b, " %.*g", digits_for(value, v->upper - v->lower, 6), value);
}

/* ---- what is usual ---- */

static void add_usual(cli_buffer *b, const anomaly_config *config, const anomaly_verdict *v)
{
    bool low = isfinite(v->lower), high = isfinite(v->upper);
    const char *when = config->season_ns > 0 || config->kind == ANOMALY_WATCH ? " at this hour" : "";
    double bound = low ? v->lower : v->upper;
    int digits = digits_for(fmax(fabs(v->lower), fabs(v->upper)), v->upper - v->lower, 3);
    if (low && high && v->lower < v->upper)
        add(b, ", usually%s %.*g to %.*g", when, digits, v->lower, digits, v->upper);
    else if (low != high)
        add(b, ", usually%s %s %.*g", when, low ? "at least" : "at most", digits_for(bound, NAN, 4), bound);
    else if (isfinite(v->expected))
        add(b, ", usually%s %.*g", when, digits_for(v->expected, NAN, 4), v->expected);
}

/* ---- how far off ---- */

static const char *where(uint32_t flags)
{
    return flags & ANOMALY_ABOVE ? " above" : flags & ANOMALY_BELOW ? " below" : " off";
}

static void add_spreads(cli_buffer *b, const anomaly_verdict *v)
{
    add_measure(b, v->score);
    add(b, " spreads%s", where(v->flags));
}

static void add_range(cli_buffer *b, const anomaly_verdict *v)
{
    cli_buffer_text(b, v->flags & ANOMALY_ABOVE ? "above that by " : "below that by ");
    add_measure(b, v->score);
    cli_buffer_text(b, " times its width");
}

/* A forest's score says little by itself: what is usual, and from which score on events are flagged, stand beside. */
static void add_forest(cli_buffer *b, const anomaly_config *config, const anomaly_verdict *v)
{
    if ((v->flags & ANOMALY_IS_ANOMALY) != 0 && config->contamination > 0 && isnan(v->tail))
        add(b, "among the strangest %.3g %% of events, ", 100 * config->contamination);
    add(b, "score %.3f (usually .5, flagged from %.3f on)", v->score, v->threshold);
}

/* The words of watch and mahalanobis. */
static const char *shape_of(uint32_t flags)
{
    return flags & ANOMALY_SPIKE     ? (flags & ANOMALY_BELOW ? "a dip, " : "a spike, ")
           : flags & ANOMALY_SHIFT   ? (flags & ANOMALY_ABOVE   ? "the level has moved up, "
                                        : flags & ANOMALY_BELOW ? "the level has moved down, "
                                                                : "the level has moved, ")
           : flags & ANOMALY_NOISIER ? "values are spread wider than usual, "
           : flags & ANOMALY_QUIETER ? "values are spread less than usual, "
           : flags & ANOMALY_STUCK   ? "the value is stuck, "
                                     : "";
}

/* Where every score before was 0, the next double above it is what a budget asks for. */
static void add_watch(cli_buffer *b, const anomaly_verdict *v)
{
    add(b, "%sscore %.3g, ", shape_of(v->flags), v->score);
    if (v->threshold < DBL_MIN)
        cli_buffer_text(b, "flagged above 0");
    else
        add(b, "flagged from %.3g on", v->threshold);
}

static void add_by_kind(cli_buffer *b, const anomaly_config *config, const anomaly_verdict *v)
{
    switch (config->kind) {
    case ANOMALY_ZSCORE: add_spreads(b, v); break;
    case ANOMALY_PERCENTILE: add_range(b, v); break;
    case ANOMALY_IFOREST: add_forest(b, config, v); break;
    case ANOMALY_MAHALANOBIS:
        cli_buffer_text(b, shape_of(v->flags));
        add_measure(b, v->score);
        cli_buffer_text(b, " times as far off as usual");
        break;
    default: add_watch(b, v); break;
    }
}

/* An infinite score has a reason of its own. */
static void add_distance(cli_buffer *b, const anomaly_config *config, const anomaly_verdict *v)
{
    cli_buffer_text(b, ": ");
    if (v->flags & ANOMALY_NONFINITE)
        cli_buffer_text(b, "infinite, which is never usual");
    else if (v->flags & ANOMALY_FLAT)
        cli_buffer_text(b, config->kind == ANOMALY_PERCENTILE ? "both bounds were the same"
                                                              : "every value before was the same");
    else if ((v->flags & ANOMALY_IS_ANOMALY) == 0)
        cli_buffer_text(b, "nothing unusual");
    else
        add_by_kind(b, config, v);
    if ((v->flags & ANOMALY_IS_ANOMALY) != 0 && config->features > 1)
        cli_buffer_text(b, ", mostly by this value");
}

/* 24,000: two digits say enough of a chance, and a million is beyond what a record of scores can tell. */
static void add_chance(cli_buffer *b, const anomaly_verdict *v)
{
    if (!(v->tail > 0) || v->tail > 0.5)
        return;
    bool estimated = (v->flags & ANOMALY_TAIL_ESTIMATED) != 0;
    double one_in = fmin(1 / v->tail, 1e6), step = fmax(pow(10, floor(log10(one_in)) - 1), 1);
    int rounded = (int)(floor(one_in / step) * step);
    cli_buffer_text(b, "; one in ");
    if (rounded >= 1000000)
        cli_buffer_text(b, "a million");
    else if (rounded >= 1000)
        add(b, "%d,%03d", rounded / 1000, rounded % 1000);
    else
        add(b, "%d", rounded);
    cli_buffer_text(b, estimated ? " events or rarer" : " events");
}

/* ---- what the flags add ---- */

static const struct {
    uint32_t flag;
    const char *text;
} notes[] = {
    {ANOMALY_UNCONFIRMED, "held back until more events are odd"},
    {ANOMALY_SMALL_CHANGE, "held back: a small change"},
    {ANOMALY_BY_POPULATION, "judged by the events of all keys: its own are too few"},
    {ANOMALY_LATE, "late, so not learned"},
    {ANOMALY_JUMPED, "far ahead of the other times, so not learned"},
    {ANOMALY_TRUNCATED, "the window was cut by its bound"},
};

void cli_add_episode(cli_buffer *b, const cli_episode *episode)
{
    char span[CLI_TIME_SIZE];
    if (episode->since != ANOMALY_NO_TIME && episode->last > episode->since) {
        cli_format_span(span, (double)episode->last - (double)episode->since);
        add(b, "%s, ", span);
    }
    add(b, "%" PRIu64 " odd event%s", episode->odd, episode->odd == 1 ? "" : "s");
}

static void add_decision(cli_buffer *b, const anomaly_config *config, const cli_record *record)
{
    uint32_t flags = record->verdict.flags;
    bool rests = config->rest_events > 0 || config->rest_ns > 0;
    if ((flags & ANOMALY_EPISODE_END) != 0 && record->episode != NULL && record->episode->odd > 0) {
        cli_buffer_text(b, "; the episode before is over: ");
        cli_add_episode(b, record->episode);
    } else if (flags & ANOMALY_EPISODE_END) {
        cli_buffer_text(b, "; the episode before is over");
    }
    if ((flags & (ANOMALY_ALARM | ANOMALY_EPISODE)) == ANOMALY_ALARM && rests)
        cli_buffer_text(b, "; " CLI_FIRST_OF_EPISODE);
    else if ((flags & ANOMALY_EPISODE) != 0 && record->episode != NULL && record->episode->since != ANOMALY_NO_TIME) {
        cli_buffer_text(b, "; in the episode that began");
        add_clock(b, record->episode->since);
    } else if (flags & ANOMALY_EPISODE)
        cli_buffer_text(b, "; in an episode that has had its alarm");
}

void cli_add_sentence(cli_buffer *b, const anomaly_config *config, const cli_record *record)
{
    const anomaly_verdict *v = &record->verdict;
    add_subject(b, config, record);
    add_value(b, v, record->value);
    add_clock(b, record->time);
    if (v->flags & ANOMALY_WARMING_UP)
        cli_buffer_text(b, ": too few events before to judge it");
    else if (v->flags & ANOMALY_UNTRANSFORMED)
        cli_buffer_text(b, ": has no transform, so not judged");
    else if (!isnan(record->value)) {
        add_usual(b, config, v);
        add_distance(b, config, v);
        add_chance(b, v);
    }
    add_decision(b, config, record);
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        if (v->flags & notes[i].flag) {
            cli_buffer_text(b, "; ");
            cli_buffer_text(b, notes[i].text);
        }
}
