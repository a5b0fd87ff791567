/* SPDX-License-Identifier: MIT
 * follow.h - at the end of a followed file: will more of it come?
 */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

/** What became of a followed file, for which its reading has ended. */
enum cli_turn { CLI_TURN_NONE, CLI_TURN_REPLACED, CLI_TURN_CUT };

/** What a followed file showed so far. All zero to begin. */
typedef struct cli_follow {
    unsigned replaced;             /* how often in a row another file was seen in this one's place */
    uint64_t waits_at, waits_hash; /* the end it waits at, and the hash of the bytes before it */
} cli_follow;

#define CLI_TAIL 1024 /* bytes that a file is known again by */

/** Hashes the last CLI_TAIL bytes before `end`, as they lie in the file. False if they are not there. */
bool cli_hash_before(int fd, uint64_t end, uint64_t *hash);

/** Looks at a file that was read to `end`, and at its path (NULL: it has none): was the file cut or replaced? A file
 *  that was replaced counts as such only after nothing came for long, because a program may write to its log for a
 *  moment after it has renamed the log. */
enum cli_turn cli_follow_look(cli_follow *follow, int fd, const char *path, uint64_t end, bool long_wait);

#endif
