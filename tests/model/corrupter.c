/* SPDX-License-Identifier: MIT
 * corrupter.c - snapshots with a field changed and the checksum made right again, which is all that someone can do who writes
 * them himself. Whatever is accepted is an object like any other: it works on beside its twin, and its own snapshot is
 * accepted and comes back to the same bytes. */
#include "../support/snapshots.h"

#include "../support/fields.h"
#include "../support/random.h"
#include "../support/seal.h"
#include "../support/test_memory.h"

enum { MOST_FEATURES = 16, ROOM = 1 << 20, EVENTS = 40 };

/* ---- one field changed ---- */

typedef struct changed {
    unsigned char bytes[ROOM];
    size_t size;
} changed;

static size_t write_varint(unsigned char *to, uint64_t value)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        to[size++] = (unsigned char)(value | 0x80);
    to[size++] = (unsigned char)value;
    return size;
}

static void put(changed *c, size_t at, size_t had, const unsigned char *with, size_t size)
{
    memmove(c->bytes + at + size, c->bytes + at + had, c->size - at - had);
    memcpy(c->bytes + at, with, size);
    c->size = c->size + size - had;
}

/* The field becomes these bytes, and the lengths around it what they then are. */
static void replace(changed *c, const field *f, const unsigned char *with, size_t size)
{
    unsigned char length[10];
    uint64_t section = seal_load(c->bytes + f->section + 16) + size - f->size;
    put(c, f->at, f->size, with, size);
    if (f->record && f->at != f->record) {
        size_t had, has;
        uint64_t record = number_at(c->bytes + f->record, FIELD_VARINT, &had) + size - f->size;
        has = write_varint(length, record);
        put(c, f->record, had, length, has);
        section += has - had;
    }
    seal_store(c->bytes + f->section + 16, section);
}

/* ---- by what ---- */

/* Where something changes: at the ends of types, at the library's own bounds, at small numbers. */
static const uint64_t NUMBERS[] = {0,
                                   1,
                                   2,
                                   3,
                                   127,
                                   128,
                                   255,
                                   511,
                                   512,
                                   65536,
                                   UINT32_MAX,
                                   UINT64_C(1) << 32,
                                   (UINT64_C(1) << 56) - 1,
                                   UINT64_C(1) << 56,
                                   (UINT64_C(1) << 62) - 1,
                                   UINT64_C(1) << 62,
                                   INT64_MAX,
                                   UINT64_C(1) << 63,
                                   UINT64_MAX - 1,
                                   UINT64_MAX};
static const double DOUBLES[] = {0.0,      -0.0,      NAN,       INFINITY, -INFINITY, 0x1p-1074, -0x1p-1074, 0x1p1000,
                                 0x1p1001, 0x1p-1000, 0x1p-1001, 1.79e308, -1.79e308, 0.5,       1,          -1};
static const float FLOATS[] = {0.0f,      -0.0f,      NAN,  INFINITY, -INFINITY, 0x1p-149f, -0x1p-149f, 0x1p-100f,
                               0x1p-101f, -0x1p-101f, 1.0f, -1.0f,    0x1p40f,   -0x1p40f,  0x1p41f};
enum { BESIDE = 2, BITS = 6 }; /* one more and one less; some bits turned */

static size_t ways_of(enum field_type type)
{
    switch (type) {
    case FIELD_VARINT:
    case FIELD_SIGNED:
    case FIELD_I64:
    case FIELD_U64: return ARRAY_COUNT(NUMBERS) + BESIDE + BITS;
    case FIELD_F64: return ARRAY_COUNT(DOUBLES) + BITS;
    case FIELD_F32: return ARRAY_COUNT(FLOATS) + BITS;
    default: return 8 + BITS;
    }
}

static uint64_t number_by(const changed *c, const field *f, size_t way, random_state *r)
{
    size_t size, given = ways_of(f->type) - BITS;
    uint64_t had = number_at(c->bytes + f->at, f->type, &size);
    if (way >= given)
        return had ^ UINT64_C(1) << random_below(r, f->type == FIELD_F64 ? 64 : f->type == FIELD_F32 ? 32 : 8);
    if (f->type == FIELD_F64)
        return bits_of(DOUBLES[way]);
    if (f->type == FIELD_F32) {
        uint32_t bits;
        memcpy(&bits, &FLOATS[way], sizeof bits);
        return bits;
    }
    return way < ARRAY_COUNT(NUMBERS) ? NUMBERS[way] : way == ARRAY_COUNT(NUMBERS) ? had + 1 : had - 1;
}

