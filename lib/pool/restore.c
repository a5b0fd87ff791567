/* SPDX-License-Identifier: MIT */
/* A pool from bytes, or one key of it: from memory, or from a source that is read section by section. Nothing is
 * believed before a section's checksum is verified; what a key's state says is checked again as it is read.
 * pool/save.c wrote it. */
#include "detector/options.h"
#include "detector/snapshot.h"
#include "detector/status.h"
#include "pool/chunk.h"
#include "pool/pool.h"
#include "pool/population.h"

#include <string.h>

/* ---- where a restore reads from ---- */

typedef struct input {
    const unsigned char *at, *end; /* memory, or */
    anomaly_source source;
    void *ctx;
    an_chunk section;
} input;

/* `size` further bytes from the source behind those in the chunk, room being made as they come: a length that lies
 * costs nothing. */
static int pull_bytes(input *in, uint64_t size)
{
    an_chunk *c = &in->section;
    while (c->used < size) {
        size_t got = 0, want = size - c->used < AN_CHUNK_BYTES ? (size_t)(size - c->used) : AN_CHUNK_BYTES;
        if (!an_chunk_reserve(c, an_sum(c->used, want)))
            return ANOMALY_E_NOMEM;
        if (in->source(in->ctx, c->bytes + c->used, want, &got) != 0)
            return ANOMALY_E_STOPPED;
        if (got == 0 || got > want)
            return ANOMALY_E_CORRUPT;
        c->used += got;
    }
    return ANOMALY_OK;
}

static int next_from_source(input *in, const unsigned char **bytes, uint64_t *length, enum an_section *type)
{
    in->section.used = 0;
    int status = pull_bytes(in, AN_SECTION_HEADER);
    if (!status)
        status = an_section_length(in->section.bytes, type, length);
    if (!status)
        status = pull_bytes(in, *length);
    *bytes = in->section.bytes;
    return status;
}

static int next_from_memory(input *in, const unsigned char **bytes, uint64_t *length, enum an_section *type)
{
    size_t left = (size_t)(in->end - in->at);
    int status = left < AN_SECTION_HEADER ? ANOMALY_E_CORRUPT : an_section_length(in->at, type, length);
    if (!status && *length > left)
        status = ANOMALY_E_CORRUPT;
    *bytes = in->at;
    if (!status)
        in->at += *length;
    return status;
}

/* Finds the next section and verifies it; gives its body and type. */
static int next_section(input *in, uint64_t *chain, enum an_section *type, an_reader *body)
{
    const unsigned char *bytes;
    uint64_t length;
    int status = in->source ? next_from_source(in, &bytes, &length, type) : next_from_memory(in, &bytes, &length, type);
    return status ? status : an_section_open(bytes, (size_t)length, *type, *chain, body, chain);
}

/* ---- reading ---- */

/* Makes equal what may differ between the configuration of a state and the one that it goes on under. */
static void let_differ(anomaly_config *saved, const anomaly_config *own)
{
    saved->threshold = own->threshold;
    saved->side = own->side;
    saved->reserve = own->reserve;
    saved->simd = own->simd;
}

static int config_fits(const anomaly_config *own, const anomaly_config *saved, anomaly_error *error)
{
    anomaly_config like = *saved;
    char ours[64], theirs[64];
    const an_option *option;
    if (own->kind != saved->kind)
        return an_error(error, ANOMALY_E_CONFIG, "kind", "saved by another kind of detector");
    let_differ(&like, own);
    if (memcmp(own, &like, sizeof like) == 0) /* as nearly always, and texts take long */
        return ANOMALY_OK;
    for (size_t i = 0; (option = an_option_at(i)) != NULL; i++) {
        const char *name = option->shown.name;
        an_option_write(own, option, ours);
        an_option_write(&like, option, theirs);
        if (strcmp(ours, theirs) != 0)
            return an_error(error, ANOMALY_E_CONFIG, name, "saved with %s=%s, not %s", name, theirs, ours);
    }
    return ANOMALY_OK;
}

static int64_t load_time(an_reader *reader)
{
    uint8_t has = an_read_u8(reader);
    int64_t t_ns = has ? an_read_i64(reader) : ANOMALY_NO_TIME;
    reader->bad |= has > 1 || (has && t_ns == ANOMALY_NO_TIME);
    return t_ns;
}

static void load_options(anomaly_pool_options *options, an_reader *reader)
{
    uint64_t value[5] = {0};
    uint64_t count = an_read_varint(reader);
    reader->bad |= count != 5;
    for (uint64_t i = 0; !reader->bad && i < 5; i++)
        value[i] = an_read_varint_to(reader, i < 2 ? UINT64_MAX : i == 2 ? INT64_MAX : i == 3 ? 1 : AN_MAX_SHARDS);
    reader->bad |= value[4] == 0;
    anomaly_pool_options_init(options, sizeof *options);
    options->max_keys = value[0];
    options->max_bytes = value[1];
    options->max_idle_ns = (int64_t)value[2];
    options->refuse = (int32_t)value[3];
    options->shards = (uint32_t)value[4];
}

