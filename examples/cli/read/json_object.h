/* SPDX-License-Identifier: MIT
 * json_object.h - one JSON object as a row.
 */
#ifndef CLI_JSON_OBJECT_H
#define CLI_JSON_OBJECT_H

#include "read/rows.h"
#include "read/source.h"

/** Turns objects into rows. The first object, and the objects that lie in memory behind it, say which columns there
 *  are. */
typedef struct cli_json_rows {
    cli_rows rows;
    const cli_source *source;
    bool planned;
    uint64_t looked_to; /* the place up to which a plan has looked, ... */
    char *why;          /* ... and why it failed */
    unsigned told;      /* new members that a note has told of */
    bool paths;         /* the name of a column has dots: it may be the path of a member of a member */
    bool within;        /* the objects lie in an array in another object: what follows the array is none of them */
    bool leaves;        /* every member of a member is to be a column, ... */
    bool deep;          /* ... which is looked at: else only for a message */
    char *array;        /* with `leaves`: the path of an array of objects, NULL: none was seen */
    char *number;       /* ... and of a number in a member */
    bool *seen;         /* for each column: had the object this member? */
    cli_buffer input;   /* passed-through members whose names are the output's own */
    bool on;            /* false: the sink has had enough */
} cli_json_rows;

void cli_json_rows_init(cli_json_rows *json, const cli_source *source, const cli_options *options, const cli_sink *sink);
void cli_json_rows_free(cli_json_rows *json);

/** Reads the `length` bytes at `text` in the source's buffer as one object; rejects bytes that are no object.
 *  `suspect`: the bytes may hold a NUL or something beyond ASCII. */
void cli_json_object(cli_json_rows *json, const char *text, size_t length, uint64_t line, bool suspect);

#endif
