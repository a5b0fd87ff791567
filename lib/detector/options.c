/* SPDX-License-Identifier: MIT */
/* The one table of options: names, defaults, bounds, help, place in snapshots; everything that reads or writes an
 * option goes through it. */
#include "detector/options.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* The kinds that an option applies to: a new kind takes the options of every kind, or of every kind that judges
 * feature by feature, unless a row here says otherwise. */
#define ZSCORE     (1u << ANOMALY_ZSCORE)
#define PERCENTILE (1u << ANOMALY_PERCENTILE)
#define FOREST     (1u << ANOMALY_IFOREST)
#define DISTANCE   (1u << ANOMALY_MAHALANOBIS)
#define WATCH      (1u << ANOMALY_WATCH)
#define EVERY      (~1u)
#define VALUES     (EVERY & ~(FOREST | DISTANCE | WATCH)) /* kinds that judge each feature by itself */

#define AT(member) offsetof(anomaly_config, member)
#define LARGE      1.7976931348623157e308
#define LONGEST    0x1p63
#define SEEDS      0x1p64

/* clang-format off */
static const an_option options[] = {
    {{"window", "N events, a time with its unit (300s, 5m, 1h), or both (300s,5000)", "events an event is judged against", EVERY},
     "1000", AN_WINDOW, AT(window_events), 2, 0, 0, {0}},
    {{"warmup", "a whole number from 1", "events in the window before it judges", EVERY},
     "5", AN_COUNT64, AT(warmup_events), 4, 1, 0x1p30, {0}},
    {{"threshold", "a number", "score from which an event is anomalous; forest, 0: it follows the scores", EVERY},
     "3", AN_NUMBER, AT(threshold), 5, -LARGE, LARGE, {0}},
    {{"compare", "ge or gt", "anomalous where score >= threshold, or only where score > threshold", EVERY},
     "ge", AN_CHOICE, AT(compare), 6, 0, 0, {"ge", "gt"}},
    {{"side", "both, upper or lower", "which deviations count", VALUES},
     "both", AN_CHOICE, AT(side), 7, 0, 0, {"both", "upper", "lower"}},
    {{"include_self", "0 or 1", "1: learn an event first, then judge it in its own window", VALUES},
     "0", AN_CHOICE, AT(include_self), 8, 0, 0, {"0", "1"}},
    {{"ddof", "0 or 1", "the variance is divided by n - ddof", VALUES},
     "1", AN_CHOICE, AT(ddof), 9, 0, 0, {"0", "1"}},
    {{"robust", "0 or 1", "1: median and MAD * 1.4826 instead of mean and standard deviation", ZSCORE},
     "0", AN_CHOICE, AT(robust), 10, 0, 0, {"0", "1"}},
    {{"flat", "flag or ignore", "a different value after a window without spread: anomalous, or only shown", VALUES | DISTANCE},
     "flag", AN_CHOICE, AT(flat), 11, 0, 0, {"flag", "ignore"}},
    {{"min_stddev", "a number from 0", "a smaller spread counts as this one", ZSCORE},
     "0", AN_NUMBER, AT(min_stddev), 12, 0, LARGE, {0}},
    {{"learn", "always, normal or normal:K", "normal: flagged events are not learned; normal:K: from the K-th in a row they are", EVERY},
     "always", AN_LEARN, AT(learn), 13, 0, 0, {0}},
    {{"max_late", "a time with its unit, or window", "how far behind the newest an event still takes its place", VALUES},
     "window", AN_DURATION, AT(max_late_ns), 15, -1, LONGEST, {"window"}},
    {{"max_jump", "a time with its unit, or off", "how far ahead of the newest an event may be", VALUES},
     "off", AN_DURATION, AT(max_jump_ns), 16, 0, LONGEST, {"off"}},
    {{"lower", "percent, 0 to 100", "the lower bound's percentile", PERCENTILE},
     "1", AN_NUMBER, AT(lower_percent), 17, 0, 100, {0}},
    {{"upper", "percent, 0 to 100", "the upper bound's percentile", PERCENTILE},
     "99", AN_NUMBER, AT(upper_percent), 18, 0, 100, {0}},
    {{"quantile", "linear or nearest", "between two values: interpolate, or take the nearest rank", VALUES},
     "linear", AN_CHOICE, AT(quantile), 19, 0, 0, {"linear", "nearest"}},
    {{"profile", "fast, balanced or accurate", "sets trees, sample, depth, candidates and guided together", FOREST},
     "balanced", AN_CHOICE, AT(profile), 21, 0, 0, {"fast", "balanced", "accurate"}},
    {{"trees", "a whole number from 1 to 1024", "trees of the forest", FOREST},
     "128", AN_COUNT32, AT(trees), 22, 1, 1024, {0}},
    {{"sample", "a whole number from 2 to 16384", "events of the window that a tree is grown from", FOREST},
     "96", AN_COUNT32, AT(sample), 23, 2, 16384, {0}},
    {{"depth", "a whole number from 1 to 32", "deepest level of a leaf", FOREST},
     "8", AN_COUNT32, AT(depth), 24, 1, 32, {0}},
    {{"candidates", "a whole number from 1 to 16", "random cuts that a guided cut is the best of", FOREST},
     "10", AN_COUNT32, AT(candidates), 25, 1, 16, {0}},
    {{"guided", "a number from 0 to 1", "share of the cuts that are guided; the others are random", FOREST},
     "0.5", AN_NUMBER, AT(guided), 26, 0, 1, {0}},
    {{"contamination", "a number from 0 to 0.5", "share of the last scores that is anomalous, at most; 0: see threshold", FOREST},
     "0", AN_NUMBER, AT(contamination), 27, 0, 0.5, {0}},
    {{"seed", "a whole number", "of the random numbers: same seed and events, same verdicts", FOREST},
     "1", AN_COUNT64, AT(seed), 28, 0, SEEDS, {0}},
    {{"alarm_rate", "a number from 0 to 0.5", "share of the events that may be flagged, whatever their scores; 0: by threshold", EVERY},
     "0", AN_NUMBER, AT(alarm_rate), 29, 0, 0.5, {0}},
    {{"alarms", "N/time (2/day, 10/1h), auto or off", "so many events may be flagged in that time; off: by threshold", EVERY},
     "off", AN_ALARMS, AT(alarms), 30, 0, 0, {0}},
    {{"calibrate", "N from 128 to 16777216, pool, or both (10000,pool)", "last scores that alarm_rate and alarms are measured by; pool: of all keys", EVERY},
     "10000", AN_CALIBRATE, AT(calibrate), 32, 0, 0, {0}},
    {{"transform", "none, log, log1p, sqrt, diff or rate", "what is judged in place of a value", EVERY},
     "none", AN_CHOICE, AT(transform), 33, 0, 0, {"none", "log", "log1p", "sqrt", "diff", "rate"}},
    {{"season", "a time from 1m to 366d (1d), two (1d,7d), or off", "a value is judged beside those of the same time of the period", EVERY},
     "off", AN_SEASON, AT(season_ns), 36, 0, 0, {0}},
    {{"season_offset", "a time with its unit, from -1d to 1d", "added to the times for the season: the time zone's offset", EVERY},
     "0s", AN_OFFSET, AT(offset_ns), 38, -86400e9, 86400e9, {0}},
    {{"rest", "N events, a time with its unit, or off", "after an alarm none before so long has passed without an odd event", EVERY},
     "off", AN_REST, AT(rest_events), 39, 0, 0, {0}},
    {{"margin", "a number from 0", "... but by a score larger than the alarm's by so much; 0: none", EVERY},
     "0", AN_NUMBER, AT(margin), 41, 0, LARGE, {0}},
    {{"confirm", "K/M, M up to 64", "an alarm only when K of the last M events are odd", EVERY},
     "1/1", AN_CONFIRM, AT(confirm), 34, 0, 0, {0}},
    {{"min_change", "a number from 0, or percent (10%)", "an odd value nearer to the expected one is no alarm", VALUES},
     "0", AN_CHANGE, AT(min_change), 42, 0, 0, {0}},
    {{"lags", "auto, pyramid or a whole number from 0 to 4096", "newest values of each feature that are judged together; pyramid: means of 1 to 32 of them", DISTANCE | FOREST},
     "auto", AN_WORD_COUNT, AT(lags), 44, -2, AN_MAX_FEATURES, {"auto", "pyramid"}},
    {{"silence", "a factor (3x), N/time (1/7d), or off", "overdue after so many of the longest usual intervals, or with so many false reports", EVERY},
     "off", AN_SILENCE, AT(silence), 45, 0, 0, {0}},
    {{"population", "0 or 1", "pools: 1: a key that warms up is judged by the events of all keys", EVERY & ~WATCH},
     "0", AN_CHOICE, AT(population), 48, 0, 0, {"0", "1"}},
    {{"features", "a whole number from 1 to 4096", "values per event", EVERY},
     "1", AN_COUNT32, AT(features), 1, 1, AN_MAX_FEATURES, {0}},
    {{"reserve", "0 or 1", "1: allocate the full window at create", EVERY},
     "0", AN_CHOICE, AT(reserve), 20, 0, 0, {"0", "1"}},
    {{"simd", "auto, scalar, portable, avx2 or avx512", "force a code path (tests); all give the same bits", EVERY},
     "auto", AN_CHOICE, AT(simd), 0, 0, 0, {"auto", "scalar", "portable", "avx2", "avx512"}},
};
/* clang-format on */
#define OPTIONS (sizeof options / sizeof *options)

