/* SPDX-License-Identifier: MIT
 * unpack.h - packed data (gzip, zstd, xz), also of several members, piece by piece.
 */
#ifndef CLI_UNPACK_H
#define CLI_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct cli_codec cli_codec;
typedef struct cli_unpack cli_unpack;

/** Reads up to `size` bytes; like read(2), with -1 for an error. */
typedef ssize_t cli_read_bytes(void *context, void *data, size_t size);

#define CLI_MAGIC ((size_t)6) /* bytes that tell how data is packed */

/** Finds by the first bytes how data is packed; NULL if it is not. *open: further bytes may still tell. */
const cli_codec *cli_codec_of(const char *data, size_t length, bool *open);

/** Answers the length of a name without its .gz, .zst or .xz. */
size_t cli_unpacked_name(const char *name);

/** Starts with `length` bytes that have been read already, at most 64 KiB. On NULL *why says what is wrong. */
cli_unpack *cli_unpack_open(const cli_codec *codec, const char *data, size_t length, cli_read_bytes *read, void *context,
                            const char **why);
void cli_unpack_close(cli_unpack *unpack);

/** Tells whether all that has been read of the file has been delivered. */
bool cli_unpack_drained(const cli_unpack *unpack);

/** Like read(2) on the plain data; on -1 *why says what is wrong (NULL: errno does). What lies before bytes that are
 *  wrong is delivered first. */
ssize_t cli_unpack_read(cli_unpack *unpack, void *data, size_t size, const char **why);

#endif