static void change(changed *c, const field *f, size_t way, random_state *r)
{
    unsigned char with[10];
    if (f->type == FIELD_BYTES || f->type == FIELD_U8) {
        with[0] = (unsigned char)(c->bytes[f->at] ^ 1u << way % 8);
        put(c, f->at, 1, with, 1);
        return;
    }
    uint64_t value = number_by(c, f, way, r);
    if (f->type == FIELD_VARINT || f->type == FIELD_SIGNED) {
        if (f->type == FIELD_SIGNED)
            value = value << 1 ^ (value >> 63 ? UINT64_MAX : 0);
        replace(c, f, with, write_varint(with, value));
        return;
    }
    seal_store(with, value);
    replace(c, f, with, f->size);
}

/* ---- what is accepted works ---- */

static void event(double *x, uint32_t features, uint64_t i)
{
    random_state r = {i};
    for (uint32_t f = 0; f < features; f++)
        x[f] = one_in(&r, 20) ? NAN : one_in(&r, 25) ? 1e4 : (double)(int64_t)random_below(&r, 512) / 16 - 9;
}

/* The shares of an explanation are all of the score's excess over .5; of a distance, which numbers of a stranger may make anything
 * up to infinity, shares from 0. */
static void check_explanation(const anomaly_detector *d, const double *x, uint32_t features, int kind)
{
    double share[MOST_FEATURES], sum = 0;
    anomaly_verdict v;
    if (anomaly_explain(d, x, share) != ANOMALY_OK)
        return;
    assert_ok(anomaly_score(d, x, INT64_MAX, &v));
    for (uint32_t f = 0; f < features; f++)
        sum += share[f];
    if (kind == ANOMALY_MAHALANOBIS)
        assert_true(sum >= 0);
    else if (!isnan(v.score))
        assert_true(v.score > 0 && v.score <= 1 && fabs(sum - (v.score - 0.5)) < 1e-3);
}

static void use_both(anomaly_detector *a, anomaly_detector *b)
{
    anomaly_config config;
    anomaly_verdict va, vb;
    double x[MOST_FEATURES];
    assert_ok(anomaly_get_config(a, &config, sizeof config));
    if (config.features > MOST_FEATURES)
        return;
    for (uint64_t i = 0; i < EVENTS; i++) {
        int64_t t = (int64_t)(390 + i) * SECOND;
        event(x, config.features, i);
        assert_ok(anomaly_update(a, x, t, &va));
        assert_ok(anomaly_update(b, x, t, &vb));
        assert_same_verdict(&va, &vb);
        if (i % 8 == 0)
            check_explanation(a, x, config.features, config.kind);
    }
}

static int try_detector(const changed *c)
{
    anomaly_detector *d = NULL, *twin;
    anomaly_error error = {0};
    int status = anomaly_restore(c->bytes, c->size, NULL, &d, &error);
    if (status != ANOMALY_OK) {
        assert_null(d);
        assert_true(status == ANOMALY_E_CORRUPT || status == ANOMALY_E_VERSION);
        assert_true(error.message[0] != 0);
        return 0;
    }
    twin = copy_of(d);
    assert_same_bytes(d, twin);
    use_both(d, twin);
    assert_same_bytes(d, twin);
    anomaly_destroy(twin);
    twin = copy_of(d);
    assert_same_bytes(d, twin);
    anomaly_destroy(twin);
    anomaly_destroy(d);
    return 1;
}

static anomaly_pool *restore_pool(const saved *s)
{
    anomaly_pool *pool = NULL;
    assert_ok(anomaly_pool_restore(s->bytes, s->size, NULL, NULL, NULL, &pool, NULL));
    return pool;
}

static void use_pool(anomaly_pool *pool)
{
    anomaly_config config;
    double x[MOST_FEATURES];
    assert_ok(anomaly_pool_get_config(pool, &config, sizeof config));
    for (uint64_t i = 0; config.features <= MOST_FEATURES && i < EVENTS; i++) {
        char key[16];
        size_t size = (size_t)snprintf(key, sizeof key, "host/%d", (int)(i % 13));
        event(x, config.features, i);
        int status = anomaly_pool_update(pool, key, size, x, (int64_t)(990 + i) * SECOND, NULL);
        assert_true(status == ANOMALY_OK || status == ANOMALY_E_FULL);
    }
}

