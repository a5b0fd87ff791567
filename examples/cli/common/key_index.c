/* SPDX-License-Identifier: MIT
 * key_index.c - keys numbered in the order in which they appear: a hash table with open addressing.
 */
#include "common/key_index.h"

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

static void place(cli_key_index *index, uint64_t hash, size_t number)
{
    size_t mask = index->slot_count - 1, slot = (size_t)hash & mask;
    while (index->slots[slot] != 0)
        slot = (slot + 1) & mask;
    index->slots[slot] = (uint32_t)number + 1;
}

static void grow(cli_key_index *index)
{
    size_t count = index->slot_count == 0 ? 64 : 2 * index->slot_count;
    index->slots = cli_resize(index->slots, count, sizeof *index->slots);
    memset(index->slots, 0, count * sizeof *index->slots);
    index->slot_count = count;
    for (size_t i = 0; i < index->count; i++)
        place(index, index->keys[i].hash, i);
}

static size_t find_key(const cli_key_index *index, const char *key, size_t length, uint64_t hash)
{
    size_t mask = index->slot_count - 1;
    for (size_t slot = (size_t)hash & mask; index->slots[slot] != 0; slot = (slot + 1) & mask) {
        const cli_indexed_key *known = &index->keys[index->slots[slot] - 1];
        if (known->hash == hash && known->length == length && memcmp(known->key, key, length) == 0)
            return index->slots[slot] - 1;
    }
    return SIZE_MAX;
}

static size_t add_key(cli_key_index *index, const char *key, size_t length, uint64_t hash)
{
    if (index->count == index->capacity) {
        index->capacity = index->capacity == 0 ? 16 : 2 * index->capacity;
        index->keys = cli_resize(index->keys, index->capacity, sizeof *index->keys);
    }
    index->keys[index->count] = (cli_indexed_key){cli_copy(key, length), length, hash};
    place(index, hash, index->count);
    return index->count++;
}

size_t cli_key_index_get(cli_key_index *index, const char *key, size_t length, size_t most)
{
    uint64_t hash = hash_of(key, length);
    if (2 * (index->count + 1) > index->slot_count)
        grow(index);
    size_t number = find_key(index, key, length, hash);
    return number != SIZE_MAX || index->count >= most ? number : add_key(index, key, length, hash);
}

void cli_key_index_free(cli_key_index *index)
{
    for (size_t i = 0; i < index->count; i++)
        free(index->keys[i].key);
    free(index->keys);
    free(index->slots);
    *index = (cli_key_index){0};
}
