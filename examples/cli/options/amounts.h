/* SPDX-License-Identifier: MIT
 * amounts.h - counts, sizes and spans of time as people write them.
 */
#ifndef CLI_AMOUNTS_H
#define CLI_AMOUNTS_H

#include <stdbool.h>
#include <stdint.h>

/** Reads a whole number up to 2^63 - 1; false for other text. */
bool cli_parse_count(const char *text, uint64_t *count);

/** Reads a count of bytes: 500000, 64K, 512M, 2G (of 1024). */
bool cli_parse_bytes(const char *text, uint64_t *bytes);

/** Reads a span that is not negative, in the words of the library: 0, 90s, 1.5h. */
bool cli_parse_span(const char *text, int64_t *ns);

#endif
