/* SPDX-License-Identifier: MIT
 * csv.h - records as CSV.
 */
#ifndef CLI_WRITE_CSV_H
#define CLI_WRITE_CSV_H

#include "common/text.h"
#include "write/choice.h"
#include "write/record.h"

/** Appends the line with the fields' names. */
void cli_add_csv_header(cli_buffer *buffer, const cli_field_list *list);

/** Appends the line of a record. */
void cli_add_csv(cli_buffer *buffer, const cli_field_list *list, const cli_record *record);

#endif
