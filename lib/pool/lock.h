/* SPDX-License-Identifier: MIT */
/* The lock of a shard. Where the pool is used by one thread alone (anomaly_pool_options.locks) all of this does
 * nothing. */
#ifndef AN_POOL_LOCK_H
#define AN_POOL_LOCK_H

#include "pool/shard.h"

/* Makes the lock; ANOMALY_E_NOMEM when the system has none. */
int an_shard_lock_init(an_shard *shard);
void an_shard_lock_destroy(an_shard *shard);

void an_shard_lock(an_shard *shard);
void an_shard_unlock(an_shard *shard);

#endif
