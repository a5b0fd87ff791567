/* SPDX-License-Identifier: MIT */
/* Options that stand for two members of the configuration: "300s,5000", "normal:5", "2/1d", "1d,7d", "3/5", "10%",
 * "3x", "10000,pool". */
#include "base/text.h"
#include "detector/options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LARGEST_DOUBLE  1.7976931348623157e308
#define MOST_A_TIME     1e15
#define SHORTEST_SEASON (INT64_C(60) * 1000000000)
#define LONGEST_SEASON  (INT64_C(366) * 86400000000000)
#define MOST_CONFIRMING 64u
#define LEAST_FACTOR    1.0
#define LEAST_SCORES    128u
#define MOST_SCORES     (1u << 24)

/* Cuts a text in two at a letter; 0: it is not there, or the first part is too long. *rest is what follows the
 * letter. */
static int cut_at(const char *text, char letter, char first[64], const char **rest)
{
    const char *at = strchr(text, letter);
    if (!at || at - text >= 64)
        return 0;
    memcpy(first, text, (size_t)(at - text));
    first[at - text] = 0;
    *rest = at + 1;
    return 1;
}

/* Reads the whole text as a number from 0. */
static int read_number(const char *text, double *value)
{
    const char *end = an_text_to_double(text, value);
    return end && !*end && *value >= 0 && *value <= LARGEST_DOUBLE;
}

/* ---- window, learn ---- */

/* One part of a window: a count or a time, each at most once. */
static int set_window_part(anomaly_config *config, const char *part)
{
    uint64_t events;
    int64_t ns;
    if (config->window_events == 0 && an_text_to_count(part, &events) && events >= 1 && events <= AN_MAX_WINDOW_EVENTS)
        config->window_events = events;
    else if (config->window_ns == 0 && an_text_to_ns(part, &ns) && ns >= 1)
        config->window_ns = ns;
    else
        return 0;
    return 1;
}

static int set_window(anomaly_config *config, const char *text)
{
    char part[64];
    anomaly_config changed = *config;
    const char *comma = strchr(text, ',');
    size_t length = comma ? (size_t)(comma - text) : strlen(text);
    changed.window_events = 0;
    changed.window_ns = 0;
    if (length >= sizeof part)
        return 0;
    memcpy(part, text, length);
    part[length] = 0;
    if (!set_window_part(&changed, part) || (comma && !set_window_part(&changed, comma + 1)))
        return 0;
    *config = changed;
    return 1;
}

static int set_learn(anomaly_config *config, const char *text)
{
    uint64_t after = 0;
    int normal = strncmp(text, "normal", 6) == 0;
    if (normal ? text[6] != 0 : strcmp(text, "always") != 0) {
        if (!normal || text[6] != ':' || !an_text_to_count(text + 7, &after) || after < 1 || after > UINT32_MAX)
            return 0;
    }
    config->learn = normal ? ANOMALY_LEARN_NORMAL : ANOMALY_LEARN_ALWAYS;
    config->learn_after = (uint32_t)after;
    return 1;
}

/* ---- alarms, season, rest, confirm, min_change, silence ---- */

/* So many in a time: "2/day" and "2/1d", the number of the unit may be left out. */
static int read_budget(const char *text, double *count, int64_t *ns)
{
    char number[64], one[64];
    const char *time;
    if (!cut_at(text, '/', number, &time) || !read_number(number, count) || !(*count > 0 && *count <= MOST_A_TIME) ||
        strlen(time) > 60)
        return 0;
    sprintf(one, "1%s", time);
    return (an_text_to_ns(time, ns) || an_text_to_ns(one, ns)) && *ns >= 1;
}

static int set_alarms(anomaly_config *config, const char *text)
{
    double alarms = strcmp(text, "auto") == 0;
    int64_t ns = alarms > 0 ? ANOMALY_ALARMS_AUTO : 0;
    if (ns == 0 && strcmp(text, "off") != 0 && !read_budget(text, &alarms, &ns))
        return 0;
    config->alarms = alarms;
    config->alarms_ns = ns;
    return 1;
}

static int read_factor(const char *text, double *factor)
{
    char number[64];
    const char *rest;
    return cut_at(text, 'x', number, &rest) && !*rest && read_number(number, factor) && *factor >= LEAST_FACTOR;
}

