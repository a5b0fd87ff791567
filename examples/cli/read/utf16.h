/* SPDX-License-Identifier: MIT
 * utf16.h - UTF-16 to UTF-8, piece by piece.
 */
#ifndef CLI_UTF16_H
#define CLI_UTF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What is still open at the end of a piece. Zero it, then set `big`. */
typedef struct cli_utf16 {
    bool big; /* the high byte comes first */
    bool half_given;
    unsigned char half; /* first byte of a unit */
    uint32_t lead;      /* first unit of a pair, 0 for none */
} cli_utf16;

/** Bytes of UTF-8 that `length` bytes can become, with what was left open before. */
#define CLI_UTF16_ROOM(length) ((length) / 2 * 3 + 6)

/** Writes UTF-8 to `to` and answers its length. A unit that should be half of a pair and is not becomes bytes that are
 *  no UTF-8, so that its row is rejected. */
size_t cli_utf16_decode(cli_utf16 *state, const char *from, size_t length, char *to);

/** Writes what is still open at the end of the input: nothing, if the UTF-16 is good. */
size_t cli_utf16_end(cli_utf16 *state, char *to);

#endif
