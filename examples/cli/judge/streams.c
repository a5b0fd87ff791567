/* SPDX-License-Identifier: MIT
 * streams.c - notes by key: a hash table with open addressing.
 */
#include "judge/streams.h"

#include "common/text.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a, with a last mix since the table uses the low bits. */
static uint64_t hash_of(const char *key, size_t length)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)key[i]) * UINT64_C(0x100000001B3);
    return h ^ h >> 32;
}

static void place(cli_streams *streams, uint64_t hash, size_t index)
{
    size_t mask = streams->slot_count - 1, slot = (size_t)hash & mask;
    while (streams->slots[slot] != 0)
        slot = (slot + 1) & mask;
    streams->slots[slot] = (uint32_t)index + 1;
}

static void grow(cli_streams *streams)
{
    size_t count = streams->slot_count == 0 ? 64 : 2 * streams->slot_count;
    streams->slots = cli_resize(streams->slots, count, sizeof *streams->slots);
    memset(streams->slots, 0, count * sizeof *streams->slots);
    streams->slot_count = count;
    for (size_t i = 0; i < streams->count; i++)
        place(streams, streams->items[i]->hash, i);
}

static cli_stream *find_stream(const cli_streams *streams, const char *key, size_t length, uint64_t hash)
{
    size_t mask = streams->slot_count - 1;
    for (size_t slot = (size_t)hash & mask; streams->slots[slot] != 0; slot = (slot + 1) & mask) {
        cli_stream *stream = streams->items[streams->slots[slot] - 1];
        if (stream->hash == hash && stream->key_length == length && memcmp(stream->key, key, length) == 0)
            return stream;
    }
    return NULL;
}

static cli_stream *add_stream(cli_streams *streams, const char *key, size_t length, uint64_t hash)
{
    if (streams->count == streams->capacity) {
        streams->capacity = streams->capacity == 0 ? 16 : 2 * streams->capacity;
        streams->items = cli_resize(streams->items, streams->capacity, sizeof *streams->items);
    }
    cli_stream *stream = cli_resize(NULL, 1, sizeof *stream);
    *stream = (cli_stream){
        .key = cli_copy(key, length), .key_length = length, .hash = hash, .first = ANOMALY_NO_TIME, .last = ANOMALY_NO_TIME};
    streams->items[streams->count] = stream;
    place(streams, hash, streams->count++);
    return stream;
}

cli_stream *cli_streams_get(cli_streams *streams, const char *key, size_t length, size_t most)
{
    uint64_t hash = hash_of(key, length);
    if (2 * (streams->count + 1) > streams->slot_count)
        grow(streams);
    cli_stream *stream = find_stream(streams, key, length, hash);
    return stream != NULL || streams->count >= most ? stream : add_stream(streams, key, length, hash);
}

void cli_streams_free(cli_streams *streams)
{
    for (size_t i = 0; i < streams->count; i++) {
        cli_stream *stream = streams->items[i];
        free(stream->rows);
        free(stream->key);
        free(stream);
    }
    free(streams->items);
    free(streams->slots);
    *streams = (cli_streams){0};
}
