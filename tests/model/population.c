/* SPDX-License-Identifier: MIT
 * population.c - a pool whose keys judge by together (population=1, calibrate=pool) beside single detectors, one for each key and
 * one for all events, and a record of scores that is counted through for each event: the same verdicts, by events, by rows, and
 * after the pool has been saved and restored. */
#include "../support/snapshots.h"

#include "../support/random.h"
#include "base/threads.h"

enum { KEYS = 12, FEATURES = 3, MOST_ROWS = 20, EVENTS = 1500, SCORES = 200, LEAST_SCORES = 50 };

#define RATE 0.05

/* What the pool is asked for, and what the detectors of the model are. */
typedef struct setting {
    int kind;
    const char *options; /* of both */
    uint32_t features;
    int population, record, policy; /* policy: learn=normal */
} setting;

static const setting SETTINGS[] = {
    {ANOMALY_ZSCORE, "window=50 warmup=20", 1, 1, 0, 0},
    {ANOMALY_ZSCORE, "window=50 warmup=20", 1, 1, 0, 1},
    {ANOMALY_ZSCORE, "window=60s,40 warmup=15 max_late=5s max_jump=50s", 1, 1, 0, 0},
    {ANOMALY_ZSCORE, "window=50 warmup=20", 1, 0, 1, 0},
    {ANOMALY_ZSCORE, "window=50 warmup=20 robust=1", 2, 1, 1, 0},
    {ANOMALY_PERCENTILE, "window=60 warmup=25", 3, 1, 1, 0},
    {ANOMALY_IFOREST, "window=100 warmup=30 trees=10 sample=16", 2, 1, 0, 0},
    {ANOMALY_IFOREST, "window=100 warmup=30 trees=10 sample=16", 2, 0, 1, 0},
    {ANOMALY_MAHALANOBIS, "window=256 warmup=60", 3, 1, 1, 0},
    {ANOMALY_MAHALANOBIS, "window=256", 1, 1, 0, 1},
};

typedef struct bench {
    const setting *s;
    anomaly_pool *pool;
    anomaly_detector *key[KEYS], *all;
    double score[SCORES]; /* the last ones, of all keys */
    size_t scores;
    random_state r;
    int64_t now;
} bench;

/* ---- the model ---- */

