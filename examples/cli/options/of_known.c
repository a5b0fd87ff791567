/* SPDX-License-Identifier: MIT
 * of_known.c - options of anomaly suggest and anomaly backtest, and what does not go with these commands.
 */
#include "options/amounts.h"
#include "options/subjects.h"

static void take_grace(cli_collector *c, const cli_option *self, char *text)
{
    uint64_t events;
    if (cli_parse_count(text, &events))
        c->options->grace_events = events;
    else if (!cli_parse_span(text, &c->options->grace_ns))
        cli_complain_of_value(c, self, text);
}

static const cli_option options[] = {
    {.name = "labels", .take = cli_take_text, .member = offsetof(cli_options, labels)},
    {.name = "grace", .take = take_grace, .why = "must be a time as 90s or 10m, or a number of events as 5"},
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

static void check_backtest(cli_collector *c)
{
    const cli_options *o = c->options;
    cli_refuse(c, o->labels == NULL || *o->labels == '\0', "backtest", "--labels",
               "must name a column that says which rows are of an incident, or a file of intervals that ends in .csv");
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
        cli_refuse(c, o->labels != NULL || o->grace_ns > 0 || o->grace_events > 0, "--labels, --grace",
                   o->labels != NULL ? o->labels : "", "belong to anomaly backtest");
}

const cli_subject cli_of_known = {options, NULL, check};
