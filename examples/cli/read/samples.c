/* SPDX-License-Identifier: MIT
 * samples.c - lines without columns of their own: each value in them becomes a row.
 */
#include "read/samples.h"

#include "read/plan.h"

#include <string.h>

enum { METRIC, VALUE, TIMESTAMP };

void cli_samples_init(cli_samples *s, cli_source *source, const cli_options *options, const cli_sink *sink)
{
    *s = (cli_samples){.source = source, .on = true};
    cli_rows_init(&s->rows, options, sink);
    cli_rows_column(&s->rows, "metric", 6);
    cli_rows_column(&s->rows, "value", 5);
    cli_rows_column(&s->rows, "timestamp", 9);
}

void cli_samples_free(cli_samples *s)
{
    cli_rows_free(&s->rows);
}

void cli_samples_reject(cli_samples *s, uint64_t line, enum cli_reason reason, const char *detail)
{
    if (!s->looking)
        cli_rows_reject_line(&s->rows, line, reason, detail);
}

void cli_samples_note(cli_samples *s, uint64_t line, const char *text)
{
    if (!s->looking && s->rows.sink->note != NULL)
        s->rows.sink->note(s->rows.sink->context, line, text);
}

bool cli_samples_have_times(const cli_samples *s)
{
    return cli_look_times(s->rows.columns[TIMESTAMP].facts);
}

static void look(cli_rows *rows, const cli_sample *sample)
{
    cli_rows_look(rows, METRIC, CLI_CELL_TEXT, sample->key.text, sample->key.length);
    cli_rows_look(rows, VALUE, CLI_CELL_PLAIN, sample->value.text, sample->value.length);
    cli_rows_look(rows, TIMESTAMP, CLI_CELL_PLAIN, sample->time.text, sample->time.length);
    cli_rows_looked(rows);
}

static void plan(cli_samples *s, uint64_t line)
{
    const char *why;
    s->planned = cli_rows_plan(&s->rows, &why);
    s->on = s->planned;
    if (!s->planned)
        s->rows.sink->fail(s->rows.sink->context, line, why);
}

void cli_samples_add(cli_samples *s, const cli_sample *sample)
{
    cli_rows *rows = &s->rows;
    if (!s->planned)
        look(rows, sample);
    if (!s->looking && !s->planned)
        plan(s, sample->line);
    if (s->looking || !s->on)
        return;
    cli_rows_begin(rows, sample->line);
    cli_rows_cell(rows, METRIC, sample->key.text, sample->key.length);
    cli_rows_cell(rows, VALUE, sample->value.text, sample->value.length);
    cli_rows_cell(rows, TIMESTAMP, sample->time.text, sample->time.length);
    s->on = cli_rows_end(rows);
}

static void take(cli_samples *s, const cli_line_format *format, cli_line line)
{
    while (line.length > 0 && cli_is_blank(line.text[line.length - 1]))
        line.length--;
    for (; line.length > 0 && cli_is_blank(*line.text); line.length--)
        line.text++;
    if (line.length == 0)
        return;
    s->rows.bad = false;
    if (!cli_source_suspects(s->source, line.text) || cli_rows_check_bytes(&s->rows, line.text, line.length))
        format->take(format->context, &line);
    else
        cli_samples_reject(s, line.number, s->rows.reason, NULL);
}

static void begin(const cli_line_format *format)
{
    if (format->begin != NULL)
        format->begin(format->context);
}

static void end(const cli_line_format *format)
{
    if (format->end != NULL)
        format->end(format->context);
}

/* Looks at the whole lines in memory. */
static void look_ahead(cli_samples *s, const cli_line_format *format)
{
    const cli_source *source = s->source;
    cli_first_line(s->source); /* so that there is one */
    const char *text = source->buffer + source->pos, *behind = source->buffer + source->end;
    s->looking = true;
    begin(format);
    for (uint64_t number = source->line; text < behind && s->rows.looked < CLI_LOOK; number++) {
        const char *newline = memchr(text, '\n', (size_t)(behind - text));
        if (newline == NULL && !source->eof)
            break;
        const char *next = newline != NULL ? newline + 1 : behind;
        take(s, format, (cli_line){text, (size_t)(next - text), number});
        text = next;
    }
    end(format);
    s->looking = false;
}

void cli_samples_read(cli_samples *s, const cli_line_format *format)
{
    cli_line line;
    look_ahead(s, format);
    if (s->rows.looked > 0)
        plan(s, s->source->line);
    begin(format);
    while (s->on) {
        bool replay = s->source->replay;
        cli_source_replay(s->source, s->planned);
        if (replay && !s->source->replay)
            begin(format);
        enum cli_line_status status = cli_source_line(s->source, &line);
        if (status == CLI_LINE_END)
            break;
        if (status == CLI_LINE_LONG)
            cli_samples_reject(s, line.number, CLI_LONG_LINE, NULL);
        else
            take(s, format, line);
    }
    end(format);
}