static int from_largest(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static double bounded(double score)
{
    return score > 1.7976931348623157e308 ? 1.7976931348623157e308 : score;
}

/* By counting and sorting. Where `tail` is an estimate the model does not say how large it is: NaN. */
static void model_rate(bench *b, int judged, anomaly_verdict *v)
{
    double sorted[SCORES];
    size_t n = b->scores < SCORES ? b->scores : SCORES, at_least = 0;
    v->flags &= ~(uint32_t)ANOMALY_IS_ANOMALY;
    v->threshold = (double)INFINITY;
    v->tail = (double)NAN;
    if (n >= LEAST_SCORES) {
        memcpy(sorted, b->score, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, from_largest);
        v->threshold = nextafter(sorted[(size_t)(RATE * ((double)n + 1) - 1)], (double)INFINITY);
    }
    if (!judged)
        return;
    for (size_t i = 0; i < n; i++)
        at_least += b->score[i] >= bounded(v->score);
    if (n >= LEAST_SCORES && at_least)
        v->tail = ((double)at_least + 1) / ((double)n + 1);
    v->flags |= n < LEAST_SCORES ? ANOMALY_WARMING_UP : 0u;
    v->flags |= n >= LEAST_SCORES && !at_least ? ANOMALY_TAIL_ESTIMATED : 0u;
    v->flags |= n >= LEAST_SCORES && bounded(v->score) >= v->threshold ? ANOMALY_IS_ANOMALY : 0u;
    b->score[b->scores++ % SCORES] = bounded(v->score);
}

static int has_score(const anomaly_verdict *v)
{
    return !(v->flags & ANOMALY_WARMING_UP) && !isnan(v->score);
}

/* z-score: the bounds lie at the threshold in force, which the detector of the model does not know. */
static void model_bounds(const bench *b, double configured, anomaly_verdict *v)
{
    double share = v->threshold / configured;
    if (b->s->kind != ANOMALY_ZSCORE || !(share > 0) || v->lower == v->upper)
        return;
    v->lower = v->expected + (v->lower - v->expected) * share;
    v->upper = v->expected + (v->upper - v->expected) * share;
}

static void model_record(bench *b, anomaly_verdict *v)
{
    double configured = v->threshold;
    if (!b->s->record)
        return;
    model_rate(b, has_score(v), v);
    model_bounds(b, configured, v);
}

/* The key's own verdict, or that of all events while the key warms up: then what the event is to the key remains. */
static void model_choose(bench *b, const anomaly_verdict *all, anomaly_verdict *v)
{
    const uint32_t to_key = ANOMALY_MISSING | ANOMALY_NONFINITE | ANOMALY_LATE | ANOMALY_JUMPED;
    int is_rated = b->s->record && has_score(v);
    model_record(b, v);
    if (!(v->flags & ANOMALY_WARMING_UP) || !has_score(all) || is_rated)
        return;
    uint32_t own = v->flags & to_key;
    *v = *all;
    v->flags = own | (all->flags & ~to_key) | ANOMALY_BY_POPULATION;
    model_record(b, v);
}

static int has_finite(const bench *b, const double *x)
{
    int found = 0;
    for (uint32_t f = 0; f < b->s->features; f++)
        found |= isfinite(x[f]) != 0;
    return found;
}

static anomaly_verdict model_update(bench *b, size_t key, const double *x, int64_t t)
{
    anomaly_verdict v, all = {.flags = ANOMALY_WARMING_UP};
    if (b->s->population)
        assert_ok(anomaly_update(b->all, x, t, &all));
    if (!b->s->policy)
        assert_ok(anomaly_update(b->key[key], x, t, &v));
    else
        assert_ok(anomaly_score(b->key[key], x, t, &v));
    model_choose(b, &all, &v);
    if (b->s->policy && !flagged(v))
        assert_ok(anomaly_learn(b->key[key], x, t));
    if (b->s->policy && flagged(v) && has_finite(b, x))
        v.flags |= ANOMALY_NOT_LEARNED;
    return v;
}

/* ---- the pool ---- */

static void check(const bench *b, const anomaly_verdict *got, anomaly_verdict *want)
{
    if (b->s->record && (b->s->kind == ANOMALY_IFOREST ||
                         b->s->kind == ANOMALY_MAHALANOBIS)) /* found for flagged events only: those of another threshold */
        want->feature = got->feature;
    assert_same_verdict(got, want);
    if (want->flags & ANOMALY_TAIL_ESTIMATED)
        assert_true(got->tail >= 0 && got->tail <= 1.0 / LEAST_SCORES);
    else
        assert_same(got->tail, want->tail);
}

static void next_event(bench *b, double *x, int64_t *t)
{
    b->now += (int64_t)random_below(&b->r, 3) * SECOND + (one_in(&b->r, 200) ? 60 * SECOND : 0);
    *t = b->now - (one_in(&b->r, 10) ? 8 * SECOND : 0);
    for (uint32_t f = 0; f < b->s->features; f++) {
        x[f] = random_normal(&b->r) * (one_in(&b->r, 30) ? 6 : 1);
        if (one_in(&b->r, 100))
            x[f] = one_in(&b->r, 3) ? (double)INFINITY : (double)NAN;
    }
}

static void name_of(size_t key, char name[8])
{
    snprintf(name, 8, "key %zu", key);
}

/* The first keys come often. */
static size_t any_key(bench *b)
{
    return one_in(&b->r, 2) ? random_size(&b->r, 3) : random_size(&b->r, KEYS);
}

static void one_event(bench *b)
{
    double x[FEATURES];
    char name[8];
    int64_t t;
    anomaly_verdict got, want;
    size_t key = any_key(b);
    next_event(b, x, &t);
    name_of(key, name);
    want = model_update(b, key, x, t);
    assert_ok(anomaly_pool_update(b->pool, name, strlen(name), x, t, &got));
    check(b, &got, &want);
}

static void some_rows(bench *b)
{
    double x[MOST_ROWS * FEATURES], score[MOST_ROWS], threshold[MOST_ROWS], expected[MOST_ROWS], lower[MOST_ROWS],
        upper[MOST_ROWS], tail[MOST_ROWS];
    uint32_t flags[MOST_ROWS], feature[MOST_ROWS];
    uint64_t events[MOST_ROWS];
    int64_t t[MOST_ROWS];
    size_t key[MOST_ROWS], done = 0;
    char name[MOST_ROWS][8];
    const char *names[MOST_ROWS];
    anomaly_rows rows = {.count = random_size(&b->r, MOST_ROWS), .values = x, .times = t};
    anomaly_keys keys = {.keys = names};
    anomaly_verdicts out = {score, threshold, expected, lower, upper, flags, feature, events, tail};
    for (size_t i = 0; i < rows.count; i++) {
        key[i] = i && one_in(&b->r, 2) ? key[i - 1] : any_key(b);
        name_of(key[i], name[i]);
        names[i] = name[i];
        next_event(b, x + i * b->s->features, &t[i]);
    }
    assert_ok(anomaly_pool_update_rows(b->pool, &keys, &rows, &out, &done));
    assert_int_equal(done, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        anomaly_verdict want = model_update(b, key[i], x + i * b->s->features, t[i]);
        anomaly_verdict got = {score[i], threshold[i], expected[i], lower[i], upper[i],
                               flags[i], feature[i],   events[i],   tail[i]};
        check(b, &got, &want);
    }
}

static void save_and_restore(bench *b)
{
    saved s = save_pool(b->pool);
    anomaly_pool *restored = NULL;
    assert_ok(anomaly_pool_restore(s.bytes, s.size, NULL, NULL, NULL, &restored, NULL));
    assert_true(pool_is(restored, &s));
    anomaly_pool_destroy(b->pool);
    b->pool = restored;
    free(s.bytes);
}

/* ---- runs ---- */

static anomaly_detector *model_detector(const setting *s, const char *more)
{
    char options[256];
    snprintf(options, sizeof options, "%s features=%u %s", s->options, (unsigned)s->features, more);
    return detector_of(s->kind, options);
}

static void begin(bench *b, const setting *s, uint64_t seed)
{
    char options[256], record[64] = "";
    anomaly_pool_options how = pool_options();
    *b = (bench){.s = s, .r = {seed}};
    how.locks = one_in(&b->r, 2) && ANOMALY_THREADS;
    how.shards = one_in(&b->r, 2) ? 1 : 4;
    if (s->record)
        snprintf(record, sizeof record, "alarm_rate=%g calibrate=%d,pool", RATE, SCORES);
    snprintf(options, sizeof options, "%s features=%u population=%d learn=%s %s", s->options, (unsigned)s->features,
             s->population, s->policy ? "normal" : "always", record);
    b->pool = pool_of(s->kind, options, &how);
    for (size_t i = 0; i < KEYS; i++)
        b->key[i] = model_detector(s, "");
    b->all = model_detector(s, s->kind != ANOMALY_MAHALANOBIS ? s->policy ? "learn=normal" : ""
                               : s->policy                    ? "learn=normal lags=0"
                                                              : "lags=0");
}

static void run(const setting *s, uint64_t seed)
{
    bench b;
    begin(&b, s, seed);
    for (int i = 0; i < EVENTS; i++) {
        if (one_in(&b.r, 10))
            some_rows(&b);
        else
            one_event(&b);
        if (one_in(&b.r, 300))
            save_and_restore(&b);
    }
    for (size_t i = 0; i < KEYS; i++)
        anomaly_destroy(b.key[i]);
    anomaly_destroy(b.all);
    anomaly_pool_destroy(b.pool);
}

static void test_beside_single_detectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(SETTINGS); i++)
        for (uint64_t seed = 1; seed <= (is_quick() ? 1 : 8); seed++)
            run(&SETTINGS[i], seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_beside_single_detectors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
