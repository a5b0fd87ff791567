/* SPDX-License-Identifier: MIT
 * writer.c - records to standard output or --out, in one of four forms.
 */
#include "write/writer.h"

#include "common/colour.h"
#include "write/csv.h"
#include "write/json.h"
#include "write/sparkline.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool want_colour(const cli_options *options)
{
    return options->output == CLI_TO_TABLE && options->out == NULL && cli_wants_colour();
}

void cli_writer_init(cli_writer *writer, const cli_options *options)
{
    writer->out.fd = STDOUT_FILENO; /* unless there is --out */
    writer->form = options->output;
    writer->table.to = &writer->out.buffer;
    writer->table.list = &writer->list;
    writer->table.colour = want_colour(options);
    writer->table.told = ANOMALY_IS_ANOMALY;
    writer->table.mark = options->all && !options->fields.given;
}

void cli_writer_free(cli_writer *writer)
{
    cli_buffer_free(&writer->out.buffer);
    cli_table_free(&writer->table);
}

static void begin_csv(cli_writer *writer)
{
    if (!writer->begun)
        cli_add_csv_header(&writer->out.buffer, &writer->list);
    writer->begun = true;
}

/* What comes before an object and after it. */
static const char *before_json(const cli_writer *writer)
{
    return writer->form == CLI_TO_NDJSON ? "" : writer->records == 0 ? "[\n" : ",\n";
}

static const char *after_json(const cli_writer *writer)
{
    return writer->form == CLI_TO_NDJSON ? "\n" : "";
}

bool cli_writer_add(cli_writer *writer, const cli_record *record)
{
    cli_buffer *to = &writer->out.buffer;
    switch (writer->form) {
    case CLI_TO_TABLE: cli_table_add(&writer->table, record); break;
    case CLI_TO_CSV:
        begin_csv(writer);
        cli_add_csv(to, &writer->list, record);
        break;
    case CLI_TO_JSON:
    case CLI_TO_NDJSON:
        cli_buffer_text(to, before_json(writer));
        cli_add_json(to, &writer->list, record);
        cli_buffer_text(to, after_json(writer));
        break;
    }
    writer->records++;
    return cli_out_check(&writer->out);
}

bool cli_writer_add_silence(cli_writer *writer, const char *key, size_t length, const anomaly_silence *silence)
{
    cli_buffer *to = &writer->out.buffer;
    if (writer->form != CLI_TO_JSON && writer->form != CLI_TO_NDJSON)
        return true;
    cli_buffer_text(to, before_json(writer));
    cli_add_json_silence(to, key, length, silence);
    cli_buffer_text(to, after_json(writer));
    writer->records++;
    return cli_out_check(&writer->out);
}

void cli_writer_add_pictures(cli_writer *writer, const cli_charts *charts, bool together)
{
    cli_spark spark = cli_spark_of_terminal();
    spark.colour = writer->table.colour;
    spark.together = together;
    spark.alarms = writer->table.told == ANOMALY_ALARM;
    cli_table_flush(&writer->table);
    cli_add_sparklines(&writer->out.buffer, charts, &spark);
}

bool cli_writer_flush(cli_writer *writer)
{
    cli_table_flush(&writer->table);
    return cli_out_flush(&writer->out);
}

bool cli_writer_end(cli_writer *writer)
{
    if (writer->form == CLI_TO_JSON)
        cli_buffer_text(&writer->out.buffer, writer->records == 0 ? "[]\n" : "\n]\n");
    if (writer->form == CLI_TO_CSV)
        begin_csv(writer);
    return cli_writer_flush(writer);
}
