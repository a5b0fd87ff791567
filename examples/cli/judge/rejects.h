/* SPDX-License-Identifier: MIT
 * rejects.h - what is said of rows that cannot be read: three of a kind, and how many more there were.
 */
#ifndef CLI_REJECTS_H
#define CLI_REJECTS_H

#include "common/say.h"
#include "read/reason.h"

#include <stddef.h>
#include <stdint.h>

enum { CLI_TOLD = 20 }; /* rejected rows of a file that are told */

/** Rejected rows of one kind. */
typedef struct cli_alike {
    uint64_t kind; /* a hash of what they have in common */
    uint64_t line; /* of the last that was told */
    unsigned told;
    uint64_t more;
    char what[120]; /* why, without what differs from row to row */
} cli_alike;

/** Those of the file being read. All zero is none. */
typedef struct cli_rejects {
    cli_alike kinds[CLI_TOLD];
    size_t kind_count;
    unsigned told;
    uint64_t others[CLI_REASONS]; /* for which there was no line left */
} cli_rejects;

/** Says that a row was rejected, unless enough of its kind were told. */
void cli_rejects_tell(cli_rejects *rejects, cli_terminal *terminal, const char *file, uint64_t line, enum cli_reason reason,
                      const char *detail);

/** At the end of a file: says how many more were rejected than were told, and forgets them. */
void cli_rejects_end(cli_rejects *rejects, cli_terminal *terminal, const char *file);

#endif
