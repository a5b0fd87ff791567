/* SPDX-License-Identifier: MIT
 * inflate.h - gzip data, also of several members, from a file descriptor.
 */
#ifndef CLI_INFLATE_H
#define CLI_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct cli_inflate cli_inflate;

/** Reads up to `size` bytes; like read(2), with -1 for an error. */
typedef ssize_t cli_read(void *context, void *data, size_t size);

/** Starts with `length` bytes that have been read already. */
cli_inflate *cli_inflate_open(const char *data, size_t length, cli_read *read, void *context);
void cli_inflate_close(cli_inflate *inflate);

/** Tells whether all that has been read of the file has been delivered. */
bool cli_inflate_drained(const cli_inflate *inflate);

/** Like read(2) on the plain data; on -1 *why says what is wrong (NULL: errno does). */
ssize_t cli_inflate_read(cli_inflate *inflate, void *data, size_t size, const char **why);

#endif