static int set_silence(anomaly_config *config, const char *text)
{
    double count = 0;
    int64_t ns = 0;
    if (strcmp(text, "off") != 0 && !read_factor(text, &count) && !read_budget(text, &count, &ns))
        return 0;
    config->silence = count;
    config->silence_ns = ns;
    return 1;
}

static int is_calibration(uint64_t scores)
{
    return scores >= LEAST_SCORES && scores <= MOST_SCORES;
}

static int are_seasons(int64_t first, int64_t second)
{
    if (first == 0)
        return second == 0;
    return first >= SHORTEST_SEASON && first <= LONGEST_SEASON &&
           (second == 0 || (second > first && second <= LONGEST_SEASON && second % first == 0));
}

static int set_season(anomaly_config *config, const char *text)
{
    char part[64];
    const char *longer = text;
    int64_t first = 0, second = 0;
    int two = cut_at(text, ',', part, &longer);
    if (strcmp(text, "off") != 0 && (!an_text_to_ns(two ? part : text, &first) || (two && !an_text_to_ns(longer, &second)) ||
                                     first == 0 || (two && second == 0)))
        return 0;
    if (!are_seasons(first, second))
        return 0;
    config->season_ns = first;
    config->second_ns = second;
    return 1;
}

static int set_rest(anomaly_config *config, const char *text)
{
    uint64_t events = 0;
    int64_t ns = 0;
    if (strcmp(text, "off") != 0 && !(an_text_to_count(text, &events) && events >= 1 && events <= AN_MAX_WINDOW_EVENTS)) {
        events = 0;
        if (!an_text_to_ns(text, &ns) || ns < 1)
            return 0;
    }
    config->rest_events = events;
    config->rest_ns = ns;
    return 1;
}

static int set_confirm(anomaly_config *config, const char *text)
{
    char first[64];
    const char *rest;
    uint64_t k, m;
    if (!cut_at(text, '/', first, &rest) || !an_text_to_count(first, &k) || !an_text_to_count(rest, &m) || k < 1 || k > m ||
        m > MOST_CONFIRMING)
        return 0;
    config->confirm = (uint32_t)k;
    config->confirm_of = (uint32_t)m;
    return 1;
}

static int set_change(anomaly_config *config, const char *text)
{
    char number[64];
    const char *rest;
    double value;
    int percent = cut_at(text, '%', number, &rest);
    if (!read_number(percent ? number : text, &value) || (percent && *rest))
        return 0;
    config->min_change = percent ? 0 : value;
    config->min_percent = percent ? value : 0;
    return 1;
}

/* "10000,pool", or one of the two: "pool" alone leaves the number as it is. */
static int set_calibrate(anomaly_config *config, const char *text)
{
    char number[64];
    const char *by = "";
    uint64_t scores = config->calibrate;
    int alone = strcmp(text, "pool") == 0, both = cut_at(text, ',', number, &by);
    if (!alone && !(an_text_to_count(both ? number : text, &scores) && is_calibration(scores)))
        return 0;
    if (both && strcmp(by, "pool") != 0)
        return 0;
    config->calibrate = scores;
    config->calibrate_by = alone || both ? ANOMALY_BY_POOL : ANOMALY_BY_KEY;
    return 1;
}

int an_pair_set(anomaly_config *config, enum an_option_type type, const char *text)
{
    switch (type) {
    case AN_WINDOW: return set_window(config, text);
    case AN_LEARN: return set_learn(config, text);
    case AN_ALARMS: return set_alarms(config, text);
    case AN_SEASON: return set_season(config, text);
    case AN_REST: return set_rest(config, text);
    case AN_CONFIRM: return set_confirm(config, text);
    case AN_CHANGE: return set_change(config, text);
    case AN_SILENCE: return set_silence(config, text);
    case AN_CALIBRATE: return set_calibrate(config, text);
    default: return 0;
    }
}

/* ---- to text ---- */

static void write_window(const anomaly_config *config, char *text)
{
    *text = 0;
    if (config->window_ns)
        an_ns_to_text(config->window_ns, text);
    if (config->window_events)
        sprintf(text + strlen(text), "%s%llu", config->window_ns ? "," : "", (unsigned long long)config->window_events);
}

static void write_learn(const anomaly_config *config, char *text)
{
    strcpy(text, config->learn == ANOMALY_LEARN_NORMAL ? "normal" : "always");
    if (config->learn == ANOMALY_LEARN_NORMAL && config->learn_after)
        sprintf(text + 6, ":%u", (unsigned)config->learn_after);
}

