/* SPDX-License-Identifier: MIT
 * log_format.c - how the lines of an access log are written, as nginx's log_format says it.
 */
#include "read/log_format.h"

#include <string.h>

#define COMMON   "$remote_addr $remote_ident $remote_user [$time_local] \"$request\" $status $body_bytes_sent"
#define COMBINED COMMON " \"$http_referer\" \"$http_user_agent\""

/* Those that are recognised, the longest first. A time at the end is what nginx's users mostly add. */
static const struct {
    const char *name, *pattern;
} known[] = {{"combined, $request_time", COMBINED " $request_time"},  {"combined", COMBINED},
             {"common, $request_time", COMMON " $request_time"},      {"common", COMMON},
             {"errors of Apache", "[$time_local] [$level] $message"}, {"errors of nginx", "$time_local [$level] $message"}};

enum { KNOWN = sizeof known / sizeof *known };

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Takes the text up to the next dollar. */
static const char *read_text(const char *s, cli_span *text)
{
    const char *dollar = strchr(s, '$');
    size_t n = dollar != NULL ? (size_t)(dollar - s) : strlen(s);
    *text = (cli_span){s, n};
    return s + n;
}

/* Takes $name or ${name}; NULL if there is none. */
static const char *read_name(const char *s, cli_span *name)
{
    bool braced = s[1] == '{';
    s += braced ? 2 : 1;
    size_t n = 0;
    while (is_name(s[n]))
        n++;
    *name = (cli_span){s, n};
    return n == 0 || (braced && s[n] != '}') ? NULL : s + n + braced;
}

static bool read_pattern(cli_log_format *f, const char *s, const char **why)
{
    s = read_text(s, &f->before);
    for (; *s != '\0'; f->count++) {
        *why = "has more than 64 fields";
        if (f->count == CLI_LOG_FIELDS)
            return false;
        *why = "has a dollar without a name, as $status";
        s = read_name(s, &f->names[f->count]);
        if (s == NULL)
            return false;
        s = read_text(s, &f->behind[f->count]);
        *why = "has two fields with nothing between them";
        if (f->behind[f->count].length == 0 && *s != '\0')
            return false;
    }
    *why = "names no field, as $status; or it is combined or common";
    return f->count > 0;
}

static bool has_time(const cli_log_format *f)
{
    static const char *const names[] = {"time_local", "time_iso8601", "msec"};
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        found |= cli_log_format_find(f, names[i]) < CLI_LOG_FIELDS;
    return found;
}

bool cli_log_format_read(cli_log_format *f, const char *pattern, const char **why)
{
    *f = (cli_log_format){.more = false};
    for (size_t i = 0; i < KNOWN; i++)
        if (strcmp(known[i].name, pattern) == 0) {
            f->more = true;
            pattern = known[i].pattern;
        }
    if (!read_pattern(f, pattern, why))
        return false;
    *why = "has no $time_local, $time_iso8601 or $msec";
    return has_time(f);
}

/* Finds the text that ends a field. A backslash takes the next byte as it is, as Apache writes quotes. */
static const char *find_text(const char *s, const char *end, cli_span text)
{
    for (; (size_t)(end - s) >= text.length; s++) {
        if (memcmp(s, text.text, text.length) == 0)
            return s;
        if (*s == '\\' && s + 1 < end)
            s++;
    }
    return NULL;
}

bool cli_log_format_cut(const cli_log_format *f, const cli_line *line, cli_span values[], size_t *field)
{
    const char *s = line->text, *end = s + line->length;
    *field = 0;
    if (line->length < f->before.length || memcmp(s, f->before.text, f->before.length) != 0)
        return false;
    s += f->before.length;
    for (size_t i = 0; i < f->count; i++) {
        bool last = i + 1 == f->count;
        const char *behind = f->behind[i].length > 0 ? find_text(s, end, f->behind[i]) : end;
        if (last && f->more && f->behind[i].length == 0 && memchr(s, ' ', (size_t)(end - s)) != NULL)
            behind = memchr(s, ' ', (size_t)(end - s));
        *field = i;
        if (behind == NULL)
            return false;
        values[i] = (cli_span){s, (size_t)(behind - s)};
        s = behind + f->behind[i].length;
    }
    return s == end || f->more;
}

size_t cli_log_format_find(const cli_log_format *f, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < f->count; i++)
        if (f->names[i].length == length && memcmp(f->names[i].text, name, length) == 0)
            return i;
    return CLI_LOG_FIELDS;
}

/* Tells a level as error or core:error. */
static bool is_level(cli_span s)
{
    for (size_t i = 0; i < s.length; i++)
        if (!is_name(s.text[i]) && s.text[i] != ':')
            return false;
    return s.length > 0;
}

/* Tells whether a line is of a known format: its date is one, and what is added is a number of seconds as 0.036. */
static bool fits(const cli_log_format *f, const cli_line *line)
{
    cli_span values[CLI_LOG_FIELDS];
    size_t field, added = cli_log_format_find(f, "request_time");
    if (!cli_log_format_cut(f, line, values, &field))
        return false;
    cli_span date = values[cli_log_format_find(f, "time_local")];
    if (cli_log_format_find(f, "level") < CLI_LOG_FIELDS)
        return cli_span_time(date) && is_level(values[cli_log_format_find(f, "level")]);
    if (date.length != 26 || date.text[2] != '/' || date.text[6] != '/' || date.text[11] != ':')
        return false;
    return added == CLI_LOG_FIELDS ||
           (cli_span_number(values[added]) && memchr(values[added].text, '.', values[added].length) != NULL);
}

const char *cli_log_format_of(const cli_line *line, const char **name)
{
    const char *why;
    cli_log_format f;
    for (size_t i = 0; i < KNOWN; i++)
        if (cli_log_format_read(&f, known[i].name, &why) && fits(&f, line)) {
            *name = known[i].name;
            return known[i].pattern;
        }
    return NULL;
}
