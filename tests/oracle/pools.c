/* SPDX-License-Identifier: MIT
 * pools.c - pools beside one oracle for each key: the same verdicts, and the least recently used key goes first. A key is
 * used by an update, anomaly_pool_with() and an import; looking it up is no use of it. */
#include "test.h"

#include <inttypes.h>

#include "support/agree.h"
#include "support/draw.h"
#include "support/run.h"

#define KEYS      12
#define MOST_ROWS 30

/* What is known of a key. Its name is one letter, repeated: "a", "bb", "ccc", ... */
typedef struct key {
    char name[KEYS + 1];
    int is_there;
    uint64_t used; /* when last, in uses of the pool */
    int has_newest;
    int64_t newest;
    uint64_t slot;
    oracle oracle;
} key;

typedef struct episode {
    uint64_t seed;
    uint64_t step;
    random_state r;
    drawn_config drawn;
    value_source values;
    time_source times;
    uint64_t max_keys;
    uint64_t uses;
    double threshold;
    anomaly_pool *pool;
    anomaly_usage usage;
    anomaly_counts gone; /* counters of the keys that are gone */
    key keys[KEYS];
    agreement *agreement;
    int failed;
} episode;

static void check(episode *e, int agrees, const char *what)
{
    if (agrees || e->failed)
        return;
    e->failed = 1;
    print_error("ORACLE_SEED=%" PRIu64 " step %" PRIu64 ", %s: %s\n  %s max_keys=%" PRIu64 " %s\n", e->seed, e->step, what,
                e->agreement->reason, e->drawn.config.kind == ANOMALY_ZSCORE ? "zscore" : "percentile", e->max_keys,
                e->drawn.text);
}

static void check_number(episode *e, uint64_t got, uint64_t want, const char *what)
{
    snprintf(e->agreement->reason, sizeof e->agreement->reason, "%" PRId64 ", want %" PRId64, (int64_t)got, (int64_t)want);
    check(e, got == want, what);
}

static void check_status(episode *e, int got, int want, const char *what)
{
    check_number(e, (uint64_t)(int64_t)got, (uint64_t)(int64_t)want, what);
}

/* ---- which keys are there ---- */

static uint64_t count_keys(const episode *e)
{
    uint64_t count = 0;
    for (int k = 0; k < KEYS; k++)
        count += (uint64_t)e->keys[k].is_there;
    return count;
}

static void add_counts(anomaly_counts *sum, const anomaly_counts *more)
{
    uint64_t a[sizeof *sum / sizeof(uint64_t)], b[sizeof *sum / sizeof(uint64_t)];
    memcpy(a, sum, sizeof a);
    memcpy(b, more, sizeof b);
    for (size_t i = 0; i < sizeof a / sizeof *a; i++)
        a[i] += b[i];
    memcpy(sum, a, sizeof a);
}

static void forget(episode *e, key *gone)
{
    add_counts(&e->gone, &gone->oracle.counts);
    oracle_clear(&gone->oracle);
    gone->is_there = gone->has_newest = 0;
}

static void evict_least_used(episode *e)
{
    key *least = NULL;
    for (int k = 0; k < KEYS; k++)
        if (e->keys[k].is_there && (least == NULL || e->keys[k].used < least->used))
            least = &e->keys[k];
    forget(e, least);
    e->usage.evicted++;
}

static void make(episode *e, key *k)
{
    anomaly_config config = e->drawn.config;
    if (k->is_there)
        return;
    if (e->max_keys > 0 && count_keys(e) == e->max_keys)
        evict_least_used(e);
    config.threshold = e->threshold;
    oracle_init(&k->oracle, &config);
    k->is_there = 1;
    k->used = ++e->uses;
    e->usage.created++;
}

/* Both sides know the key by its slot. */
static void find_slot(episode *e, key *k)
{
    check_status(e, anomaly_pool_find(e->pool, k->name, strlen(k->name), &k->slot), ANOMALY_OK, "find");
}

/* A key's time is its clock when it was last used; where the window is by count only, the newest time an update gave it. */
static void note_time(key *k, int64_t t)
{
    if (k->oracle.config.window_ns > 0)
        t = k->oracle.has_clock ? k->oracle.clock : ANOMALY_NO_TIME;
    if (t == ANOMALY_NO_TIME || (k->has_newest && t <= k->newest))
        return;
    k->has_newest = 1;
    k->newest = t;
}

