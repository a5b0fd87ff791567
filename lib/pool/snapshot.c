/* SPDX-License-Identifier: MIT */
/* A pool as bytes: a section with configuration and limits, sections of keys, a section that ends it. Each section's checksum
 * is the seed of the next one's, so none can be missing, doubled or moved. docs/snapshot-format.md */
#include "detector/snapshot.h"
#include "pool/pool.h"

#include <stdio.h>
#include <string.h>

#define CHUNK_BYTES 65536

/* ---- a buffer that grows ---- */

typedef struct chunk {
    const anomaly_allocator *allocator;
    unsigned char *bytes;
    size_t room, used;
} chunk;

static int chunk_reserve(chunk *c, size_t size)
{
    size_t room = c->room ? c->room : 4096;
    if (size <= c->room)
        return 1;
    while (room < size && room <= SIZE_MAX / 2)
        room *= 2;
    unsigned char *grown = room < size ? NULL : an_alloc(c->allocator, room, 1);
    if (!grown)
        return 0;
    if (c->used)
        memcpy(grown, c->bytes, c->used);
    an_free(c->allocator, c->bytes, c->room, 1);
    c->bytes = grown;
    c->room = room;
    return 1;
}

static void chunk_free(chunk *c)
{
    an_free(c->allocator, c->bytes, c->room, 1);
}

static int chunk_sink(void *ctx, const void *bytes, size_t size)
{
    chunk *c = ctx;
    memcpy(c->bytes + c->used, bytes, size); /* there is room: the record was measured */
    c->used += size;
    return 0;
}

/* ---- writing ---- */

static void save_time(int64_t t_ns, an_writer *writer)
{
    an_write_u8(writer, t_ns != ANOMALY_NO_TIME);
    if (t_ns != ANOMALY_NO_TIME)
        an_write_i64(writer, t_ns);
}

static void save_record(const an_entry *e, const anomaly_config *config, an_writer *writer)
{
    an_write_varint(writer, e->key_size);
    an_write_bytes(writer, an_entry_key(e), e->key_size);
    an_write_endless(writer, e->used);
    save_time(e->newest_ns, writer);
    an_state_save(e->detector, config, writer);
}

static int append_record(chunk *c, const an_entry *e, const anomaly_config *config)
{
    an_writer writer;
    an_writer_begin(&writer, NULL, NULL);
    save_record(e, config, &writer);
    uint64_t size = writer.total;
    if (!chunk_reserve(c, an_sum(c->used, size + 10)))
        return ANOMALY_E_NOMEM;
    an_writer_begin(&writer, chunk_sink, c);
    an_write_varint(&writer, size);
    save_record(e, config, &writer);
    return an_writer_end(&writer);
}

/* Fills the chunk with keys from *entry on. */
static int fill_chunk(chunk *c, const an_shard *shard, uint32_t *entry, const anomaly_config *config, uint64_t *keys)
{
    int status = ANOMALY_OK;
    an_shard_lock(shard);
    for (; !status && *entry < shard->entries && c->used < CHUNK_BYTES; ++*entry) {
        const an_entry *e = an_shard_entry(shard, *entry);
        if (e->detector) {
            status = append_record(c, e, config);
            ++*keys;
        }
    }
    an_shard_unlock(shard);
    return status;
}

static void save_section(an_writer *writer, enum an_section type, const chunk *c, uint64_t *chain)
{
    an_section_begin(writer, type, c->used, *chain);
    an_write_bytes(writer, c->bytes, c->used);
    *chain = an_section_end(writer);
}

/* Status and number of keys of a whole shard. */
static int save_shard(an_writer *writer, const an_shard *shard, const anomaly_config *config, chunk *c, uint64_t *chain,
                      uint64_t *keys)
{
    uint32_t entry = 0;
    int status = ANOMALY_OK;
    do {
        c->used = 0;
        status = fill_chunk(c, shard, &entry, config, keys);
        if (!status && c->used)
            save_section(writer, AN_SECTION_KEYS, c, chain);
        status = status ? status : writer->status;
    } while (!status && c->used);
    return status;
}

static void save_head(const anomaly_pool *pool, const anomaly_config *config, an_writer *writer)
{
    const anomaly_pool_options *options = &pool->options;
    anomaly_counts gone = {0};
    int64_t newest = an_pool_gone(pool, &gone);
    an_config_save(config, writer);
    an_write_varint(writer, 5);
    an_write_varint(writer, options->max_keys);
    an_write_varint(writer, options->max_bytes);
    an_write_varint(writer, (uint64_t)options->max_idle_ns);
    an_write_varint(writer, (uint64_t)options->refuse);
    an_write_varint(writer, options->shards);
    save_time(newest, writer);
    an_counts_save(&gone, writer);
}

/* A section of what `save` writes into the chunk, which has room for all but keys. */
static int save_first(an_writer *writer, const anomaly_pool *pool, const anomaly_config *config, chunk *c, uint64_t *chain)
{
    an_writer body;
    if (!chunk_reserve(c, 4096))
        return ANOMALY_E_NOMEM;
    an_writer_begin(&body, chunk_sink, c);
    save_head(pool, config, &body);
    an_writer_end(&body);
    save_section(writer, AN_SECTION_POOL, c, chain);
    return writer->status;
}

