/* SPDX-License-Identifier: MIT
 * manual.c - include/anomaly.h is the manual: its tables and general rules, compared with what the library does. The statuses
 * of each call are in statuses.c. */
#include "../support/header.h"
#include "../support/snapshots.h"

/* ---- the table of defaults: a line for each option, a column for each kind ---- */

enum { MOST_OPTIONS = 100, MOST_CELLS = 8 };

typedef struct row {
    char cell[MOST_CELLS]
             [32]; /* the option, a default for each kind, for what profiles set its value with fast and accurate */
    int cells;
} row;

typedef struct table {
    row titles, of[MOST_OPTIONS];
    int rows;
} table;

static row row_of(const char *text, size_t length)
{
    row r = {.cells = 0};
    char line[128];
    int used = 0;
    assert_true(length < sizeof line);
    memcpy(line, text, length);
    line[length] = 0;
    for (const char *at = line; r.cells < MOST_CELLS && sscanf(at, " %31s%n", r.cell[r.cells], &used) == 1; at += used)
        r.cells++;
    return r;
}

/* The lines from the one of the titles to the first without a row. */
static table read_table(const char *header)
{
    static const char BEGIN[] = " *     ", TITLE[] = " *     option ";
    const char *line = strstr(header, TITLE);
    table t = {.rows = 0};
    assert_non_null(line);
    for (int first = 1; strncmp(line, BEGIN, strlen(BEGIN)) == 0; line = strchr(line, '\n') + 1, first = 0) {
        const char *cells = line + strlen(BEGIN);
        row r = row_of(cells, strcspn(cells, "\n"));
        assert_true(t.rows < MOST_OPTIONS);
        if (first)
            t.titles = r;
        else
            t.of[t.rows++] = r;
    }
    return t;
}

static const row *find_row(const table *t, const char *option)
{
    for (int i = 0; i < t->rows; i++)
        if (strcmp(t->of[i].cell[0], option) == 0)
            return &t->of[i];
    print_error("the header's table of defaults has no row for %s\n", option);
    fail();
    return NULL;
}

static int check_cell(const anomaly_config *config, const anomaly_option *option, const char *cell)
{
    char text[64] = "-";
    if (option->kinds & 1u << config->kind)
        assert_ok(anomaly_config_get(config, option->name, text, sizeof text));
    if (strcmp(cell, text) != 0)
        print_error("%s of kind %d: the header says %s, the library %s\n", option->name, config->kind, cell, text);
    return strcmp(cell, text) == 0;
}

/* The number of the kind that a column is named after. */
static int kind_named(const char *name)
{
    const anomaly_kind_info *info;
    for (size_t i = 0; (info = anomaly_kind_at(i)) != NULL; i++)
        if (strcmp(info->name, name) == 0)
            return info->kind;
    print_error("the header's table of defaults has a column %s\n", name);
    fail();
    return 0;
}

static void test_the_table_of_defaults_is_that_of_the_library(void **state)
{
    char *header = read_header();
    table t = read_table(header);
    const anomaly_option *option;
    int options = 0, right = 1, kinds = t.titles.cells - 1;
    anomaly_config config;
    (void)state;
    for (; (option = anomaly_option_at((size_t)options)) != NULL; options++)
        for (int column = 1; column <= kinds; column++) {
            assert_ok(anomaly_config_init(&config, sizeof config, kind_named(t.titles.cell[column])));
            right &= check_cell(&config, option, find_row(&t, option->name)->cell[column]);
        }
    assert_null(anomaly_kind_at((size_t)kinds));
    assert_int_equal(t.rows, options);
    assert_true(right);
    free(header);
}

/* The row of `profile` has the names of the others; what they set stands below the names. */
static void test_the_table_of_defaults_has_the_profiles(void **state)
{
    char *header = read_header();
    table t = read_table(header);
    const row *profile = find_row(&t, "profile");
    int set = 0, right = 1, first = t.titles.cells;
    (void)state;
    assert_true(profile->cells == first + 2);
    for (int column = first; column < profile->cells; column++) {
        anomaly_config config;
        assert_ok(anomaly_config_init(&config, sizeof config, ANOMALY_IFOREST));
        assert_ok(anomaly_config_set(&config, "profile", profile->cell[column], NULL));
        const anomaly_option *option;
        for (size_t i = 0; (option = anomaly_option_at(i)) != NULL; i++) {
            const row *r = find_row(&t, option->name);
            if (r == profile || r->cells <= first)
                continue;
            right &= check_cell(&config, option, r->cell[column]);
            set++;
        }
    }
    assert_int_equal(set, 2 * 5);
    assert_true(right);
    free(header);
}

