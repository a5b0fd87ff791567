/* SPDX-License-Identifier: MIT
 * episodes.h - the episode that each key is in: since when, and how many odd events.
 */
#ifndef CLI_EPISODES_H
#define CLI_EPISODES_H

#include "common/key_index.h"
#include "write/record.h"

/** Of the first CLI_NOTED keys that had one; all zero is none. */
typedef struct cli_episodes {
    cli_key_index keys;
    cli_episode *items; /* by a key's number */
    size_t count, capacity;
    cli_episode ended; /* the one that the last event has ended */
} cli_episodes;

/** Notes an event that begins, continues or ends an episode, and answers the one that ended, else the one that it
 *  belongs to; valid until the next call. NULL: there is none, or nothing is known of it. */
const cli_episode *cli_episodes_note(cli_episodes *episodes, const cli_record *record);
void cli_episodes_free(cli_episodes *episodes);

#endif