typedef struct wanted {
    const anomaly_config *config;
    const anomaly_pool_options *options;
    const anomaly_allocator *allocator;
} wanted;

/* Chooses the configuration and the options to go on with: those of the caller, or the saved ones. */
static int choose_options(const wanted *want, anomaly_config *config, anomaly_pool_options *options, anomaly_error *error)
{
    anomaly_config saved = *config;
    anomaly_pool_options kept = *options;
    int status = want->config ? an_config_check(want->config, config, error) : ANOMALY_OK;
    if (!status && want->config)
        status = config_fits(config, &saved, error);
    if (!status)
        status = an_pool_options_check(want->options ? want->options : &kept, options, error);
    return status == ANOMALY_E_CONFIG && !want->config && !want->options ? ANOMALY_E_CORRUPT : status;
}

static int load_head(an_reader *body, const wanted *want, anomaly_pool **pool, anomaly_error *error)
{
    anomaly_config config;
    anomaly_pool_options options;
    anomaly_counts gone;
    int status = an_config_load(&config, body, error);
    if (status)
        return status;
    load_options(&options, body);
    int64_t newest = load_time(body);
    an_counts_load(&gone, body);
    if (body->bad || an_reader_left(body))
        return ANOMALY_E_CORRUPT;
    status = choose_options(want, &config, &options, error);
    if (!status)
        status = an_pool_new(&config, &options, want->allocator, pool);
    if (status)
        return status;
    (*pool)->shards[0].gone = gone;
    for (uint32_t i = 0; i < options.shards; i++)
        (*pool)->shards[i].newest_ns = newest;
    return ANOMALY_OK;
}

/* Makes a detector of the shard from a saved state. */
static int load_detector(const an_shard *shard, an_reader *state, anomaly_detector **detector)
{
    if (!an_state_can_be(&shard->shared.config, state))
        return ANOMALY_E_CORRUPT;
    int status = an_detector_shared(&shard->shared, detector);
    if (status)
        return status;
    status = an_state_load(*detector, state);
    if (status)
        anomaly_destroy(*detector);
    return status;
}

/* Enters a key with its state. A key that went and came again while another thread saved the pool may have two
 * records: the later one counts. */
static int enter_record(an_shard *shard, uint64_t hash, const unsigned char *key, size_t size, an_reader *record,
                        uint64_t used, int64_t newest)
{
    anomaly_detector *detector;
    uint32_t entry = an_shard_find(shard, (uint32_t)hash, key, size);
    if (entry != AN_NO_ENTRY)
        an_shard_remove(shard, entry);
    int status = load_detector(shard, record, &detector);
    if (status)
        return status;
    uint64_t uses = shard->uses;
    status = an_shard_add(shard, (uint32_t)hash, key, size, detector, &entry);
    if (status) {
        anomaly_destroy(detector);
        return status;
    }
    an_entry *e = an_shard_entry(shard, entry);
    e->used = used;
    e->newest_ns = newest;
    shard->uses = used > uses ? used : uses;
    return ANOMALY_OK;
}

static int load_record(anomaly_pool *pool, an_reader *body)
{
    size_t size = (size_t)an_read_varint_to(body, an_reader_left(body));
    const unsigned char *bytes = an_read_bytes(body, size);
    if (!bytes)
        return ANOMALY_E_CORRUPT;
    an_reader record = {bytes, bytes + size, 0};
    size_t key_size = (size_t)an_read_varint_to(&record, AN_MAX_KEY_BYTES);
    const unsigned char *key = an_read_bytes(&record, key_size);
    uint64_t used = an_read_endless(&record);
    int64_t newest = load_time(&record);
    if (record.bad || !an_pool_is_key(key, key_size))
        return ANOMALY_E_CORRUPT;
    uint64_t hash = an_pool_hash(pool, key, key_size);
    return enter_record(an_pool_shard(pool, hash), hash, key, key_size, &record, used, newest);
}

static int load_keys(anomaly_pool *pool, input *in, uint64_t *chain)
{
    enum an_section type = AN_SECTION_KEYS;
    an_reader body;
    uint64_t records = 0;
    int status = next_section(in, chain, &type, &body);
    while (!status && type == AN_SECTION_KEYS) {
        for (; !status && an_reader_left(&body); records++)
            status = load_record(pool, &body);
        if (!status)
            status = next_section(in, chain, &type, &body);
    }
    if (status)
        return status;
    uint64_t saved = an_read_varint(&body);
    int whole = type == AN_SECTION_END && !body.bad && !an_reader_left(&body) && saved == records;
    return whole ? ANOMALY_OK : ANOMALY_E_CORRUPT;
}

/* The section of what all keys have together, where the configuration asks for that. */
static int load_crowd(anomaly_pool *pool, input *in, uint64_t *chain)
{
    enum an_section type = AN_SECTION_TOGETHER;
    an_reader body;
    if (!pool->common.crowd)
        return ANOMALY_OK;
    int status = next_section(in, chain, &type, &body);
    if (!status && type != AN_SECTION_TOGETHER)
        status = ANOMALY_E_CORRUPT;
    return status ? status : an_crowd_restore(pool->common.crowd, &pool->common.config, &body);
}

