/* SPDX-License-Identifier: MIT
 * key_index.h - keys numbered in the order in which they appear: what belongs to a key lies in an array of its owner.
 */
#ifndef CLI_KEY_INDEX_H
#define CLI_KEY_INDEX_H

#include <stddef.h>
#include <stdint.h>

typedef struct cli_indexed_key {
    char *key; /* a copy, with a final NUL */
    size_t length;
    uint64_t hash;
} cli_indexed_key;

/** All keys; all zero is none. */
typedef struct cli_key_index {
    cli_indexed_key *keys;
    size_t count, capacity;
    uint32_t *slots; /* number of the key + 1, 0 free; a power of two of them */
    size_t slot_count;
} cli_key_index;

/** The number of a key, which gets the next one if it is new; SIZE_MAX if there are `most` others. */
size_t cli_key_index_get(cli_key_index *index, const char *key, size_t length, size_t most);
void cli_key_index_free(cli_key_index *index);

#endif
