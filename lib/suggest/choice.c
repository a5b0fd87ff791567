/* SPDX-License-Identifier: MIT */
#include "suggest/choice.h"

#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MOST_TOGETHER  128u /* values, of mahalanobis */
#define BUDGET_EVENTS  150  /* for one alarm among them a day, a week or a month */
#define REST_EVENTS    30
#define REST_LEAST_NS  (10 * AN_MINUTE_NS)
#define KEYS_OF_BUDGET 3u /* more share one budget */
#define TEXT_SIZE      48u
#define WHOLE_LEAST    4u /* rows beside which one is judged; warmup below */

/* ---- words ---- */

/* "0.46"; of -1 to 1 or so. */
static const char *hundredths(double x, char *text)
{
    int rounded = (int)floor(fabs(x) * 100 + 0.5);
    snprintf(text, TEXT_SIZE, "%s%d.%02d", x < 0 && rounded > 0 ? "-" : "", rounded / 100, rounded % 100);
    return text;
}

/* "28d": to the nearest whole one of the largest unit that comes twice. */
static const char *span(double ns, char *text)
{
    const int64_t units[] = {AN_DAY_NS, AN_HOUR_NS, AN_MINUTE_NS, AN_SECOND_NS, 1000000, 1000, 1};
    size_t i = 0;
    while (i + 1 < sizeof units / sizeof *units && ns < 2 * (double)units[i])
        i++;
    double count = floor(ns / (double)units[i] + 0.5);
    an_ns_to_text(count * (double)units[i] < 9e18 ? (int64_t)count * units[i] : INT64_MAX / AN_DAY_NS * AN_DAY_NS, text);
    return text;
}

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
reason(an_choice *choice, const char *option, const char *format, ...)
{
    anomaly_reason *given = &choice->said.reasons[choice->said.reason_count++];
    va_list arguments;
    snprintf(given->option, sizeof given->option, "%s", option);
    va_start(arguments, format);
    vsnprintf(given->text, sizeof given->text, format, arguments);
    va_end(arguments);
}

/* ---- kind and window ---- */

static void begin_choice(an_choice *choice, int kind, uint32_t features)
{
    anomaly_config_init(&choice->config, sizeof choice->config, kind);
    choice->config.features = features;
}

static void set(an_choice *choice, const char *option, const char *value)
{
    anomaly_config_set(&choice->config, option, value, NULL);
}

static void choose_kind(an_choice *choice, uint32_t features, const an_facts *facts)
{
    int states = features > 1 && 2 * facts->few > facts->looked;
    begin_choice(choice, features > MOST_TOGETHER || states ? ANOMALY_IFOREST : ANOMALY_MAHALANOBIS, features);
    if (features > MOST_TOGETHER)
        reason(choice, "kind", "%u values an event: mahalanobis takes at most %u, a forest any number", features,
               MOST_TOGETHER);
    else if (states)
        reason(choice, "kind",
               "most columns have 8 different values or fewer: states more than amounts, which suit a forest");
    else if (features > 1)
        reason(choice, "kind", "judges the %u values of an event by how they usually go together", features);
    else
        reason(choice, "kind", "judges the newest value beside the means before it: spikes, shifts, drifts, noise%s",
               facts->few ? "; few different values do no harm" : "");
}

static void choose_window(an_choice *choice, const an_facts *facts)
{
    char text[TEXT_SIZE], apart[TEXT_SIZE];
    double spans = (double)choice->config.window_events * (double)an_facts_interval(facts);
    if (choice->usual_rows <= choice->config.window_events)
        reason(choice, "window", "more than there are: %zu events; nothing is forgotten yet", choice->usual_rows);
    else if (spans > 0)
        reason(choice, "window", "what is usual is learned from the last %s, at one event each %s", span(spans, text),
               span((double)an_facts_interval(facts), apart));
    else
        reason(choice, "window", "enough events for what is usual; older ones may differ");
}

/* ---- transform and season ---- */

