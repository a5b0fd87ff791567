/* SPDX-License-Identifier: MIT
 * of_output.c - options that say what is written, and where.
 */
#include "options/subjects.h"

#include <string.h>

static const cli_choice outputs[] = {
    {"table", CLI_TO_TABLE}, {"csv", CLI_TO_CSV}, {"json", CLI_TO_JSON}, {"ndjson", CLI_TO_NDJSON}, {NULL, 0}};

static void take_output(cli_collector *c, const cli_option *self, char *text)
{
    cli_take_choice(c, self, text);
    c->output_given = true;
}

#define AT(member) offsetof(cli_options, member)

static const cli_option options[] = {
    {.name = "output", .letter = 'o', .take = take_output, .member = AT(output), .choices = outputs},
    {.name = "fields", .take = cli_take_names, .member = AT(fields)},
    {.name = "explain", .alone = true, .take = cli_take_switch, .member = AT(explain)},
    {.name = "out", .take = cli_take_text, .member = AT(out)},
    {.name = "sparkline", .alone = true, .take = cli_take_switch, .member = AT(sparkline)},
    {.name = "html", .take = cli_take_text, .member = AT(html)},
    {.name = "all", .letter = 'a', .alone = true, .take = cli_take_switch, .member = AT(all)},
    {.name = "quiet", .letter = 'q', .alone = true, .take = cli_take_switch, .member = AT(quiet)},
    {.name = "fail-on-anomaly", .alone = true, .take = cli_take_switch, .member = AT(fail_on_anomaly)},
    {.name = NULL},
};

/* Takes the form of the output from the name of --out, unless -o says it: verdicts.csv, verdicts.ndjson. */
static void settle(cli_collector *c)
{
    const char *dot = c->options->out == NULL ? NULL : strrchr(c->options->out, '.');
    for (const cli_choice *form = outputs; dot != NULL && !c->output_given && form->word != NULL; form++)
        if (strcmp(dot + 1, form->word) == 0)
            c->options->output = (enum cli_output)form->value;
}

static void check(cli_collector *c)
{
    const cli_options *o = c->options;
    cli_refuse(c, o->out != NULL && *o->out == '\0', "--out", "", "must name a file");
    cli_refuse(c, o->html != NULL && *o->html == '\0', "--html", "", "must name a file");
    cli_refuse(c, o->sparkline && o->output != CLI_TO_TABLE, "--sparkline", "--output",
               "only a table is followed by pictures");
    cli_refuse(c, o->fields.given && o->fields.count == 0, "--fields", "", "must name a field");
}

const cli_subject cli_of_output = {options, settle, check};