static void write_budget(double count, int64_t ns, char *text)
{
    an_double_to_text(count, text);
    strcat(text, "/");
    an_ns_to_text(ns, text + strlen(text));
}

static void write_alarms(const anomaly_config *config, char *text)
{
    strcpy(text, config->alarms_ns ? "auto" : "off");
    if (config->alarms_ns > 0)
        write_budget(config->alarms, config->alarms_ns, text);
}

static void write_silence(const anomaly_config *config, char *text)
{
    strcpy(text, "off");
    if (config->silence_ns) {
        write_budget(config->silence, config->silence_ns, text);
    } else if (config->silence > 0) {
        an_double_to_text(config->silence, text);
        strcat(text, "x");
    }
}

static void write_season(const anomaly_config *config, char *text)
{
    strcpy(text, "off");
    if (config->season_ns)
        an_ns_to_text(config->season_ns, text);
    if (config->second_ns) {
        strcat(text, ",");
        an_ns_to_text(config->second_ns, text + strlen(text));
    }
}

static void write_rest(const anomaly_config *config, char *text)
{
    strcpy(text, "off");
    if (config->rest_ns)
        an_ns_to_text(config->rest_ns, text);
    else if (config->rest_events)
        sprintf(text, "%llu", (unsigned long long)config->rest_events);
}

static void write_change(const anomaly_config *config, char *text)
{
    an_double_to_text(config->min_percent > 0 ? config->min_percent : config->min_change, text);
    if (config->min_percent > 0)
        strcat(text, "%");
}

void an_pair_write(const anomaly_config *config, enum an_option_type type, char *text)
{
    switch (type) {
    case AN_WINDOW: write_window(config, text); break;
    case AN_LEARN: write_learn(config, text); break;
    case AN_ALARMS: write_alarms(config, text); break;
    case AN_SEASON: write_season(config, text); break;
    case AN_REST: write_rest(config, text); break;
    case AN_CONFIRM: sprintf(text, "%u/%u", (unsigned)config->confirm, (unsigned)config->confirm_of); break;
    case AN_CHANGE: write_change(config, text); break;
    case AN_SILENCE: write_silence(config, text); break;
    case AN_CALIBRATE:
        sprintf(text, "%llu%s", (unsigned long long)config->calibrate,
                config->calibrate_by == ANOMALY_BY_POOL ? ",pool" : "");
        break;
    default: break;
    }
}

/* ---- bounds ---- */

static int is_from_0(double value)
{
    return value >= 0 && value <= LARGEST_DOUBLE;
}

static int is_a_budget(double count, int64_t ns)
{
    return ns > 0 ? count > 0 && count <= MOST_A_TIME : ns == 0 && count == 0;
}

static int is_auto_budget(const anomaly_config *config)
{
    return config->alarms == 1 && config->alarms_ns == ANOMALY_ALARMS_AUTO;
}

static int is_a_factor(double factor, int64_t ns)
{
    return ns == 0 && factor >= LEAST_FACTOR && factor <= LARGEST_DOUBLE;
}

int an_pair_is_in_bounds(const anomaly_config *config, enum an_option_type type)
{
    switch (type) {
    case AN_WINDOW:
        return config->window_ns >= 0 && config->window_events <= AN_MAX_WINDOW_EVENTS &&
               (config->window_ns || config->window_events);
    case AN_LEARN: return config->learn == ANOMALY_LEARN_ALWAYS || config->learn == ANOMALY_LEARN_NORMAL;
    case AN_ALARMS: return is_a_budget(config->alarms, config->alarms_ns) || is_auto_budget(config);
    case AN_SEASON: return are_seasons(config->season_ns, config->second_ns);
    case AN_REST:
        return config->rest_ns >= 0 && config->rest_events <= AN_MAX_WINDOW_EVENTS &&
               !(config->rest_ns && config->rest_events);
    case AN_CONFIRM:
        return config->confirm >= 1 && config->confirm <= config->confirm_of && config->confirm_of <= MOST_CONFIRMING;
    case AN_CHANGE: return is_from_0(config->min_change) && is_from_0(config->min_percent);
    case AN_SILENCE:
        return is_a_budget(config->silence, config->silence_ns) || is_a_factor(config->silence, config->silence_ns);
    case AN_CALIBRATE:
        return is_calibration(config->calibrate) &&
               (config->calibrate_by == ANOMALY_BY_KEY || config->calibrate_by == ANOMALY_BY_POOL);
    default: return 0;
    }
}
