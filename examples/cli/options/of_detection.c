/* SPDX-License-Identifier: MIT
 * of_detection.c - options that say how events are judged. Those of the detector wait until the kind is known, and are
 * checked then.
 */
#include "options/kinds.h"
#include "options/subjects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take_kind(cli_collector *c, const cli_option *self, char *text)
{
    const anomaly_kind_info *info;
    cli_choice *kinds = NULL;
    size_t count = 0;
    for (; (info = anomaly_kind_at(count)) != NULL; count++) {
        kinds = cli_resize(kinds, count + 1, sizeof *kinds);
        kinds[count] = (cli_choice){info->name, info->kind};
    }
    kinds = cli_resize(kinds, count + 1, sizeof *kinds);
    kinds[count] = (cli_choice){NULL, 0};
    c->options->kind = cli_choose(c, self, kinds, text);
    c->kind_given = true;
    free(kinds);
}

static void collect(cli_collector *c, const char *name, const char *value)
{
    cli_options *o = c->options;
    o->settings = cli_resize(o->settings, o->setting_count + 2, sizeof *o->settings);
    o->settings[o->setting_count++] = name;
    o->settings[o->setting_count++] = value;
}

/* --window, --threshold: the detector's option of that name. */
static void take_named(cli_collector *c, const cli_option *self, char *text)
{
    collect(c, self->name, text);
}

/* Cuts NAME=VALUE in place. */
static void take_setting(cli_collector *c, const cli_option *self, char *text)
{
    char *equals = strchr(text, '=');
    if (equals == NULL) {
        cli_complain_of_value(c, self, text);
        return;
    }
    *equals = '\0';
    cli_refuse(c, strcmp(text, "features") == 0, "--set", text, "the number of value columns says that, see --value");
    collect(c, text, equals + 1);
}

static const cli_option options[] = {
    {.name = "detector", .letter = 'd', .take = take_kind},
    {.name = "window", .letter = 'w', .take = take_named},
    {.name = "threshold", .letter = 't', .take = take_named},
    {.name = "set", .letter = 's', .take = take_setting, .why = "must be NAME=VALUE, see --options"},
    {.name = "whole", .alone = true, .take = cli_take_switch, .member = offsetof(cli_options, whole)},
    {.name = NULL},
};

static void settle(cli_collector *c)
{
    cli_options *o = c->options;
    anomaly_error error;
    if (!c->ok)
        return;
    anomaly_config_init(&o->config, sizeof o->config, o->kind);
    o->open = !c->kind_given && !o->whole;
    for (size_t i = 0; i < o->setting_count; i += 2) {
        const char *name = o->settings[i], *value = o->settings[i + 1];
        o->open &= cli_leaves_kind_open(name);
        o->window_given |= strcmp(name, "window") == 0;
        o->warmup_given |= strcmp(name, "warmup") == 0;
        if (anomaly_config_set(&o->config, name, value, &error) == ANOMALY_OK)
            continue;
        fprintf(stderr, "anomaly: %s=%s: %s\n", name, value, error.message);
        c->ok = false;
    }
}

/* Do the stages need rows one after the other? */
static bool goes_by_order(const anomaly_config *c)
{
    return c->season_ns > 0 || c->alarm_rate > 0 || c->alarms_ns != 0 || c->rest_events > 0 || c->rest_ns > 0 ||
           c->lags > 1 || c->lags == ANOMALY_LAGS_PYRAMID || c->confirm > 1 || c->transform == ANOMALY_DIFF ||
           c->transform == ANOMALY_RATE || c->silence > 0;
}

static void check(cli_collector *c)
{
    const cli_options *o = c->options;
    if (!o->whole)
        return;
    cli_refuse(c, o->follow, "--whole", "--follow", "a stream that goes on has no whole");
    cli_refuse(c, o->max_keys > 0 || o->max_memory > 0 || o->forget_after > 0, "--whole",
               "--max-keys, --max-memory, --forget-after", "it holds every row and forgets none");
    cli_refuse(c, o->state != NULL, "--whole", "--state", "every run judges its rows by themselves");
    cli_refuse(c, o->kind == ANOMALY_WATCH, "--whole", "--detector watch", "it judges by the order of the rows");
    cli_refuse(c, goes_by_order(&o->config), "--whole",
               "season, alarm_rate, alarms, rest, confirm, lags, silence, transform=diff and rate",
               "they go by the order of the rows");
}

const cli_subject cli_of_detection = {options, settle, check};
