/* SPDX-License-Identifier: MIT
 * utf16.h - UTF-16 to UTF-8, in as many pieces as it comes in.
 */
#ifndef CLI_UTF16_H
#define CLI_UTF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a piece left open. Zero it, then set `big`. */
typedef struct cli_utf16 {
    bool big; /* the high byte comes first */
    bool half_given;
    unsigned char half; /* first byte of a unit */
    uint32_t lead;      /* first unit of a pair, 0 for none */
} cli_utf16;

/** Bytes of UTF-8 that `length` bytes can become, with what was left open before. */
#define CLI_UTF16_ROOM(length) ((length) / 2 * 3 + 6)

/** Writes UTF-8 to `to` and answers its length. A unit that belongs to no pair becomes bytes that are no UTF-8, so that its
 *  row is rejected for that. */
size_t cli_utf16_decode(cli_utf16 *state, const char *from, size_t length, char *to);

/** The same at the end of the input, for what is open still: nothing in good UTF-16. */
size_t cli_utf16_end(cli_utf16 *state, char *to);

#endif
