/* SPDX-License-Identifier: MIT
 * statuses.c - what each call can answer is what the header says: every status in a list "Answers E_..., E_..." of
 * include/anomaly.h is provoked here, and none is provoked that its list leaves out. */
#include "../support/header.h"
#include "../support/snapshots.h"
#include "../support/test_memory.h"

/* ---- what was answered ---- */

static const struct {
    const char *name;
    int status;
} STATUSES[] = {{"E_ARG", ANOMALY_E_ARG},         {"E_NOMEM", ANOMALY_E_NOMEM},    {"E_CONFIG", ANOMALY_E_CONFIG},
                {"E_KIND", ANOMALY_E_KIND},       {"E_SPACE", ANOMALY_E_SPACE},    {"E_CORRUPT", ANOMALY_E_CORRUPT},
                {"E_VERSION", ANOMALY_E_VERSION}, {"E_FULL", ANOMALY_E_FULL},      {"E_NOTFOUND", ANOMALY_E_NOTFOUND},
                {"E_EMPTY", ANOMALY_E_EMPTY},     {"E_STOPPED", ANOMALY_E_STOPPED}};

typedef struct answers {
    char function[64];
    uint32_t provoked, listed; /* bit -status */
} answers;

static struct {
    answers of[100];
    size_t count;
} heard;

static answers *answers_of(const char *function)
{
    size_t i = 0;
    while (i < heard.count && strcmp(heard.of[i].function, function) != 0)
        i++;
    if (i == heard.count) {
        assert_true(heard.count < ARRAY_COUNT(heard.of));
        snprintf(heard.of[heard.count++].function, sizeof heard.of[i].function, "%s", function);
    }
    return &heard.of[i];
}

static void hear(const char *call, int wanted, int got, int line)
{
    char function[64] = "";
    sscanf(call, "%63[a-z_]", function);
    if (got != wanted)
        print_error("%s:%d: %s answers %d, not %d\n", __FILE__, line, call, got, wanted);
    assert_true(got == wanted);
    answers_of(function)->provoked |= 1u << -got;
}

#define ANSWERS(status, call) hear(#call, ANOMALY_##status, (call), __LINE__)

/* ---- what to provoke with ---- */

#define ENOUGH 100000 /* events, for a window to want memory */

static const double X[4] = {1, 2, 3, 4};
static const char KEY[] = "key";
#define A_KEY KEY, sizeof KEY

static test_memory budget;
static const anomaly_allocator memory = {memory_take, memory_give, &budget};

static void no_more_memory(void)
{
    memory_arm(&budget, 1, 1);
}

static void memory_again(void)
{
    memory_arm(&budget, 0, 0);
}

static anomaly_config config_for(int kind, const char *options)
{
    anomaly_config config;
    config_of(&config, kind, options);
    return config;
}

static anomaly_detector *detector_with(int kind, const char *options)
{
    anomaly_config config = config_for(kind, options);
    anomaly_detector *detector = NULL;
    memory_again();
    assert_ok(anomaly_create(&config, &memory, &detector, NULL));
    return detector;
}

static anomaly_pool *pool_with(const char *options, uint64_t max_keys, uint64_t max_bytes)
{
    anomaly_config config = config_for(ANOMALY_ZSCORE, options);
    anomaly_pool_options limits;
    anomaly_pool *pool = NULL;
    memory_again();
    assert_ok(anomaly_pool_options_init(&limits, sizeof limits));
    limits.max_keys = max_keys;
    limits.max_bytes = max_bytes;
    limits.refuse = 1;
    limits.shards = 1;
    assert_ok(anomaly_pool_create(&config, &limits, &memory, &pool, NULL));
    return pool;
}

static saved damaged(const saved *whole)
{
    saved s = {malloc(whole->size), whole->size};
    assert_non_null(s.bytes);
    memcpy(s.bytes, whole->bytes, s.size);
    s.bytes[s.size - 1] ^= 1;
    return s;
}

/* Of a format to come: its number lies behind the eight bytes that every snapshot begins with. */
static saved from_the_future(const saved *whole)
{
    saved s = damaged(whole);
    s.bytes[8] = 99;
    return s;
}

