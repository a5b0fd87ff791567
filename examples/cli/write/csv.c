/* SPDX-License-Identifier: MIT
 * csv.c - records as CSV.
 */
#include "write/csv.h"

#include <string.h>

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

static void add_csv_field(cli_buffer *b, const cli_record *record, enum cli_field field)
{
    double number;
    if (cli_field_number(record, field, &number)) {
        cli_add_number(b, number, "");
        return;
    }
    switch (field) {
    case CLI_FILE: add_csv_text(b, record->file, strlen(record->file)); break;
    case CLI_LINE: cli_buffer_uint(b, record->line); break;
    case CLI_KEY: add_csv_text(b, record->key, record->key_length); break;
    case CLI_TIME: cli_add_time(b, record->time); break;
    case CLI_FEATURE: add_csv_text(b, record->feature, strlen(record->feature)); break;
    case CLI_EVENTS: cli_buffer_uint(b, record->verdict.events); break;
    case CLI_FLAGS: cli_add_flags(b, record->verdict.flags & ~(uint32_t)ANOMALY_IS_ANOMALY); break;
    case CLI_ANOMALY: cli_buffer_char(b, (record->verdict.flags & ANOMALY_IS_ANOMALY) != 0 ? '1' : '0'); break;
    case CLI_EXPLANATION: add_csv_text(b, record->explanation, record->explanation_length); break;
    default: break;
    }
}

void cli_add_csv_header(cli_buffer *buffer, const cli_field_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            cli_buffer_char(buffer, ',');
        cli_buffer_text(buffer, cli_field_name(list->fields[i]));
    }
    cli_buffer_char(buffer, '\n');
}

void cli_add_csv(cli_buffer *buffer, const cli_field_list *list, const cli_record *record)
{
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            cli_buffer_char(buffer, ',');
        add_csv_field(buffer, record, list->fields[i]);
    }
    cli_buffer_char(buffer, '\n');
}
