/* SPDX-License-Identifier: MIT
 * keys.c - a detector for each key, out of the library's pool.
 *
 * A key that comes twice in a row gets a slot, which spares the look-up from then on; a slot whose key was evicted
 * since is answered with E_NOTFOUND, and the key looked up anew.
 */
#include "judge/keys.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Makes a secret, without which the writer of the input could choose keys that collide. Early at boot
 * there is none. */
static uint64_t secret(void)
{
    uint64_t seed = 0;
    return getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed ? seed : 0;
}

static anomaly_pool_options limits_of(const cli_options *options)
{
    anomaly_pool_options limits;
    anomaly_pool_options_init(&limits, sizeof limits);
    limits.locks = 0;
    limits.max_keys = options->max_keys;
    limits.max_bytes = options->max_memory;
    limits.max_idle_ns = options->forget_after;
    limits.hash_seed = secret();
    return limits;
}

static void make_places(cli_keys *keys, size_t count)
{
    keys->places = cli_resize(NULL, count, sizeof *keys->places);
    memset(keys->places, 0, count * sizeof *keys->places);
    keys->place_count = count;
}

int cli_keys_create(cli_keys *keys, const anomaly_config *config, const cli_options *options, size_t places,
                    anomaly_error *error)
{
    anomaly_pool_options limits = limits_of(options);
    int status = anomaly_pool_create(config, &limits, NULL, &keys->pool, error);
    if (status == ANOMALY_OK)
        make_places(keys, places);
    return status;
}

int cli_keys_restore(cli_keys *keys, const anomaly_config *config, const cli_options *options, size_t places,
                     anomaly_source source, void *context, anomaly_error *error)
{
    anomaly_pool_options limits = limits_of(options);
    int status = anomaly_pool_restore_read(source, context, config, &limits, NULL, &keys->pool, error);
    if (status == ANOMALY_OK)
        make_places(keys, places);
    return status;
}

void cli_keys_free(cli_keys *keys)
{
    for (size_t i = 0; i < keys->place_count; i++)
        cli_buffer_free(&keys->places[i].key);
    free(keys->places);
    cli_streams_free(&keys->waiting);
    anomaly_pool_destroy(keys->pool);
    *keys = (cli_keys){0};
}

/* ---- events ---- */

static bool same_key(const cli_place *place, const char *key, size_t length)
{
    return place->key.length == length && memcmp(place->key.data, key, length) == 0;
}

static int update_again(cli_keys *keys, cli_place *place, const double *x, int64_t time, anomaly_verdict *verdict)
{
    const cli_buffer *key = &place->key;
    if (!place->has_slot)
        place->has_slot = anomaly_pool_find(keys->pool, key->data, key->length, &place->slot) == ANOMALY_OK;
    int status = ANOMALY_E_NOTFOUND;
    if (place->has_slot)
        status = anomaly_pool_update_at(keys->pool, place->slot, x, time, verdict);
    place->has_slot = status == ANOMALY_OK;
    if (status == ANOMALY_E_NOTFOUND)
        status = anomaly_pool_update(keys->pool, key->data, key->length, x, time, verdict);
    return status;
}

static int update_other(cli_keys *keys, cli_place *place, const char *key, size_t length, const double *x, int64_t time,
                        anomaly_verdict *verdict)
{
    place->has_slot = false;
    place->key.length = 0;
    cli_buffer_add(&place->key, key, length);
    return anomaly_pool_update(keys->pool, key, length, x, time, verdict);
}

/* Notes are for the summary alone, so a bounded number of them will do. */
static void note_waiting(cli_keys *keys, const char *key, size_t length, int64_t time, const anomaly_verdict *v)
{
    cli_stream *stream = cli_streams_get(&keys->waiting, key, length, CLI_NOTED);
    if (stream == NULL)
        return;
    stream->events++;
    stream->fullest = v->events > stream->fullest ? v->events : stream->fullest;
    if (stream->first == ANOMALY_NO_TIME || time < stream->first)
        stream->first = time;
    stream->last = time > stream->last ? time : stream->last;
}

int cli_keys_update(cli_keys *keys, size_t index, const char *key, size_t length, const double *x, int64_t time,
                    anomaly_verdict *verdict)
{
    static const char nameless[] = ""; /* a NUL, which no key of an input can be */
    cli_place *place = &keys->places[index];
    const char *name = length > 0 ? key : nameless;
    size_t size = length > 0 ? length : sizeof nameless;
    int status = same_key(place, name, size) ? update_again(keys, place, x, time, verdict)
                                             : update_other(keys, place, name, size, x, time, verdict);
    if (status == ANOMALY_OK && (verdict->flags & ANOMALY_WARMING_UP) != 0)
        note_waiting(keys, name, size, time, verdict);
    return status;
}

/* ---- what the summary asks ---- */

static bool never_judged(const anomaly_detector *detector, uint64_t warmup)
{
    anomaly_counts counts;
    anomaly_counters(detector, &counts);
    return counts.warming_up == counts.events && counts.events > warmup + 1;
}

typedef struct starving {
    uint64_t warmup, count;
} starving;

static int count_starving(void *context, uint64_t slot, const void *key, size_t size, const anomaly_detector *detector)
{
    (void)slot, (void)key, (void)size;
    starving *s = context;
    s->count += never_judged(detector, s->warmup);
    return 0;
}

static int ask_never_judged(void *context, anomaly_detector *detector)
{
    return never_judged(detector, *(const uint64_t *)context);
}

/* A stream whose window never filled although events enough came. */
static bool starved(const cli_keys *keys, const cli_stream *s, uint64_t warmup)
{
    uint64_t slot;
    return s->fullest < warmup && s->events > warmup + 1 && s->last > s->first &&
           anomaly_pool_find(keys->pool, s->key, s->key_length, &slot) == ANOMALY_OK &&
           anomaly_pool_with(keys->pool, slot, ask_never_judged, &warmup) == 1;
}

uint64_t cli_keys_starved(const cli_keys *keys, uint64_t warmup, const cli_stream **first)
{
    starving s = {warmup, 0};
    *first = NULL;
    for (size_t i = 0; i < keys->waiting.count && *first == NULL; i++)
        if (starved(keys, keys->waiting.items[i], warmup))
            *first = keys->waiting.items[i];
    if (*first != NULL)
        anomaly_pool_each(keys->pool, count_starving, &s);
    return s.count;
}
