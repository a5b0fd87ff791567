/* SPDX-License-Identifier: MIT
 * pool.c - a million keys: what one costs in bytes, what an event costs beside a single detector's, a new key, a snapshot,
 * eviction under a memory bound, two threads.
 *
 *     pool [KEYS [EVENTS [DISTINCT]]]     default 1000000 10000000 10000000
 *
 * Costs are processor time of the one thread, since the machine may have other things to do; each is measured in stretches,
 * turn by turn with what it is compared with, and the medians are given. A cache miss is a step of a chase through as much
 * memory as the pool holds, each step to a line that only the one before names. Times are also given in units of the naive
 * sliding Welford's call (naive.c), of which 5 ns are "equivalent". */
#include "../support/random.h"

#include "anomaly.h"
#include "naive.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000000)
enum { BATCH = 1024, STRETCHES = 9 };

static void must(int status)
{
    if (status == ANOMALY_OK)
        return;
    fprintf(stderr, "pool: %s\n", anomaly_status_text(status));
    exit(1);
}

static double clock_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double now(void)
{
    return clock_of(CLOCK_THREAD_CPUTIME_ID);
}

/* ---- events: key, value, time; keys by Zipf's law with exponent 1 ---- */

typedef struct event {
    uint32_t key;
    float value;
} event;

/* The inverse of the continuous law: key k comes about as often as 1 / k. */
static uint32_t zipf(random_state *r, uint32_t keys)
{
    double k = exp(random_unit(r) * log((double)keys + 1));
    return k < 1 ? 0 : (uint32_t)k - 1 < keys ? (uint32_t)k - 1 : keys - 1;
}

static event *make_events(size_t count, uint32_t keys)
{
    event *e = malloc(count * sizeof *e);
    random_state r = {1};
    if (!e)
        exit(1);
    for (size_t i = 0; i < count; i++)
        e[i] = (event){zipf(&r, keys), (float)random_normal(&r)};
    return e;
}

/* Keys are scattered, so that common ones do not lie side by side. */
static size_t key_text(char *text, uint32_t key)
{
    memcpy(text, "host-", 5);
    for (int i = 0; i < 8; i++)
        text[5 + i] = "0123456789abcdef"[(key * 2654435761u) >> 4 * i & 15];
    text[13] = 0;
    return 13;
}

static anomaly_pool *make_pool(const anomaly_config *config, int locks, uint64_t max_bytes)
{
    anomaly_pool_options options;
    anomaly_pool *pool;
    must(anomaly_pool_options_init(&options, sizeof options));
    options.locks = locks;
    options.max_bytes = max_bytes;
    must(anomaly_pool_create(config, &options, NULL, &pool, NULL));
    return pool;
}

static int64_t time_of(size_t i)
{
    return (int64_t)i * (SECOND / 10000); /* 10,000 events a second */
}

/* ---- costs ---- */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, size_t count)
{
    qsort(x, count, sizeof *x, by_size);
    return x[count / 2];
}

static double single(anomaly_detector *d, const event *e, size_t count, size_t from)
{
    anomaly_verdict v;
    double start = now();
    for (size_t i = 0; i < count; i++)
        must(anomaly_update(d, &(double){e[i].value}, time_of(from + i) * 100, &v));
    return (now() - start) / (double)count;
}

static double yardstick(const event *e, size_t count)
{
    static double ring[300];
    static volatile double sink;
    naive n;
    naive_init(&n, ring, 300);
    double start = now(), sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += naive_update(&n, e[i].value);
    sink = sum;
    (void)sink;
    return (now() - start) / (double)count;
}

/* Lines in one random ring. */
typedef struct line {
    uint32_t next;
    char rest[60];
} line;

static line *make_lines(size_t count)
{
    line *l = malloc(count * sizeof *l);
    random_state r = {3};
    if (!l)
        exit(1);
    for (size_t i = 0; i < count; i++)
        l[i].next = (uint32_t)i;
    for (size_t i = count; i-- > 1;) { /* Sattolo's shuffle: one ring of all */
        size_t k = random_below(&r, i);
        uint32_t next = l[i].next;
        l[i].next = l[k].next;
        l[k].next = next;
    }
    return l;
}

static double chase(const line *l, size_t count, uint32_t *at)
{
    static volatile uint32_t sink;
    double start = now();
    for (size_t i = 0; i < count; i++)
        *at = l[*at].next;
    sink = *at; /* so that it is done */
    (void)sink;
    return (now() - start) / (double)count;
}