static void explain_no_transform(an_choice *choice, const an_facts *facts)
{
    char text[TEXT_SIZE], logarithmic[TEXT_SIZE];
    const char *raw = isnan(facts->lean.raw) ? "" : hundredths(facts->lean.raw, text);
    if (facts->counters > 0)
        reason(choice, "transform", "%zu of %zu columns looked at only grow: counters; give them by themselves for rate",
               facts->counters, facts->looked);
    else if (isnan(facts->lean.raw))
        reason(choice, "transform", "nine of ten values are equal, or there are none");
    else if (facts->leaning > 0)
        reason(choice, "transform", "%zu of %zu columns looked at lean to large values, but not all can have logarithms",
               facts->leaning, facts->looked);
    else if (!isnan(facts->lean.logarithmic) && !facts->lean.beside)
        reason(choice, "transform", "lopsided by %s of 1, but values beside each other are not: what is usual moves", raw);
    else if (!isnan(facts->lean.logarithmic))
        reason(choice, "transform", "lopsided by %s of 1, but the logarithms are too, by %s", raw,
               hundredths(facts->lean.logarithmic, logarithmic));
    else
        reason(choice, "transform", "lopsided by %s of 1%s", raw,
               facts->lean.raw >= 0.3 ? ", but some values are negative, which have no logarithm"
                                      : ": no logarithm is needed");
}

static void choose_transform(an_choice *choice, const an_facts *facts)
{
    char raw[TEXT_SIZE], logarithmic[TEXT_SIZE];
    choice->config.transform = an_facts_transform(facts);
    switch (choice->config.transform) {
    case ANOMALY_RATE:
        reason(choice, "transform", "falls only where it begins anew: a counter, judged by its growth per second");
        break;
    case ANOMALY_DIFF:
        reason(choice, "transform", "falls only where it begins anew: a counter, judged by its growth");
        break;
    case ANOMALY_RAW: explain_no_transform(choice, facts); break;
    default:
        reason(choice, "transform", "lopsided by %s of 1 towards large values, the logarithms by %s%s",
               hundredths(facts->lean.raw, raw), hundredths(facts->lean.logarithmic, logarithmic),
               choice->config.transform == ANOMALY_LOG1P ? "; 0 has one" : "");
    }
}

static void explain_no_season(an_choice *choice, const an_facts *facts)
{
    char repeats[TEXT_SIZE], by_chance[TEXT_SIZE];
    if (an_facts_interval(facts) == 0)
        reason(choice, "season", "there are no times, or they stand still");
    else if (isnan(facts->rhythm.repeats))
        reason(choice, "season", "too short to show one, or too few events a day: three days with an event each six hours");
    else if (facts->daily > 0)
        reason(choice, "season", "%zu of %zu series looked at repeat by the day: fewer than half", facts->daily,
               facts->looked);
    else
        reason(choice, "season", "its hours do not repeat day by day: correlation %s, of noise up to %s",
               hundredths(facts->rhythm.repeats, repeats), hundredths(facts->rhythm.by_chance, by_chance));
}

static void choose_season(an_choice *choice, const an_facts *facts)
{
    char repeats[TEXT_SIZE], by_chance[TEXT_SIZE];
    choice->config.season_ns = an_facts_season(facts);
    if (choice->config.season_ns == 0)
        explain_no_season(choice, facts);
    else
        reason(choice, "season", "its hours repeat %s: correlation %s, of noise up to %s",
               choice->config.season_ns > AN_DAY_NS ? "week by week" : "day by day",
               hundredths(fmin(facts->rhythm.repeats, 1), repeats), hundredths(facts->rhythm.by_chance, by_chance));
}

/* ---- which anomalies are alarms ---- */