static key *draw_key(episode *e)
{
    uint64_t a = random_below(&e->r, KEYS), b = random_below(&e->r, KEYS);
    return &e->keys[a < b ? a : b]; /* some are used often */
}

/* ---- updates ---- */

static void draw_event(episode *e, double *x, int64_t *t)
{
    for (uint32_t f = 0; f < e->drawn.config.features; f++)
        x[f] = draw_value(&e->r, &e->values);
    *t = draw_time(&e->r, &e->times);
}

static void follow(episode *e, key *k, const double *x, int64_t t, const anomaly_verdict *got)
{
    make(e, k);
    k->used = ++e->uses;
    check(e, agree_update(&k->oracle, x, t, got, e->agreement), k->name);
    note_time(k, t);
}

static void do_update(episode *e)
{
    key *k = draw_key(e);
    double x[ORACLE_FEATURES];
    anomaly_verdict verdict;
    int64_t t;
    draw_event(e, x, &t);
    if (k->is_there && one_in(&e->r, 2)) {
        find_slot(e, k);
        check_status(e, anomaly_pool_update_at(e->pool, k->slot, x, t, &verdict), ANOMALY_OK, "update_at");
    } else {
        check_status(e, anomaly_pool_update(e->pool, k->name, strlen(k->name), x, t, &verdict), ANOMALY_OK, "update");
    }
    follow(e, k, x, t, &verdict);
}

static void do_update_rows(episode *e)
{
    key *of[MOST_ROWS];
    const char *names[MOST_ROWS];
    double x[MOST_ROWS * ORACLE_FEATURES] = {0};
    double score[MOST_ROWS], threshold[MOST_ROWS], expected[MOST_ROWS], lower[MOST_ROWS], upper[MOST_ROWS];
    uint32_t flags[MOST_ROWS], feature[MOST_ROWS];
    uint64_t events[MOST_ROWS];
    int64_t t[MOST_ROWS];
    size_t done = 0, count = 1 + random_below(&e->r, MOST_ROWS), features = e->drawn.config.features;
    anomaly_keys keys = {0};
    anomaly_rows rows = {0};
    anomaly_verdicts verdicts = {0};
    for (size_t i = 0; i < count; i++) {
        of[i] = draw_key(e);
        names[i] = of[i]->name;
        draw_event(e, x + i * features, &t[i]);
    }
    keys.keys = names;
    rows.count = count;
    rows.values = x;
    rows.times = t;
    verdicts.score = score;
    verdicts.threshold = threshold;
    verdicts.expected = expected;
    verdicts.lower = lower;
    verdicts.upper = upper;
    verdicts.flags = flags;
    verdicts.feature = feature;
    verdicts.events = events;
    check_status(e, anomaly_pool_update_rows(e->pool, &keys, &rows, &verdicts, &done), ANOMALY_OK, "update_rows");
    check_number(e, done, count, "rows done");
    for (size_t i = 0; i < count && !e->failed; i++) {
        anomaly_verdict v = {.score = score[i], .threshold = threshold[i], .expected = expected[i], .lower = lower[i]};
        v.upper = upper[i];
        v.flags = flags[i];
        v.feature = feature[i];
        v.events = events[i];
        follow(e, of[i], x + i * features, t[i], &v);
    }
    e->step += count;
}

/* ---- one key ---- */

static void do_slot(episode *e)
{
    key *k = draw_key(e);
    int was_there = k->is_there;
    check_status(e, anomaly_pool_find(e->pool, k->name, strlen(k->name), &k->slot),
                 was_there ? ANOMALY_OK : ANOMALY_E_NOTFOUND, "find");
    check_status(e, anomaly_pool_slot(e->pool, k->name, strlen(k->name), &k->slot), ANOMALY_OK, "slot");
    make(e, k);
}

