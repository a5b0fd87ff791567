/* SPDX-License-Identifier: MIT
 * writer.c - records to standard output: CSV, JSON and NDJSON; the table has its own file.
 */
#include "write/writer.h"

#include "common/number.h"
#include "common/times.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool want_colour(const cli_options *options)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return options->output == CLI_TO_TABLE && options->out == NULL && isatty(STDOUT_FILENO) && (no == NULL || *no == '\0') &&
           term != NULL && strcmp(term, "dumb") != 0;
}

void cli_writer_init(cli_writer *writer, const cli_options *options)
{
    writer->out.fd = STDOUT_FILENO; /* unless there is --out */
    writer->form = options->output;
    writer->colour = want_colour(options);
    writer->mark = options->all && !options->fields.given;
}

void cli_writer_free(cli_writer *writer)
{
    cli_buffer_free(&writer->out.buffer);
    cli_buffer_free(&writer->cells);
    free(writer->held_anomaly);
}

/* ---- CSV ---- */

static void add_csv_text(cli_buffer *b, const char *text, size_t length)
{
    bool quote = false;
    for (size_t i = 0; i < length && !quote; i++)
        quote = strchr(",\"\r\n", text[i]) != NULL;
    quote |= length > 0 && (text[0] == ' ' || text[length - 1] == ' ');
    if (!quote) {
        cli_buffer_add(b, text, length);
        return;
    }
    cli_buffer_char(b, '"');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"')
            cli_buffer_char(b, '"');
        cli_buffer_char(b, text[i]);
    }
    cli_buffer_char(b, '"');
}

static void add_number(cli_buffer *b, double number, const char *none)
{
    if (!isfinite(number)) {
        cli_buffer_text(b, none);
        return;
    }
    b->length += cli_format_number(cli_buffer_room(b, CLI_NUMBER_SIZE), number);
}

static void add_time(cli_buffer *b, int64_t time)
{
    b->length += cli_format_time(cli_buffer_room(b, CLI_TIME_SIZE), time);
}

static void add_csv_field(cli_buffer *b, const cli_record *record, enum cli_field field)
{
    double number;
    if (cli_field_number(record, field, &number)) {
        add_number(b, number, "");
        return;
    }
    switch (field) {
    case CLI_FILE: add_csv_text(b, record->file, strlen(record->file)); break;
    case CLI_LINE: cli_buffer_uint(b, record->line); break;
    case CLI_KEY: add_csv_text(b, record->key, record->key_length); break;
    case CLI_TIME:
        if (record->time != ANOMALY_NO_TIME)
            add_time(b, record->time);
        break;
    case CLI_FEATURE: add_csv_text(b, record->feature, strlen(record->feature)); break;
    case CLI_EVENTS: cli_buffer_uint(b, record->verdict.events); break;
    case CLI_FLAGS: cli_add_flags(b, record->verdict.flags & ~(uint32_t)ANOMALY_IS_ANOMALY); break;
    case CLI_ANOMALY: cli_buffer_char(b, (record->verdict.flags & ANOMALY_IS_ANOMALY) != 0 ? '1' : '0'); break;
    default: break;
    }
}

static void write_csv_header(cli_writer *writer)
{
    for (size_t i = 0; i < writer->list.count; i++) {
        if (i > 0)
            cli_buffer_char(&writer->out.buffer, ',');
        cli_buffer_text(&writer->out.buffer, cli_field_name(writer->list.fields[i]));
    }
    cli_buffer_char(&writer->out.buffer, '\n');
    writer->begun = true;
}

void cli_write_csv(cli_writer *writer, const cli_record *record)
{
    cli_buffer *b = &writer->out.buffer;
    if (!writer->begun)
        write_csv_header(writer);
    for (size_t i = 0; i < writer->list.count; i++) {
        if (i > 0)
            cli_buffer_char(b, ',');
        add_csv_field(b, record, writer->list.fields[i]);
    }
    cli_buffer_char(b, '\n');
}

/* ---- JSON ---- */

static void add_json_field(cli_buffer *b, const cli_record *record, enum cli_field field)
{
    double number;
    if (cli_field_number(record, field, &number)) {
        add_number(b, number, "null");
        return;
    }
    switch (field) {
    case CLI_FILE: cli_add_json_string(b, record->file, strlen(record->file)); break;
    case CLI_KEY: cli_add_json_string(b, record->key, record->key_length); break;
    case CLI_TIME:
        if (record->time == ANOMALY_NO_TIME) {
            cli_buffer_text(b, "null");
            break;
        }
        cli_buffer_char(b, '"');
        add_time(b, record->time);
        cli_buffer_char(b, '"');
        break;
    case CLI_FEATURE: cli_add_json_string(b, record->feature, strlen(record->feature)); break;
    case CLI_FLAGS:
        cli_buffer_char(b, '"');
        cli_add_flags(b, record->verdict.flags & ~(uint32_t)ANOMALY_IS_ANOMALY);
        cli_buffer_char(b, '"');
        break;
    case CLI_ANOMALY: cli_buffer_text(b, (record->verdict.flags & ANOMALY_IS_ANOMALY) != 0 ? "true" : "false"); break;
    default: add_csv_field(b, record, field); break; /* integers look the same */
    }
}

void cli_write_json(cli_writer *writer, const cli_record *record)
{
    cli_buffer *b = &writer->out.buffer;
    if (writer->form == CLI_TO_JSON)
        cli_buffer_text(b, writer->records == 0 ? "[\n" : ",\n");
    cli_buffer_char(b, '{');
    size_t begin = b->length;
    for (size_t i = 0; i < writer->list.count; i++) {
        enum cli_field field = writer->list.fields[i];
        if (field == CLI_REST) {
            /* it comes with a comma before it */
            size_t skip = b->length == begin && record->rest_length > 0;
            cli_buffer_add(b, record->rest + skip, record->rest_length - skip);
            continue;
        }
        if (b->length > begin)
            cli_buffer_char(b, ',');
        cli_buffer_char(b, '"');
        cli_buffer_text(b, cli_field_name(field));
        cli_buffer_text(b, "\":");
        add_json_field(b, record, field);
    }
    cli_buffer_char(b, '}');
    if (writer->form == CLI_TO_NDJSON)
        cli_buffer_char(b, '\n');
}

/* ---- all ---- */

bool cli_writer_add(cli_writer *writer, const cli_record *record)
{
    switch (writer->form) {
    case CLI_TO_TABLE: cli_write_table(writer, record); break;
    case CLI_TO_CSV: cli_write_csv(writer, record); break;
    default: cli_write_json(writer, record); break;
    }
    writer->records++;
    return cli_out_check(&writer->out);
}

bool cli_writer_flush(cli_writer *writer)
{
    cli_table_release(writer);
    return cli_out_flush(&writer->out);
}

bool cli_writer_end(cli_writer *writer)
{
    if (writer->form == CLI_TO_JSON)
        cli_buffer_text(&writer->out.buffer, writer->records == 0 ? "[]\n" : "\n]\n");
    if (writer->form == CLI_TO_CSV && !writer->begun)
        write_csv_header(writer);
    return cli_writer_flush(writer);
}