static void choose_budget(an_choice *choice, const an_facts *facts)
{
    static const struct {
        int days;
        const char *value, *words;
    } budgets[] = {{1, "auto", "a day, at first by the threshold"}, {7, "1/7d", "a week"}, {30, "1/30d", "in 30 days"}};
    int64_t interval_ns = an_facts_interval(facts);
    double keys = choice->said.keys > KEYS_OF_BUDGET ? (double)choice->said.keys : 1;
    for (size_t i = 0; i < sizeof budgets / sizeof *budgets && interval_ns > 0; i++) {
        double events = keys * budgets[i].days * (double)AN_DAY_NS / (double)interval_ns;
        if (events < BUDGET_EVENTS)
            continue;
        set(choice, "alarms", budgets[i].value);
        reason(choice, "alarms", "one alarm %s, among about %.0f events: as many as somebody looks at", budgets[i].words,
               events);
        return;
    }
    set(choice, "alarms", "auto");
    reason(choice, "alarms", "%s",
           interval_ns > 0 ? "fewer than 150 events in 30 days: no budget, but the threshold at first"
                           : "no times: the threshold at first, then one alarm in 10000 events");
}

static void choose_rest(an_choice *choice, const an_facts *facts)
{
    char text[TEXT_SIZE];
    int64_t interval_ns = an_facts_interval(facts);
    if (interval_ns == 0) {
        set(choice, "rest", "30");
        reason(choice, "rest", "an incident is one alarm, and over after %d events without an odd one", REST_EVENTS);
        return;
    }
    double most = fmax((double)AN_DAY_NS, 3 * (double)interval_ns);
    double ns = fmin(fmax(REST_EVENTS * (double)interval_ns, (double)REST_LEAST_NS), most);
    int64_t minutes = (int64_t)ceil(fmin(ns, 366.0 * (double)AN_DAY_NS) / (double)AN_MINUTE_NS);
    an_ns_to_text(minutes * AN_MINUTE_NS, text);
    set(choice, "rest", text);
    reason(choice, "rest", "an incident is one alarm, and over after %s without an odd event", text);
}

static void choose_learning(an_choice *choice)
{
    set(choice, "learn", "normal:5");
    reason(choice, "learn", "what is flagged is learned from the fifth in a row on: so no outlier hides the next one");
}

/* ---- the three ways ---- */

void an_choose_whole(an_choice *choice, uint32_t features)
{
    begin_choice(choice, ANOMALY_ZSCORE, features);
    choice->said.whole = 1;
    set(choice, "robust", "1");
    set(choice, "threshold", "5");
    set(choice, "warmup", "4");
    choice->config.window_events = choice->rows > WHOLE_LEAST ? choice->rows - 1 : WHOLE_LEAST;
    reason(choice, "kind", "%zu rows are too few to learn from one after the other: each is judged beside all others%s",
           choice->rows, choice->said.keys > 1 ? " of its key" : "");
    reason(choice, "robust", "median and MAD, which a few odd rows do not move");
    reason(choice, "threshold", "five spreads off: of normal rows one in two million");
}

void an_choose_population(an_choice *choice, uint32_t features, const an_facts *facts)
{
    begin_choice(choice, ANOMALY_MAHALANOBIS, features);
    reason(choice, "kind", "takes little memory for each of many keys");
    choose_transform(choice, facts);
    set(choice, "population", "1");
    reason(choice, "population", "a key has %zu events in the middle, too few to learn by: all keys' judge it at first",
           choice->usual_rows);
    set(choice, "threshold", "4");
    reason(choice, "threshold", "four times as far off as usual; a budget would be used up by one key that misbehaves");
    choose_rest(choice, facts);
    choose_learning(choice);
}

void an_choose_options(an_choice *choice, uint32_t features, const an_facts *facts)
{
    choose_kind(choice, features, facts);
    choose_window(choice, facts);
    choose_transform(choice, facts);
    choose_season(choice, facts);
    choose_budget(choice, facts);
    if (choice->said.keys > KEYS_OF_BUDGET) {
        set(choice, "calibrate", "pool");
        reason(choice, "calibrate", "one budget for all keys");
    }
    choose_rest(choice, facts);
    if (choice->config.kind != ANOMALY_IFOREST)
        choose_learning(choice);
}
