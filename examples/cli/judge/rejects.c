/* SPDX-License-Identifier: MIT
 * rejects.c - what is said of rows that cannot be read: three of a kind, and how many more there were.
 */
#include "judge/rejects.h"

#include "anomaly.h"
#include "common/text.h"

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

/* Writes what rejects of a kind have in common: "not a number in column load". */
static void put_what(char *what, size_t size, enum cli_reason reason, const char *detail)
{
    bool whole = says_it(reason, detail) && reason != CLI_FEW_FIELDS;
    const char *cell = whole ? strstr(detail, ": \"") : NULL, *behind = cell != NULL ? behind_cell(detail) : NULL;
    const char *text = whole ? detail : cli_reason_text(reason);
    size_t n = cell != NULL && behind > cell ? (size_t)(cell - detail) : strlen(text);
    behind = n < strlen(text) ? behind + 1 : "";
    snprintf(what, size, "%.*s%s", (int)n, text, behind);
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
static bool note_reject(cli_rejects *r, uint64_t line, enum cli_reason reason, const char *detail)
{
    cli_alike *alike = find_kind(r, kind_of(reason, detail));
    bool enough = alike != NULL && alike->told >= TOLD_OF_A_KIND, tell = !enough && r->told < CLI_TOLD;
    if (enough)
        alike->more++;
    else if (!tell)
        r->others[reason]++;
    if (tell) {
        if (alike->told == 0)
            put_what(alike->what, sizeof alike->what, reason, detail);
        alike->line = line;
        alike->told++;
        r->told++;
    }
    return tell;
}

void cli_rejects_tell(cli_rejects *r, cli_terminal *terminal, const char *file, uint64_t line, enum cli_reason reason,
                      const char *detail)
{
    if (!note_reject(r, line, reason, detail))
        return;
    if (says_it(reason, detail))
        cli_say(terminal, file, line, detail, NULL);
    else
        cli_say(terminal, file, line, cli_reason_text(reason), detail);
}

/* Says of those for which there was no line left how many there are of each reason. */
static void tell_others(const cli_rejects *r, cli_terminal *terminal, const char *file)
{
    uint64_t all = 0;
    cli_buffer text = {0};
    for (size_t i = 0; i < CLI_REASONS; i++)
        all += r->others[i];
    cli_buffer_text(&text, "... and ");
    cli_buffer_uint(&text, all);
    cli_buffer_text(&text, all == 1 ? " more rejected row" : " more rejected rows");
    for (size_t i = 0, said = 0; i < CLI_REASONS; i++) {
        if (r->others[i] == 0)
            continue;
        cli_buffer_text(&text, said++ == 0 ? ": " : ", ");
        cli_buffer_uint(&text, r->others[i]);
        cli_buffer_char(&text, ' ');
        cli_buffer_text(&text, cli_reason_text((enum cli_reason)i));
    }
    cli_buffer_char(&text, '\0');
    if (all > 0)
        cli_say(terminal, file, 0, text.data, NULL);
    cli_buffer_free(&text);
}

void cli_rejects_end(cli_rejects *r, cli_terminal *terminal, const char *file)
{
    char text[80];
    for (size_t i = 0; i < r->kind_count; i++) {
        if (r->kinds[i].more == 0)
            continue;
        snprintf(text, sizeof text, "... and %" PRIu64 " more like line %" PRIu64, r->kinds[i].more, r->kinds[i].line);
        cli_say(terminal, file, 0, text, r->kinds[i].what);
    }
    tell_others(r, terminal, file);
    *r = (cli_rejects){0};
}