static int stop(void *ctx, const void *bytes, size_t size)
{
    (void)ctx, (void)bytes, (void)size;
    return 1;
}

static int stop_visit(void *ctx, uint64_t slot, const void *key, size_t key_size, const anomaly_detector *detector)
{
    (void)ctx, (void)slot, (void)key, (void)key_size, (void)detector;
    return 1;
}

static int give_nothing(void *ctx, void *bytes, size_t size, size_t *got)
{
    (void)ctx, (void)bytes, (void)size, (void)got;
    return 1;
}

typedef struct reading {
    const saved *from;
    size_t at;
} reading;

static int give(void *ctx, void *bytes, size_t size, size_t *got)
{
    reading *r = ctx;
    *got = size < r->from->size - r->at ? size : r->from->size - r->at;
    memcpy(bytes, r->from->bytes + r->at, *got);
    r->at += *got;
    return 0;
}

static int use_it(void *ctx, anomaly_detector *detector)
{
    (void)ctx;
    no_more_memory();
    ANSWERS(E_NOMEM, anomaly_set_threshold(detector, 2));
    memory_again();
    return 0;
}

/* ---- configuration ---- */

static void test_configuration(void **state)
{
    anomaly_config c = config_for(ANOMALY_ZSCORE, ""), newer = c, wrong = c;
    anomaly_detector *d = NULL;
    char text[64];
    size_t bytes;
    (void)state;
    newer.struct_size = sizeof newer + 8;
    wrong.features = 0;
    ANSWERS(E_ARG, anomaly_config_init(NULL, sizeof c, ANOMALY_ZSCORE));
    ANSWERS(E_VERSION, anomaly_config_init(&c, sizeof c + 8, ANOMALY_ZSCORE));
    ANSWERS(E_KIND, anomaly_config_init(&c, sizeof c, 99));
    ANSWERS(E_ARG, anomaly_config_set(&c, "window", NULL, NULL));
    ANSWERS(E_CONFIG, anomaly_config_set(&c, "window", "much", NULL));
    ANSWERS(E_ARG, anomaly_config_get(&c, NULL, text, sizeof text));
    ANSWERS(E_NOTFOUND, anomaly_config_get(&c, "widow", text, sizeof text));
    ANSWERS(E_CONFIG, anomaly_config_get(&wrong, "window", text, sizeof text));
    ANSWERS(E_SPACE, anomaly_config_get(&c, "window", text, 1));
    ANSWERS(E_ARG, anomaly_memory_needed(&c, NULL));
    ANSWERS(E_CONFIG, anomaly_memory_needed(&wrong, &bytes));
    ANSWERS(E_VERSION, anomaly_memory_needed(&newer, &bytes));
    ANSWERS(E_ARG, anomaly_create(&c, NULL, NULL, NULL));
    ANSWERS(E_CONFIG, anomaly_create(&wrong, NULL, &d, NULL));
    ANSWERS(E_VERSION, anomaly_create(&newer, NULL, &d, NULL));
    no_more_memory();
    ANSWERS(E_NOMEM, anomaly_create(&c, &memory, &d, NULL));
}

/* ---- a detector ---- */

static void test_a_detector_without_memory(void **state)
{
    static double x[ENOUGH];
    anomaly_detector *d = detector_with(ANOMALY_ZSCORE, "window=1000000");
    anomaly_detector *forest = detector_with(ANOMALY_IFOREST, "window=100000 contamination=0.1");
    const anomaly_rows rows = {.count = ENOUGH, .values = x};
    (void)state;
    for (int i = 0; i < 2000; i++) /* more than the first scores, which learning finds */
        assert_ok(anomaly_learn(forest, X, ANOMALY_NO_TIME));
    no_more_memory();
    ANSWERS(E_NOMEM, anomaly_reserve(d));
    ANSWERS(E_NOMEM, anomaly_update_rows(d, &rows, NULL, NULL));
    ANSWERS(E_NOMEM, anomaly_learn_rows(d, &rows, NULL));
    ANSWERS(E_NOMEM, anomaly_update(d, X, 0, NULL));
    ANSWERS(E_NOMEM, anomaly_learn(d, X, 0));
    ANSWERS(E_NOMEM, anomaly_rebuild(forest));
    anomaly_destroy(d);
    anomaly_destroy(forest);
    assert_true(budget.live == 0);
}