static void do_remove(episode *e)
{
    key *k = draw_key(e);
    double x[ORACLE_FEATURES] = {0};
    uint64_t slot = 0;
    int had = anomaly_pool_find(e->pool, k->name, strlen(k->name), &slot) == ANOMALY_OK;
    check_status(e, had, k->is_there, "find");
    check_status(e, anomaly_pool_remove(e->pool, k->name, strlen(k->name)), had ? ANOMALY_OK : ANOMALY_E_NOTFOUND, "remove");
    if (!k->is_there)
        return;
    check_status(e, anomaly_pool_update_at(e->pool, slot, x, 0, NULL), ANOMALY_E_NOTFOUND, "update_at of a removed key");
    forget(e, k);
    e->usage.removed++;
}

typedef struct question {
    episode *e;
    key *k;
} question;

static int compare_all(void *ctx, anomaly_detector *detector)
{
    question *q = ctx;
    anomaly_counts counts = counters_of(detector);
    anomaly_stats stats = stats_of(detector, 0);
    check(q->e, agree_counters(&q->k->oracle, &counts, q->e->agreement), q->k->name);
    check(q->e, agree_stats(&q->k->oracle, 0, &stats, q->e->agreement), q->k->name);
    return ANOMALY_E_SPACE; /* whatever it returns is returned */
}

static int reset_it(void *ctx, anomaly_detector *detector)
{
    (void)ctx;
    anomaly_reset(detector);
    return ANOMALY_OK;
}

static void do_with(episode *e)
{
    key *k = draw_key(e);
    question q = {e, k};
    if (!k->is_there)
        return;
    find_slot(e, k);
    k->used = ++e->uses;
    if (one_in(&e->r, 8)) {
        check_status(e, anomaly_pool_with(e->pool, k->slot, reset_it, NULL), ANOMALY_OK, "with");
        oracle_reset(&k->oracle);
    } else {
        check_status(e, anomaly_pool_with(e->pool, k->slot, compare_all, &q), ANOMALY_E_SPACE, "with");
    }
    note_time(k, ANOMALY_NO_TIME);
}

/* Out and in again. */
static void do_export(episode *e)
{
    key *k = draw_key(e);
    size_t size = 0, used = 0;
    void *bytes;
    if (!k->is_there)
        return;
    assert_ok(anomaly_pool_export(e->pool, k->name, strlen(k->name), NULL, 0, &size));
    bytes = malloc(size);
    assert_non_null(bytes);
    check_status(e, anomaly_pool_export(e->pool, k->name, strlen(k->name), bytes, size, &used), ANOMALY_OK, "export");
    check_number(e, used, size, "bytes of an export");
    check_status(e, anomaly_pool_import(e->pool, k->name, strlen(k->name), bytes, used, NULL), ANOMALY_OK, "import");
    k->used = ++e->uses;
    k->has_newest = k->oracle.has_clock; /* all that a detector's snapshot knows of time */
    k->newest = k->oracle.clock;
    free(bytes);
}

/* ---- the pool as a whole ---- */

static void do_advance(episode *e)
{
    int64_t t = draw_time(&e->r, &e->times);
    check_status(e, anomaly_pool_advance(e->pool, t), t == ANOMALY_NO_TIME ? ANOMALY_E_ARG : ANOMALY_OK, "advance");
    for (int k = 0; k < KEYS; k++)
        if (e->keys[k].is_there && t != ANOMALY_NO_TIME)
            oracle_advance(&e->keys[k].oracle, t);
}

static void do_set_threshold(episode *e)
{
    e->threshold = 4 * random_unit(&e->r);
    check_status(e, anomaly_pool_set_threshold(e->pool, e->threshold), ANOMALY_OK, "set_threshold");
    for (int k = 0; k < KEYS; k++)
        e->keys[k].oracle.config.threshold = e->threshold;
}

static void do_evict(episode *e)
{
    int64_t before = one_in(&e->r, 2) ? ANOMALY_NO_TIME : draw_time(&e->r, &e->times);
    uint64_t keep = one_in(&e->r, 2) ? KEYS : random_below(&e->r, KEYS), evicted = 0, were = e->usage.evicted;
    check_status(e, anomaly_pool_evict(e->pool, before, keep, UINT64_MAX, &evicted), ANOMALY_OK, "evict");
    for (int k = 0; k < KEYS; k++)
        if (e->keys[k].is_there && before != ANOMALY_NO_TIME && e->keys[k].has_newest && e->keys[k].newest < before) {
            forget(e, &e->keys[k]);
            e->usage.evicted++;
        }
    while (count_keys(e) > keep)
        evict_least_used(e);
    check_number(e, evicted, e->usage.evicted - were, "evicted");
}

