/* SPDX-License-Identifier: MIT
 * streams.c - notes by key.
 */
#include "judge/streams.h"

#include "common/text.h"

#include <stdlib.h>

static cli_stream *add_stream(cli_streams *streams, const cli_indexed_key *key)
{
    if (streams->count == streams->capacity) {
        streams->capacity = streams->capacity == 0 ? 16 : 2 * streams->capacity;
        streams->items = cli_resize(streams->items, streams->capacity, sizeof *streams->items);
    }
    cli_stream *stream = cli_resize(NULL, 1, sizeof *stream);
    *stream = (cli_stream){.key = key->key, .key_length = key->length};
    stream->first = stream->last = ANOMALY_NO_TIME;
    return streams->items[streams->count++] = stream;
}

cli_stream *cli_streams_get(cli_streams *streams, const char *key, size_t length, size_t most)
{
    size_t number = cli_key_index_get(&streams->keys, key, length, most);
    if (number == SIZE_MAX)
        return NULL;
    return number < streams->count ? streams->items[number] : add_stream(streams, &streams->keys.keys[number]);
}

void cli_streams_free(cli_streams *streams)
{
    for (size_t i = 0; i < streams->count; i++) {
        free(streams->items[i]->rows);
        free(streams->items[i]);
    }
    free(streams->items);
    cli_key_index_free(&streams->keys);
    *streams = (cli_streams){0};
}
