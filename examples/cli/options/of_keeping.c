/* SPDX-License-Identifier: MIT
 * of_keeping.c - options that say what is kept: of keys without end, and from run to run.
 */
#include "options/amounts.h"
#include "options/subjects.h"

enum { LEAST_MEMORY = 1 << 16 }; /* what a pool needs at least */
#define SAVE_EVERY INT64_C(30000000000)

static void take_memory(cli_collector *c, const cli_option *self, char *text)
{
    uint64_t *bytes = &c->options->max_memory;
    if (!cli_parse_bytes(text, bytes) || *bytes < LEAST_MEMORY)
        cli_complain_of_value(c, self, text);
}

#define AT(member) offsetof(cli_options, member)

static const cli_option options[] = {
    {.name = "max-keys", .take = cli_take_count, .member = AT(max_keys), .why = "must be a whole number"},
    {.name = "max-memory", .take = take_memory, .why = "must be a number of bytes as 512M or 2G, at least 64K"},
    {.name = "forget-after", .take = cli_take_span, .member = AT(forget_after), .why = "must be a time as 90s or 24h"},
    {.name = "state", .take = cli_take_text, .member = AT(state)},
    {.name = "save-every", .take = cli_take_span_or_0, .member = AT(save_every), .why = "must be a time as 30s or 5m, or 0"},
    {.name = "resume", .alone = true, .take = cli_take_switch, .member = AT(resume)},
    {.name = NULL},
};

static void settle(cli_collector *c)
{
    cli_options *o = c->options;
    bool saved = o->state != NULL || (o->html != NULL && o->follow);
    cli_refuse(c, o->save_every >= 0 && !saved, "--save-every", "", "needs what is saved: --state, or --follow with --html");
    o->save_every = o->save_every >= 0 ? o->save_every : SAVE_EVERY;
}

static void check(cli_collector *c)
{
    const cli_options *o = c->options;
    cli_refuse(c, o->state != NULL && *o->state == '\0', "--state", "", "must name a file");
    cli_refuse(c, o->resume && o->state == NULL, "--resume", "",
               "needs --state, where it is written how far the input was read");
    cli_refuse(c, o->resume && o->out != NULL && (o->output == CLI_TO_TABLE || o->output == CLI_TO_JSON), "--resume",
               "--out", "needs -o csv or -o ndjson (or a name that ends in .csv or .ndjson), which can be continued");
}

const cli_subject cli_of_keeping = {options, settle, check};
