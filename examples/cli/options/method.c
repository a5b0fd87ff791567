/* SPDX-License-Identifier: MIT
 * method.c - how events are judged where the command line does not say: by what the input shows.
 *
 *   - A short file is judged row by row against all others: no detector that goes by the order has warmed up before
 *     it ends.
 *   - One value with times: `watch`, which knows the time of day.
 *   - Very many values together: the forest, which takes any number.
 *   - Else `mahalanobis`, which takes several values, little memory for each key, and finds more than `watch` where
 *     there are no times. With learn=normal:5 no outlier hides the next one.
 *   - One value that is positive and skewed, as latencies and amounts are: `mahalanobis` of its logarithm. On the
 *     values themselves the slow minute is lost among single slow ones.
 *   - Many keys: they have one budget of alarms, and a key that is new is judged by all. Not with --each, where the
 *     streams are columns, which tell nothing about each other.
 *
 * docs/methods.md has the figures by which these were chosen. */
#include "options/method.h"

#include "options/kinds.h"

#include <string.h>

enum { MOST_TOGETHER = 128 }; /* values, of mahalanobis */

typedef struct setting {
    const char *name, *value;
} setting;

static const setting for_watch[] = {{"alarms", "auto"}, {"rest", "150"}, {NULL, NULL}};
static const setting for_light[] = {{"alarms", "auto"}, {"rest", "30"}, {"learn", "normal:5"}, {NULL, NULL}};
static const setting for_skewed[] = {
    {"transform", "log"}, {"alarms", "auto"}, {"rest", "30"}, {"learn", "normal:5"}, {NULL, NULL}};
static const setting for_many[] = {{"alarms", "auto"},    {"rest", "30"},      {"learn", "normal:30"},
                                   {"calibrate", "pool"}, {"population", "1"}, {NULL, NULL}};
static const setting for_forest[] = {{"alarms", "auto"}, {"rest", "30"}, {NULL, NULL}};
static const setting for_whole[] = {{"robust", "1"}, {"threshold", "5"}, {"warmup", "4"}, {NULL, NULL}};

static bool is_given(const cli_options *options, const char *name)
{
    for (size_t i = 0; i < options->setting_count; i += 2)
        if (strcmp(options->settings[i], name) == 0)
            return true;
    return false;
}

/* A budget that is given stands in place of the automatic one. */
static bool is_replaced(const cli_options *options, const char *name)
{
    return strcmp(name, "alarms") == 0 && is_given(options, "alarm_rate");
}

static void configure(const cli_options *options, int kind, const setting *settings, anomaly_config *config)
{
    anomaly_config_init(config, sizeof *config, kind);
    for (const setting *s = settings; s->name != NULL; s++)
        if (!is_replaced(options, s->name))
            anomaly_config_set(config, s->name, s->value, NULL);
    for (size_t i = 0; i < options->setting_count; i += 2)
        anomaly_config_set(config, options->settings[i], options->settings[i + 1], NULL);
}

/* What goes on has no whole; how many alarms there may be is a question of time. */
static bool may_be_whole(const cli_options *options)
{
    return options->file_count <= 1 && !options->follow && options->state == NULL && options->setting_count == 0 &&
           options->max_keys == 0 && options->max_memory == 0 && options->forget_after == 0;
}

static const setting *light_for(const cli_options *options, const cli_shown *shown)
{
    return shown->many && !options->each ? for_many : shown->skewed && !shown->keys ? for_skewed : for_light;
}

bool cli_method_choose(const cli_options *options, const cli_shown *shown, anomaly_config *config)
{
    bool whole = shown->is_short && may_be_whole(options), single = !shown->keys && shown->features == 1;
    if (whole)
        configure(options, ANOMALY_ZSCORE, for_whole, config);
    else if (shown->times && single && !shown->skewed)
        configure(options, ANOMALY_WATCH, for_watch, config);
    else if (shown->features > MOST_TOGETHER)
        configure(options, ANOMALY_IFOREST, for_forest, config);
    else
        configure(options, ANOMALY_MAHALANOBIS, light_for(options, shown), config);
    return whole;
}

bool cli_method_differs(const anomaly_config *config, const anomaly_option *option, char text[64])
{
    anomaly_config usual;
    char usual_text[64];
    anomaly_config_init(&usual, sizeof usual, config->kind);
    return (option->kinds >> config->kind & 1) != 0 && anomaly_config_get(config, option->name, text, 64) == ANOMALY_OK &&
           anomaly_config_get(&usual, option->name, usual_text, sizeof usual_text) == ANOMALY_OK &&
           strcmp(text, usual_text) != 0;
}

static void add_option(cli_buffer *buffer, const anomaly_option *option, const anomaly_config *config)
{
    char text[64];
    if (!cli_method_differs(config, option, text))
        return;
    cli_buffer_text(buffer, " -s ");
    cli_buffer_text(buffer, option->name);
    cli_buffer_char(buffer, '=');
    cli_buffer_text(buffer, text);
}

void cli_method_add(cli_buffer *buffer, const anomaly_config *config, bool whole)
{
    const anomaly_option *option;
    cli_buffer_text(buffer, whole ? "--whole" : "-d ");
    if (whole && config->kind != ANOMALY_ZSCORE)
        cli_buffer_text(buffer, " -d ");
    if (!whole || config->kind != ANOMALY_ZSCORE)
        cli_buffer_text(buffer, cli_kind(config->kind)->name);
    for (size_t i = 0; (option = anomaly_option_at(i)) != NULL; i++)
        if (strcmp(option->name, "features") != 0 && !(whole && strcmp(option->name, "window") == 0))
            add_option(buffer, option, config);
}