static double by_key(anomaly_pool *pool, const event *e, size_t count, size_t from)
{
    char text[32];
    anomaly_verdict v;
    double start = now();
    for (size_t i = 0; i < count; i++)
        must(anomaly_pool_update(pool, text, key_text(text, e[i].key), &(double){e[i].value}, time_of(from + i), &v));
    return (now() - start) / (double)count;
}

static double texts_alone(const event *e, size_t count)
{
    char text[32];
    size_t sum = 0;
    double start = now();
    for (size_t i = 0; i < count; i++)
        sum += key_text(text, e[i].key);
    double took = now() - start;
    return sum == 0 ? 0 : took / (double)count;
}

static double by_rows(anomaly_pool *pool, const event *e, size_t count, size_t from)
{
    static char text[BATCH][32];
    static double x[BATCH], score[BATCH];
    static int64_t times[BATCH];
    static size_t sizes[BATCH];
    const char *keys[BATCH];
    anomaly_keys by = {.keys = keys, .sizes = sizes};
    anomaly_verdicts out = {.score = score};
    double start = now();
    for (size_t i = 0; i < count; i += BATCH) {
        anomaly_rows rows = {.count = count - i < BATCH ? count - i : BATCH, .values = x, .times = times};
        for (size_t k = 0; k < rows.count; k++) {
            keys[k] = text[k];
            sizes[k] = key_text(text[k], e[i + k].key);
            x[k] = e[i + k].value;
            times[k] = time_of(from + i + k);
        }
        must(anomaly_pool_update_rows(pool, &by, &rows, &out, NULL));
    }
    return (now() - start) / (double)count;
}

static double new_keys(anomaly_pool *pool, uint32_t keys)
{
    char text[32];
    uint64_t slot;
    double start = now();
    for (uint32_t k = 0; k < keys; k++)
        must(anomaly_pool_slot(pool, text, key_text(text, k), &slot));
    return (now() - start) / keys;
}

/* ---- threads ---- */

/* Which of two threads has the events of a key: any, so that both meet in every shard, or as the hash says, so that each has
 * half of the shards to itself. */
typedef uint32_t (*routing)(uint32_t key);

static uint32_t by_parity(uint32_t key)
{
    return key & 1;
}

static uint32_t by_hash(uint32_t key)
{
    char text[32];
    return (uint32_t)(anomaly_key_hash(text, key_text(text, key)) >> 63);
}

static uint32_t to_one(uint32_t key)
{
    (void)key;
    return 0;
}

/* Events of one thread. */
typedef struct part {
    anomaly_pool *pool;
    event *e;
    int64_t *times;
    size_t count;
} part;

static void *run_part(void *ctx)
{
    part *p = ctx;
    char text[32];
    anomaly_verdict v;
    for (size_t i = 0; i < p->count; i++)
        must(anomaly_pool_update(p->pool, text, key_text(text, p->e[i].key), &(double){p->e[i].value}, p->times[i], &v));
    return NULL;
}

static void route(part *parts, const event *e, size_t count, routing thread_of)
{
    for (int i = 0; i < 2; i++) {
        parts[i].e = malloc(count * sizeof *parts[i].e);
        parts[i].times = malloc(count * sizeof *parts[i].times);
        if (!parts[i].e || !parts[i].times)
            exit(1);
    }
    for (size_t i = 0; i < count; i++) {
        part *p = &parts[thread_of(e[i].key)];
        p->e[p->count] = e[i];
        p->times[p->count++] = time_of(i);
    }
}

/* Seconds that pass until both are done; the second may have nothing to do. */
static double run_together(part *parts)
{
    pthread_t thread[2];
    double start = clock_of(CLOCK_MONOTONIC);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&thread[i], NULL, run_part, &parts[i]) != 0)
            exit(1);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    return clock_of(CLOCK_MONOTONIC) - start;
}

/* The same events a second time, once every key is there. */
static double with_threads(const anomaly_config *config, const event *e, size_t count, routing thread_of)
{
    part parts[2] = {0};
    anomaly_pool *pool = make_pool(config, 1, 0);
    route(parts, e, count, thread_of);
    for (int i = 0; i < 2; i++) {
        parts[i].pool = pool;
        run_part(&parts[i]);
        for (size_t k = 0; k < parts[i].count; k++)
            parts[i].times[k] += time_of(count);
    }
    double took = run_together(parts);
    for (int i = 0; i < 2; i++) {
        free(parts[i].e);
        free(parts[i].times);
    }
    anomaly_pool_destroy(pool);
    return took;
}

/* ---- parts of the report ---- */

