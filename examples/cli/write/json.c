/* SPDX-License-Identifier: MIT
 * json.c - records as JSON objects.
 */
#include "write/json.h"

#include <string.h>

static void add_json_time(cli_buffer *b, int64_t time)
{
    cli_buffer_char(b, '"');
    cli_add_time(b, time);
    cli_buffer_char(b, '"');
}

static void add_json_field(cli_buffer *b, const cli_record *record, enum cli_field field)
{
    double number;
    if (cli_field_number(record, field, &number)) {
        cli_add_number(b, number, "null");
        return;
    }
    switch (field) {
    case CLI_FILE: cli_add_json_string(b, record->file, strlen(record->file)); break;
    case CLI_KEY: cli_add_json_string(b, record->key, record->key_length); break;
    case CLI_TIME:
        if (record->time == ANOMALY_NO_TIME)
            cli_buffer_text(b, "null");
        else
            add_json_time(b, record->time);
        break;
    case CLI_FEATURE: cli_add_json_string(b, record->feature, strlen(record->feature)); break;
    case CLI_FLAGS:
        cli_buffer_char(b, '"');
        cli_add_flags(b, record->verdict.flags & ~(uint32_t)ANOMALY_IS_ANOMALY);
        cli_buffer_char(b, '"');
        break;
    case CLI_ANOMALY: cli_buffer_text(b, (record->verdict.flags & ANOMALY_IS_ANOMALY) != 0 ? "true" : "false"); break;
    case CLI_LINE: cli_buffer_uint(b, record->line); break;
    case CLI_EVENTS: cli_buffer_uint(b, record->verdict.events); break;
    case CLI_EXPLANATION: cli_add_json_string(b, record->explanation, record->explanation_length); break;
    default: break;
    }
}

/* The members that pass through come with a comma before each. */
static void add_json_rest(cli_buffer *b, const cli_record *record, bool first)
{
    size_t skip = first && record->rest_length > 0;
    cli_buffer_add(b, record->rest + skip, record->rest_length - skip);
}

void cli_add_json(cli_buffer *b, const cli_field_list *list, const cli_record *record)
{
    cli_buffer_char(b, '{');
    size_t begin = b->length;
    for (size_t i = 0; i < list->count; i++) {
        enum cli_field field = list->fields[i];
        if (field == CLI_REST) {
            add_json_rest(b, record, b->length == begin);
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
}

void cli_add_json_silence(cli_buffer *b, const char *key, size_t length, const anomaly_silence *silence)
{
    cli_buffer_text(b, "{\"silent\":true,\"key\":");
    cli_add_json_string(b, key, length);
    cli_buffer_text(b, ",\"time\":");
    add_json_time(b, silence->last_ns);
    cli_buffer_text(b, ",\"usual_s\":");
    cli_add_number(b, (double)silence->usual_ns / 1e9, "null");
    cli_buffer_text(b, ",\"overdue_s\":");
    cli_add_number(b, (double)silence->overdue_ns / 1e9, "null");
    cli_buffer_char(b, '}');
}
