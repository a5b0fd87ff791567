/* SPDX-License-Identifier: MIT
 * zone.h - the time zone of times that name none: --tz. One for the whole process, since it is the C library's.
 */
#ifndef CLI_ZONE_H
#define CLI_ZONE_H

#include <stdbool.h>
#include <stdint.h>

/** Takes a zone of the time zone database, as Europe/Berlin. False: there is no such zone on this machine. */
bool cli_zone_set(const char *name);

/** Tells how many seconds the zone is ahead of UTC when its clocks show a time, given as if it were one of UTC. Of an
 *  hour that comes twice it is the first; in an hour that is left out the clocks count as not yet put forward. */
int64_t cli_zone_offset(int64_t local_seconds);

#endif