static int save_last(an_writer *writer, uint64_t keys, uint64_t chain)
{
    an_writer counter;
    an_writer_begin(&counter, NULL, NULL);
    an_write_varint(&counter, keys);
    an_section_begin(writer, AN_SECTION_END, counter.total, chain);
    an_write_varint(writer, keys);
    an_section_end(writer);
    return an_writer_end(writer);
}

int anomaly_pool_snapshot_write(const anomaly_pool *pool, anomaly_sink sink, void *ctx)
{
    an_writer writer;
    uint64_t chain = 0, keys = 0;
    if (!pool || !sink)
        return ANOMALY_E_ARG;
    chunk c = {.allocator = &pool->allocator};
    anomaly_config config = an_pool_config(pool);
    an_writer_begin(&writer, sink, ctx);
    int status = save_first(&writer, pool, &config, &c, &chain);
    for (uint32_t i = 0; !status && i < pool->options.shards; i++)
        status = save_shard(&writer, &pool->shards[i], &config, &c, &chain, &keys);
    if (!status)
        status = save_last(&writer, keys, chain);
    chunk_free(&c);
    return status;
}

static int count_sink(void *ctx, const void *bytes, size_t size)
{
    (void)bytes;
    size_t *sum = ctx;
    *sum = an_sum(*sum, size);
    return 0;
}

int anomaly_pool_snapshot_size(const anomaly_pool *pool, size_t *size)
{
    size_t sum = 0;
    int status = size ? anomaly_pool_snapshot_write(pool, count_sink, &sum) : ANOMALY_E_ARG;
    if (!status)
        *size = sum;
    return status;
}

int anomaly_pool_snapshot(const anomaly_pool *pool, void *buffer, size_t size, size_t *used)
{
    an_buffer to = {buffer, size, 0};
    if (!buffer || !used)
        return ANOMALY_E_ARG;
    int status = anomaly_pool_snapshot_write(pool, an_buffer_sink, &to);
    if (!status)
        *used = to.used;
    return status == ANOMALY_E_STOPPED ? ANOMALY_E_SPACE : status;
}

/* ---- where a restore reads from ---- */

typedef struct input {
    const unsigned char *at, *end; /* memory, or */
    anomaly_source source;
    void *ctx;
    chunk section;
} input;

/* `size` further bytes from the source behind those in the chunk, room being made as they come: a length that lies costs nothing. */
static int pull_bytes(input *in, uint64_t size)
{
    chunk *c = &in->section;
    while (c->used < size) {
        size_t got = 0, want = size - c->used < CHUNK_BYTES ? (size_t)(size - c->used) : CHUNK_BYTES;
        if (!chunk_reserve(c, an_sum(c->used, want)))
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

/* The next section, verified: its body and type. */
static int next_section(input *in, uint64_t *chain, enum an_section *type, an_reader *body)
{
    const unsigned char *bytes;
    uint64_t length;
    int status = in->source ? next_from_source(in, &bytes, &length, type) : next_from_memory(in, &bytes, &length, type);
    return status ? status : an_section_open(bytes, (size_t)length, *type, *chain, body, chain);
}

/* ---- reading ---- */

/* What may differ between the configuration of a state and the one it goes on under. */
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
    const anomaly_option *option;
    if (own->kind != saved->kind)
        return an_error(error, ANOMALY_E_CONFIG, "kind", "saved by another kind of detector");
    let_differ(&like, own);
    for (size_t i = 0; (option = anomaly_option_at(i)) != NULL; i++) {
        if (anomaly_config_get(own, option->name, ours, sizeof ours) ||
            anomaly_config_get(&like, option->name, theirs, sizeof theirs))
            continue;
        if (strcmp(ours, theirs) != 0)
            return an_error(error, ANOMALY_E_CONFIG, option->name, "saved with %s=%s, not %s", option->name, theirs, ours);
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

/* The configuration and options to go on with. */
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

/* A detector of the shard from a saved state. */
static int load_detector(const an_shard *shard, an_reader *state, anomaly_detector **detector)
{
    if (shard->shared.config.features > an_reader_left(state)) /* a feature costs memory, and a byte here */
        return ANOMALY_E_CORRUPT;
    int status = an_detector_shared(&shard->shared, detector);
    if (status)
        return status;
    status = an_state_load(*detector, state);
    if (status)
        anomaly_destroy(*detector);
    return status;
}

/* A key that went and came again while another thread saved the pool may have two records: the later one counts. */
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

/* `why` with a reason in any case, to whom it may concern. Returns the status. */
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
    chunk_free(&in->section);
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

static int export_entry(const an_entry *e, void *buffer, size_t size, size_t *used)
{
    return buffer ? anomaly_snapshot(e->detector, buffer, size, used) : anomaly_snapshot_size(e->detector, used);
}

int anomaly_pool_export(const anomaly_pool *pool, const void *key, size_t key_size, void *buffer, size_t size, size_t *used)
{
    if (!pool || !used || !an_pool_is_key(key, key_size))
        return ANOMALY_E_ARG;
    uint64_t hash = an_pool_hash(pool, key, key_size);
    const an_shard *shard = an_pool_shard(pool, hash);
    an_shard_lock(shard);
    uint32_t entry = an_shard_find(shard, (uint32_t)hash, key, key_size);
    int status = entry == AN_NO_ENTRY ? ANOMALY_E_NOTFOUND : export_entry(an_shard_entry(shard, entry), buffer, size, used);
    an_shard_unlock(shard);
    return status;
}

/* The entry of a key that is there stays, and with it its slot. */
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