/* ---- the scale of the score: 0, 1, the least and the largest of each kind ---- */

/* 1 to 5, mean 3, variance 10 / 4. */
static void test_the_scale_of_a_zscore(void **state)
{
    const double x[] = {1, 2, 3, 4, 5};
    anomaly_detector *d = zscore_of("window=5"), *upper = zscore_of("window=5 side=upper");
    (void)state;
    assert_nan(judge(d, 1).score);
    teach_all(d, x, 1);
    assert_nan(judge(d, 1).score); /* no more than ddof values */
    teach_all(d, x + 1, 4);
    teach_all(upper, x, 5);
    assert_same(judge(d, 3).score, 0);
    assert_close(judge(d, 3 + sqrt(2.5)).score, 1, 1e-15);
    assert_close(judge(d, 3 - sqrt(2.5)).score, 1, 1e-15);
    assert_close(judge(upper, 3 - sqrt(2.5)).score, -1, 1e-15);
    assert_same(judge(d, (double)-INFINITY).score, (double)INFINITY);
    assert_same(judge(upper, (double)-INFINITY).score, (double)-INFINITY);
    assert_nan(judge(d, (double)NAN).score);
    anomaly_destroy(d);
    anomaly_destroy(upper);
}

/* 0 to 100: the percentiles are 1 and 99, which are 98 apart. */
static void test_the_scale_of_a_percentile(void **state)
{
    anomaly_detector *d = percentile_of("window=101");
    (void)state;
    assert_nan(judge(d, 1).score);
    for (int i = 0; i <= 100; i++)
        teach(d, i);
    assert_same(judge(d, 99).score, 0);
    assert_false(flagged(judge(d, 99)));
    assert_true(flagged(judge(d, 99.5)));
    assert_same(judge(d, 50).score, -0.5);
    assert_same(judge(d, 99 + 98).score, 1);
    assert_same(judge(d, 1 - 98).score, 1);
    assert_same(judge(d, (double)INFINITY).score, (double)INFINITY);
    assert_nan(judge(d, (double)NAN).score);
    anomaly_destroy(d);
}

static void test_the_scale_of_a_forest(void **state)
{
    anomaly_detector *d = detector_of(ANOMALY_IFOREST, "window=256");
    (void)state;
    assert_same(judge(d, 1).score, 0.5);
    assert_nan(judge(d, 1).threshold);
    for (int i = 0; i < 256; i++)
        teach(d, i * 37 % 256);
    anomaly_verdict typical = judge(d, 128), far = judge(d, 1e9);
    assert_true(typical.score > 0.4 && typical.score < 0.6);
    assert_true(far.score > 0.8 && far.score < 1);
    assert_same(judge(d, (double)INFINITY).score, 1);
    assert_nan(judge(d, (double)NAN).score);
    assert_nan(typical.expected);
    assert_nan(typical.lower);
    anomaly_destroy(d);
}

/* ---- *used, *done, *error ---- */

enum { UNTOUCHED = 12345 };

static void test_used_is_the_bytes_written_and_untouched_on_an_error(void **state)
{
    anomaly_detector *d = zscore_of("window=10");
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=10", NULL);
    unsigned char bytes[4096];
    size_t size, used = UNTOUCHED;
    uint64_t slot;
    (void)state;
    assert_error(anomaly_snapshot(d, bytes, 3, &used), ANOMALY_E_SPACE);
    assert_error(anomaly_pool_snapshot(pool, bytes, 3, &used), ANOMALY_E_SPACE);
    assert_ok(anomaly_pool_slot(pool, "key", 3, &slot));
    assert_error(anomaly_pool_export(pool, "key", 3, bytes, 3, &used), ANOMALY_E_SPACE);
    assert_error(anomaly_pool_export(pool, "none", 4, bytes, sizeof bytes, &used), ANOMALY_E_NOTFOUND);
    assert_int_equal(used, UNTOUCHED);
    assert_ok(anomaly_snapshot_size(d, &size));
    assert_ok(anomaly_snapshot(d, bytes, sizeof bytes, &used));
    assert_int_equal(used, size);
    assert_ok(anomaly_pool_snapshot_size(pool, &size));
    assert_ok(anomaly_pool_snapshot(pool, bytes, sizeof bytes, &used));
    assert_int_equal(used, size);
    assert_ok(anomaly_pool_export(pool, "key", 3, NULL, 0, &size));
    assert_ok(anomaly_pool_export(pool, "key", 3, bytes, sizeof bytes, &used));
    assert_int_equal(used, size);
    anomaly_pool_destroy(pool);
    anomaly_destroy(d);
}

