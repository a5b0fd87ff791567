/* SPDX-License-Identifier: MIT
 * writer.h - records to standard output, in one of four forms.
 */
#ifndef CLI_WRITER_H
#define CLI_WRITER_H

#include "write/fields.h"
#include "write/out.h"

/** Where records go and how. */
typedef struct cli_writer cli_writer;

struct cli_writer {
    cli_out out;
    cli_field_list list;
    enum cli_output form;
    bool colour;
    bool mark; /* the table marks anomalies, since it shows other events too */
    uint64_t records;
    /* table: lines are held until their columns' widths are known */
    cli_buffer cells;   /* each cell ends in a NUL, in the order of the fields */
    size_t held;        /* lines in it */
    bool *held_anomaly; /* for each held line */
    size_t widths[2 * CLI_FIELDS];
    bool begun;
};

void cli_writer_init(cli_writer *writer, const cli_options *options);
void cli_writer_free(cli_writer *writer);

/** False once nothing more can be written. */
bool cli_writer_add(cli_writer *writer, const cli_record *record);

/** Brings everything to standard output that is ready. */
bool cli_writer_flush(cli_writer *writer);

/** Writes what belongs at the end. */
bool cli_writer_end(cli_writer *writer);

/* The four forms; each appends to writer->out.buffer. */
void cli_write_csv(cli_writer *writer, const cli_record *record);
void cli_write_json(cli_writer *writer, const cli_record *record);
void cli_write_table(cli_writer *writer, const cli_record *record);
void cli_table_release(cli_writer *writer);

#endif
