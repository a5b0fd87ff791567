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

#define ROWS(of, more)                                                                         \
    "JSON of sysstat, whose rows lie in arrays in arrays; they can be read with their times: " \
    "jq -c '.sysstat.hosts[].statistics[] | .timestamp as $t | " of " | {timestamp: $t} + .' FILE | anomaly" more

/* What iostat, mpstat and sadf write, by a name in it, the first that fits. */
static const struct {
    const char *name, *message;
} sysstat[] = {
    {"\"disk_device\"", ROWS(".disk[]", " -k disk_device")},
    {"\"avg-cpu\"", ROWS(".\"avg-cpu\"", "")},
    {"\"utc\"", "JSON of sadf; what it shows of the same file with -d in place of -j can be read: sadf -d FILE | anomaly"},
    {"\"cpu-load\"", "JSON of mpstat, whose rows lie in arrays in arrays; they can be read: "
                     "jq -c '.sysstat.hosts[].statistics[].\"cpu-load\"[]' FILE | anomaly -k cpu"},
    {"\"statistics\"", "JSON of sysstat; what its programs print without -o JSON can be read: iostat -t 60 | anomaly"},
};

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

/* Finds what to say of JSON that begins with the member sysstat; NULL if it does not. */
static const char *look_for_sysstat(const char *text, size_t length)
{
    enum { EARLY = 64 };
    if (*text != '{' || behind(text, length < EARLY ? length : EARLY, "\"sysstat\"") == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof sysstat / sizeof *sysstat; i++)
        if (behind(text, length, sysstat[i].name) != NULL)
            return sysstat[i].message;
    return NULL;
}

const char *cli_foreign(cli_source *s)
{
    cli_line line = cli_first_line(s);
    if (line.length == 0)
        return NULL;
    return is_access(&line) ? access_log : look_for_sysstat(line.text, (size_t)(s->buffer + s->end - line.text));
}