static void check_done(int got, int wanted, size_t *done, size_t rows)
{
    assert_int_equal(got, wanted);
    assert_int_equal(*done, rows);
    *done = UNTOUCHED;
}

/* The third row has no time, which a window of time needs. */
static void test_done_counts_the_rows_with_every_status(void **state)
{
    static const double x[3] = {1, 2, 3};
    static const int64_t times[3] = {1, 2, ANOMALY_NO_TIME};
    static const char *const names[3] = {"key", "key", "key"};
    anomaly_rows two = {.count = 2, .values = x, .times = times}, three = two;
    anomaly_keys keys = {.keys = names}, none = {.keys = NULL};
    anomaly_detector *d = zscore_of("window=10s");
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=10s", NULL);
    size_t done = UNTOUCHED;
    (void)state;
    three.count = 3;
    check_done(anomaly_update_rows(d, &two, NULL, &done), ANOMALY_OK, &done, 2);
    check_done(anomaly_update_rows(d, &three, NULL, &done), ANOMALY_E_ARG, &done, 2);
    check_done(anomaly_update_rows(NULL, &two, NULL, &done), ANOMALY_E_ARG, &done, 0);
    check_done(anomaly_score_rows(d, &three, NULL, &done), ANOMALY_E_ARG, &done, 2);
    check_done(anomaly_score_rows(d, NULL, NULL, &done), ANOMALY_E_ARG, &done, 0);
    check_done(anomaly_learn_rows(d, &three, &done), ANOMALY_E_ARG, &done, 2);
    check_done(anomaly_learn_rows(NULL, NULL, &done), ANOMALY_E_ARG, &done, 0);
    check_done(anomaly_pool_update_rows(pool, &keys, &two, NULL, &done), ANOMALY_OK, &done, 2);
    check_done(anomaly_pool_update_rows(pool, &keys, &three, NULL, &done), ANOMALY_E_ARG, &done, 2);
    check_done(anomaly_pool_update_rows(pool, &none, &three, NULL, &done), ANOMALY_E_ARG, &done, 0);
    check_done(anomaly_pool_update_rows(pool, NULL, &three, NULL, &done), ANOMALY_E_ARG, &done, 0);
    check_done(anomaly_pool_update_rows(NULL, &keys, &three, NULL, &done), ANOMALY_E_ARG, &done, 0);
    anomaly_pool_destroy(pool);
    anomaly_destroy(d);
}

static void check_told(int status, anomaly_error *error)
{
    assert_int_equal(status, ANOMALY_E_ARG);
    assert_int_equal(error->status, ANOMALY_E_ARG);
    assert_true(error->message[0] != 0);
    memset(error, 0, sizeof *error);
}

static void test_every_call_sets_its_error(void **state)
{
    anomaly_config config;
    anomaly_error e = {0};
    (void)state;
    config_of(&config, ANOMALY_ZSCORE, "");
    check_told(anomaly_config_set(&config, "window", NULL, &e), &e);
    check_told(anomaly_create(&config, NULL, NULL, &e), &e);
    check_told(anomaly_restore("", 0, NULL, NULL, &e), &e);
    check_told(anomaly_pool_create(&config, NULL, NULL, NULL, &e), &e);
    check_told(anomaly_pool_restore("", 0, NULL, NULL, NULL, NULL, &e), &e);
    check_told(anomaly_pool_restore_read(NULL, NULL, NULL, NULL, NULL, NULL, &e), &e);
    check_told(anomaly_pool_import(NULL, "key", 3, "", 0, &e), &e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_table_of_defaults_is_that_of_the_library),
        cmocka_unit_test(test_the_table_of_defaults_has_the_profiles),
        cmocka_unit_test(test_the_scale_of_a_zscore),
        cmocka_unit_test(test_the_scale_of_a_percentile),
        cmocka_unit_test(test_the_scale_of_a_forest),
        cmocka_unit_test(test_used_is_the_bytes_written_and_untouched_on_an_error),
        cmocka_unit_test(test_done_counts_the_rows_with_every_status),
        cmocka_unit_test(test_every_call_sets_its_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
