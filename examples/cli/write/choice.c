/* SPDX-License-Identifier: MIT
 * choice.c - which fields are written: those of --fields, or what suits the form.
 */
#include "write/choice.h"

#include "common/nearest.h"
#include "common/text.h"
#include "options/kinds.h"

#include <stdio.h>
#include <string.h>

static void append_field(cli_field_list *list, enum cli_field field)
{
    list->fields[list->count++] = field;
}

/* Who has asked for a budget asks how rare an event is. */
static bool has_budget(const anomaly_config *config)
{
    return config->alarm_rate > 0 || config->alarms_ns > 0;
}

/* A table has to fit a terminal: what is the same in every line stays away. Who judges whole events expects no value
 * but names a cause. */
static void choose_for_table(cli_field_list *list, const cli_options *options, const anomaly_config *config)
{
    static const enum cli_field begin[] = {CLI_LINE, CLI_KEY, CLI_TIME}, bounds[] = {CLI_EXPECTED, CLI_LOWER, CLI_UPPER};
    bool whole = cli_kind_offers(config->kind, ANOMALY_OFFERS_WHOLE);
    list->count = 0;
    if (options->file_count > 1)
        append_field(list, CLI_FILE);
    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
        append_field(list, begin[i]);
    if (whole || config->features > 1)
        append_field(list, CLI_FEATURE);
    append_field(list, CLI_VALUE);
    append_field(list, CLI_SCORE);
    if (has_budget(config))
        append_field(list, CLI_CHANCE);
    if (whole)
        append_field(list, CLI_THRESHOLD);
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds && !whole; i++)
        append_field(list, bounds[i]);
    append_field(list, CLI_FLAGS);
}

static bool refuse_name(const char *name)
{
    cli_buffer text = {0};
    cli_nearest nearest = {.word = name};
    for (size_t i = 0; i <= CLI_REST; i++)
        cli_nearest_offer(&nearest, cli_field_name((enum cli_field)i));
    cli_buffer_text(&text, "anomaly: --fields: no field \"");
    cli_add_printable(&text, name, strlen(name));
    cli_buffer_text(&text, "\", see --help");
    cli_nearest_add(&text, &nearest);
    fprintf(stderr, "%.*s\n", (int)text.length, text.data);
    cli_buffer_free(&text);
    return false;
}

static bool choose_named(cli_field_list *list, const cli_list *wanted)
{
    size_t room = sizeof list->fields / sizeof *list->fields;
    for (size_t i = 0; i < wanted->count && i < room; i++) {
        enum cli_field field = cli_field_find(wanted->items[i]);
        if (field == CLI_FIELDS && strcmp(wanted->items[i], cli_field_name(CLI_REST)) != 0)
            return refuse_name(wanted->items[i]);
        append_field(list, field);
    }
    return true;
}

static bool has_field(const cli_field_list *list, enum cli_field field)
{
    size_t i = 0;
    while (i < list->count && list->fields[i] != field)
        i++;
    return i < list->count;
}

static void choose_all(cli_field_list *list, const cli_options *options, const anomaly_config *config)
{
    for (int i = 0; i < CLI_FIELDS; i++)
        if ((i != CLI_CHANCE || has_budget(config)) && i != CLI_EXPLANATION)
            append_field(list, (enum cli_field)i);
    if (options->output != CLI_TO_CSV)
        append_field(list, CLI_REST);
}

bool cli_fields_choose(cli_field_list *list, const cli_options *options, const anomaly_config *config)
{
    bool good = true;
    list->count = 0;
    if (options->fields.given)
        good = choose_named(list, &options->fields);
    else if (options->output == CLI_TO_TABLE)
        choose_for_table(list, options, config);
    else
        choose_all(list, options, config);
    if (options->explain && !has_field(list, CLI_EXPLANATION))
        append_field(list, CLI_EXPLANATION);
    list->explained = has_field(list, CLI_EXPLANATION);
    return good;
}
