/* SPDX-License-Identifier: MIT
 * writer.h - records to standard output or --out, in one of four forms.
 */
#ifndef CLI_WRITER_H
#define CLI_WRITER_H

#include "write/charts.h"
#include "write/choice.h"
#include "write/out.h"
#include "write/record.h"
#include "write/table.h"

/** Where records go and how. It holds places of itself: it must not be copied. */
typedef struct cli_writer {
    cli_out out;
    cli_field_list list;
    enum cli_output form;
    uint64_t records;
    bool begun; /* CSV: its header is written */
    cli_table table;
} cli_writer;

/** Begins; the list is chosen before or after. */
void cli_writer_init(cli_writer *writer, const cli_options *options);
void cli_writer_free(cli_writer *writer);

/** Adds a record. False once nothing more can be written. */
bool cli_writer_add(cli_writer *writer, const cli_record *record);

/** Adds that a key is silent where the form is JSON; to columns it does not belong. */
bool cli_writer_add_silence(cli_writer *writer, const char *key, size_t length, const anomaly_silence *silence);

/** Adds a line with a small picture for each key, behind the table. */
void cli_writer_add_pictures(cli_writer *writer, const cli_charts *charts, bool together);

/** Brings everything to standard output that is ready. */
bool cli_writer_flush(cli_writer *writer);

/** Writes what belongs at the end. */
bool cli_writer_end(cli_writer *writer);

#endif