const an_option *an_option_at(size_t index)
{
    return index < OPTIONS ? &options[index] : NULL;
}

const anomaly_option *anomaly_option_at(size_t index)
{
    return index < OPTIONS ? &options[index].shown : NULL;
}

const an_option *an_option_find(const char *name)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (strcmp(options[i].shown.name, name) == 0)
            return &options[i];
    return NULL;
}

/* ---- from text ---- */

static void store_member(anomaly_config *config, const an_option *o, const void *value, size_t size)
{
    memcpy((char *)config + o->offset, value, size);
}

static int set_count(anomaly_config *config, const an_option *o, const char *text)
{
    uint64_t value;
    if (!an_text_to_count(text, &value) || (double)value < o->least || (double)value > o->most)
        return 0;
    if (o->type == AN_COUNT64)
        store_member(config, o, &value, sizeof value);
    else
        store_member(config, o, &(uint32_t){(uint32_t)value}, sizeof(uint32_t));
    return 1;
}

/* What the profiles stand for; docs/methods.md tells what they cost and how well they find. */
static void apply_profile(anomaly_config *config)
{
    static const struct {
        uint32_t trees, sample, depth, candidates;
    } profiles[] = {{48, 64, 8, 10}, {128, 96, 8, 10}, {256, 96, 10, 16}};
    config->trees = profiles[config->profile].trees;
    config->sample = profiles[config->profile].sample;
    config->depth = profiles[config->profile].depth;
    config->candidates = profiles[config->profile].candidates;
    config->guided = 0.5;
}

