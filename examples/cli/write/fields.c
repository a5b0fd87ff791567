/* SPDX-License-Identifier: MIT
 * fields.c - the fields of the output, in their order.
 */
#include "write/fields.h"

#include "common/nearest.h"
#include "options/kinds.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    [CLI_FILE] = "file",         [CLI_LINE] = "line",       [CLI_KEY] = "key",     [CLI_TIME] = "time",
    [CLI_FEATURE] = "feature",   [CLI_VALUE] = "value",     [CLI_SCORE] = "score", [CLI_THRESHOLD] = "threshold",
    [CLI_EXPECTED] = "expected", [CLI_LOWER] = "lower",     [CLI_UPPER] = "upper", [CLI_EVENTS] = "events",
    [CLI_FLAGS] = "flags",       [CLI_ANOMALY] = "anomaly", [CLI_REST] = "rest",
};

const char *cli_field_name(enum cli_field field)
{
    return names[field];
}

enum cli_field cli_field_find(const char *name)
{
    int i = 0;
    while (i < CLI_FIELDS && strcmp(names[i], name) != 0)
        i++;
    return (enum cli_field)i;
}

static void add(cli_field_list *list, enum cli_field field)
{
    list->fields[list->count++] = field;
}

/* A table has to fit a terminal: what is the same in every line stays away. Who judges whole events expects no value but names a cause. */
static void choose_for_table(cli_field_list *list, const cli_options *options, bool together)
{
    static const enum cli_field begin[] = {CLI_LINE, CLI_KEY, CLI_TIME}, bounds[] = {CLI_EXPECTED, CLI_LOWER, CLI_UPPER};
    bool whole = cli_kind_offers(options->kind, ANOMALY_OFFERS_WHOLE);
    list->count = 0;
    if (options->file_count > 1)
        add(list, CLI_FILE);
    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
        add(list, begin[i]);
    if (whole || together)
        add(list, CLI_FEATURE);
    add(list, CLI_VALUE);
    add(list, CLI_SCORE);
    if (whole)
        add(list, CLI_THRESHOLD);
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds && !whole; i++)
        add(list, bounds[i]);
    add(list, CLI_FLAGS);
}

void cli_fields_together(cli_field_list *list, const cli_options *options)
{
    if (options->output == CLI_TO_TABLE && !options->fields.given)
        choose_for_table(list, options, true);
}

static bool refuse_name(const char *name)
{
    cli_buffer text = {0};
    cli_nearest nearest = {.word = name};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cli_nearest_offer(&nearest, names[i]);
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
        if (field == CLI_FIELDS && strcmp(wanted->items[i], names[CLI_REST]) != 0)
            return refuse_name(wanted->items[i]);
        add(list, field);
    }
    return true;
}

bool cli_fields_choose(cli_field_list *list, const cli_options *options)
{
    list->count = 0;
    if (options->fields.given)
        return choose_named(list, &options->fields);
    if (options->output == CLI_TO_TABLE) {
        choose_for_table(list, options, false);
        return true;
    }
    for (int i = 0; i < CLI_FIELDS; i++)
        add(list, (enum cli_field)i);
    if (options->output != CLI_TO_CSV)
        add(list, CLI_REST);
    return true;
}

bool cli_field_number(const cli_record *record, enum cli_field field, double *number)
{
    const anomaly_verdict *v = &record->verdict;
    switch (field) {
    case CLI_VALUE: *number = record->value; return true;
    case CLI_SCORE: *number = v->score; return true;
    case CLI_THRESHOLD: *number = v->threshold; return true;
    case CLI_EXPECTED: *number = v->expected; return true;
    case CLI_LOWER: *number = v->lower; return true;
    case CLI_UPPER: *number = v->upper; return true;
    default: return false;
    }
}

void cli_add_flags(cli_buffer *buffer, uint32_t flags)
{
    static const struct {
        uint32_t flag;
        const char *name;
    } known[] = {
        {ANOMALY_WARMING_UP, "warming_up"}, {ANOMALY_MISSING, "missing"},
        {ANOMALY_NONFINITE, "nonfinite"},   {ANOMALY_LATE, "late"},
        {ANOMALY_TRUNCATED, "truncated"},   {ANOMALY_FLAT, "flat"},
        {ANOMALY_ABOVE, "above"},           {ANOMALY_BELOW, "below"},
        {ANOMALY_JUMPED, "jumped"},         {ANOMALY_NOT_LEARNED, "not_learned"},
    };
    bool first = true;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if ((flags & known[i].flag) == 0)
            continue;
        if (!first)
            cli_buffer_char(buffer, '|');
        cli_buffer_text(buffer, known[i].name);
        first = false;
    }
}
