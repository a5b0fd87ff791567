/* SPDX-License-Identifier: MIT
 * incidents.c - anomaly backtest: the incidents that people know of, from a column of labels or a file of intervals.
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

static void add(cli_incidents *incidents, const cli_incident *incident)
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

/* ---- a column ---- */

/* What is complained of: with several files the label, since a row's file is not held. */
static const char *place_of_rows(const cli_options *options)
{
    return options->file_count == 1 ? options->files[0] : options->labels;
}

static bool check_row(const cli_held *held, size_t row, const cli_options *options)
{
    double label = held->values[row];
    char text[CLI_NUMBER_SIZE];
    if (label == 0 || label == 1) {
        if (held->times[row] != ANOMALY_NO_TIME)
            return true;
        return complain(place_of_rows(options), held->lines[row], "the row has no time: an incident needs one", NULL);
    }
    text[cli_format_number(text, label)] = '\0';
    return complain(place_of_rows(options), held->lines[row], "a label must be 0 or 1, not", text);
}

/* Goes on with the incident of the key, or begins one; running[]: its number + 1, 0 where there is none. */
static void take_labelled(cli_incidents *incidents, const cli_held *held, size_t row, size_t *running)
{
    const cli_indexed_key *key = &held->keys.keys[held->key_of[row]];
    int64_t time = held->times[row];
    if (*running > 0) {
        cli_incident *incident = &incidents->items[*running - 1];
        incident->start = time < incident->start ? time : incident->start;
        incident->end = time > incident->end ? time : incident->end;
        return;
    }
    const cli_incident incident = {.key = cli_copy(key->key, key->length),
                                   .key_length = key->length,
                                   .start = time,
                                   .end = time,
                                   .line = held->lines[row]};
    add(incidents, &incident);
    *running = incidents->count;
}

bool cli_incidents_of_rows(cli_incidents *incidents, const cli_held *held, const cli_options *options)
{
    size_t *running = cli_resize(NULL, held->keys.count + 1, sizeof *running);
    memset(running, 0, (held->keys.count + 1) * sizeof *running);
    bool good = true;
    for (size_t row = 0; good && row < held->count; row++) {
        good = check_row(held, row, options);
        if (good && held->values[row] == 1)
            take_labelled(incidents, held, row, &running[held->key_of[row]]);
        else
            running[held->key_of[row]] = 0;
    }
    free(running);
    if (good && incidents->count == 0)
        return complain(place_of_rows(options), 0, "no row is labelled, so there is no incident to be found: --labels",
                        options->labels);
    return good;
}

/* ---- a file of intervals ---- */

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
    if (!read_end(clock, cells->items[0], &incident.start, line, file) ||
        !read_end(clock, cells->items[1], &incident.end, line, file))
        return false;
    if (incident.end < incident.start)
        return complain(file, line, "the interval ends before it starts", NULL);
    if (cells->count == 3 && *cells->items[2] != '\0') {
        incident.key_length = strlen(cells->items[2]);
        incident.key = cli_copy(cells->items[2], incident.key_length);
    }
    add(incidents, &incident);
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
