/* SPDX-License-Identifier: MIT
 * of_known.c - options of anomaly suggest and anomaly backtest, and what does not go with these commands.
 */
#include "options/labels.h"
#include "options/subjects.h"

#include <string.h>

#define AT(member) offsetof(cli_options, member)

static const cli_option options[] = {
    {.name = "labels", .take = cli_take_text, .member = AT(labels)},
    {.name = "grace", .take = cli_take_span, .member = AT(grace_ns), .why = "must be a time as 90s or 10m"},
    {.name = NULL},
};

/* What suggest proposes is not to be given, and it has one end. */
static void check_suggest(cli_collector *c)
{
    const cli_options *o = c->options;
    cli_refuse(c, o->setting_count > 0 || c->kind_given || o->whole, "suggest",
               "--detector, --window, --threshold, --set, --whole", "it proposes these: leave them out");
    cli_refuse(c, o->follow || o->state != NULL || o->out != NULL || o->html != NULL, "suggest",
               "--follow, --state, --out, --html", "it looks at whole files, and writes to standard output");
    cli_refuse(c, o->output == CLI_TO_CSV, "suggest", "--output csv", "a proposal is no table: table (text) or json");
}

static bool is_piped(const cli_options *o)
{
    bool piped = o->file_count == 0;
    for (size_t i = 0; i < o->file_count; i++)
        piped |= strcmp(o->files[i], "-") == 0;
    return piped;
}

/* It reads the files twice, and the labels are not to be judged. */
static void check_backtest(cli_collector *c)
{
    const cli_options *o = c->options;
    bool named = o->labels != NULL && *o->labels != '\0';
    cli_refuse(c, is_piped(o), "backtest", "-",
               "standard input can be read once only, and it is to be read twice: name a file");
    cli_refuse(c, !named, "backtest", "--labels", "must name a column of 0 and 1, or a file of intervals that ends in .csv");
    cli_refuse(c, named && !cli_labels_are_intervals(o->labels) && (o->values.count == 0 || o->each), "--labels", o->labels,
               "a column of labels needs --value, so that it is not judged too, and no --each");
    cli_refuse(c, o->follow || o->state != NULL || o->out != NULL || o->html != NULL || o->sparkline, "backtest",
               "--follow, --state, --out, --html, --sparkline", "it looks at whole files, and writes to standard output");
    cli_refuse(c, o->output == CLI_TO_CSV, "backtest", "--output csv", "its figures are no table: table (text) or json");
}

static void check(cli_collector *c)
{
    const cli_options *o = c->options;
    if (o->command == CLI_SUGGEST)
        check_suggest(c);
    if (o->command == CLI_BACKTEST)
        check_backtest(c);
    else
        cli_refuse(c, o->labels != NULL || o->grace_ns > 0, "--labels, --grace", o->labels != NULL ? o->labels : "",
                   "belong to anomaly backtest");
}

const cli_subject cli_of_known = {options, NULL, check};
