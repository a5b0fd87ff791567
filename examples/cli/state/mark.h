/* SPDX-License-Identifier: MIT
 * mark.h - is a file still the one that was read, after a restart?
 */
#ifndef CLI_MARK_H
#define CLI_MARK_H

#include "read/source.h"

#include <stdbool.h>
#include <stdint.h>

/** How a file is known again: by its inode, and by the bytes before the place up to which it was read. */
typedef struct cli_mark {
    uint64_t device, inode;
    uint64_t end;  /* the last CLI_TAIL bytes before this one, as they lie in the file, ... */
    uint64_t hash; /* ... have this hash */
} cli_mark;

/** Marks a file that was read to its present position. */
cli_mark cli_mark_of(const cli_source *source);

/** Is this open file the one that was marked, and unchanged up to there? */
bool cli_mark_fits(const cli_source *source, const cli_mark *mark);

/** Is the marked file at this path? */
bool cli_mark_is_at(const char *path, const cli_mark *mark);

/** Finds the file with the mark's inode in the folder of `path`, under whatever name. Answers a copy of its path, NULL
 *  if there is none. */
char *cli_mark_find(const char *path, const cli_mark *mark);

#endif