static int try_pool(const changed *c)
{
    anomaly_pool *pool = NULL, *twin;
    anomaly_error error = {0};
    int status = anomaly_pool_restore(c->bytes, c->size, NULL, NULL, NULL, &pool, &error);
    if (status != ANOMALY_OK) {
        assert_null(pool);
        assert_true(status == ANOMALY_E_CORRUPT || status == ANOMALY_E_VERSION || status == ANOMALY_E_FULL);
        assert_true(error.message[0] != 0);
        return 0;
    }
    saved first = save_pool(pool), later;
    twin = restore_pool(&first);
    assert_true(pool_is(twin, &first));
    use_pool(pool);
    use_pool(twin);
    later = save_pool(pool);
    assert_true(pool_is(twin, &later));
    anomaly_pool_destroy(twin);
    twin = restore_pool(&later);
    assert_true(pool_is(twin, &later));
    anomaly_pool_destroy(twin);
    anomaly_pool_destroy(pool);
    free(first.bytes);
    free(later.bytes);
    return 1;
}

/* ---- runs ---- */

static saved read_golden(const char *name)
{
    char path[128];
    saved s = {malloc(ROOM), 0};
    snprintf(path, sizeof path, "tests/golden/format-1-%s.bin", name);
    FILE *file = fopen(path, "rb");
    if (!file || !s.bytes)
        fail_msg("%s cannot be read (tests run from the top of the tree)", path);
    s.size = fread(s.bytes, 1, ROOM, file);
    fclose(file);
    return s;
}

static char current[200];

/* Are there fewer than five fields of that name? Names are one literal each. */
static int is_rare(const fields *all, const char *name)
{
    int found = 0;
    for (size_t i = 0; i < all->count && found < 5; i++)
        found += all->of[i].name == name;
    return found < 5;
}

/* Each field in each way; of those of which there are many, some. Some must be accepted, most must not. */
static void corrupt(const saved *from, int (*try_it)(const changed *), uint64_t runs)
{
    random_state r = {from->size};
    fields *all = malloc(sizeof *all);
    changed *c = malloc(sizeof *c);
    uint64_t accepted = 0, tried = 0, ways = 0;
    assert_true(all && c);
    find_fields(all, from->bytes, from->size);
    for (size_t i = 0; i < all->count; i++)
        ways += ways_of(all->of[i].type);
    for (size_t i = 0; i < all->count; i++)
        for (size_t way = 0; way < ways_of(all->of[i].type); way++) {
            if (random_below(&r, ways) >= runs && (is_quick() || !is_rare(all, all->of[i].name)))
                continue;
            memcpy(c->bytes, from->bytes, from->size);
            c->size = from->size;
            change(c, &all->of[i], way, &r);
            seal(c->bytes, c->size);
            snprintf(current, sizeof current, "%s at %zu, way %zu", all->of[i].name, all->of[i].at, way);
            tried++;
            accepted += (uint64_t)try_it(c);
        }
    assert_true(is_quick() || (accepted > 0 && accepted < tried));
    free(c);
    free(all);
}

static void test_detector(void **state)
{
    saved s = read_golden(*state);
    corrupt(&s, try_detector, is_quick() ? 300 : 6000);
    free(s.bytes);
}

static void test_pool(void **state)
{
    saved s = read_golden(*state);
    corrupt(&s, try_pool, is_quick() ? 300 : 6000);
    free(s.bytes);
}

/* ---- what the library cannot have written, field by field ---- */

static int refuse_detector(const changed *c)
{
    anomaly_detector *d = NULL;
    int status = anomaly_restore(c->bytes, c->size, NULL, &d, NULL);
    anomaly_destroy(d);
    return status == ANOMALY_E_CORRUPT;
}

/* With the limits that were saved and with others. */
static int refuse_pool(const changed *c)
{
    anomaly_pool_options options = pool_options();
    anomaly_pool *pool = NULL, *other = NULL;
    int status = anomaly_pool_restore(c->bytes, c->size, NULL, NULL, NULL, &pool, NULL);
    int with = anomaly_pool_restore(c->bytes, c->size, NULL, &options, NULL, &other, NULL);
    anomaly_pool_destroy(pool);
    anomaly_pool_destroy(other);
    return status == ANOMALY_E_CORRUPT && with == ANOMALY_E_CORRUPT;
}

