/* SPDX-License-Identifier: MIT
 * json.h - records as JSON objects.
 */
#ifndef CLI_WRITE_JSON_H
#define CLI_WRITE_JSON_H

#include "common/text.h"
#include "write/choice.h"
#include "write/record.h"

/** Appends a record as one object, without a line end. */
void cli_add_json(cli_buffer *buffer, const cli_field_list *list, const cli_record *record);

/** The same for a key of which an event is overdue. */
void cli_add_json_silence(cli_buffer *buffer, const char *key, size_t length, const anomaly_silence *silence);

#endif