static double bytes_per_key(const anomaly_pool *pool)
{
    anomaly_usage usage;
    must(anomaly_pool_usage(pool, &usage));
    return (double)usage.bytes / (double)usage.keys;
}

static double bytes_with(const anomaly_config *config, uint32_t keys, int events)
{
    anomaly_pool *pool = make_pool(config, 0, 0);
    random_state r = {9};
    char text[32];
    for (uint32_t key = 0; key < keys; key++) {
        uint64_t slot;
        must(anomaly_pool_slot(pool, text, key_text(text, key), &slot));
        for (int i = 0; i < events; i++)
            must(anomaly_pool_update_at(pool, slot, &(double){random_normal(&r)}, i * SECOND, NULL));
    }
    double bytes = bytes_per_key(pool);
    anomaly_pool_destroy(pool);
    return bytes;
}

static void report_memory(const anomaly_config *config)
{
    static const int EVENTS[] = {0, 1, 8, 9, 64, 300}, FOREST[] = {0, 8, 15, 64, 256, 4096};
    anomaly_config forest;
    must(anomaly_config_init(&forest, sizeof forest, ANOMALY_IFOREST));
    for (size_t k = 0; k < sizeof EVENTS / sizeof *EVENTS; k++)
        printf("  bytes of a key with %4d events     %8.0f\n", EVENTS[k], bytes_with(config, 10000, EVENTS[k]));
    for (size_t k = 0; k < sizeof FOREST / sizeof *FOREST; k++)
        printf("  ... a forest with %4d events       %8.0f\n", FOREST[k], bytes_with(&forest, 20, FOREST[k]));
}

/* The light form for many keys: distances by one record of scores. Quiet keys have had few events. */
static void report_light(uint32_t keys)
{
    static const int EVENTS[] = {1, 32, 64, 9000};
    anomaly_config light;
    must(anomaly_config_init(&light, sizeof light, ANOMALY_MAHALANOBIS));
    must(anomaly_config_set(&light, "alarm_rate", "1e-4", NULL));
    must(anomaly_config_set(&light, "calibrate", "pool", NULL));
    for (size_t k = 0; k < sizeof EVENTS / sizeof *EVENTS; k++)
        printf("  ... light form with %4d events       %8.0f\n", EVENTS[k],
               bytes_with(&light, EVENTS[k] > 64 ? 1000 : 20000, EVENTS[k]));
    double start = now(), bytes = bytes_with(&light, keys, 1);
    printf("  %u keys of the light form, an event each: %.0f bytes a key, %.0f ns an event\n", keys, bytes,
           (now() - start) / keys * 1e9);
}

typedef struct memory {
    char *bytes;
    size_t size, room, at;
} memory;

static int keep(void *ctx, const void *bytes, size_t size)
{
    memory *m = ctx;
    if (m->size + size > m->room)
        return 1;
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
    return 0;
}

static int give(void *ctx, void *bytes, size_t size, size_t *got)
{
    memory *m = ctx;
    *got = m->size - m->at < size ? m->size - m->at : size;
    memcpy(bytes, m->bytes + m->at, *got);
    m->at += *got;
    return 0;
}

static void report_snapshot(const anomaly_pool *pool)
{
    memory m = {0};
    anomaly_pool *copy;
    double keys = (double)anomaly_pool_count(pool);
    must(anomaly_pool_snapshot_size(pool, &m.room));
    m.bytes = malloc(m.room);
    if (!m.bytes)
        exit(1);
    memset(m.bytes, 0, m.room);
    double start = now();
    must(anomaly_pool_snapshot_write(pool, keep, &m));
    double wrote = now() - start;
    start = now();
    must(anomaly_pool_restore_read(give, &m, NULL, NULL, NULL, &copy, NULL));
    double read = now() - start;
    printf("  snapshot                            %8.1f MB, %.0f bytes a key\n", (double)m.size / 1e6,
           (double)m.size / keys);
    printf("  writing it                          %8.0f MB/s, %.2f million keys/s\n", (double)m.size / wrote / 1e6,
           keys / wrote / 1e6);
    printf("  restoring it                        %8.0f MB/s, %.2f million keys/s\n", (double)m.size / read / 1e6,
           keys / read / 1e6);
    anomaly_pool_destroy(copy);
    free(m.bytes);
}

