/* SPDX-License-Identifier: MIT */
/* The one table of options: names, defaults, bounds and help; everything that reads or writes an option goes through it. */
#include "base/simd.h"
#include "base/text.h"
#include "detector/kind.h"
#include "window/ranks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum field_type { COUNT64, COUNT32, CHOICE, NUMBER, DURATION, WINDOW, LEARN };

#define CHOICES 5
typedef struct field {
    anomaly_option option;
    enum field_type type;
    size_t offset;
    double least, most;          /* COUNT64, COUNT32, NUMBER, DURATION */
    const char *choice[CHOICES]; /* CHOICE: index = value */
    const char *preset[3];       /* default as text, by kind */
} field;

#define AT(member) offsetof(anomaly_config, member)
#define ZSCORE     (1u << ANOMALY_ZSCORE)
#define PERCENTILE (1u << ANOMALY_PERCENTILE)
#define FOREST     (1u << ANOMALY_IFOREST)
#define VALUES     (ZSCORE | PERCENTILE) /* kinds that judge each feature by itself */
#define EVERY      (VALUES | FOREST)
#define SWITCH   \
    {            \
        "0", "1" \
    }
#define LARGE   1.7976931348623157e308
#define LONGEST 0x1p63
#define SEEDS   0x1p64

#define FOREST_PRESET(text) \
    {                       \
        text, text, text    \
    }

/* clang-format off */
static const field fields[] = {
    {{"window", "N events, a time with its unit (300s, 5m, 1h), or both (300s,5000)", "events an event is judged against", EVERY},
     WINDOW, 0, 0, 0, {0}, {"1000", "1000", "2048"}},
    {{"warmup", "a whole number from 1", "events in the window before it judges", EVERY},
     COUNT64, AT(warmup_events), 1, 0x1p30, {0}, {"5", "20", "64"}},
    {{"threshold", "a number", "score from which an event is anomalous; forest, 0: it follows the scores", EVERY},
     NUMBER, AT(threshold), -LARGE, LARGE, {0}, {"3", "0", "0"}},
    {{"compare", "ge or gt", "anomalous where score >= threshold, or only where score > threshold", EVERY},
     CHOICE, AT(compare), 0, 0, {"ge", "gt"}, {"ge", "gt", "ge"}},
    {{"side", "both, upper or lower", "which deviations count", VALUES},
     CHOICE, AT(side), 0, 0, {"both", "upper", "lower"}, {"both", "both", "both"}},
    {{"include_self", "0 or 1", "1: learn an event first, then judge it in its own window", VALUES},
     CHOICE, AT(include_self), 0, 0, SWITCH, {"0", "0", "0"}},
    {{"ddof", "0 or 1", "the variance is divided by n - ddof", VALUES},
     CHOICE, AT(ddof), 0, 0, SWITCH, {"1", "1", "1"}},
    {{"robust", "0 or 1", "1: median and MAD * 1.4826 instead of mean and standard deviation", ZSCORE},
     CHOICE, AT(robust), 0, 0, SWITCH, {"0", "0", "0"}},
    {{"flat", "flag or ignore", "a different value after a window without spread: anomalous, or only shown", VALUES},
     CHOICE, AT(flat), 0, 0, {"flag", "ignore"}, {"flag", "flag", "flag"}},
    {{"min_stddev", "a number from 0", "a smaller spread counts as this one", ZSCORE},
     NUMBER, AT(min_stddev), 0, LARGE, {0}, {"0", "0", "0"}},
    {{"learn", "always, normal or normal:K", "normal: flagged events are not learned; normal:K: from the K-th in a row they are", EVERY},
     LEARN, 0, 0, 0, {0}, {"always", "always", "always"}},
    {{"max_late", "a time with its unit, or window", "how far behind the newest an event still takes its place", VALUES},
     DURATION, AT(max_late_ns), -1, LONGEST, {"window"}, {"window", "window", "window"}},
    {{"max_jump", "a time with its unit, or off", "how far ahead of the newest an event may be", VALUES},
     DURATION, AT(max_jump_ns), 0, LONGEST, {"off"}, {"off", "off", "off"}},
    {{"lower", "percent, 0 to 100", "the lower bound's percentile", PERCENTILE},
     NUMBER, AT(lower_percent), 0, 100, {0}, {"1", "1", "1"}},
    {{"upper", "percent, 0 to 100", "the upper bound's percentile", PERCENTILE},
     NUMBER, AT(upper_percent), 0, 100, {0}, {"99", "99", "99"}},
    {{"quantile", "linear or nearest", "between two values: interpolate, or take the nearest rank", VALUES},
     CHOICE, AT(quantile), 0, 0, {"linear", "nearest"}, {"linear", "linear", "linear"}},
    {{"profile", "fast, balanced or accurate", "sets trees, sample, depth, candidates and guided together", FOREST},
     CHOICE, AT(profile), 0, 0, {"fast", "balanced", "accurate"}, FOREST_PRESET("balanced")},
    {{"trees", "a whole number from 1 to 1024", "trees of the forest", FOREST},
     COUNT32, AT(trees), 1, 1024, {0}, FOREST_PRESET("128")},
    {{"sample", "a whole number from 2 to 16384", "events of the window that a tree is grown from", FOREST},
     COUNT32, AT(sample), 2, 16384, {0}, FOREST_PRESET("96")},
    {{"depth", "a whole number from 1 to 32", "deepest level of a leaf", FOREST},
     COUNT32, AT(depth), 1, 32, {0}, FOREST_PRESET("8")},
    {{"candidates", "a whole number from 1 to 16", "random cuts that a guided cut is the best of", FOREST},
     COUNT32, AT(candidates), 1, 16, {0}, FOREST_PRESET("10")},
    {{"guided", "a number from 0 to 1", "share of the cuts that are guided; the others are random", FOREST},
     NUMBER, AT(guided), 0, 1, {0}, FOREST_PRESET("0.5")},
    {{"contamination", "a number from 0 to 0.5", "share of the last scores that is anomalous, at most; 0: see threshold", FOREST},
     NUMBER, AT(contamination), 0, 0.5, {0}, {"0", "0", "0.01"}},
    {{"seed", "a whole number", "of the random numbers: same seed and events, same verdicts", FOREST},
     COUNT64, AT(seed), 0, SEEDS, {0}, FOREST_PRESET("1")},
    {{"features", "a whole number from 1 to 4096", "values per event", EVERY},
     COUNT32, AT(features), 1, AN_MAX_FEATURES, {0}, {"1", "1", "1"}},
    {{"reserve", "0 or 1", "1: allocate the full window at create", EVERY},
     CHOICE, AT(reserve), 0, 0, SWITCH, {"0", "0", "0"}},
    {{"simd", "auto, scalar, portable, avx2 or avx512", "force a code path (tests); all give the same bits", EVERY},
     CHOICE, AT(simd), 0, 0, {"auto", "scalar", "portable", "avx2", "avx512"}, {"auto", "auto", "auto"}},
};
/* clang-format on */
#define FIELDS (sizeof fields / sizeof *fields)

