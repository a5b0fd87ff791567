/* SPDX-License-Identifier: MIT */
/* Configurations: defaults, options by name, what is refused and what is warned of. */
#include "detector/config.h"

#include "base/simd.h"
#include "base/text.h"
#include "detector/kind.h"
#include "detector/options.h"
#include "detector/status.h"
#include "stage/stages.h"
#include "window/window.h"

#include <math.h>
#include <string.h>

static void clear_error(anomaly_error *error)
{
    if (error)
        memset(error, 0, sizeof *error);
}

static int applies_to(const an_option *option, int kind)
{
    return (option->shown.kinds >> kind & 1) != 0;
}

/* Finds the option whose name is nearest. A third of the letters may be wrong; beyond that a guess would only
 * mislead. */
static const an_option *nearest_option(const char *name, int kind)
{
    const an_option *option, *nearest = NULL;
    size_t bound = (strlen(name) + 1) / 3 + 1;
    for (size_t i = 0; (option = an_option_at(i)) != NULL; i++) {
        size_t distance = an_text_distance(name, option->shown.name);
        if (!applies_to(option, kind) || distance >= bound)
            continue;
        nearest = option;
        bound = distance;
    }
    return nearest;
}

static int refuse_unknown(anomaly_error *error, const char *name, int kind)
{
    const an_option *nearest = nearest_option(name, kind);
    if (!nearest)
        return an_error(error, ANOMALY_E_CONFIG, name, "unknown option '%.60s'", name);
    return an_error(error, ANOMALY_E_CONFIG, name, "unknown option '%s'; did you mean '%s'?", name, nearest->shown.name);
}

#define LEAST_SIZE offsetof(anomaly_config, features) /* struct_size and kind */

static void set_presets(anomaly_config *config, int kind)
{
    const an_option *option;
    memset(config, 0, sizeof *config);
    config->struct_size = sizeof *config;
    config->kind = kind;
    for (size_t i = 0; (option = an_option_at(i)) != NULL; i++)
        an_option_set(config, option, option->preset);
    for (const an_preset *preset = an_kind_presets(kind); preset->option; preset++)
        an_option_set(config, an_option_find(preset->option), preset->text);
}

int anomaly_config_init(anomaly_config *config, size_t struct_size, int kind)
{
    anomaly_config own;
    if (!config || struct_size < LEAST_SIZE)
        return ANOMALY_E_ARG;
    if (struct_size > sizeof own)
        return ANOMALY_E_VERSION;
    if (!an_kind_presets(kind))
        return ANOMALY_E_KIND;
    set_presets(&own, kind);
    own.struct_size = struct_size;
    memcpy(config, &own, struct_size);
    return ANOMALY_OK;
}

static int is_usable(const anomaly_config *config)
{
    return config && config->struct_size >= LEAST_SIZE && config->struct_size <= sizeof *config &&
           an_kind_presets(config->kind);
}

static void import_config(anomaly_config *own, const anomaly_config *theirs)
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
    const an_option *option = an_option_find(name);
    if (!option)
        return refuse_unknown(error, name, config->kind);
    if (!applies_to(option, config->kind))
        return an_error(error, ANOMALY_E_CONFIG, name, "%s does not apply to this kind of detector", name);
    import_config(&own, config);
    if (!an_option_set(&own, option, text))
        return an_error(error, ANOMALY_E_CONFIG, name, "%s takes %s, not '%.40s'", name, option->shown.values, text);
    own.struct_size = config->struct_size;
    memcpy(config, &own, config->struct_size);
    clear_error(error);
    return ANOMALY_OK;
}

/* ---- validation ---- */

uint64_t an_config_bound(const anomaly_config *config)
{
    return config->window_events ? config->window_events : AN_TIME_WINDOW_MAX_EVENTS;
}

/* Finds the fewest events, its own included, with which an event can be flagged; 0 when there is nothing to say. */
static uint64_t samples_to_flag(const anomaly_config *config)
{
    const an_rules *rules = &an_kind_of(config)->rules;
    uint64_t low = 1, high = AN_MAX_WINDOW_EVENTS;
    if (!config->include_self || rules->can_flag_with_self(config, low))
        return 0;
    if (!rules->can_flag_with_self(config, high))
        return UINT64_MAX;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (rules->can_flag_with_self(config, middle))
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* Warns of a limit on time that does less than it says. */
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

static int warn_of_config(const anomaly_config *config, anomaly_error *error)
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

static int validate_stages(const anomaly_config *config, anomaly_error *error)
{
    if (config->include_self && an_stages_are_wanted(config))
        return an_error(error, ANOMALY_E_CONFIG, "include_self",
                        "include_self does not go with transform, season, alarm_rate, alarms, rest, confirm, min_change, "
                        "population and silence");
    if (config->alarm_rate > 0 && config->alarms_ns)
        return an_error(error, ANOMALY_E_CONFIG, "alarms", "alarms and alarm_rate are two budgets: give one of them");
    if (an_stages_are_wanted(config) && config->features > AN_STAGED_FEATURES)
        return an_error(error, ANOMALY_E_CONFIG, "features", "features must be at most %u with stages round the detector",
                        AN_STAGED_FEATURES);
    return ANOMALY_OK;
}

static int validate_config(const anomaly_config *config, anomaly_error *error)
{
    const an_option *option;
    clear_error(error);
    for (size_t i = 0; (option = an_option_at(i)) != NULL; i++)
        if (!an_option_is_in_bounds(config, option))
            return an_error(error, ANOMALY_E_CONFIG, option->shown.name, "%s must be %s", option->shown.name,
                            option->shown.values);
    if (an_kind_of(config)->rules.validate(config, error) != ANOMALY_OK)
        return ANOMALY_E_CONFIG;
    if (validate_stages(config, error) != ANOMALY_OK)
        return ANOMALY_E_CONFIG;
    if (config->include_self && config->learn != ANOMALY_LEARN_ALWAYS)
        return an_error(error, ANOMALY_E_CONFIG, "learn", "include_self learns before it judges: learn must be always");
    if (an_simd_path(config->simd) < 0)
        return an_error(error, ANOMALY_E_CONFIG, "simd", "this processor does not have that path");
    return warn_of_config(config, error);
}

int anomaly_config_get(const anomaly_config *config, const char *name, char *text, size_t size)
{
    anomaly_config own;
    char written[64] = "";
    if (!is_usable(config) || !name || !text)
        return ANOMALY_E_ARG;
    const an_option *option = an_option_find(name);
    if (!option)
        return ANOMALY_E_NOTFOUND;
    import_config(&own, config);
    if (validate_config(&own, NULL) != ANOMALY_OK)
        return ANOMALY_E_CONFIG;
    an_option_write(&own, option, written);
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
    import_config(own, config);
    return validate_config(own, error);
}

int an_is_threshold(const anomaly_config *config, double threshold)
{
    return isfinite(threshold) && (threshold != 0 || !an_kind_of(config)->rules.follows_at_zero);
}

void an_config_fix_threshold(anomaly_config *config, double threshold)
{
    config->threshold = threshold;
    config->contamination = 0;
    config->alarm_rate = config->alarms = 0;
    config->alarms_ns = 0;
}

int anomaly_needs_times(const anomaly_config *config)
{
    anomaly_config own;
    return an_config_check(config, &own, NULL) == ANOMALY_OK && (own.window_ns || an_stages_need_times(&own));
}
