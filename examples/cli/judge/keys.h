/* SPDX-License-Identifier: MIT
 * keys.h - a detector for each key, out of the library's pool.
 */
#ifndef CLI_KEYS_H
#define CLI_KEYS_H

#include "anomaly.h"
#include "common/text.h"
#include "judge/streams.h"
#include "options/options.h"

/** The key that a value column had last, and its slot once it has come twice in a row. */
typedef struct cli_place {
    cli_buffer key;
    uint64_t slot;
    bool has_slot;
} cli_place;

/** All keys; all zero is none. */
typedef struct cli_keys {
    anomaly_pool *pool; /* NULL until the first row has shown what the detectors are to be */
    cli_place *places;
    size_t place_count;
    cli_streams waiting; /* notes on keys that are warming up; of the first CLI_NOTED */
} cli_keys;

#define CLI_NOTED 4096

/** An empty pool; `places` value columns have a key each. As anomaly_pool_create(). */
int cli_keys_create(cli_keys *keys, const anomaly_config *config, const cli_options *options, size_t places,
                    anomaly_error *error);

/** The pool that was saved, from its snapshot. As anomaly_pool_restore_read(). */
int cli_keys_restore(cli_keys *keys, const anomaly_config *config, const cli_options *options, size_t places,
                     anomaly_source source, void *context, anomaly_error *error);
void cli_keys_free(cli_keys *keys);

/** Judges and learns one event of a key, "" being one too. As anomaly_pool_update(). */
int cli_keys_update(cli_keys *keys, size_t place, const char *key, size_t length, const double *x, int64_t time,
                    anomaly_verdict *verdict);

/** Keys of which no event was ever judged, though more came than a warm-up takes; *first (NULL if there is none): what
 *  was noted of the first of them. */
uint64_t cli_keys_starved(const cli_keys *keys, uint64_t warmup, const cli_stream **first);

#endif