static void test_a_detector(void **state)
{
    anomaly_detector *d = zscore_of("window=10"), *p = percentile_of("window=10"), *f = detector_of(ANOMALY_IFOREST, "");
    anomaly_detector *awaiting = zscore_of("silence=3x");
    anomaly_rows empty = {.count = 1};
    anomaly_config c;
    anomaly_stats stats;
    anomaly_silence silence;
    double value;
    (void)state;
    ANSWERS(E_ARG, anomaly_set_threshold(d, (double)NAN));
    ANSWERS(E_ARG, anomaly_reserve(NULL));
    ANSWERS(E_ARG, anomaly_get_config(NULL, &c, sizeof c));
    ANSWERS(E_VERSION, anomaly_get_config(d, &c, sizeof c + 8));
    ANSWERS(E_ARG, anomaly_update(d, NULL, 0, NULL));
    ANSWERS(E_ARG, anomaly_score(d, NULL, 0, NULL));
    ANSWERS(E_ARG, anomaly_learn(d, NULL, 0));
    ANSWERS(E_ARG, anomaly_rebuild(NULL));
    ANSWERS(E_ARG, anomaly_advance(d, ANOMALY_NO_TIME));
    ANSWERS(E_ARG, anomaly_update_rows(d, &empty, NULL, NULL));
    ANSWERS(E_ARG, anomaly_score_rows(d, &empty, NULL, NULL));
    ANSWERS(E_ARG, anomaly_learn_rows(d, &empty, NULL));
    ANSWERS(E_ARG, anomaly_window_stats(d, 1, &stats));
    ANSWERS(E_ARG, anomaly_quantile(p, 0, 1.5, &value));
    ANSWERS(E_KIND, anomaly_quantile(d, 0, 0.5, &value));
    ANSWERS(E_EMPTY, anomaly_quantile(p, 0, 0.5, &value));
    ANSWERS(E_ARG, anomaly_explain(f, NULL, &value));
    ANSWERS(E_KIND, anomaly_explain(d, X, &value));
    ANSWERS(E_EMPTY, anomaly_explain(f, X, &value));
    ANSWERS(E_ARG, anomaly_overdue(awaiting, 0, NULL));
    ANSWERS(E_ARG, anomaly_overdue(awaiting, ANOMALY_NO_TIME, &silence));
    ANSWERS(E_CONFIG, anomaly_overdue(d, 0, &silence));
    ANSWERS(E_EMPTY, anomaly_overdue(awaiting, 0, &silence));
    ANSWERS(E_ARG, anomaly_counters(d, NULL));
    anomaly_destroy(awaiting);
    anomaly_destroy(d);
    anomaly_destroy(p);
    anomaly_destroy(f);
}

static void test_a_snapshot(void **state)
{
    anomaly_detector *d = zscore_of("window=10"), *copy = NULL;
    saved whole = save_detector(d), broken = damaged(&whole), newer = from_the_future(&whole);
    size_t used;
    (void)state;
    ANSWERS(E_ARG, anomaly_snapshot_size(d, NULL));
    ANSWERS(E_ARG, anomaly_snapshot(d, NULL, 0, &used));
    ANSWERS(E_SPACE, anomaly_snapshot(d, whole.bytes, 1, &used));
    ANSWERS(E_ARG, anomaly_snapshot_write(d, NULL, NULL));
    ANSWERS(E_STOPPED, anomaly_snapshot_write(d, stop, NULL));
    ANSWERS(E_ARG, anomaly_restore(NULL, 0, NULL, &copy, NULL));
    ANSWERS(E_CORRUPT, anomaly_restore(broken.bytes, broken.size, NULL, &copy, NULL));
    ANSWERS(E_VERSION, anomaly_restore(newer.bytes, newer.size, NULL, &copy, NULL));
    no_more_memory();
    ANSWERS(E_NOMEM, anomaly_restore(whole.bytes, whole.size, &memory, &copy, NULL));
    anomaly_destroy(d);
    free(whole.bytes);
    free(broken.bytes);
    free(newer.bytes);
}

