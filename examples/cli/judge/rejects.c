/* SPDX-License-Identifier: MIT
 * rejects.c - what is said of rows that cannot be read: three of a kind, and how many more there were.
 */
#include "judge/rejects.h"

#include "anomaly.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TOLD_OF_A_KIND = 3, LONGEST = 200 };

/* What the detail says already need not be said twice. */
static bool says_it(enum cli_reason reason, const char *detail)
{
    return detail != NULL && reason != CLI_BAD_QUOTE && reason != CLI_BAD_JSON;
}

/* In `not a number: "abc" in column a` the cell is skipped: another one of that column is of the same kind. */
static const char *behind_cell(const char *detail)
{
    const char *behind = detail;
    for (const char *at = detail; (at = strstr(at, "\" in column ")) != NULL; at++)
        behind = at;
    return behind;
}

/* Hashes what rejects of a kind have in common: the reason, and the detail without cells, numbers and places. */
static uint64_t kind_of(enum cli_reason reason, const char *detail)
{
    char text[LONGEST];
    size_t length = 0;
    text[length++] = (char)reason;
    const char *end = detail != NULL && reason == CLI_BAD_JSON ? strstr(detail, " near '") : NULL;
    for (const char *at = detail; at != NULL && at != end && *at != '\0' && length < sizeof text; at++) {
        if (*at == '"')
            at = behind_cell(at);
        if (*at < '0' || *at > '9')
            text[length++] = *at;
    }
    return anomaly_key_hash(text, length);
}

/* NULL if it is a new one for which there is no line left. */
static cli_alike *find_kind(cli_rejects *r, uint64_t kind)
{
    for (size_t i = 0; i < r->kind_count; i++)
        if (r->kinds[i].kind == kind)
            return &r->kinds[i];
    if (r->told >= CLI_TOLD)
        return NULL;
    r->kinds[r->kind_count] = (cli_alike){.kind = kind};
    return &r->kinds[r->kind_count++];
}

/* Whether a line is to be said of it. */
static bool note_reject(cli_rejects *r, uint64_t line, uint64_t kind)
{
    cli_alike *alike = find_kind(r, kind);
    bool enough = alike != NULL && alike->told >= TOLD_OF_A_KIND, tell = !enough && r->told < CLI_TOLD;
    if (enough)
        alike->more++;
    else if (!tell)
        r->others++;
    if (tell) {
        alike->line = line;
        alike->told++;
        r->told++;
    }
    return tell;
}

void cli_rejects_tell(cli_rejects *r, cli_terminal *terminal, const char *file, uint64_t line, enum cli_reason reason,
                      const char *detail)
{
    if (!note_reject(r, line, kind_of(reason, detail)))
        return;
    if (says_it(reason, detail))
        cli_say(terminal, file, line, detail, NULL);
    else
        cli_say(terminal, file, line, cli_reason_text(reason), detail);
}

void cli_rejects_end(cli_rejects *r, cli_terminal *terminal, const char *file)
{
    char text[80];
    for (size_t i = 0; i < r->kind_count; i++) {
        if (r->kinds[i].more == 0)
            continue;
        snprintf(text, sizeof text, "... and %" PRIu64 " more like line %" PRIu64, r->kinds[i].more, r->kinds[i].line);
        cli_say(terminal, file, 0, text, NULL);
    }
    snprintf(text, sizeof text, "... and %" PRIu64 " more rejected %s", r->others, r->others == 1 ? "row" : "rows");
    if (r->others > 0)
        cli_say(terminal, file, 0, text, NULL);
    *r = (cli_rejects){0};
}
