/* SPDX-License-Identifier: MIT
 * table.h - records as an aligned table for people.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "common/text.h"
#include "write/choice.h"
#include "write/record.h"

/** A table: lines are held until their columns' widths are known. All zero but for the first four is an empty one. */
typedef struct cli_table {
    cli_buffer *to;
    const cli_field_list *list;
    bool colour;
    bool mark;        /* what is told is marked, since there are other events too */
    uint32_t told;    /* the flags of that */
    bool begun;       /* its header is written */
    cli_buffer cells; /* each cell ends in a NUL, in the order of the fields */
    size_t held;      /* lines in it */
    bool *held_told;  /* for each held line */
    size_t widths[2 * CLI_FIELDS];
} cli_table;

void cli_table_add(cli_table *table, const cli_record *record);

/** Appends the held lines to the buffer. */
void cli_table_flush(cli_table *table);
void cli_table_free(cli_table *table);

#endif