static void set_number(changed *c, const field *f, uint64_t value)
{
    unsigned char with[10];
    if (f->type == FIELD_VARINT) {
        replace(c, f, with, write_varint(with, value));
        return;
    }
    seal_store(with, value);
    put(c, f->at, f->size, with, f->size);
}

/* Calls `see` for every field of that name; there is one at least. */
static void each_named(const saved *from, const char *name, uint64_t value,
                       void (*see)(const saved *from, const field *f, uint64_t value, changed *c))
{
    fields *all = malloc(sizeof *all);
    changed *c = malloc(sizeof *c);
    uint64_t found = 0;
    assert_true(all && c);
    find_fields(all, from->bytes, from->size);
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->of[i].name, name) != 0)
            continue;
        memcpy(c->bytes, from->bytes, from->size);
        c->size = from->size;
        see(from, &all->of[i], value, c);
        found++;
    }
    if (found == 0)
        fail_msg("no '%s' in the snapshot", name);
    free(c);
    free(all);
}

static void see_it_refused(const saved *from, const field *f, uint64_t value, changed *c)
{
    set_number(c, f, value);
    seal(c->bytes, c->size);
    if (!(from->bytes[12] == 1 ? refuse_detector(c) : refuse_pool(c)))
        fail_msg("'%s' at %zu is accepted as %llx", f->name, f->at, (unsigned long long)value);
}

/* Every field of that name, alone, with that value. */
static void forge(const saved *from, const char *name, uint64_t value)
{
    each_named(from, name, value, see_it_refused);
}

