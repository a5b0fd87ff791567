/* SPDX-License-Identifier: MIT */
/* The life of what the keys of a pool judge by together (detector/crowd.h): made and saved with the pool. Where the
 * configuration asks for none, `crowd` is NULL, and the calls do nothing. */
#ifndef AN_POOL_POPULATION_H
#define AN_POOL_POPULATION_H

#include "base/bytes.h"
#include "detector/crowd.h"
#include "pool/shard.h"

int an_crowd_is_wanted(const anomaly_config *config);

/* Makes the crowd of a pool, without the population. ANOMALY_E_NOMEM. */
int an_crowd_create(const an_common *common, an_crowd **crowd);
void an_crowd_destroy(an_crowd *crowd);

/* Makes the population that the configuration asks for, and with reserve=1 takes all memory. ANOMALY_E_NOMEM. */
int an_crowd_populate(an_crowd *crowd, const anomaly_config *config);

/* The bytes taken; and the most that there will ever be. */
size_t an_crowd_bytes(an_crowd *crowd);
size_t an_crowd_most_bytes(const an_crowd *crowd, const anomaly_config *config);

/* Do for the population what the call on the pool does for every key. */
void an_crowd_advance(an_crowd *crowd, int64_t t_ns);
void an_crowd_set_threshold(an_crowd *crowd, double threshold);

/* Saves it under the configuration that the pool is saved with; and back, into one without events. restore takes
 * memory in proportion to the bytes. ANOMALY_E_CORRUPT, E_NOMEM. */
void an_crowd_save(an_crowd *crowd, const anomaly_config *config, an_writer *writer);
int an_crowd_restore(an_crowd *crowd, const anomaly_config *config, an_reader *reader);

#endif