static int load_pool(input *in, const wanted *want, anomaly_pool **pool, anomaly_error *error)
{
    enum an_section type = AN_SECTION_POOL;
    anomaly_pool *loaded;
    uint64_t chain = 0;
    an_reader body;
    int status = next_section(in, &chain, &type, &body);
    if (!status && type != AN_SECTION_POOL)
        status = ANOMALY_E_CORRUPT;
    if (!status)
        status = load_head(&body, want, &loaded, error);
    if (status)
        return status;
    status = load_crowd(loaded, in, &chain);
    if (!status)
        status = load_keys(loaded, in, &chain);
    if (!status && !in->source && in->at != in->end)
        status = ANOMALY_E_CORRUPT;
    if (!status)
        status = an_pool_settle(loaded);
    if (status)
        anomaly_pool_destroy(loaded);
    else
        *pool = loaded;
    return status;
}

static const char *reason_of(int status)
{
    switch (status) {
    case ANOMALY_E_CORRUPT: return "not a snapshot of a pool, or damaged";
    case ANOMALY_E_VERSION: return "the snapshot is of a newer version";
    default: return anomaly_status_text(status);
    }
}

/* Completes `why` with a reason for the status, and copies it to *error where the caller wants one. Returns the
 * status. */
static int tell_reason(anomaly_error *why, int status, anomaly_error *error)
{
    if (status && !why->message[0])
        an_error(why, status, "", "%s", reason_of(status));
    why->status = status;
    if (error)
        *error = *why;
    return status;
}

static int restore_pool(input *in, const wanted *want, anomaly_pool **pool, anomaly_error *error)
{
    anomaly_error why = {0};
    in->section.allocator = want->allocator;
    int status = load_pool(in, want, pool, &why);
    an_chunk_free(&in->section);
    return tell_reason(&why, status, error);
}

int anomaly_pool_restore(const void *bytes, size_t size, const anomaly_config *config, const anomaly_pool_options *options,
                         const anomaly_allocator *allocator, anomaly_pool **pool, anomaly_error *error)
{
    anomaly_allocator memory = an_allocator_or_default(allocator);
    wanted want = {config, options, &memory};
    input in = {.at = bytes, .end = bytes ? (const unsigned char *)bytes + size : NULL};
    if (!bytes || !pool)
        return an_error(error, ANOMALY_E_ARG, "", "bytes and pool must be given");
    return restore_pool(&in, &want, pool, error);
}

int anomaly_pool_restore_read(anomaly_source source, void *ctx, const anomaly_config *config,
                              const anomaly_pool_options *options, const anomaly_allocator *allocator, anomaly_pool **pool,
                              anomaly_error *error)
{
    anomaly_allocator memory = an_allocator_or_default(allocator);
    wanted want = {config, options, &memory};
    input in = {.source = source, .ctx = ctx};
    if (!source || !pool)
        return an_error(error, ANOMALY_E_ARG, "", "source and pool must be given");
    return restore_pool(&in, &want, pool, error);
}

/* ---- one key ---- */

/* Gives a key the detector that is read from a saved state. A key that is there keeps its entry, hence its slot. */
static int put_detector(an_shard *shard, uint64_t hash, const void *key, size_t size, an_reader *state)
{
    anomaly_detector *detector;
    uint32_t entry = an_shard_find(shard, (uint32_t)hash, key, size);
    shard->refused = 0;
    shard->busy = entry;
    int status = load_detector(shard, state, &detector);
    shard->busy = AN_NO_ENTRY;
    if (status)
        return an_shard_status(shard, status);
    if (entry == AN_NO_ENTRY) {
        status = an_shard_add(shard, (uint32_t)hash, key, size, detector, &entry);
        if (status)
            anomaly_destroy(detector);
        return status;
    }
    an_shard_replace(shard, entry, detector);
    an_shard_touch(shard, entry);
    return ANOMALY_OK;
}

int anomaly_pool_import(anomaly_pool *pool, const void *key, size_t key_size, const void *bytes, size_t size,
                        anomaly_error *error)
{
    anomaly_error why = {0};
    anomaly_config saved;
    an_reader state;
    if (!pool || !bytes || !an_pool_is_key(key, key_size))
        return an_error(error, ANOMALY_E_ARG, "", "pool, key and bytes must be given");
    int status = an_detector_open(bytes, size, &saved, &state, error);
    if (status)
        return status;
    uint64_t hash = an_pool_hash(pool, key, key_size);
    an_shard *shard = an_pool_shard(pool, hash);
    an_shard_lock(shard);
    status = config_fits(&shard->shared.config, &saved, &why);
    if (!status)
        status = put_detector(shard, hash, key, key_size, &state);
    an_shard_unlock(shard);
    return tell_reason(&why, status, error);
}