static uint64_t bits_of_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static void test_impossible_fields(void **state)
{
    static const struct {
        const char *sample, *field;
        uint64_t value;
    } F[] = {
        {"zscore-count", "tail", UINT64_C(1) << 56},
        {"zscore-count", "tail", UINT64_C(1) << 62},
        {"zscore-count", "events", 3},
        {"zscore-count", "fields of the configuration", 20},
        {"zscore-time", "clock", 0},
        {"zscore-time", "clock", UINT64_C(1) << 63},
        {"zscore-time", "newest time cut", INT64_MAX},
        {"zscore-time", "newest time cut", UINT64_C(1) << 63},
        {"zscore-time", "flags of the state", 4},
        {"zscore-time", "flagged in a row", 1},
        {"zscore-time", "oldest time", INT64_MAX},
        {"zscore-time", "oldest time", 0},
        {"zscore-time", "step of time", 100 * (uint64_t)SECOND},
        {"zscore-time", "value", UINT64_C(0x7ff8000000000000)},
        {"zscore-time", "value", UINT64_C(0x8000000000000000)},
        {"zscore-time", "value", UINT64_C(0x7ff0000000000000)},
        {"percentile", "step of time", UINT64_MAX},
        {"pool", "max_idle_ns", UINT64_C(1) << 63},
        {"pool", "shards", 0},
        {"pool", "last used", UINT64_C(1) << 56},
        {"pool", "last used", UINT64_C(1) << 62},
        {"pool", "clock", 0},
        {"pool", "records", 11},
        {"iforest-young", "flags of the forest", 6},
        {"iforest", "check", 512},
        {"mahalanobis", "how totals are written", 1},
        {"mahalanobis", "blocks in use", 0},
        {"mahalanobis", "blocks in use", 9},
        {"mahalanobis", "block being filled", 8},
        {"mahalanobis", "vectors of the batch", 16},
        {"mahalanobis", "vectors of the totals", 17},
        {"mahalanobis", "vectors of the totals", UINT64_MAX},
        {"mahalanobis", "values of a coordinate", 4096},
        {"mahalanobis", "scale", 3},
        {"mahalanobis", "lag", UINT64_C(0x7ff0000000000000)},
        {"watch", "residual", UINT64_C(0x7ff8000000000000)},
        {"watch", "residual", UINT64_C(0x7e90000000000000)}, /* 2^1002 */
        {"watch", "level", UINT64_C(0xfff0000000000000)},
        {"watch", "spread", UINT64_C(0xbff0000000000000)},
        {"watch", "spread", UINT64_C(0x7ff8000000000000)},
        {"watch", "visits of a slot", 9},
        {"watch", "values of a visit", 0},
        {"watch", "mean of a visit", UINT64_C(0x7ff0000000000000)},
        {"watch", "blocks of shapes", 0},
        {"watch", "blocks of shapes", 9},
        {"watch", "shapes that wait", 16},
        {"watch", "is there a factor?", 2},
        {"watch", "shapes of a block", 17},
        {"stages-time", "value before", UINT64_C(0x7ff0000000000000)},
        {"stages-time", "value before", UINT64_C(0x7ff8000000000000)}, /* with a time */
        {"stages-time", "has time begun?", 18},
        {"stages-time", "slot of time", INT64_MAX},
        {"stages-time", "slot of time", UINT64_C(1) << 63},
        {"stages-time", "visits ever", UINT64_C(1) << 56},
        {"stages-time", "values of a kept visit", 0},
        {"stages-time", "values of a kept visit", UINT64_C(1) << 32},
        {"stages-time", "mean of a season's visit", UINT64_C(0x7ff0000000000000)},
        {"stages-time", "deviation of a visit", UINT64_C(0x7ff8000000000000)},
        {"stages-time", "deviation of a visit", UINT64_C(0xbff0000000000000)},
        {"stages-percentile", "scores held", 129},
        {"stages-percentile", "scores ever", 49},
        {"stages-percentile", "scores ever", UINT64_C(1) << 56},
        {"stages-robust", "score held", UINT64_C(0x7ff8000000000000)},
        {"stages-robust", "score held", UINT64_C(0x7ff0000000000000)},
        {"stages-robust", "score held", UINT64_C(0x8000000000000000)},
        {"stages-robust", "share", 0},
        {"stages-robust", "share", UINT64_C(0x3ff8000000000000)}, /* 1.5 */
        {"stages-robust", "origin of the fit", UINT64_C(0x7ff0000000000000)},
        {"stages-robust", "scale of the fit", UINT64_C(0xbff0000000000000)},
        {"stages-robust", "shape of the fit", UINT64_C(0xbff0000000000000)},
        {"stages-robust", "threshold in force", UINT64_C(0x7ff8000000000000)},
        {"stages-percentile", "does an episode go on?", 1}, /* without a rest */
        {"stages-robust", "does an episode go on?", 2},
        {"stages-watch", "score of the last alarm", UINT64_C(0x7ff8000000000000)},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(F); i++) {
        saved s = read_golden(F[i].sample);
        forge(&s, F[i].field, F[i].value);
        free(s.bytes);
    }
}

/* A forest with gates: few values. Codes are 0 or large enough for the kernels' reciprocals. */
static void test_impossible_codes(void **state)
{
    anomaly_detector *d = detector_of(ANOMALY_IFOREST, "window=64 sample=32 trees=12 features=2 contamination=0.1 depth=12");
    saved s;
    (void)state;
    for (uint64_t i = 0; i < 300; i++) {
        double x[2] = {(double)(i % 3), (double)(i * i % 5)};
        assert_ok(anomaly_update(d, x, ANOMALY_NO_TIME, NULL));
    }
    s = save_detector(d);
    forge(&s, "events of a gate", 0);
    forge(&s, "least", bits_of_float(-0x1p-149f));
    forge(&s, "least", bits_of_float(0x1p-101f));
    forge(&s, "least", bits_of_float(-0.0f));
    forge(&s, "greatest", bits_of_float(0x1p41f));
    forge(&s, "cut", bits_of_float(NAN));
    forge(&s, "score", bits_of(-0.0));
    forge(&s, "score", bits_of(NAN));
    forge(&s, "step", bits_of(-0.0));
    free(s.bytes);
    anomaly_destroy(d);
}

static void see_it_take_no_memory(const saved *from, const field *f, uint64_t value, changed *c)
{
    test_memory m = {0};
    anomaly_allocator memory = {memory_take, memory_give, &m};
    anomaly_detector *d = NULL;
    set_number(c, f, value);
    seal(c->bytes, c->size);
    assert_error(anomaly_restore(c->bytes, c->size, &memory, &d, NULL), ANOMALY_E_CORRUPT);
    assert_true(m.live == 0 && m.peak < 300 * from->size);
}

