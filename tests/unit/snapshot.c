/* SPDX-License-Identifier: MIT
 * snapshot.c - snapshots of detectors: what is kept, what is refused, and that no bytes do harm. */
#include "../support/snapshots.h"

#include "../support/random.h"
#include "../support/seal.h"
#include "../support/test_memory.h"
#include "base/hash.h"

typedef struct sample {
    const char *name, *options;
    int kind;
    int events;
} sample;

static const sample SAMPLES[] = {
    {"empty", "", ANOMALY_ZSCORE, 0},
    {"plain", "window=50", ANOMALY_ZSCORE, 130},
    {"time", "window=40s,64 max_late=9s learn=normal:3 threshold=2.5", ANOMALY_ZSCORE, 150},
    {"robust", "window=30 robust=1 features=2", ANOMALY_ZSCORE, 70},
    {"percentile", "window=20s,30 lower=5 upper=95", ANOMALY_PERCENTILE, 90},
    {"features", "window=10 features=7 side=upper", ANOMALY_ZSCORE, 25},
    {"forest, no tree yet", "window=20 features=2 trees=4 sample=16", ANOMALY_IFOREST, 11},
    {"forest, half grown", "window=64 features=2 trees=9 sample=20 depth=4", ANOMALY_IFOREST, 26},
    {"forest", "window=24 features=2 trees=5 sample=16 depth=4 contamination=0.1 learn=normal:3", ANOMALY_IFOREST, 60},
    {"distance, no fit yet", "window=128", ANOMALY_MAHALANOBIS, 70},
    {"distance", "window=128 features=2 learn=normal:3", ANOMALY_MAHALANOBIS, 200},
    {"watch", "window=256", ANOMALY_WATCH, 330},
};

static void feed(anomaly_detector *d, int from, int to)
{
    anomaly_config config;
    assert_ok(anomaly_get_config(d, &config, sizeof config));
    for (int i = from; i < to; i++) {
        double x[8];
        random_state r = {(uint64_t)i};
        for (uint32_t f = 0; f < config.features; f++)
            x[f] = one_in(&r, 15) ? NAN : one_in(&r, 20) ? 40 : random_normal(&r);
        assert_ok(anomaly_update(d, x, (i - (one_in(&r, 6) ? 4 : 0)) * SECOND, NULL));
    }
}

static anomaly_detector *fed(const sample *s)
{
    anomaly_detector *d = detector_of(s->kind, s->options);
    feed(d, 0, s->events);
    return d;
}

/* ---- what is kept ---- */

static void test_hash(void **state)
{
    unsigned char bytes[101];
    an_hash hash;
    (void)state;
    /* from the reference implementation */
    assert_true(an_hash_of("", 0, 0) == UINT64_C(0xef46db3751d8e999));
    assert_true(an_hash_of("", 0, 1) == UINT64_C(0xd5afba1336a3be4b));
    assert_true(anomaly_key_hash("a", 1) == UINT64_C(0xd24ec4f1a98c6e5b));
    assert_true(anomaly_key_hash("abc", 3) == UINT64_C(0x44bc2cf5ad770999));
    assert_true(anomaly_key_hash("Nobody inspects the spammish repetition", 39) == UINT64_C(0xfbcea83c8a378bf1));
    assert_true(anomaly_key_hash("sensor-01", 9) == UINT64_C(0xf2d7c51a0ce7c7e7));
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    assert_true(an_hash_of(bytes, 101, 0) == UINT64_C(0xe99038495f85381e));
    assert_true(an_hash_of(bytes, 101, 2654435761u) == UINT64_C(0xa1c6d4174c37136d));
    for (size_t piece = 1; piece <= 101; piece++) {
        an_hash_begin(&hash, 2654435761u);
        for (size_t at = 0; at < 101; at += piece)
            an_hash_add(&hash, bytes + at, 101 - at < piece ? 101 - at : piece);
        assert_true(an_hash_end(&hash) == UINT64_C(0xa1c6d4174c37136d));
    }
}