/* ---- a suggestion ---- */

static void test_a_suggestion(void **state)
{
    anomaly_config c = config_for(ANOMALY_ZSCORE, "");
    anomaly_suggestion s = {.struct_size = sizeof s}, newer = {.struct_size = sizeof s + 8};
    const anomaly_rows rows = {.count = 4, .values = X}, none = {.values = X};
    (void)state;
    ANSWERS(E_ARG, anomaly_suggest(NULL, NULL, NULL, &c, &s, NULL));
    ANSWERS(E_VERSION, anomaly_suggest(&rows, NULL, NULL, &c, &newer, NULL));
    ANSWERS(E_EMPTY, anomaly_suggest(&none, NULL, NULL, &c, &s, NULL));
    no_more_memory();
    ANSWERS(E_NOMEM, anomaly_suggest(&rows, NULL, &memory, &c, &s, NULL));
    memory_again();
}

/* ---- a pool ---- */

static void test_a_pool_is_made(void **state)
{
    anomaly_config c = config_for(ANOMALY_ZSCORE, ""), wrong = c;
    anomaly_pool_options options, newer;
    anomaly_pool *pool = NULL;
    (void)state;
    assert_ok(anomaly_pool_options_init(&options, sizeof options));
    newer = options;
    newer.struct_size += 8;
    wrong.features = 0;
    ANSWERS(E_ARG, anomaly_pool_options_init(NULL, sizeof options));
    ANSWERS(E_VERSION, anomaly_pool_options_init(&options, sizeof options + 8));
    ANSWERS(E_ARG, anomaly_pool_create(&c, &options, NULL, NULL, NULL));
    ANSWERS(E_CONFIG, anomaly_pool_create(&wrong, &options, NULL, &pool, NULL));
    ANSWERS(E_VERSION, anomaly_pool_create(&c, &newer, NULL, &pool, NULL));
    no_more_memory();
    ANSWERS(E_NOMEM, anomaly_pool_create(&c, &options, &memory, &pool, NULL));
}

static void test_a_pool_of_one_key(void **state)
{
    const char *const keys[] = {"another"};
    const anomaly_rows rows = {.count = 1, .values = X};
    const anomaly_keys by_key = {.keys = keys}, by_slot = {.slots = &(uint64_t){UINT64_MAX}}, by_none = {0};
    anomaly_pool *pool = pool_with("window=10", 1, 0);
    anomaly_config c;
    uint64_t slot;
    (void)state;
    ANSWERS(E_ARG, anomaly_pool_slot(pool, "", 0, &slot));
    assert_ok(anomaly_pool_slot(pool, A_KEY, &slot));
    ANSWERS(E_FULL, anomaly_pool_slot(pool, "other", 5, &slot));
    ANSWERS(E_ARG, anomaly_pool_find(pool, A_KEY, NULL));
    ANSWERS(E_NOTFOUND, anomaly_pool_find(pool, "other", 5, &slot));
    ANSWERS(E_ARG, anomaly_pool_update(pool, A_KEY, NULL, 0, NULL));
    ANSWERS(E_FULL, anomaly_pool_update(pool, "other", 5, X, 0, NULL));
    ANSWERS(E_ARG, anomaly_pool_update_at(pool, slot, NULL, 0, NULL));
    ANSWERS(E_NOTFOUND, anomaly_pool_update_at(pool, UINT64_MAX, X, 0, NULL));
    ANSWERS(E_ARG, anomaly_pool_update_rows(pool, &by_none, &rows, NULL, NULL));
    ANSWERS(E_FULL, anomaly_pool_update_rows(pool, &by_key, &rows, NULL, NULL));
    ANSWERS(E_NOTFOUND, anomaly_pool_update_rows(pool, &by_slot, &rows, NULL, NULL));
    ANSWERS(E_ARG, anomaly_pool_advance(pool, ANOMALY_NO_TIME));
    ANSWERS(E_ARG, anomaly_pool_with(pool, slot, NULL, NULL));
    ANSWERS(E_NOTFOUND, anomaly_pool_with(pool, UINT64_MAX, use_it, NULL));
    assert_ok(anomaly_pool_with(pool, slot, use_it, NULL));
    ANSWERS(E_ARG, anomaly_pool_set_threshold(pool, (double)INFINITY));
    ANSWERS(E_ARG, anomaly_pool_get_config(NULL, &c, sizeof c));
    ANSWERS(E_VERSION, anomaly_pool_get_config(pool, &c, sizeof c + 8));
    ANSWERS(E_ARG, anomaly_pool_each(pool, NULL, NULL));
    ANSWERS(E_STOPPED, anomaly_pool_each(pool, stop_visit, NULL));
    ANSWERS(E_ARG, anomaly_pool_overdue(pool, 0, NULL, NULL));
    ANSWERS(E_CONFIG, anomaly_pool_overdue(pool, 0, stop_visit, NULL));
    ANSWERS(E_ARG, anomaly_pool_usage(pool, NULL));
    ANSWERS(E_ARG, anomaly_pool_counters(pool, NULL));
    ANSWERS(E_ARG, anomaly_pool_remove(pool, "", 0));
    ANSWERS(E_NOTFOUND, anomaly_pool_remove(pool, "other", 5));
    ANSWERS(E_ARG, anomaly_pool_evict(NULL, 0, 0, 0, NULL));
    anomaly_pool_destroy(pool);
}