const anomaly_option *anomaly_option_at(size_t index)
{
    return index < FIELDS ? &fields[index].option : NULL;
}

static void clear_error(anomaly_error *error)
{
    if (error)
        memset(error, 0, sizeof *error);
}

static const field *find_field(const char *name)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (strcmp(fields[i].option.name, name) == 0)
            return &fields[i];
    return NULL;
}

/* A third of the letters may be wrong; beyond that a guess would only mislead. */
static const field *nearest_field(const char *name, int kind)
{
    const field *nearest = NULL;
    size_t bound = (strlen(name) + 1) / 3 + 1;
    for (size_t i = 0; i < FIELDS; i++) {
        size_t distance = an_text_distance(name, fields[i].option.name);
        if (!(fields[i].option.kinds & 1u << kind) || distance >= bound)
            continue;
        nearest = &fields[i];
        bound = distance;
    }
    return nearest;
}

static int unknown_option(anomaly_error *error, const char *name, int kind)
{
    const field *f = nearest_field(name, kind);
    if (!f)
        return an_error(error, ANOMALY_E_CONFIG, name, "unknown option '%.60s'", name);
    return an_error(error, ANOMALY_E_CONFIG, name, "unknown option '%s'; did you mean '%s'?", name, f->option.name);
}

/* ---- text to field ---- */

