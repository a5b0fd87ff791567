/* SPDX-License-Identifier: MIT
 * episodes.c - the episode that each key is in.
 */
#include "judge/episodes.h"

#include "judge/keys.h"

#include <stdlib.h>
#include <string.h>

#define TOUCHES ((uint32_t)ANOMALY_ALARM | ANOMALY_EPISODE | ANOMALY_EPISODE_END)

static cli_episode *find_episode(cli_episodes *e, const cli_record *record)
{
    size_t number = cli_key_index_get(&e->keys, record->key, record->key_length, CLI_NOTED);
    if (number == SIZE_MAX)
        return NULL;
    if (number >= e->capacity) {
        e->capacity = e->capacity == 0 ? 16 : 2 * e->capacity;
        e->items = cli_resize(e->items, e->capacity, sizeof *e->items);
    }
    if (number >= e->count) {
        e->items[number] = (cli_episode){ANOMALY_NO_TIME, ANOMALY_NO_TIME, 0};
        e->count = number + 1;
    }
    return &e->items[number];
}

/* An episode whose beginning was not seen, as of a run before this one, has no odd events here. */
static void count_odd(cli_episode *episode, const cli_record *record)
{
    if (episode->odd == 0 || (record->verdict.flags & ANOMALY_IS_ANOMALY) == 0)
        return;
    episode->odd++;
    episode->last = record->time > episode->last ? record->time : episode->last;
}

const cli_episode *cli_episodes_note(cli_episodes *e, const cli_record *record)
{
    uint32_t flags = record->verdict.flags;
    cli_episode *episode = flags & TOUCHES ? find_episode(e, record) : NULL;
    if (episode == NULL)
        return NULL;
    e->ended = *episode;
    if (flags & ANOMALY_EPISODE)
        count_odd(episode, record);
    else
        *episode = (cli_episode){record->time, record->time, (flags & ANOMALY_ALARM) != 0};
    return flags & ANOMALY_EPISODE_END ? &e->ended : episode;
}

void cli_episodes_free(cli_episodes *e)
{
    cli_key_index_free(&e->keys);
    free(e->items);
    *e = (cli_episodes){0};
}
