/* SPDX-License-Identifier: MIT
 * persistent.c - faults that persist: allocations fail once, from then on, or at random, and the object is used on, beside a
 * twin that never saw the calls that failed. Verdicts and snapshots stay equal to the bit, nothing leaks. */
#include "../support/settings.h"
#include "../support/snapshots.h"

enum { EVENTS = 700, FAULTY = 450, YOUNG = 20, MOST_FAULTS = 400 };

/* How memory fails: the k-th allocation, from the k-th on, one in four by seed k. */
enum fault { ONCE, FROM_THEN_ON, AT_RANDOM, FAULTS };

static void arm(test_memory *memory, enum fault fault, uint64_t k)
{
    if (fault == AT_RANDOM)
        memory_arm_odds(memory, 4, k);
    else
        memory_arm(memory, k, fault == FROM_THEN_ON);
}

/* ---- a detector of its own ---- */

typedef struct pair {
    const setting *s;
    anomaly_detector *d, *twin;
    test_memory memory;
    uint64_t failed;
} pair;

/* Event i goes into both, or into neither. */
static void push_both(pair *p, int i)
{
    anomaly_verdict got = {0}, want = {0};
    int status = call(p->s, p->d, i, &got);
    p->failed += status != ANOMALY_OK;
    if (status != ANOMALY_OK) {
        assert_error(status, ANOMALY_E_NOMEM);
        return;
    }
    assert_ok(call(p->s, p->twin, i, &want));
    assert_same_verdict(&got, &want);
}

static void use_on(pair *p, int from, enum fault fault, uint64_t k)
{
    arm(&p->memory, fault, k);
    for (int i = from; i < EVENTS; i++) {
        if (i == FAULTY)
            memory_arm(&p->memory, 0, 0);
        if (i % 150 == 149)
            p->failed += anomaly_reserve(p->d) != ANOMALY_OK;
        push_both(p, i);
    }
    assert_same_detectors(p->d, p->twin);
    assert_same_bytes(p->d, p->twin);
    anomaly_destroy(p->twin);
    destroy_all(p->d, &p->memory);
}

static uint64_t alone(const setting *s, enum fault fault, uint64_t k)
{
    pair p = {.s = s};
    p.d = must_create_on(s, &p.memory, 0);
    p.twin = detector_of(s->kind, s->options);
    use_on(&p, 0, fault, k);
    return p.failed;
}

/* Restored in its youth, by an allocator that fails at that too. */
static uint64_t restored(const setting *s, enum fault fault, uint64_t k)
{
    pair p = {.s = s};
    anomaly_allocator allocator = {memory_take, memory_give, &p.memory};
    p.twin = detector_of(s->kind, s->options);
    for (int i = 0; i < YOUNG; i++) {
        anomaly_verdict v;
        assert_ok(call(s, p.twin, i, &v));
    }
    saved young = save_detector(p.twin);
    arm(&p.memory, fault, k);
    while (anomaly_restore(young.bytes, young.size, &allocator, &p.d, NULL) != ANOMALY_OK) {
        p.failed++;
        assert_true(p.memory.live == 0);
        if (fault == FROM_THEN_ON)
            memory_arm(&p.memory, 0, 0);
    }
    free(young.bytes);
    use_on(&p, YOUNG, fault, k);
    return p.failed;
}

/* Fault after fault, until the memory that one run asks for has failed everywhere; with TEST_QUICK=1 at ever fewer of the
 * later places. */
static void at_every(const setting *s, uint64_t (*run)(const setting *, enum fault, uint64_t))
{
    uint64_t any = 0;
    for (uint64_t k = 1; run(s, ONCE, k) > 0; k += is_quick() ? k + 1 : 1) {
        any += run(s, FROM_THEN_ON, k);
        any += run(s, AT_RANDOM, k);
        assert_true(k < MOST_FAULTS);
    }
    assert_true(any > 0);
}

static void test_alone(void **state)
{
    at_every(*state, alone);
}

static void test_restored(void **state)
{
    at_every(*state, restored);
}

/* ---- a pool: a twin of its own for each key ---- */

enum { KEYS = 7, WIDE = 3 };

typedef struct crowd {
    const setting *s;
    anomaly_pool *pool;
    anomaly_config config;
    anomaly_detector *twin[KEYS];
    test_memory memory;
    uint64_t ok, failed, evicted;
} crowd;

static size_t name_key(char *name, size_t size, int key)
{
    return (size_t)snprintf(name, size, "%s%d", key % 2 ? "" : "a key that is stored apart ", key);
}

static void renew_twin(crowd *c, int key)
{
    anomaly_destroy(c->twin[key]);
    assert_ok(anomaly_create(&c->config, NULL, &c->twin[key], NULL));
}

/* An evicted key is as its twin, and begins anew when it comes again. */
static void evicting(void *ctx, const void *name, size_t size, const anomaly_detector *detector)
{
    crowd *c = ctx;
    int key = ((const char *)name)[size - 1] - '0';
    assert_same_bytes(detector, c->twin[key]);
    renew_twin(c, key);
    c->evicted++;
}

/* Few keys often, so that some windows fill while others stay small. */
static int key_of(random_state *r)
{
    return (int)(one_in(r, 4) ? random_below(r, KEYS) : random_below(r, 2));
}