static int set_choice(anomaly_config *config, const an_option *o, const char *text)
{
    for (int32_t i = 0; i < AN_MOST_CHOICES && o->choice[i]; i++)
        if (strcmp(o->choice[i], text) == 0) {
            store_member(config, o, &i, sizeof i);
            if (o->offset == AT(profile))
                apply_profile(config);
            return 1;
        }
    return 0;
}

static int set_number(anomaly_config *config, const an_option *o, const char *text)
{
    double value;
    const char *end = an_text_to_double(text, &value);
    if (!end || *end || !(value >= o->least && value <= o->most))
        return 0;
    store_member(config, o, &value, sizeof value);
    return 1;
}

/* The word of a duration stands for its least value. */
static int set_duration(anomaly_config *config, const an_option *o, const char *text)
{
    int64_t ns = (int64_t)o->least;
    if (strcmp(text, o->choice[0]) != 0 && !an_text_to_ns(text, &ns))
        return 0;
    store_member(config, o, &ns, sizeof ns);
    return 1;
}

/* The text without its sign is a duration. */
static int set_offset(anomaly_config *config, const an_option *o, const char *text)
{
    int64_t ns;
    int negative = *text == '-';
    if (!an_text_to_ns(text + (*text == '-' || *text == '+'), &ns) || (double)ns > o->most)
        return 0;
    ns = negative ? -ns : ns;
    store_member(config, o, &ns, sizeof ns);
    return 1;
}

/* The words stand for -1, -2 and so on. */
static int set_word_count(anomaly_config *config, const an_option *o, const char *text)
{
    uint64_t count;
    int32_t value = 0;
    for (int32_t i = 0; i < AN_MOST_CHOICES && o->choice[i] && value == 0; i++)
        value = strcmp(o->choice[i], text) == 0 ? -1 - i : 0;
    if (value == 0 && (!an_text_to_count(text, &count) || (double)count > o->most))
        return 0;
    store_member(config, o, value ? &value : &(int32_t){(int32_t)count}, sizeof value);
    return 1;
}

int an_option_set(anomaly_config *config, const an_option *o, const char *text)
{
    switch (o->type) {
    case AN_COUNT64:
    case AN_COUNT32: return set_count(config, o, text);
    case AN_CHOICE: return set_choice(config, o, text);
    case AN_NUMBER: return set_number(config, o, text);
    case AN_DURATION: return set_duration(config, o, text);
    case AN_OFFSET: return set_offset(config, o, text);
    case AN_WORD_COUNT: return set_word_count(config, o, text);
    default: return an_pair_set(config, o->type, text);
    }
}

/* ---- to text ---- */

static int64_t load_integer(const anomaly_config *config, const an_option *o)
{
    const char *at = (const char *)config + o->offset;
    int64_t wide = 0;
    int32_t narrow;
    if (o->type == AN_COUNT64 || o->type == AN_DURATION || o->type == AN_OFFSET) {
        memcpy(&wide, at, sizeof wide);
        return wide;
    }
    memcpy(&narrow, at, sizeof narrow);
    return narrow;
}