static void store(anomaly_config *config, const field *f, const void *value, size_t size)
{
    memcpy((char *)config + f->offset, value, size);
}

static int set_count(anomaly_config *config, const field *f, const char *text)
{
    uint64_t value;
    if (!an_text_to_count(text, &value) || (double)value < f->least || (double)value > f->most)
        return 0;
    if (f->type == COUNT64)
        store(config, f, &value, sizeof value);
    else
        store(config, f, &(uint32_t){(uint32_t)value}, sizeof(uint32_t));
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

static int set_choice(anomaly_config *config, const field *f, const char *text)
{
    for (int32_t i = 0; i < CHOICES && f->choice[i]; i++)
        if (strcmp(f->choice[i], text) == 0) {
            store(config, f, &i, sizeof i);
            if (f->offset == AT(profile))
                apply_profile(config);
            return 1;
        }
    return 0;
}

static int set_number(anomaly_config *config, const field *f, const char *text)
{
    double value;
    const char *end = an_text_to_double(text, &value);
    if (!end || *end || !(value >= f->least && value <= f->most))
        return 0;
    store(config, f, &value, sizeof value);
    return 1;
}

/* The word of a duration stands for its least value. */
static int set_duration(anomaly_config *config, const field *f, const char *text)
{
    int64_t ns = (int64_t)f->least;
    if (strcmp(text, f->choice[0]) != 0 && !an_text_to_ns(text, &ns))
        return 0;
    store(config, f, &ns, sizeof ns);
    return 1;
}

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

static int set_field(anomaly_config *config, const field *f, const char *text)
{
    switch (f->type) {
    case COUNT64:
    case COUNT32: return set_count(config, f, text);
    case CHOICE: return set_choice(config, f, text);
    case NUMBER: return set_number(config, f, text);
    case DURATION: return set_duration(config, f, text);
    case WINDOW: return set_window(config, text);
    case LEARN: return set_learn(config, text);
    }
    return 0;
}

static int is_kind(int kind)
{
    return kind == ANOMALY_ZSCORE || kind == ANOMALY_PERCENTILE || kind == ANOMALY_IFOREST;
}

static void set_presets(anomaly_config *config, int kind)
{
    memset(config, 0, sizeof *config);
    config->struct_size = sizeof *config;
    config->kind = kind;
    for (size_t i = 0; i < FIELDS; i++)
        set_field(config, &fields[i], fields[i].preset[kind - 1]);
}

int anomaly_config_init(anomaly_config *config, size_t struct_size, int kind)
{
    anomaly_config own;
    if (!config || struct_size < AT(features))
        return ANOMALY_E_ARG;
    if (struct_size > sizeof own)
        return ANOMALY_E_VERSION;
    if (!is_kind(kind))
        return ANOMALY_E_KIND;
    set_presets(&own, kind);
    own.struct_size = struct_size;
    memcpy(config, &own, struct_size);
    return ANOMALY_OK;
}

static int is_usable(const anomaly_config *config)
{
    return config && config->struct_size >= AT(features) && config->struct_size <= sizeof *config && is_kind(config->kind);
}

static void import(anomaly_config *own, const anomaly_config *theirs)
{
    set_presets(own, theirs->kind);
    memcpy(own, theirs, theirs->struct_size);
    own->struct_size = sizeof *own;
}

int anomaly_config_set(anomaly_config *config, const char *name, const char *text, anomaly_error *error)
{
    anomaly_config own;
    if (!is_usable(config) || !name || !text)
        return an_error(error, ANOMALY_E_ARG, "", "config, name and text must be given");
    const field *f = find_field(name);
    if (!f)
        return unknown_option(error, name, config->kind);
    if (!(f->option.kinds & 1u << config->kind))
        return an_error(error, ANOMALY_E_CONFIG, name, "%s does not apply to this kind of detector", name);
    import(&own, config);
    if (!set_field(&own, f, text))
        return an_error(error, ANOMALY_E_CONFIG, name, "%s takes %s, not '%.40s'", name, f->option.values, text);
    own.struct_size = config->struct_size;
    memcpy(config, &own, config->struct_size);
    clear_error(error);
    return ANOMALY_OK;
}

/* ---- field to text ---- */

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

static int64_t load_integer(const anomaly_config *config, const field *f)
{
    const char *at = (const char *)config + f->offset;
    int64_t wide = 0;
    int32_t narrow;
    if (f->type == COUNT64 || f->type == DURATION) {
        memcpy(&wide, at, sizeof wide);
        return wide;
    }
    memcpy(&narrow, at, sizeof narrow);
    return narrow;
}

static double load_double(const anomaly_config *config, const field *f)
{
    double value;
    memcpy(&value, (const char *)config + f->offset, sizeof value);
    return value;
}

static void write_field(const anomaly_config *config, const field *f, char *text)
{
    int64_t value = f->type == WINDOW || f->type == LEARN || f->type == NUMBER ? 0 : load_integer(config, f);
    switch (f->type) {
    case COUNT64:
    case COUNT32: sprintf(text, "%llu", (unsigned long long)value); break;
    case CHOICE: strcpy(text, f->choice[value]); break;
    case NUMBER: an_double_to_text(load_double(config, f), text); break;
    case DURATION:
        if (value == (int64_t)f->least)
            strcpy(text, f->choice[0]);
        else
            an_ns_to_text(value, text);
        break;
    case WINDOW: write_window(config, text); break;
    case LEARN: write_learn(config, text); break;
    }
}

/* ---- validation ---- */

static int choice_count(const field *f)
{
    int n = 0;
    while (n < CHOICES && f->choice[n])
        n++;
    return n;
}

static int is_in_bounds(const anomaly_config *config, const field *f)
{
    switch (f->type) {
    case COUNT64:
        return (double)(uint64_t)load_integer(config, f) >= f->least && (double)(uint64_t)load_integer(config, f) <= f->most;
    case COUNT32:
    case DURATION: {
        double value = (double)load_integer(config, f);
        return value >= f->least && value <= f->most;
    }
    case CHOICE: {
        int64_t value = load_integer(config, f);
        return value >= 0 && value < choice_count(f);
    }
    case NUMBER: {
        double value = load_double(config, f);
        return value >= f->least && value <= f->most;
    }
    case WINDOW:
        return config->window_ns >= 0 && config->window_events <= AN_MAX_WINDOW_EVENTS &&
               (config->window_ns || config->window_events);
    case LEARN: return config->learn == ANOMALY_LEARN_ALWAYS || config->learn == ANOMALY_LEARN_NORMAL;
    }
    return 0;
}

uint64_t an_config_bound(const anomaly_config *config)
{
    return config->window_events ? config->window_events : AN_TIME_WINDOW_MAX_EVENTS;
}

/* With include_self a value raises the spread it is judged by: |z| is at most (n-1)/sqrt(n), or sqrt(n-1) with ddof 0. */
static int can_flag_with_self(const anomaly_config *config, uint64_t samples)
{
    double n = (double)samples;
    if (config->kind == ANOMALY_ZSCORE)
        return config->robust || config->min_stddev > 0 ||
               an_exceeds(config, (config->ddof ? (n - 1) / sqrt(n) : sqrt(n - 1)) * (1 + 1e-12));
    if (config->quantile == ANOMALY_LINEAR)
        return samples >= 2;
    uint32_t count = (uint32_t)samples;
    int above =
        config->side != ANOMALY_LOWER && an_place_of(config->upper_percent, 100, count, ANOMALY_NEAREST).rank + 1 < count;
    int below = config->side != ANOMALY_UPPER && an_place_of(config->lower_percent, 100, count, ANOMALY_NEAREST).rank > 0;
    return above || below;
}

/* The fewest events, its own included, with which an event can be flagged; 0 when there is nothing to say. */
static uint64_t samples_to_flag(const anomaly_config *config)
{
    uint64_t low = 1, high = AN_MAX_WINDOW_EVENTS;
    if (!config->include_self || can_flag_with_self(config, low))
        return 0;
    if (!can_flag_with_self(config, high))
        return UINT64_MAX;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (can_flag_with_self(config, middle))
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* A limit on time that does less than it says. */
static int warn_of_time(const anomaly_config *config, anomaly_error *error)
{
    char late[64], window[64];
    if (!config->window_ns && config->max_late_ns >= 0)
        return an_error(error, ANOMALY_OK, "max_late", "max_late does nothing: the window is a number of events");
    if (!config->window_ns && config->max_jump_ns)
        return an_error(error, ANOMALY_OK, "max_jump", "max_jump does nothing: the window is a number of events");
    if (config->max_late_ns <= config->window_ns)
        return ANOMALY_OK;
    an_ns_to_text(config->max_late_ns, late);
    an_ns_to_text(config->window_ns, window);
    return an_error(error, ANOMALY_OK, "max_late", "max_late %s counts as the window's %s: nothing older can be in it", late,
                    window);
}

static int warn(const anomaly_config *config, anomaly_error *error)
{
    uint64_t samples = samples_to_flag(config), bound = an_config_bound(config);
    if (config->warmup_events > bound)
        return an_error(error, ANOMALY_OK, "warmup", "can never flag: warmup %llu is more than the window's %llu events",
                        (unsigned long long)config->warmup_events, (unsigned long long)bound);
    if (samples > bound)
        return an_error(error, ANOMALY_OK, "include_self",
                        "can never flag: the window's %llu samples are too few for this threshold",
                        (unsigned long long)bound);
    if (samples > config->warmup_events)
        return an_error(error, ANOMALY_OK, "include_self", "cannot flag before %llu samples", (unsigned long long)samples);
    return warn_of_time(config, error);
}

static int validate_forest(const anomaly_config *config, anomaly_error *error)
{
    if (config->window_ns)
        return an_error(error, ANOMALY_E_CONFIG, "window", "the forest's window is a number of events");
    if (config->window_events < AN_FOREST_LEAST_WINDOW)
        return an_error(error, ANOMALY_E_CONFIG, "window", "the forest needs a window of at least %d events",
                        AN_FOREST_LEAST_WINDOW);
    if (config->sample > config->window_events)
        return an_error(error, ANOMALY_E_CONFIG, "sample", "sample %u is more than the window's %llu events",
                        (unsigned)config->sample, (unsigned long long)config->window_events);
    if (config->include_self)
        return an_error(error, ANOMALY_E_CONFIG, "include_self", "include_self does not apply to this kind of detector");
    return ANOMALY_OK;
}

static int validate(const anomaly_config *config, anomaly_error *error)
{
    clear_error(error);
    for (size_t i = 0; i < FIELDS; i++)
        if (!is_in_bounds(config, &fields[i]))
            return an_error(error, ANOMALY_E_CONFIG, fields[i].option.name, "%s must be %s", fields[i].option.name,
                            fields[i].option.values);
    if (config->kind == ANOMALY_PERCENTILE && config->lower_percent >= config->upper_percent)
        return an_error(error, ANOMALY_E_CONFIG, "lower", "lower must be less than upper");
    if (config->include_self && config->learn != ANOMALY_LEARN_ALWAYS)
        return an_error(error, ANOMALY_E_CONFIG, "learn", "include_self learns before it judges: learn must be always");
    if (config->kind == ANOMALY_IFOREST && validate_forest(config, error))
        return ANOMALY_E_CONFIG;
    if (an_simd_path(config->simd) < 0)
        return an_error(error, ANOMALY_E_CONFIG, "simd", "this processor does not have that path");
    return warn(config, error);
}

int anomaly_config_get(const anomaly_config *config, const char *name, char *text, size_t size)
{
    anomaly_config own;
    char written[64] = "";
    if (!is_usable(config) || !name || !text)
        return ANOMALY_E_ARG;
    const field *f = find_field(name);
    if (!f)
        return ANOMALY_E_NOTFOUND;
    import(&own, config);
    if (validate(&own, NULL) != ANOMALY_OK)
        return ANOMALY_E_CONFIG;
    write_field(&own, f, written);
    if (strlen(written) >= size)
        return ANOMALY_E_SPACE;
    strcpy(text, written);
    return ANOMALY_OK;
}

int an_config_check(const anomaly_config *config, anomaly_config *own, anomaly_error *error)
{
    if (!config)
        return an_error(error, ANOMALY_E_ARG, "", "config must be given");
    if (config->struct_size > sizeof *own)
        return an_error(error, ANOMALY_E_VERSION, "struct_size", "the configuration is of a newer version");
    if (!is_usable(config))
        return an_error(error, ANOMALY_E_ARG, "kind", "the configuration was not made by anomaly_config_init");
    import(own, config);
    return validate(own, error);
}
