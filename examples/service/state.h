/* SPDX-License-Identifier: MIT
 * state.h - the state file: the pool and the sources' line numbers, of one moment.
 *
 *     anomaly-service 1
 *     source NAME LINES                    (one for each)
 *     check 0123456789abcdef               anomaly_key_hash() of the lines above
 *     the pool's snapshot
 *
 * A save goes to FILE.tmp, is forced to disk and then renamed, so FILE is whole at every moment: the old one or the
 * new.
 */
#ifndef SERVICE_STATE_H
#define SERVICE_STATE_H

#include "anomaly.h"
#include "source.h"

#include <stdbool.h>

/** Says what went wrong and answers false. The file that was there is untouched then. */
bool state_save(const char *path, const anomaly_pool *pool, const sources *all);

enum state_result { STATE_RESTORED, STATE_NONE, STATE_BAD };

/** STATE_NONE: there is no such file. STATE_BAD after having said why. */
enum state_result state_restore(const char *path, const anomaly_config *config, const anomaly_pool_options *pool_options,
                                anomaly_pool **pool, sources *all);

/** Keeps others from using the file, for as long as this process or a child of it lives: a descriptor, -1 after having
 *  said why not. Waits a little for one that is just ending. */
int state_lock(const char *path);

#endif
