/* SPDX-License-Identifier: MIT
 * recode.h - text of other encodings to UTF-8, piece by piece.
 */
#ifndef CLI_RECODE_H
#define CLI_RECODE_H

#include "read/unpack.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct cli_recode cli_recode;

/** Starts with `length` bytes that have been read already, at most 64 KiB. NULL: the encoding is not known. */
cli_recode *cli_recode_open(const char *encoding, const char *data, size_t length, cli_read_bytes *read, void *context);
void cli_recode_close(cli_recode *recode);

/** Tells whether all that has been read of the file has been delivered. */
bool cli_recode_drained(const cli_recode *recode);

/** Like read(2) on the text in UTF-8, 64 bytes or more at a time. Bytes that are no text of the encoding become one
 *  that is no UTF-8, so that their row is rejected. */
ssize_t cli_recode_read(cli_recode *recode, char *data, size_t size);

#endif