/* Features and periods that are not there take no memory: their slots would be 50 MB. */
static void test_seasons_that_lie(void **state)
{
    saved s = read_golden("stages-percentile");
    (void)state;
    each_named(&s, "features", 1024, see_it_take_no_memory);
    free(s.bytes);
}

static void see_length_matter(const saved *from, const field *f, uint64_t value, changed *c)
{
    const unsigned char longer[] = {(unsigned char)(0x80 | value), 0};
    (void)from;
    replace(c, f, longer, sizeof longer);
    seal(c->bytes, c->size);
    assert_true(refuse_detector(c));
    replace(c, &(field){.at = f->at, .size = 2, .section = f->section}, longer + 1, 1);
    seal(c->bytes, c->size);
    assert_false(refuse_detector(c));
}

/* A number in more bytes than it takes. */
static void test_long_varint(void **state)
{
    saved s = read_golden("zscore-count");
    (void)state;
    each_named(&s, "counter", 3, see_length_matter);
    free(s.bytes);
}

/* ---- pools of the other kinds ---- */

/* A key of which has a threshold of its own. */
static int set_threshold(void *ctx, anomaly_detector *detector)
{
    return anomaly_set_threshold(detector, *(double *)ctx);
}

static const struct {
    const char *name, *options;
    int kind;
} POOLS[] = {
    {"pool of robust ones", "window=30 robust=1 features=2 learn=normal:3", ANOMALY_ZSCORE},
    {"pool of percentiles", "window=60s,30", ANOMALY_PERCENTILE},
    {"pool of forests", "window=40 sample=20 trees=6 features=2 contamination=0.1", ANOMALY_IFOREST},
    {"pool of distances", "window=128 features=2", ANOMALY_MAHALANOBIS},
    {"pool of watches", "window=256", ANOMALY_WATCH},
};

static void test_pools(void **state)
{
    anomaly_pool_options options = pool_options();
    double x[2], threshold = 0.625;
    uint64_t slot;
    (void)state;
    options.shards = 2;
    for (size_t k = 0; k < ARRAY_COUNT(POOLS); k++) {
        anomaly_pool *pool = pool_of(POOLS[k].kind, POOLS[k].options, &options);
        for (uint64_t i = 0; i < 500; i++) {
            char key[16];
            event(x, 2, i);
            snprintf(key, sizeof key, "host/%d", (int)(i % 7));
            assert_ok(anomaly_pool_update(pool, key, strlen(key), x, (int64_t)i * SECOND, NULL));
        }
        assert_ok(anomaly_pool_find(pool, "host/3", 6, &slot));
        assert_ok(anomaly_pool_with(pool, slot, set_threshold, &threshold));
        saved s = save_pool(pool);
        corrupt(&s, try_pool, is_quick() ? 200 : 1500);
        free(s.bytes);
        anomaly_pool_destroy(pool);
    }
}

int main(void)
{
    static const char *const DETECTORS[] = {"empty",
                                            "zscore-count",
                                            "zscore-time",
                                            "robust",
                                            "percentile",
                                            "iforest-young",
                                            "iforest",
                                            "mahalanobis",
                                            "mahalanobis-young",
                                            "mahalanobis-features",
                                            "watch-young",
                                            "watch",
                                            "stages-young",
                                            "stages-time",
                                            "stages-robust",
                                            "stages-percentile",
                                            "stages-iforest",
                                            "stages-mahalanobis",
                                            "stages-watch"};
    static struct CMUnitTest tests[ARRAY_COUNT(DETECTORS) + 7];
    size_t n = 0;
    for (; n < ARRAY_COUNT(DETECTORS); n++)
        tests[n] = (struct CMUnitTest){DETECTORS[n], test_detector, NULL, NULL, (void *)(uintptr_t)DETECTORS[n]};
    tests[n++] = (struct CMUnitTest){"pool", test_pool, NULL, NULL, (void *)(uintptr_t) "pool"};
    tests[n++] = (struct CMUnitTest){"stages-pool", test_pool, NULL, NULL, (void *)(uintptr_t) "stages-pool"};
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_pools);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_impossible_fields);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_impossible_codes);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_seasons_that_lie);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_long_varint);
    return _cmocka_run_group_tests("corrupter", tests, n, NULL, NULL);
}