static void test_a_pool_with_a_silent_key(void **state)
{
    anomaly_pool *pool = pool_with("silence=3x", 0, 0);
    (void)state;
    for (int i = 0; i < 20; i++)
        assert_ok(anomaly_pool_update(pool, A_KEY, X, i, NULL));
    ANSWERS(E_STOPPED, anomaly_pool_overdue(pool, 100, stop_visit, NULL));
    anomaly_pool_destroy(pool);
}

static void test_a_pool_without_memory(void **state)
{
    static double x[ENOUGH];
    static const char *keys[ENOUGH];
    const anomaly_rows rows = {.count = ENOUGH, .values = x};
    const anomaly_keys by = {.keys = keys};
    anomaly_pool *pool = pool_with("window=1000000", 0, 0), *small = pool_with("window=1000000", 0, 1 << 16);
    uint64_t slot;
    size_t size;
    unsigned char buffer[1];
    (void)state;
    for (size_t i = 0; i < ENOUGH; i++)
        keys[i] = KEY;
    assert_ok(anomaly_pool_slot(pool, KEY, strlen(KEY), &slot));
    no_more_memory();
    ANSWERS(E_NOMEM, anomaly_pool_slot(pool, "other", 5, &slot));
    ANSWERS(E_NOMEM, anomaly_pool_update_rows(pool, &by, &rows, NULL, NULL));
    ANSWERS(E_NOMEM, anomaly_pool_update(pool, KEY, strlen(KEY), X, 0, NULL));
    ANSWERS(E_NOMEM, anomaly_pool_update_at(pool, slot, X, 0, NULL));
    ANSWERS(E_NOMEM, anomaly_pool_snapshot_size(pool, &size));
    ANSWERS(E_NOMEM, anomaly_pool_snapshot(pool, buffer, sizeof buffer, &size));
    ANSWERS(E_NOMEM, anomaly_pool_snapshot_write(pool, stop, NULL));
    memory_again();
    ANSWERS(E_FULL, anomaly_pool_update_rows(small, &by, &rows, NULL, NULL));
    assert_ok(anomaly_pool_find(small, KEY, strlen(KEY), &slot));
    ANSWERS(E_FULL, anomaly_pool_update_at(small, slot, X, 0, NULL));
    anomaly_pool_destroy(pool);
    anomaly_pool_destroy(small);
    assert_true(budget.live == 0);
}

