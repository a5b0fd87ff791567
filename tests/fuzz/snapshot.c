/* SPDX-License-Identifier: MIT
 * snapshot.c - libFuzzer: any bytes as a snapshot of a detector or of a pool. The checksums are put right first, so that the
 * bytes get past them; what is accepted must work, and its own snapshot must be accepted too. */
#include "../support/random.h"
#include "../support/seal.h"

#include "anomaly.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

enum { MOST = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- memory in proportion ---- */

typedef struct meter {
    size_t taken, most;
} meter;

static void *take(void *ctx, size_t bytes)
{
    meter *m = ctx;
    m->taken += bytes;
    CHECK(m->taken <= m->most);
    return malloc(bytes);
}

/* A forest's trees have room for as many events as the window holds, each. */
static int is_forest(const uint8_t *bytes)
{
    return bytes[SEAL_HEADER + 1] == ANOMALY_IFOREST << 1; /* behind the number of fields; zigzag */
}

static void give(void *ctx, void *memory, size_t bytes)
{
    ((meter *)ctx)->taken -= bytes;
    free(memory);
}

/* ---- checksums ---- */

/* Magic, version, lengths and checksums of all sections; the first input byte of a section says how long it is to be. */
static void make_sections(uint8_t *bytes, size_t size)
{
    static const uint8_t START[12] = {0x89, 'A', 'N', 'O', 'M', 0x0d, 0x0a, 0x1a, 1, 0, 0, 0};
    for (size_t at = 0; size - at >= SEAL_FRAME; at += seal_length(bytes, size, at))
        memcpy(bytes + at, START, sizeof START);
    seal(bytes, size);
}

/* ---- use ---- */

static void push(anomaly_detector *d, anomaly_pool *pool, const anomaly_config *config, int64_t t)
{
    static double x[4096];
    random_state r = {(uint64_t)t};
    anomaly_verdict v;
    for (uint32_t f = 0; f < config->features; f++)
        x[f] = random_normal(&r);
    int status = d ? anomaly_update(d, x, t, &v) : anomaly_pool_update(pool, "k", 1, x, t, &v);
    CHECK(status == ANOMALY_OK || status == ANOMALY_E_NOMEM || status == ANOMALY_E_FULL);
}

static void use_detector(const uint8_t *bytes, size_t size)
{
    meter m = {0, 65536 + (is_forest(bytes) ? 12000 : 1200) * size};
    anomaly_allocator memory = {take, give, &m};
    anomaly_detector *d = NULL, *again = NULL;
    anomaly_config config;
    size_t needed, used;
    if (anomaly_restore(bytes, size, &memory, &d, NULL) != ANOMALY_OK) {
        CHECK(!d && m.taken == 0);
        return;
    }
    m.most = SIZE_MAX;
    CHECK(anomaly_get_config(d, &config, sizeof config) == ANOMALY_OK);
    CHECK(anomaly_snapshot_size(d, &needed) == ANOMALY_OK);
    uint8_t *copy = malloc(needed);
    CHECK(copy && anomaly_snapshot(d, copy, needed, &used) == ANOMALY_OK && used == needed);
    CHECK(anomaly_restore(copy, used, NULL, &again, NULL) == ANOMALY_OK);
    uint8_t *second = malloc(needed);
    CHECK(second && anomaly_snapshot(again, second, needed, &used) == ANOMALY_OK && used == needed);
    CHECK(memcmp(copy, second, used) == 0);
    free(copy);
    free(second);
    anomaly_destroy(again);
    for (int64_t i = 0; i < 40 && config.features < 64 && !config.reserve; i++)
        push(d, NULL, &config, i * 1000000007);
    CHECK(anomaly_advance(d, INT64_MAX) == ANOMALY_OK);
    anomaly_destroy(d);
    CHECK(m.taken == 0);
}

static void use_pool(const uint8_t *bytes, size_t size)
{
    meter m = {0, 300000 + (is_forest(bytes) ? 18000 : 6000) * size}; /* the first key of a shard brings room for 64 */
    anomaly_allocator memory = {take, give, &m};
    anomaly_pool *pool = NULL, *again = NULL;
    anomaly_config config;
    size_t needed, used;
    if (anomaly_pool_restore(bytes, size, NULL, NULL, &memory, &pool, NULL) != ANOMALY_OK) {
        CHECK(!pool && m.taken == 0);
        return;
    }
    m.most = SIZE_MAX;
    CHECK(anomaly_pool_get_config(pool, &config, sizeof config) == ANOMALY_OK);
    CHECK(anomaly_pool_snapshot_size(pool, &needed) == ANOMALY_OK);
    uint8_t *copy = malloc(needed);
    CHECK(copy && anomaly_pool_snapshot(pool, copy, needed, &used) == ANOMALY_OK && used == needed);
    CHECK(anomaly_pool_restore(copy, used, NULL, NULL, NULL, &again, NULL) == ANOMALY_OK);
    free(copy);
    anomaly_pool_destroy(again);
    for (int64_t i = 0; i < 20 && config.features < 64 && !config.reserve; i++)
        push(NULL, pool, &config, i * 1000000007);
    anomaly_pool_destroy(pool);
    CHECK(m.taken == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < SEAL_HEADER + 2 || size > MOST)
        return 0;
    use_detector(data, size);
    use_pool(data, size);
    uint8_t *sealed = malloc(size);
    CHECK(sealed);
    memcpy(sealed, data, size);
    make_sections(sealed, size);
    use_detector(sealed, size);
    use_pool(sealed, size);
    free(sealed);
    return 0;
}
