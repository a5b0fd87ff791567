/* SPDX-License-Identifier: MIT
 * atomic.h - a file that is replaced as a whole or not at all, and that one process at a time may replace.
 *
 * What is written goes to a file beside it, PATH.new, which is brought to the disk and then takes its name. The lock
 * is on the file that has the name, so it ends with the process, however that ends.
 */
#ifndef CLI_ATOMIC_H
#define CLI_ATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct cli_atomic {
    char *path; /* NULL: not open */
    char *beside;
    int locked;  /* the file that has the name, -1 while there is none */
    int written; /* PATH.new between begin and the end, else -1 */
    mode_t mode; /* of a new file, less the umask; a file that is there keeps its own */
    const char *error;
} cli_atomic;

/** Takes the lock. On false `error` says why. */
bool cli_atomic_open(cli_atomic *file, const char *path, mode_t mode);

/** Tells whether the folder lets files be made there: now, and not when all has been read. */
bool cli_atomic_can_make(cli_atomic *file);
void cli_atomic_close(cli_atomic *file);

/** Begin; write, as often as needed; end. On false `error` says why, and the file is as it was. */
bool cli_atomic_begin(cli_atomic *file);
bool cli_atomic_write(cli_atomic *file, const void *bytes, size_t size);
bool cli_atomic_end(cli_atomic *file);

#endif