static void test_goes_on(void **state)
{
    const sample *s = *state;
    anomaly_detector *d = fed(s), *copy = copy_of(d);
    check_same_state(d, copy, __FILE__, __LINE__);
    assert_same_bytes(d, copy);
    feed(d, s->events, s->events + 100);
    feed(copy, s->events, s->events + 100);
    assert_same_bytes(d, copy);
    anomaly_destroy(d);
    anomaly_destroy(copy);
}

static void test_configuration_is_kept(void **state)
{
    static const char *const OPTIONS =
        "window=90s,77 warmup=9 threshold=-1.25 compare=gt side=lower ddof=0 flat=ignore min_stddev=0.5 "
        "learn=normal:7 max_late=3s max_jump=1h quantile=nearest features=3 reserve=1";
    anomaly_detector *d = zscore_of(OPTIONS), *copy = copy_of(d);
    anomaly_config a, b;
    const anomaly_option *option;
    (void)state;
    assert_ok(anomaly_get_config(d, &a, sizeof a));
    assert_ok(anomaly_get_config(copy, &b, sizeof b));
    for (size_t i = 0; (option = anomaly_option_at(i)) != NULL; i++) {
        char x[64], y[64];
        assert_ok(anomaly_config_get(&a, option->name, x, sizeof x));
        assert_ok(anomaly_config_get(&b, option->name, y, sizeof y));
        assert_string_equal(x, y);
    }
    anomaly_destroy(d);
    anomaly_destroy(copy);
}

static void test_live_threshold_is_kept(void **state)
{
    anomaly_detector *d = zscore_of("window=10"), *copy;
    (void)state;
    assert_ok(anomaly_set_threshold(d, 7.5));
    copy = copy_of(d);
    assert_true(judge(copy, 1).threshold == 7.5);
    anomaly_destroy(d);
    anomaly_destroy(copy);
}

/* A threshold that was set is fixed: the scores it would follow are not kept. */
static void test_forest_threshold_is_kept(void **state)
{
    anomaly_detector *d = detector_of(ANOMALY_IFOREST, "window=50 sample=20 trees=7 contamination=0.1"), *copy;
    anomaly_config config;
    double x = 3;
    (void)state;
    feed(d, 0, 80);
    assert_ok(anomaly_set_threshold(d, 0.625));
    copy = copy_of(d);
    assert_true(judge(copy, x).threshold == 0.625);
    assert_ok(anomaly_get_config(copy, &config, sizeof config));
    assert_true(config.contamination == 0);
    anomaly_destroy(d);
    anomaly_destroy(copy);
}

/* normal:3, two flagged in a row before the snapshot: the next one is the third, and is learned. */
static void test_row_of_flagged_is_kept(void **state)
{
    anomaly_detector *d = zscore_of("window=30 learn=normal:3"), *copy;
    (void)state;
    for (int i = 0; i < 20; i++)
        push(d, 20 + i % 2);
    assert_true(has_flag(push(d, 100), ANOMALY_NOT_LEARNED));
    assert_true(has_flag(push(d, 100), ANOMALY_NOT_LEARNED));
    copy = copy_of(d);
    assert_false(has_flag(push(copy, 100), ANOMALY_NOT_LEARNED));
    anomaly_destroy(d);
    anomaly_destroy(copy);
}

/* One event a second and a window of 300 s: 301 events, one less a second later, none at 1000; saved in between each time. */
static void test_window_of_time(void **state)
{
    static const int64_t AT[] = {300, 301, 1000};
    static const uint64_t COUNT[] = {301, 300, 0};
    anomaly_detector *d = zscore_of("window=300s");
    (void)state;
    for (int i = 0; i <= 300; i++)
        push_at(d, i, i * SECOND);
    for (size_t i = 0; i < 3; i++) {
        anomaly_detector *copy = copy_of(d);
        anomaly_destroy(d);
        d = copy;
        assert_ok(anomaly_advance(d, AT[i] * SECOND));
        assert_true(count_of(d) == COUNT[i]);
    }
    anomaly_destroy(d);
}

