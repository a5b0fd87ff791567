/* SPDX-License-Identifier: MIT */
/* A pool as bytes: a section with configuration and limits, sections of keys, a section that ends it. Each section's
 * checksum is the seed of the next one's, so none can be missing, doubled or moved. docs/snapshot-format.md */
#include "detector/snapshot.h"
#include "pool/chunk.h"
#include "pool/pool.h"
#include "pool/population.h"

#include <string.h>

static int chunk_sink(void *ctx, const void *bytes, size_t size)
{
    an_chunk *c = ctx;
    memcpy(c->bytes + c->used, bytes, size); /* there is room: the record was measured */
    c->used += size;
    return 0;
}

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

static int append_record(an_chunk *c, const an_entry *e, const anomaly_config *config)
{
    an_writer writer;
    an_writer_begin(&writer, NULL, NULL);
    save_record(e, config, &writer);
    uint64_t size = writer.total;
    if (!an_chunk_reserve(c, an_sum(c->used, size + 10)))
        return ANOMALY_E_NOMEM;
    an_writer_begin(&writer, chunk_sink, c);
    an_write_varint(&writer, size);
    save_record(e, config, &writer);
    return an_writer_end(&writer);
}

/* Fills the chunk with the records of keys from *entry on. */
static int fill_chunk(an_chunk *c, an_shard *shard, uint32_t *entry, const anomaly_config *config, uint64_t *keys)
{
    int status = ANOMALY_OK;
    an_shard_lock(shard);
    for (; !status && *entry < shard->entries && c->used < AN_CHUNK_BYTES; ++*entry) {
        const an_entry *e = an_shard_entry(shard, *entry);
        if (e->detector) {
            status = append_record(c, e, config);
            ++*keys;
        }
    }
    an_shard_unlock(shard);
    return status;
}

static void save_section(an_writer *writer, enum an_section type, const an_chunk *c, uint64_t *chain)
{
    an_section_begin(writer, type, c->used, *chain);
    an_write_bytes(writer, c->bytes, c->used);
    *chain = an_section_end(writer);
}

/* Writes a whole shard, in as many sections as its keys need; counts them in *keys. */
static int save_shard(an_writer *writer, an_shard *shard, const anomaly_config *config, an_chunk *c, uint64_t *chain,
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
    const anomaly_pool_options *options = &pool->common.options;
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

/* Writes the first section: configuration, limits, and the counters of keys that are gone. */
static int save_first(an_writer *writer, const anomaly_pool *pool, const anomaly_config *config, an_chunk *c,
                      uint64_t *chain)
{
    an_writer body;
    if (!an_chunk_reserve(c, 4096))
        return ANOMALY_E_NOMEM;
    an_writer_begin(&body, chunk_sink, c);
    save_head(pool, config, &body);
    an_writer_end(&body);
    save_section(writer, AN_SECTION_POOL, c, chain);
    return writer->status;
}

/* Gathers what all keys have together; measured and saved under one lock. */
static int fill_with_crowd(an_chunk *c, an_crowd *crowd, const anomaly_config *config)
{
    an_writer body;
    int status = ANOMALY_E_NOMEM;
    an_crowd_lock(crowd);
    an_writer_begin(&body, NULL, NULL);
    an_crowd_save(crowd, config, &body);
    if (an_chunk_reserve(c, (size_t)body.total)) {
        an_writer_begin(&body, chunk_sink, c);
        an_crowd_save(crowd, config, &body);
        status = an_writer_end(&body);
    }
    an_crowd_unlock(crowd);
    return status;
}

static int save_crowd(an_writer *writer, an_crowd *crowd, const anomaly_config *config, an_chunk *c, uint64_t *chain)
{
    if (!an_crowd_is_wanted(config)) /* no more, once a threshold is set */
        return ANOMALY_OK;
    c->used = 0;
    int status = fill_with_crowd(c, crowd, config);
    if (!status)
        save_section(writer, AN_SECTION_TOGETHER, c, chain);
    return status ? status : writer->status;
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
    an_chunk c = {.allocator = &pool->common.allocator};
    anomaly_config config = an_pool_config(pool);
    an_writer_begin(&writer, sink, ctx);
    int status = save_first(&writer, pool, &config, &c, &chain);
    if (!status)
        status = save_crowd(&writer, pool->common.crowd, &config, &c, &chain);
    for (uint32_t i = 0; !status && i < pool->common.options.shards; i++)
        status = save_shard(&writer, &pool->shards[i], &config, &c, &chain, &keys);
    if (!status)
        status = save_last(&writer, keys, chain);
    an_chunk_free(&c);
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
    an_shard *shard = an_pool_shard(pool, hash);
    an_shard_lock(shard);
    uint32_t entry = an_shard_find(shard, (uint32_t)hash, key, key_size);
    int status = entry == AN_NO_ENTRY ? ANOMALY_E_NOTFOUND : export_entry(an_shard_entry(shard, entry), buffer, size, used);
    an_shard_unlock(shard);
    return status;
}
