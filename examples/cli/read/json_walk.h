/* SPDX-License-Identifier: MIT
 * json_walk.h - through JSON of any length, of which only a piece is in memory: to the next byte, past a value, into
 * an array that lies under a path.
 */
#ifndef CLI_JSON_WALK_H
#define CLI_JSON_WALK_H

#include "options/options.h"
#include "read/json_scan.h"
#include "read/source.h"

/** Goes forward by bytes that are in memory. */
void cli_json_advance(cli_source *source, size_t count);

/** Goes to the next byte that is neither blank nor a comma nor a colon, and answers it without taking it; -1 at
 *  the end. */
int cli_json_next(cli_source *source);

/** Goes on past the end of a value of which `scan` has seen a part; `depth` brackets that are open can be closed
 *  so. */
void cli_json_skip(cli_source *source, cli_json_scan *scan);
void cli_json_leave(cli_source *source, int depth);

/** Goes past the value at the source's place. */
void cli_json_pass(cli_source *source);

/** Brings the whole value at the source's place, which begins with a bracket or a quote, into memory; answers its
 *  length, 0 if it is longer than CLI_HOLD or does not end. */
size_t cli_json_hold(cli_source *source);

/** Takes the name of the next member, without its quotes, and goes to its value; false at the object's end, which
 *  is taken, or where there is no name. */
bool cli_json_name(cli_source *source, cli_buffer *name);

/** Goes from the beginning of an object into the array under a path (data.items), behind its bracket. On false the
 *  whole object has been passed. */
bool cli_json_enter(cli_source *source, const char *path);

/** Answers how many objects are open inside an array under a path. */
int cli_json_depth(const char *path);

/** Looks whether the input is one object, and rows can only be the objects of one array in it: answers that array's
 *  path, to be freed, or NULL. An option that names a member outside the array, or one called value,
 *  speaks against it. */
char *cli_json_find_rows(cli_source *source, const cli_options *options);

#endif