/* ---- calls ---- */

static int stop_after(void *ctx, const void *bytes, size_t size)
{
    size_t *left = ctx;
    (void)bytes;
    if (size > *left)
        return 1;
    *left -= size;
    return 0;
}

static void test_refusals(void **state)
{
    anomaly_detector *d = fed(&SAMPLES[1]), *none = (anomaly_detector *)&state;
    unsigned char buffer[4096] = {0};
    size_t size = 0, used = 77, left = 100;
    anomaly_error error;
    assert_ok(anomaly_snapshot_size(d, &size));
    assert_true(size < sizeof buffer);
    assert_error(anomaly_snapshot(d, buffer, size - 1, &used), ANOMALY_E_SPACE);
    assert_true(used == 77 && buffer[0] == 0);
    assert_error(anomaly_snapshot(d, NULL, size, &used), ANOMALY_E_ARG);
    assert_error(anomaly_snapshot(d, buffer, size, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_snapshot(NULL, buffer, size, &used), ANOMALY_E_ARG);
    assert_error(anomaly_snapshot_size(NULL, &size), ANOMALY_E_ARG);
    assert_error(anomaly_snapshot_size(d, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_snapshot_write(d, NULL, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_snapshot_write(d, stop_after, &left), ANOMALY_E_STOPPED);
    assert_error(anomaly_restore(NULL, 5, NULL, &none, &error), ANOMALY_E_ARG);
    assert_error(anomaly_restore(buffer, sizeof buffer, NULL, NULL, &error), ANOMALY_E_ARG);
    assert_error(anomaly_restore(buffer, 0, NULL, &none, &error), ANOMALY_E_CORRUPT);
    assert_error(anomaly_restore(buffer, sizeof buffer, NULL, &none, NULL), ANOMALY_E_CORRUPT);
    assert_error(anomaly_reserve(NULL), ANOMALY_E_ARG);
    assert_ptr_equal(none, (anomaly_detector *)&state);
    anomaly_destroy(d);
}

/* ---- damage ---- */

/* From one damaged place to the next: every byte has its turn; with TEST_QUICK=1 (under valgrind) some 100, an odd number
 * apart. tests/model/corrupter.c changes every field. */
static size_t stride_of(const saved *s)
{
    return is_quick() ? s->size / 100 | 1 : 1;
}

static void refused(const unsigned char *bytes, size_t size, int status)
{
    anomaly_detector *d = NULL;
    anomaly_error error = {0};
    int got = anomaly_restore(bytes, size, NULL, &d, &error);
    if (status)
        assert_int_equal(got, status);
    assert_true(got == ANOMALY_E_CORRUPT || got == ANOMALY_E_VERSION);
    assert_true(error.status == got && error.message[0] != 0);
    assert_null(d);
}

static void test_damage(void **state)
{
    anomaly_detector *d = fed(*state);
    saved s = save_detector(d);
    unsigned char *longer = malloc(s.size + 1);
    assert_non_null(longer);
    memcpy(longer, s.bytes, s.size);
    longer[s.size] = 0;
    refused(longer, s.size + 1, ANOMALY_E_CORRUPT);
    for (size_t size = 0; size < s.size; size += stride_of(&s)) {
        unsigned char *part = malloc(size ? size : 1); /* so that reading past the end is seen */
        assert_non_null(part);
        memcpy(part, s.bytes, size);
        refused(part, size, ANOMALY_E_CORRUPT);
        free(part);
    }
    for (size_t i = 0; i < s.size; i += stride_of(&s))
        for (int bit = 0; bit < 9; bit++) {
            unsigned char flip = (unsigned char)(bit == 8 ? 0xff : 1 << bit);
            s.bytes[i] ^= flip;
            refused(s.bytes, s.size, 0);
            s.bytes[i] ^= flip;
        }
    free(longer);
    free(s.bytes);
    anomaly_destroy(d);
}

static void test_newer_version(void **state)
{
    anomaly_detector *d = fed(&SAMPLES[1]);
    saved s = save_detector(d);
    (void)state;
    s.bytes[8] = 2;
    refused(s.bytes, s.size, ANOMALY_E_VERSION);
    seal(s.bytes, s.size);
    refused(s.bytes, s.size, ANOMALY_E_VERSION);
    s.bytes[8] = 0;
    seal(s.bytes, s.size);
    refused(s.bytes, s.size, ANOMALY_E_CORRUPT);
    free(s.bytes);
    anomaly_destroy(d);
}

/* Whoever makes a checksum that is right can say anything: what is accepted must still be a detector. */
static void test_hostile(void **state)
{
    static const unsigned char BYTES[] = {0, 1, 2, 0x7f, 0x80, 0xff};
    const sample *of = *state;
    anomaly_detector *d = fed(of), *made;
    saved s = save_detector(d);
    for (size_t i = 24; i < s.size - 8; i += stride_of(&s)) {
        unsigned char was = s.bytes[i];
        for (size_t k = 0; k < sizeof BYTES + 8; k++) {
            s.bytes[i] = (unsigned char)(k < sizeof BYTES ? BYTES[k] : was ^ 1u << (k - sizeof BYTES));
            seal(s.bytes, s.size);
            made = NULL;
            if (anomaly_restore(s.bytes, s.size, NULL, &made, NULL) == ANOMALY_OK && i % 7 == k % 7) {
                anomaly_config config;
                assert_ok(anomaly_get_config(made, &config, sizeof config));
                if (config.features <= 8 && config.window_events < 5000)
                    feed(made, of->events, of->events + 60);
            }
            anomaly_destroy(made);
        }
        s.bytes[i] = was;
    }
    free(s.bytes);
    anomaly_destroy(d);
}

/* ---- memory ---- */

static void test_memory_is_justified(void **state)
{
    static const char *const OPTIONS[] = {"window=50000000 reserve=0", "window=50000000 robust=1",
                                          "window=65536 features=4096", "window=1h features=300"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(OPTIONS); i++) {
        test_memory m = {0};
        anomaly_allocator memory = {memory_take, memory_give, &m};
        anomaly_detector *d = zscore_of(OPTIONS[i]), *copy;
        double x[4096] = {1};
        saved s;
        if (i > 0)
            assert_ok(anomaly_update(d, x, 0, NULL));
        s = save_detector(d);
        assert_ok(anomaly_restore(s.bytes, s.size, &memory, &copy, NULL));
        if (m.peak > 4096 + 300 * s.size)
            print_error("%s: %zu bytes of snapshot, %zu of memory\n", OPTIONS[i], s.size, m.peak);
        assert_true(m.peak <= 4096 + 300 * s.size);
        anomaly_destroy(copy);
        assert_true(m.bytes == 0);
        anomaly_destroy(d);
        free(s.bytes);
    }
}

/* The forest takes what it took where it was saved: its trees grow with the window's events. */
static void test_memory_of_forests(void **state)
{
    static const int EVENTS[] = {0, 5, 17, 40, 700};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(EVENTS); i++) {
        test_memory live = {0}, m = {0};
        anomaly_allocator of_live = {memory_take, memory_give, &live}, memory = {memory_take, memory_give, &m};
        anomaly_detector *d, *copy;
        anomaly_config config;
        saved s;
        config_of(&config, ANOMALY_IFOREST, "window=1000000 sample=16384 trees=1024 contamination=0");
        assert_ok(anomaly_create(&config, &of_live, &d, NULL));
        feed(d, 0, EVENTS[i]);
        s = save_detector(d);
        assert_ok(anomaly_restore(s.bytes, s.size, &memory, &copy, NULL));
        assert_true(m.bytes <= live.bytes && m.peak <= 8192 + 12000 * s.size);
        if (EVENTS[i] < 8)
            assert_true(m.peak < 8192);
        anomaly_destroy(d);
        anomaly_destroy(copy);
        assert_true(m.bytes == 0 && live.bytes == 0);
        free(s.bytes);
    }
}

/* A length or count that lies, resealed: refused before memory is taken for it. */
static void lies_cost_nothing(const sample *of, size_t factor)
{
    anomaly_detector *d = fed(of);
    saved s = save_detector(d);
    for (size_t i = 8; i + 18 < s.size; i += stride_of(&s)) {
        test_memory m = {0};
        anomaly_allocator memory = {memory_take, memory_give, &m};
        anomaly_detector *made = NULL;
        unsigned char was[10];
        memcpy(was, s.bytes + i, 10);
        memcpy(s.bytes + i, "\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x01", 10);
        seal(s.bytes, s.size);
        (void)anomaly_restore(s.bytes, s.size, &memory, &made, NULL);
        anomaly_destroy(made);
        assert_true(m.bytes == 0 && m.peak <= 4096 + factor * s.size);
        memcpy(s.bytes + i, was, 10);
    }
    free(s.bytes);
    anomaly_destroy(d);
}

static void test_lies_cost_nothing(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(SAMPLES); k++)
        lies_cost_nothing(&SAMPLES[k], SAMPLES[k].kind == ANOMALY_IFOREST ? 12000 : 300);
}

/* reserve=1 comes back as a setting; the memory comes when it is asked for. */
static void test_reserve(void **state)
{
    test_memory m = {0};
    anomaly_allocator memory = {memory_take, memory_give, &m};
    anomaly_detector *d = zscore_of("window=100000 reserve=1"), *copy;
    anomaly_config config;
    size_t needed, before;
    saved s = save_detector(d);
    (void)state;
    assert_ok(anomaly_restore(s.bytes, s.size, &memory, &copy, NULL));
    assert_true(m.bytes < 4096);
    assert_ok(anomaly_get_config(copy, &config, sizeof config));
    assert_true(config.reserve == 1);
    assert_ok(anomaly_memory_needed(&config, &needed));
    assert_ok(anomaly_reserve(copy));
    assert_true(m.bytes <= needed && m.bytes > 800000);
    before = m.bytes;
    assert_ok(anomaly_reserve(copy));
    assert_true(m.bytes == before);
    free(s.bytes);
    anomaly_destroy(d);
    anomaly_destroy(copy);
}

int main(void)
{
    enum { EACH = 3 };
    static const CMUnitTestFunction each[EACH] = {test_goes_on, test_damage, test_hostile};
    static const char *const names[EACH] = {"goes on", "damage", "hostile"};
    static char labels[EACH * ARRAY_COUNT(SAMPLES)][64];
    static struct CMUnitTest tests[EACH * ARRAY_COUNT(SAMPLES) + 13];
    static const struct CMUnitTest once[] = {
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_configuration_is_kept),
        cmocka_unit_test(test_live_threshold_is_kept),
        cmocka_unit_test(test_forest_threshold_is_kept),
        cmocka_unit_test(test_row_of_flagged_is_kept),
        cmocka_unit_test(test_window_of_time),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_newer_version),
        cmocka_unit_test(test_memory_is_justified),
        cmocka_unit_test(test_memory_of_forests),
        cmocka_unit_test(test_lies_cost_nothing),
        cmocka_unit_test(test_reserve),
    };
    size_t n = 0;
    for (size_t k = 0; k < EACH; k++)
        for (size_t i = 0; i < ARRAY_COUNT(SAMPLES); i++, n++) {
            snprintf(labels[n], sizeof labels[n], "%s: %s", names[k], SAMPLES[i].name);
            tests[n] = (struct CMUnitTest){labels[n], each[k], NULL, NULL, (void *)(uintptr_t)&SAMPLES[i]};
        }
    for (size_t i = 0; i < ARRAY_COUNT(once); i++)
        tests[n++] = once[i];
    return _cmocka_run_group_tests("snapshot", tests, n, NULL, NULL);
}