static void do_ask(episode *e)
{
    anomaly_usage usage;
    anomaly_counts got, want = e->gone;
    oracle sum;
    assert_ok(anomaly_pool_usage(e->pool, &usage));
    check_number(e, usage.keys, count_keys(e), "keys");
    check_number(e, anomaly_pool_count(e->pool), count_keys(e), "count");
    check_number(e, usage.created, e->usage.created, "created");
    check_number(e, usage.removed, e->usage.removed, "removed");
    check_number(e, usage.evicted, e->usage.evicted, "evicted");
    for (int k = 0; k < KEYS; k++)
        if (e->keys[k].is_there)
            add_counts(&want, &e->keys[k].oracle.counts);
    oracle_init(&sum, &e->drawn.config);
    sum.counts = want;
    assert_ok(anomaly_pool_counters(e->pool, &got));
    check(e, agree_counters(&sum, &got, e->agreement), "counters");
}

static void do_restore(episode *e)
{
    anomaly_pool *restored = NULL;
    size_t size = 0, used = 0;
    void *bytes;
    assert_ok(anomaly_pool_snapshot_size(e->pool, &size));
    bytes = malloc(size);
    assert_non_null(bytes);
    check_status(e, anomaly_pool_snapshot(e->pool, bytes, size, &used), ANOMALY_OK, "snapshot");
    check_status(e, anomaly_pool_restore(bytes, used, NULL, NULL, NULL, &restored, NULL), ANOMALY_OK, "restore");
    free(bytes);
    if (restored == NULL)
        return;
    anomaly_pool_destroy(e->pool);
    e->pool = restored;
    e->usage.created = count_keys(e);
    e->usage.removed = e->usage.evicted = 0;
}

static void do_step(episode *e)
{
    uint64_t which = random_below(&e->r, 100);
    e->step++;
    if (which < 60)
        do_update(e);
    else if (which < 68)
        do_update_rows(e);
    else if (which < 72)
        do_slot(e);
    else if (which < 76)
        do_with(e);
    else if (which < 80)
        do_export(e);
    else if (which < 84)
        do_advance(e);
    else if (which < 91)
        do_ask(e);
    else if (which < 93)
        do_remove(e);
    else if (which < 95)
        do_evict(e);
    else if (which < 97)
        do_restore(e);
    else if (which < 98)
        do_set_threshold(e);
}

/* ---- episodes ---- */

static void begin(episode *e, uint64_t seed, agreement *a)
{
    anomaly_pool_options options;
    memset(e, 0, sizeof *e);
    e->seed = seed;
    e->r.s = seed;
    e->agreement = a;
    draw_config(&e->r, &e->drawn);
    draw_value_source(&e->r, &e->values);
    draw_time_source(&e->r, &e->drawn.config, &e->times);
    e->threshold = e->drawn.config.threshold;
    e->max_keys = one_in(&e->r, 3) ? 0 : 1 + random_below(&e->r, KEYS - 1);
    for (int k = 0; k < KEYS; k++)
        memset(e->keys[k].name, 'a' + k, (size_t)k + 1);
    assert_ok(anomaly_pool_options_init(&options, sizeof options));
    options.max_keys = e->max_keys;
    options.shards = 1; /* of several each has its share of the limit */
    options.locks = one_in(&e->r, 2);
    check_status(e, anomaly_pool_create(&e->drawn.config, &options, NULL, &e->pool, NULL), ANOMALY_OK, "create");
}

static void run_episode(uint64_t seed, agreement *a, uint64_t *steps, uint64_t *failures)
{
    episode e;
    uint64_t length;
    begin(&e, seed, a);
    length = 50 + random_below(&e.r, 500);
    while (!e.failed && e.step < length)
        do_step(&e);
    if (!e.failed)
        do_ask(&e);
    *steps += e.step;
    *failures += e.failed != 0;
    anomaly_pool_destroy(e.pool);
    for (int k = 0; k < KEYS; k++)
        oracle_clear(&e.keys[k].oracle);
}

static void each_key_has_a_detector_of_its_own_and_the_least_recently_used_goes(void **state)
{
    (void)state;
    run_episodes(run_episode);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_has_a_detector_of_its_own_and_the_least_recently_used_goes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