static void push_key(crowd *c, random_state *r, int i)
{
    char name[64];
    double x[FEATURES];
    anomaly_verdict got, want;
    int key = key_of(r);
    size_t size = name_key(name, sizeof name, key);
    int64_t t = event_of(c->s, i, x);
    int status = anomaly_pool_update(c->pool, name, size, x, t, &got);
    if (status != ANOMALY_OK) {
        assert_true(status == ANOMALY_E_NOMEM || status == ANOMALY_E_FULL);
        c->failed++;
        return;
    }
    c->ok++;
    assert_ok(anomaly_update(c->twin[key], x, t, &want));
    assert_same_verdict(&got, &want);
}

/* Rows stop at the one that fails, which is left out; those before it stand. */
static void push_rows(crowd *c, random_state *r, int i)
{
    char name[WIDE][64];
    const char *names[WIDE];
    double x[WIDE * FEATURES], score[WIDE];
    int64_t t[WIDE];
    int key[WIDE];
    size_t done = SIZE_MAX, features = c->config.features;
    for (int k = 0; k < WIDE; k++) {
        double event[FEATURES];
        key[k] = key_of(r);
        name_key(name[k], sizeof name[k], key[k]);
        names[k] = name[k];
        t[k] = event_of(c->s, i + k, event);
        memcpy(x + (size_t)k * features, event, features * sizeof *x);
    }
    anomaly_rows rows = {.count = WIDE, .values = x, .times = t};
    anomaly_keys keys = {.keys = names};
    anomaly_verdicts out = {.score = score};
    int status = anomaly_pool_update_rows(c->pool, &keys, &rows, &out, &done);
    assert_true(done <= WIDE && (status == ANOMALY_OK) == (done == WIDE));
    c->failed += status != ANOMALY_OK;
    for (size_t k = 0; k < done; k++)
        assert_ok(anomaly_update(c->twin[key[k]], x + k * features, t[k], NULL));
}

static int is_twin(void *ctx, uint64_t slot, const void *name, size_t size, const anomaly_detector *detector)
{
    const crowd *c = ctx;
    (void)slot;
    assert_same_bytes(detector, c->twin[((const char *)name)[size - 1] - '0']);
    return 0;
}

/* Rows may evict a key that they have updated before: then only the loop is compared. */
static void use_crowd(crowd *c, uint64_t seed, int with_rows)
{
    random_state r = {seed};
    for (int i = 0; i < EVENTS; i++) {
        if (i == FAULTY)
            memory_arm(&c->memory, 0, 0);
        if (with_rows && i % 5 == 2)
            push_rows(c, &r, i);
        else
            push_key(c, &r, i);
    }
    assert_ok(anomaly_pool_each(c->pool, is_twin, c));
    anomaly_pool_destroy(c->pool);
    for (int key = 0; key < KEYS; key++)
        anomaly_destroy(c->twin[key]);
    assert_true(c->memory.live == 0 && c->memory.bytes == 0 && c->memory.bad_frees == 0);
}

static void gather_crowd(crowd *c, const setting *s, uint64_t max_bytes, int refuse)
{
    anomaly_allocator allocator = {memory_take, memory_give, &c->memory};
    anomaly_pool_options options = pool_options();
    c->s = s;
    config_of(&c->config, s->kind, s->options);
    options.shards = 1;
    options.max_bytes = max_bytes;
    options.refuse = refuse;
    options.evicting = evicting;
    options.evicting_ctx = c;
    for (int key = 0; key < KEYS; key++)
        renew_twin(c, key);
    assert_ok(anomaly_pool_create(&c->config, &options, &allocator, &c->pool, NULL));
}

static uint64_t pooled(const setting *s, enum fault fault, uint64_t k)
{
    crowd c = {0};
    gather_crowd(&c, s, 0, 0);
    arm(&c.memory, fault, k);
    use_crowd(&c, k, 1);
    return c.failed;
}

static void test_pooled(void **state)
{
    at_every(*state, pooled);
}

/* Every limit that bites: from the least there may be to what all keys take. */
static void test_limited(void **state)
{
    const setting *s = *state;
    crowd free_one = {0};
    gather_crowd(&free_one, s, 0, 0);
    use_crowd(&free_one, 1, 0);
    uint64_t least = 66000, most = free_one.memory.peak, bitten = 0;
    if (most <= least) /* small detectors fit whatever the limit */
        return;
    for (uint64_t k = 0, limits = is_quick() ? 6 : 48; k < limits; k++)
        for (int refuse = 0; refuse < 2; refuse++) {
            crowd c = {0};
            gather_crowd(&c, s, least + (most - least) * k / limits, refuse);
            use_crowd(&c, k, 0);
            assert_true(refuse ? c.evicted == 0 : c.ok > 0);
            bitten += c.failed + c.evicted;
        }
    assert_true(bitten > 0);
}

int main(void)
{
    enum { PER_SETTING = 4 };
    static const CMUnitTestFunction functions[PER_SETTING] = {test_alone, test_restored, test_pooled, test_limited};
    static const char *const names[PER_SETTING] = {"alone", "restored", "pooled", "limited"};
    static char labels[PER_SETTING * ARRAY_COUNT(SETTINGS)][64];
    static struct CMUnitTest tests[PER_SETTING * ARRAY_COUNT(SETTINGS)];
    size_t n = 0;
    for (size_t k = 0; k < PER_SETTING; k++)
        for (size_t i = 0; i < ARRAY_COUNT(SETTINGS); i++, n++) {
            snprintf(labels[n], sizeof labels[n], "%s: %s", names[k], SETTINGS[i].name);
            tests[n] = (struct CMUnitTest){labels[n], functions[k], NULL, NULL, &SETTINGS[i]};
        }
    return _cmocka_run_group_tests("persistent", tests, n, NULL, NULL);
}
