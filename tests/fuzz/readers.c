/* SPDX-License-Identifier: MIT
 * readers.c - libFuzzer: the program's readers on any bytes. The first byte chooses format and options; a row that comes
 * out must be one the program may judge, and lines only go up.
 */
#include "read/reader.h"
#include "read/rows.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

enum { FORMATS = CLI_PING + 1 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct findings {
    uint64_t last_line;
    size_t rows;
} findings;

static bool take_row(void *context, const cli_row *row)
{
    findings *found = context;
    CHECK(row->line > 0 && row->value_count > 0);
    CHECK(row->key_length <= CLI_KEY_MAX && memchr(row->key, 0, row->key_length) == NULL);
    CHECK(row->rest_length == 0 || row->rest[0] == ',');
    CHECK(row->line >= found->last_line);
    found->last_line = row->line;
    return ++found->rows < 100000;
}

static void take_reject(void *context, uint64_t line, enum cli_reason reason, const char *detail)
{
    (void)context;
    CHECK(line > 0 && reason < CLI_REASONS && cli_reason_text(reason) != NULL);
    CHECK(detail == NULL || strlen(detail) < CLI_HOLD);
}

static void take_failure(void *context, uint64_t line, const char *message)
{
    (void)context;
    (void)line;
    CHECK(message != NULL);
}

static const char *take_plan(void *context, const cli_rows *rows)
{
    (void)context;
    size_t values = 0, keys = 0, times = 0;
    for (size_t i = 0; i < rows->column_count; i++) {
        values += rows->columns[i].value >= 0;
        keys += rows->columns[i].key >= 0;
        times += rows->columns[i].time;
    }
    CHECK(rows->value_count > 0 && values == rows->value_count && keys == rows->key_count && times <= 1);
    return NULL;
}

static void take_note(void *context, uint64_t line, const char *message)
{
    (void)context;
    (void)line; /* 0: of the whole file */
    CHECK(message != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    findings found = {0, 0};
    cli_sink sink = {.row = take_row,
                     .reject = take_reject,
                     .fail = take_failure,
                     .planned = take_plan,
                     .note = take_note,
                     .context = &found};
    cli_options options;
    cli_source source;
    if (size == 0)
        return 0;
    memset(&options, 0, sizeof options);
    options.input = data[0] % 12 < FORMATS ? (enum cli_format)(data[0] % 12) : CLI_AUTO;
    if ((data[0] & 0x80) != 0 && options.input == CLI_ACCESS)
        options.log_format = "$msec ${request} [$status] $request_time";
    if ((data[0] & 0x80) != 0 && (options.input == CLI_JSON || options.input == CLI_NDJSON))
        options.rows = "a.b";
    options.each = (data[0] & 0x20) != 0;
    sink.want_rest = (data[0] & 0x40) != 0;
    cli_source_memory(&source, (const char *)data + 1, size - 1);
    cli_read(&source, &options, &sink);
    cli_source_close(&source);
    return 0;
}