static double load_double(const anomaly_config *config, const an_option *o)
{
    double value;
    memcpy(&value, (const char *)config + o->offset, sizeof value);
    return value;
}

void an_option_write(const anomaly_config *config, const an_option *o, char *text)
{
    int64_t value = o->type >= AN_WINDOW || o->type == AN_NUMBER ? 0 : load_integer(config, o);
    switch (o->type) {
    case AN_COUNT64:
    case AN_COUNT32: sprintf(text, "%llu", (unsigned long long)value); break;
    case AN_CHOICE: strcpy(text, o->choice[value]); break;
    case AN_NUMBER: an_double_to_text(load_double(config, o), text); break;
    case AN_DURATION:
        if (value == (int64_t)o->least)
            strcpy(text, o->choice[0]);
        else
            an_ns_to_text(value, text);
        break;
    case AN_OFFSET:
        *text = '-';
        an_ns_to_text(value < 0 ? -value : value, text + (value < 0));
        break;
    case AN_WORD_COUNT:
        if (value < 0)
            strcpy(text, o->choice[-1 - value]);
        else
            sprintf(text, "%lld", (long long)value);
        break;
    default: an_pair_write(config, o->type, text); break;
    }
}

/* ---- bounds ---- */

static int choice_count(const an_option *o)
{
    int n = 0;
    while (n < AN_MOST_CHOICES && o->choice[n])
        n++;
    return n;
}

int an_option_is_in_bounds(const anomaly_config *config, const an_option *o)
{
    switch (o->type) {
    case AN_COUNT64:
        return (double)(uint64_t)load_integer(config, o) >= o->least && (double)(uint64_t)load_integer(config, o) <= o->most;
    case AN_COUNT32:
    case AN_WORD_COUNT:
    case AN_DURATION:
    case AN_OFFSET: {
        double value = (double)load_integer(config, o);
        return value >= o->least && value <= o->most;
    }
    case AN_CHOICE: {
        int64_t value = load_integer(config, o);
        return value >= 0 && value < choice_count(o);
    }
    case AN_NUMBER: {
        double value = load_double(config, o);
        return value >= o->least && value <= o->most;
    }
    default: return an_pair_is_in_bounds(config, o->type);
    }
}

/* ---- snapshots ---- */

_Static_assert(sizeof(anomaly_config) - AT(silence_ns) == 8,
               "a member has come to the configuration: count it in AN_MEMBERS, and give the row of its option that place");

void an_option_members(an_member member[AN_MEMBERS])
{
    static const struct {
        enum an_member_type first, second;
        size_t second_offset, second_saved; /* second_saved 0: behind the first */
    } types[] = {
        [AN_COUNT64] = {AN_U64, AN_NO_MEMBER, 0, 0},        [AN_COUNT32] = {AN_U32, AN_NO_MEMBER, 0, 0},
        [AN_CHOICE] = {AN_I32, AN_NO_MEMBER, 0, 0},         [AN_NUMBER] = {AN_F64, AN_NO_MEMBER, 0, 0},
        [AN_DURATION] = {AN_I64, AN_NO_MEMBER, 0, 0},       [AN_OFFSET] = {AN_I64, AN_NO_MEMBER, 0, 0},
        [AN_WORD_COUNT] = {AN_I32, AN_NO_MEMBER, 0, 0},     [AN_WINDOW] = {AN_U64, AN_I64, AT(window_ns), 0},
        [AN_LEARN] = {AN_I32, AN_U32, AT(learn_after), 0},  [AN_ALARMS] = {AN_F64, AN_I64, AT(alarms_ns), 0},
        [AN_SEASON] = {AN_I64, AN_I64, AT(second_ns), 0},   [AN_REST] = {AN_U64, AN_I64, AT(rest_ns), 0},
        [AN_CONFIRM] = {AN_U32, AN_U32, AT(confirm_of), 0}, [AN_CHANGE] = {AN_F64, AN_F64, AT(min_percent), 0},
        [AN_SILENCE] = {AN_F64, AN_I64, AT(silence_ns), 0}, [AN_CALIBRATE] = {AN_U64, AN_I32, AT(calibrate_by), 47},
    };
    member[0] = (an_member){AN_I32, AT(kind)};
    for (const an_option *o = options; o < options + OPTIONS; o++) {
        if (o->saved)
            member[o->saved] = (an_member){types[o->type].first, o->offset};
        size_t apart = types[o->type].second_saved;
        if (types[o->type].second)
            member[apart ? apart : o->saved + 1] = (an_member){types[o->type].second, types[o->type].second_offset};
    }
}