static void test_a_pool_is_saved_and_restored(void **state)
{
    anomaly_pool *pool = pool_with("window=10", 0, 0), *copy = NULL;
    anomaly_config other = config_for(ANOMALY_ZSCORE, "window=20");
    anomaly_pool_options one;
    anomaly_pool_options_init(&one, sizeof one);
    anomaly_pool_options newer = one;
    newer.struct_size += 8;
    one.max_keys = 1;
    one.refuse = 1;
    one.shards = 1;
    unsigned char buffer[1];
    size_t used;
    (void)state;
    for (int k = 0; k < 2; k++)
        assert_ok(anomaly_pool_update(pool, &KEY[k], 1, X, 0, NULL));
    saved whole = save_pool(pool), broken = damaged(&whole), future = from_the_future(&whole);
    ANSWERS(E_ARG, anomaly_pool_snapshot_size(pool, NULL));
    ANSWERS(E_ARG, anomaly_pool_snapshot(pool, NULL, 0, &used));
    ANSWERS(E_SPACE, anomaly_pool_snapshot(pool, buffer, sizeof buffer, &used));
    ANSWERS(E_ARG, anomaly_pool_snapshot_write(pool, NULL, NULL));
    ANSWERS(E_STOPPED, anomaly_pool_snapshot_write(pool, stop, NULL));
    ANSWERS(E_ARG, anomaly_pool_restore(NULL, 0, NULL, NULL, NULL, &copy, NULL));
    ANSWERS(E_CORRUPT, anomaly_pool_restore(broken.bytes, broken.size, NULL, NULL, NULL, &copy, NULL));
    ANSWERS(E_VERSION, anomaly_pool_restore(future.bytes, future.size, NULL, NULL, NULL, &copy, NULL));
    ANSWERS(E_CONFIG, anomaly_pool_restore(whole.bytes, whole.size, &other, NULL, NULL, &copy, NULL));
    ANSWERS(E_FULL, anomaly_pool_restore(whole.bytes, whole.size, NULL, &one, NULL, &copy, NULL));
    ANSWERS(E_ARG, anomaly_pool_restore_read(NULL, NULL, NULL, NULL, NULL, &copy, NULL));
    ANSWERS(E_STOPPED, anomaly_pool_restore_read(give_nothing, NULL, NULL, NULL, NULL, &copy, NULL));
    ANSWERS(E_CORRUPT, anomaly_pool_restore_read(give, &(reading){&broken, 0}, NULL, NULL, NULL, &copy, NULL));
    ANSWERS(E_VERSION, anomaly_pool_restore_read(give, &(reading){&future, 0}, NULL, NULL, NULL, &copy, NULL));
    ANSWERS(E_VERSION, anomaly_pool_restore_read(give, &(reading){&whole, 0}, NULL, &newer, NULL, &copy, NULL));
    ANSWERS(E_CONFIG, anomaly_pool_restore_read(give, &(reading){&whole, 0}, &other, NULL, NULL, &copy, NULL));
    ANSWERS(E_FULL, anomaly_pool_restore_read(give, &(reading){&whole, 0}, NULL, &one, NULL, &copy, NULL));
    no_more_memory();
    ANSWERS(E_NOMEM, anomaly_pool_restore(whole.bytes, whole.size, NULL, NULL, &memory, &copy, NULL));
    ANSWERS(E_NOMEM, anomaly_pool_restore_read(give, &(reading){&whole, 0}, NULL, NULL, &memory, &copy, NULL));
    assert_null(copy);
    anomaly_pool_destroy(pool);
    free(whole.bytes);
    free(broken.bytes);
    free(future.bytes);
}

static void test_a_key_goes_out_and_in(void **state)
{
    anomaly_pool *pool = pool_with("window=10", 1, 0);
    anomaly_detector *d = zscore_of("window=10"), *other = zscore_of("window=20");
    saved whole = save_detector(d), broken = damaged(&whole), newer = from_the_future(&whole), wrong = save_detector(other);
    unsigned char buffer[1];
    size_t used;
    (void)state;
    no_more_memory();
    ANSWERS(E_NOMEM, anomaly_pool_import(pool, A_KEY, whole.bytes, whole.size, NULL));
    memory_again();
    assert_ok(anomaly_pool_import(pool, A_KEY, whole.bytes, whole.size, NULL));
    ANSWERS(E_ARG, anomaly_pool_import(pool, A_KEY, NULL, 0, NULL));
    ANSWERS(E_CORRUPT, anomaly_pool_import(pool, A_KEY, broken.bytes, broken.size, NULL));
    ANSWERS(E_VERSION, anomaly_pool_import(pool, A_KEY, newer.bytes, newer.size, NULL));
    ANSWERS(E_CONFIG, anomaly_pool_import(pool, A_KEY, wrong.bytes, wrong.size, NULL));
    ANSWERS(E_FULL, anomaly_pool_import(pool, "other", 5, whole.bytes, whole.size, NULL));
    ANSWERS(E_ARG, anomaly_pool_export(pool, A_KEY, buffer, sizeof buffer, NULL));
    ANSWERS(E_NOTFOUND, anomaly_pool_export(pool, "other", 5, buffer, sizeof buffer, &used));
    ANSWERS(E_SPACE, anomaly_pool_export(pool, A_KEY, buffer, sizeof buffer, &used));
    anomaly_pool_destroy(pool);
    anomaly_destroy(d);
    anomaly_destroy(other);
    free(whole.bytes);
    free(broken.bytes);
    free(newer.bytes);
    free(wrong.bytes);
}