static void report_bound(const anomaly_config *config, uint32_t distinct)
{
    const uint64_t bound = 256 << 20;
    anomaly_pool *pool = make_pool(config, 0, bound);
    anomaly_usage usage;
    uint64_t peak = 0;
    char text[32];
    double start = now();
    for (uint32_t i = 0; i < distinct; i++) {
        must(anomaly_pool_update(pool, text, key_text(text, i), &(double){i % 7}, time_of(i), NULL));
        if (i % 1000 == 0) {
            must(anomaly_pool_usage(pool, &usage));
            peak = usage.bytes > peak ? usage.bytes : peak;
        }
    }
    double took = now() - start;
    must(anomaly_pool_usage(pool, &usage));
    printf("  %u distinct keys under %llu MiB: at most %.1f MiB, %llu keys stay, %.0f ns an event\n", distinct,
           (unsigned long long)(bound >> 20), (double)peak / (1 << 20), (unsigned long long)usage.keys,
           took / distinct * 1e9);
    anomaly_pool_destroy(pool);
}

static void show(const char *what, double seconds, double unit)
{
    printf("  %-34s %8.1f ns, %5.1f equivalent\n", what, seconds * 1e9, seconds / unit * 5);
}

static void report_known(const anomaly_config *config, anomaly_pool *pool, const event *e, size_t count)
{
    double one[STRETCHES], key[STRETCHES], rows[STRETCHES], text[STRETCHES], miss[STRETCHES], unit[STRETCHES];
    anomaly_usage usage;
    must(anomaly_pool_usage(pool, &usage));
    line *lines = make_lines(usage.bytes / sizeof(line));
    uint32_t at = 0;
    size_t some = count / STRETCHES;
    anomaly_detector *d;
    must(anomaly_create(config, NULL, &d, NULL));
    single(d, e, some, 0);
    for (size_t k = 0; k < STRETCHES; k++) {
        const event *from = e + k * some;
        unit[k] = yardstick(from, some);
        one[k] = single(d, from, some, (k + 1) * some);
        miss[k] = chase(lines, some / 4, &at);
        text[k] = texts_alone(from, some);
        key[k] = by_key(pool, from, some, count + 2 * k * some) - text[k];
        rows[k] = by_rows(pool, from, some, count + (2 * k + 1) * some) - text[k];
    }
    double u = median(unit, STRETCHES), s = median(one, STRETCHES), m = median(miss, STRETCHES),
           byk = median(key, STRETCHES), byr = median(rows, STRETCHES), bound = 3 * s + m;
    show("naive sliding Welford", u, u);
    show("single detector", s, u);
    show("a cache miss", m, u);
    show("a known key", byk, u);
    printf("    %.2f of 3 single detectors and a miss; %.1f detectors and %.1f misses\n", byk / bound, 1.0, (byk - s) / m);
    show("a known key, by rows", byr, u);
    printf("    %.2f of 3 single detectors and a miss\n", byr / bound);
    anomaly_destroy(d);
    free(lines);
}

static void report_threads(const anomaly_config *config, const event *e, size_t count)
{
    enum { ROUNDS = 7 };
    double any[ROUNDS], own[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        double one = with_threads(config, e, count, to_one);
        any[i] = one / with_threads(config, e, count, by_parity);
        own[i] = one / with_threads(config, e, count, by_hash);
    }
    printf("  two threads in all shards           %8.2f times one, the median of %d rounds\n", median(any, ROUNDS), ROUNDS);
    printf("  two threads, shards of their own    %8.2f times one\n", median(own, ROUNDS));
}

int main(int argc, char **argv)
{
    uint32_t keys = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
    size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 10000000;
    uint32_t distinct = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 10000000;
    anomaly_config config;
    must(anomaly_config_init(&config, sizeof config, ANOMALY_ZSCORE));
    must(anomaly_config_set(&config, "window", "300s", NULL));
    report_memory(&config);
    report_light(keys);

    event *e = make_events(count, keys);
    anomaly_pool *pool = make_pool(&config, 0, 0);
    double unit = yardstick(e, count), text = texts_alone(e, count), first = by_key(pool, e, count, 0) - text;
    printf("  %u keys by Zipf, %zu events: %.0f keys seen, %.0f bytes a key\n", keys, count,
           (double)anomaly_pool_count(pool), bytes_per_key(pool));
    show("an event, new keys included", first, unit);
    report_known(&config, pool, e, count);
    report_snapshot(pool);
    anomaly_pool_destroy(pool);

    pool = make_pool(&config, 0, 0);
    show("a new key", new_keys(pool, keys) - text, unit);
    anomaly_pool_destroy(pool);
    report_threads(&config, e, count < 3000000 ? count : 3000000);
    free(e);
    report_bound(&config, distinct);
    return 0;
}
