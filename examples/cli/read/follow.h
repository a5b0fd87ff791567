/* SPDX-License-Identifier: MIT
 * follow.h - is a file still the one that was read: while it is followed, and after a restart?
 */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "read/source.h"

/** How a file is known again: by its inode, and by the bytes before the place up to which it was read. */
typedef struct cli_mark {
    uint64_t device, inode;
    uint64_t end;  /* the last CLI_MARK bytes before this one, as they lie in the file, ... */
    uint64_t hash; /* ... have this hash */
} cli_mark;

#define CLI_MARK 1024

/** The mark of a file that was read to its present position. */
cli_mark cli_follow_mark(const cli_source *source);

/** Is this open file the one that was marked, and unchanged up to there? */
bool cli_follow_same(const cli_source *source, const cli_mark *mark);

/** At the end of a followed file: was it cut, or replaced? The latter only counts where nothing came for long: whoever
 *  renames a log may still write to it for a moment. */
enum cli_turn cli_follow_look(cli_source *source, bool long_wait);

/** Is the marked file at this path? */
bool cli_follow_is_at(const char *path, const cli_mark *mark);

/** The file with the mark's inode in the folder of `path`, under whatever name: a copy of its path, NULL if there is none. */
char *cli_follow_find(const char *path, const cli_mark *mark);

#endif
