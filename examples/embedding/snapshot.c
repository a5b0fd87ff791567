/* SPDX-License-Identifier: MIT snapshot.c - state that outlives the process: the pool into a file and back, and a
 * single key to somewhere else. What comes after is, to the last bit, what would have come anyway. How to replace a
 * file safely, and how to save without making anybody wait, is in examples/service/state.c and saver.c.
 */
#include "common.h"

#include <string.h>

static int to_file(void *ctx, const void *bytes, size_t size)
{
    return fwrite(bytes, 1, size, ctx) != size;
}

static int from_file(void *ctx, void *bytes, size_t size, size_t *got)
{
    *got = fread(bytes, 1, size, ctx);
    return ferror((FILE *)ctx) != 0;
}

/* The same bits: a double equal as a number may still differ. */
static void must_go_on_alike(anomaly_pool *one, anomaly_pool *other)
{
    for (int i = EVENTS / 2; i < EVENTS; i++) {
        for (int key = 0; key < KEYS; key++) {
            char text[16];
            size_t size = key_of(key, text);
            double value = value_of(key, i);
            anomaly_verdict a, b;
            memset(&a, 0, sizeof a);
            memset(&b, 0, sizeof b);
            MUST(anomaly_pool_update(one, text, size, &value, ANOMALY_NO_TIME, &a) == ANOMALY_OK);
            MUST(anomaly_pool_update(other, text, size, &value, ANOMALY_NO_TIME, &b) == ANOMALY_OK);
            MUST(memcmp(&a, &b, sizeof a) == 0);
        }
    }
}

/* One key's state, as a value for Redis or a column of a table. */
static void move_key(anomaly_pool *from, anomaly_pool *to, const char *key)
{
    size_t size = 0, used;
    MUST(anomaly_pool_export(from, key, strlen(key), NULL, 0, &size) == ANOMALY_OK);
    void *bytes = malloc(size);
    MUST(bytes != NULL && anomaly_pool_export(from, key, strlen(key), bytes, size, &used) == ANOMALY_OK);
    MUST(anomaly_pool_remove(to, key, strlen(key)) == ANOMALY_OK);
    MUST(anomaly_pool_import(to, key, strlen(key), bytes, used, NULL) == ANOMALY_OK);
    free(bytes);
}

int main(void)
{
    anomaly_pool *pool = pool_of("200", 0), *restored = NULL;
    FILE *file = tmpfile();
    size_t size;
    MUST(file != NULL);
    for (int i = 0; i < EVENTS / 2; i++)
        for (int key = 0; key < KEYS; key++)
            feed(pool, key, i);
    MUST(anomaly_pool_snapshot_write(pool, to_file, file) == ANOMALY_OK);
    MUST(anomaly_pool_snapshot_size(pool, &size) == ANOMALY_OK);
    rewind(file);
    MUST(anomaly_pool_restore_read(from_file, file, NULL, NULL, NULL, &restored, NULL) == ANOMALY_OK);
    fclose(file);
    move_key(pool, restored, "host-7");
    must_go_on_alike(pool, restored);
    anomaly_pool_destroy(pool);
    anomaly_pool_destroy(restored);
    printf("snapshot: %d keys in %zu bytes; the restored pool and the first gave the same bits for %d events\n", KEYS, size,
           KEYS * EVENTS / 2);
    return 0;
}
