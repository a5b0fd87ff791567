/* SPDX-License-Identifier: MIT
 * foreign.c - text that the program reads only with an option: one message that names the option, instead of a
 * reject for each line.
 */
#include "read/foreign.h"

#include "read/layout.h"

#include <string.h>

static const char access_log[] =
    "this looks like a web server's access log, but not of the format combined or common: --format says how its lines are "
    "written, as log_format of nginx does";

/* Finds the place behind the first occurrence of `what`; NULL if there is none. */
static const char *behind(const char *text, size_t length, const char *what)
{
    size_t n = strlen(what);
    for (size_t i = 0; i + n <= length; i++)
        if (memcmp(text + i, what, n) == 0)
            return text + i + n;
    return NULL;
}

/* Tells a line of an access log by its date: [04/Mar/2025:14:00:00 +0100] "GET ... */
static bool is_access(const cli_line *line)
{
    const char *date = behind(line->text, line->length, " ["), *end = line->text + line->length;
    return date != NULL && end - date > 30 && date[2] == '/' && date[6] == '/' && date[11] == ':' &&
           behind(date, (size_t)(end - date), "] \"") != NULL;
}

const char *cli_foreign(cli_source *s)
{
    cli_line line = cli_first_line(s);
    return line.length > 0 && is_access(&line) ? access_log : NULL;
}
