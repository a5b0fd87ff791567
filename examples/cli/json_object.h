/* SPDX-License-Identifier: MIT
 * json_object.h - one JSON object as a row.
 */
#ifndef CLI_JSON_OBJECT_H
#define CLI_JSON_OBJECT_H

#include "rows.h"

/** Turns objects into rows. The first one that has the wanted members says which columns there are. */
typedef struct cli_json_rows {
    cli_rows rows;
    bool planned;
    bool paths;       /* a column that is named has dots: a member of a member, perhaps */
    bool *numeric;    /* for each column: had the first object a number there? */
    bool *seen;       /* ... has the present object this member? */
    cli_buffer input; /* members whose names are the output's own */
    bool on;          /* false: the sink has had enough */
} cli_json_rows;

/** Reads the `length` bytes at `text`, text[length] being readable, as one object; rejects them if they are none.
 *  `suspect`: they may hold a NUL or something beyond ASCII. */
void cli_json_object(cli_json_rows *json, const char *text, size_t length, uint64_t line, bool suspect);

#endif
