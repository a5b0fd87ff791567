/* SPDX-License-Identifier: MIT
 * incidents.c - anomaly backtest: the incidents that people know of, and a file of them.
 */
#include "backtest/incidents.h"

#include "common/number.h"
#include "read/source.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool complain(const char *file, uint64_t line, const char *text, const char *detail)
{
    cli_say(&(cli_terminal){0}, file, line, text, detail);
    return false;
}

void cli_incidents_add(cli_incidents *incidents, const cli_incident *incident)
{
    if (incidents->count == incidents->capacity) {
        incidents->capacity = incidents->capacity == 0 ? 16 : 2 * incidents->capacity;
        incidents->items = cli_resize(incidents->items, incidents->capacity, sizeof *incidents->items);
    }
    incidents->items[incidents->count++] = *incident;
}

void cli_incidents_free(cli_incidents *incidents)
{
    for (size_t i = 0; i < incidents->count; i++)
        free(incidents->items[i].key);
    free(incidents->items);
}

/* The line as text without its end. */
static void take_text(cli_buffer *text, const cli_line *line)
{
    size_t length = line->length;
    while (length > 0 && cli_is_blank(line->text[length - 1]))
        length--;
    text->length = 0;
    cli_buffer_add(text, line->text, length);
    cli_buffer_char(text, '\0');
}

static bool read_end(cli_clock *clock, const char *text, int64_t *ns, uint64_t line, const char *file)
{
    const char *why;
    if (cli_parse_time(clock, text, strlen(text), ns, &why))
        return true;
    cli_buffer shown = {0};
    cli_add_printable(&shown, text, strlen(text));
    cli_buffer_char(&shown, '\0');
    complain(file, line, why, shown.data);
    cli_buffer_free(&shown);
    return false;
}

static bool take_interval(cli_incidents *incidents, const cli_list *cells, cli_clock *clock, uint64_t line, const char *file)
{
    cli_incident incident = {.line = line};
    if (cells->count < 2 || cells->count > 3)
        return complain(file, line, "must be start,end or start,end,key", NULL);
    if (!read_end(clock, cells->items[0], &incident.start.time, line, file) ||
        !read_end(clock, cells->items[1], &incident.end.time, line, file))
        return false;
    if (incident.end.time < incident.start.time)
        return complain(file, line, "the interval ends before it starts", NULL);
    if (cells->count == 3 && *cells->items[2] != '\0') {
        incident.key_length = strlen(cells->items[2]);
        incident.key = cli_copy(cells->items[2], incident.key_length);
    }
    cli_incidents_add(incidents, &incident);
    return true;
}

/* Blank lines are nothing; `size` of the text has its final NUL. */
static bool take_line(cli_incidents *incidents, const char *text, size_t size, cli_clock *clock, uint64_t line,
                      const char *file)
{
    cli_list cells = {0};
    if (strlen(text) + 1 < size)
        return complain(file, line, "a NUL is no part of text", NULL);
    if (*text == '\0')
        return true;
    if (!cli_list_split(&cells, text))
        return complain(file, line, "a quote that opens a field does not close at its end", NULL);
    bool header = line == 1 && cells.count > 0 && strcasecmp(cells.items[0], "start") == 0;
    bool good = header || take_interval(incidents, &cells, clock, line, file);
    cli_list_free(&cells);
    return good;
}

bool cli_incidents_of_file(cli_incidents *incidents, const cli_options *options)
{
    cli_source source;
    cli_buffer text = {0};
    const char *why, *file = options->labels;
    if (!cli_source_open(&source, file, false, &why))
        return complain(file, 0, why, NULL);
    cli_clock clock = options->clock;
    cli_line line = {0};
    enum cli_line_status status;
    bool good = true;
    while ((status = cli_source_line(&source, &line)) == CLI_LINE_OK) {
        take_text(&text, &line);
        good &= take_line(incidents, text.data, text.length, &clock, line.number, file);
    }
    if (status != CLI_LINE_END)
        good = complain(file, line.number, "the line is too long", NULL);
    if (source.error != NULL)
        good = complain(file, 0, source.error, NULL);
    cli_source_close(&source);
    cli_buffer_free(&text);
    if (good && incidents->count == 0)
        return complain(file, 0, "has no interval, so there is no incident to be found", NULL);
    return good;
}