/* ---- what the header says ---- */

static uint32_t bit_of(const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_COUNT(STATUSES); i++)
        if (strlen(STATUSES[i].name) == length && memcmp(STATUSES[i].name, name, length) == 0)
            return 1u << -STATUSES[i].status;
    print_error("no status: %.*s\n", (int)length, name);
    fail();
    return 0;
}

/* "Answers E_ARG, E_SPACE." at the end of a comment, over several lines or not; 0 where it has no such list. */
static uint32_t listed_in(const char *comment, const char *end)
{
    const char *list = NULL;
    uint32_t bits = 0;
    for (const char *at = strstr(comment, "Answers "); at && at < end; at = strstr(at + 1, "Answers "))
        list = at + strlen("Answers ");
    while (list && list < end && *list != '.') {
        size_t length = strspn(list, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
        bits |= length ? bit_of(list, length) : 0;
        list += length ? length : 1;
    }
    return bits;
}

/* Every function that returns a status, with the comment before it. */
static size_t read_lists(const char *header)
{
    static const char DECLARED[] = "\nANOMALY_API int ";
    size_t functions = 0;
    for (const char *at = strstr(header, DECLARED); at; at = strstr(at + 1, DECLARED)) {
        char function[64] = "";
        const char *comment = at;
        sscanf(at + strlen(DECLARED), "%63[a-z_]", function);
        while (comment > header && strncmp(comment, "/**", 3) != 0)
            comment--;
        if (strcmp(function, "anomaly_version") == 0 || strcmp(function, "anomaly_needs_times") == 0)
            continue;
        answers_of(function)->listed = listed_in(comment, at);
        functions++;
    }
    return functions;
}

static int report(const char *function, uint32_t bits, const char *what)
{
    for (size_t i = 0; i < ARRAY_COUNT(STATUSES); i++)
        if (bits & 1u << -STATUSES[i].status)
            print_error("%s: %s %s\n", function, STATUSES[i].name, what);
    return bits != 0;
}

/* The last of all. */
static void test_the_header_lists_what_was_provoked_and_no_more(void **state)
{
    char *header = read_header();
    size_t functions = read_lists(header);
    int wrong = 0;
    (void)state;
    assert_true(functions == heard.count && functions > 40);
    for (size_t i = 0; i < heard.count; i++) {
        const answers *a = &heard.of[i];
        if (!a->listed)
            print_error("%s has no list of statuses in the header\n", a->function);
        wrong |= !a->listed;
        wrong |= report(a->function, a->provoked & ~a->listed, "is answered and not listed in the header");
        wrong |= report(a->function, a->listed & ~a->provoked, "is listed in the header and not provoked here");
    }
    free(header);
    assert_false(wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configuration),
        cmocka_unit_test(test_a_detector),
        cmocka_unit_test(test_a_detector_without_memory),
        cmocka_unit_test(test_a_snapshot),
        cmocka_unit_test(test_a_suggestion),
        cmocka_unit_test(test_a_pool_is_made),
        cmocka_unit_test(test_a_pool_of_one_key),
        cmocka_unit_test(test_a_pool_with_a_silent_key),
        cmocka_unit_test(test_a_pool_without_memory),
        cmocka_unit_test(test_a_pool_is_saved_and_restored),
        cmocka_unit_test(test_a_key_goes_out_and_in),
        cmocka_unit_test(test_the_header_lists_what_was_provoked_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
