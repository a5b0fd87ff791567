/* SPDX-License-Identifier: MIT
 * suggest.c - anomaly_suggest(): what is proposed for series whose nature is known, what is counted, what is refused. That rhythm
 * and lean are measured right is tested in model/suggest.c. */
#include "../support/test.h"

#include "../support/random.h"

#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

enum { MOST = 60000 };

typedef struct data {
    double x[MOST];
    int64_t t[MOST];
    size_t count;
} data;

static data *new_data(size_t count, int64_t step_ns)
{
    data *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->count = count;
    for (size_t i = 0; i < count; i++)
        d->t[i] = (int64_t)i * step_ns + 1700000000 * SECOND;
    return d;
}

static anomaly_rows rows_of(const data *d, int timed)
{
    return (anomaly_rows){.count = d->count, .values = d->x, .times = timed ? d->t : NULL};
}

static anomaly_suggestion suggested(const anomaly_rows *rows, const anomaly_keys *keys, uint32_t features,
                                    anomaly_config *config)
{
    anomaly_suggestion s = {.struct_size = sizeof s};
    anomaly_error error;
    config_of(config, ANOMALY_ZSCORE, "");
    config->features = features;
    if (anomaly_suggest(rows, keys, NULL, config, &s, &error) != ANOMALY_OK) {
        print_error("suggest: %s\n", error.message);
        fail();
    }
    assert_int_equal(s.struct_size, sizeof s);
    assert_true(s.reason_count > 0 && s.reason_count <= ARRAY_COUNT(s.reasons));
    return s;
}

static void check_option(const anomaly_config *config, const char *name, const char *want)
{
    char text[64];
    assert_ok(anomaly_config_get(config, name, text, sizeof text));
    assert_string_equal(text, want);
}

static const char *reason_of(const anomaly_suggestion *s, const char *option)
{
    for (uint32_t i = 0; i < s->reason_count; i++)
        if (strcmp(s->reasons[i].option, option) == 0)
            return s->reasons[i].text;
    return NULL;
}

/* ---- what is proposed ---- */

static void test_noise_without_times(void **state)
{
    data *d = new_data(5000, SECOND);
    random_state r = {1};
    anomaly_config config;
    (void)state;
    for (size_t i = 0; i < d->count; i++)
        d->x[i] = random_normal(&r);
    anomaly_rows rows = rows_of(d, 0);
    anomaly_suggestion s = suggested(&rows, NULL, 1, &config);
    assert_int_equal(config.kind, ANOMALY_MAHALANOBIS);
    check_option(&config, "transform", "none");
    check_option(&config, "season", "off");
    check_option(&config, "alarms", "auto");
    check_option(&config, "rest", "30");
    assert_int_equal(anomaly_needs_times(&config), 0);
    assert_int_equal(s.interval_ns, 0);
    assert_nan(s.alarms_a_day);
    assert_int_equal(s.first, 2500);
    free(d);
}

static void test_amounts_are_judged_by_their_logarithms(void **state)
{
    data *d = new_data(20000, MINUTE);
    random_state r = {2};
    anomaly_config config;
    (void)state;
    for (size_t i = 0; i < d->count; i++)
        d->x[i] = exp(3 + random_normal(&r));
    anomaly_rows rows = rows_of(d, 1);
    suggested(&rows, NULL, 1, &config);
    check_option(&config, "transform", "log");
    check_option(&config, "alarms", "auto");
    check_option(&config, "rest", "30m");
    for (size_t i = 0; i < d->count; i++)
        d->x[i] = floor(d->x[i]); /* counts: one may be 0 another time */
    suggested(&rows, NULL, 1, &config);
    check_option(&config, "transform", "log1p");
    d->x[19999] = -1;
    suggested(&rows, NULL, 1, &config);
    check_option(&config, "transform", "none");
    free(d);
}

/* Without times a rhythm makes the whole lean, as its logarithms do not: but it is no skewness. */
static void test_a_rhythm_without_times_is_no_lean(void **state)
{
    data *d = new_data(5760, 15 * MINUTE);
    random_state r = {8};
    anomaly_config config;
    (void)state;
    for (size_t i = 0; i < d->count; i++)
        d->x[i] = exp(3 + 0.8 * sin((double)i * 3.141592653589793 / 48)) * (1 + 0.1 * random_normal(&r));
    anomaly_rows rows = rows_of(d, 0);
    anomaly_suggestion s = suggested(&rows, NULL, 1, &config);
    check_option(&config, "transform", "none");
    assert_non_null(strstr(reason_of(&s, "transform"), "but values beside each other are not"));
    free(d);
}

static void rhythm(data *d, double week_end)
{
    random_state r = {3};
    for (size_t i = 0; i < d->count; i++) {
        double hours = (double)(d->t[i] % DAY) / (double)HOUR;
        int odd_day = (d->t[i] / DAY + 4) % 7 >= 5;
        d->x[i] = 100 + (odd_day ? week_end : 1) * 40 * sin(hours * 3.141592653589793 / 12) + 3 * random_normal(&r);
    }
}

static void test_days_and_weeks(void **state)
{
    data *d = new_data(30 * 288, 5 * MINUTE);
    anomaly_config config;
    (void)state;
    rhythm(d, 1);
    anomaly_rows rows = rows_of(d, 1);
    suggested(&rows, NULL, 1, &config);
    check_option(&config, "season", "1d");
    rhythm(d, 0.3);
    anomaly_suggestion s = suggested(&rows, NULL, 1, &config);
    check_option(&config, "season", "7d");
    assert_non_null(strstr(reason_of(&s, "season"), "week by week"));
    rows.count = 288 * 5 / 2; /* two days and a half show nothing, */
    s = suggested(&rows, NULL, 1, &config);
    assert_int_equal(s.whole, 1); /* ... 720 rows are few */
    rows.count = 288 * 14;
    suggested(&rows, NULL, 1, &config);
    check_option(&config, "season", "1d"); /* two weeks show no week */
    free(d);
}

/* The measure of a few days is a ratio of two means over different hours; a reader knows that no correlation is above 1. */
static void test_no_correlation_is_said_to_be_above_one(void **state)
{
    data *d = new_data(2000, 5 * MINUTE);
    anomaly_config config;
    (void)state;
    for (size_t i = 0; i < d->count; i++)
        d->x[i] = sin((double)i * 3.141592653589793 / 144);
    anomaly_rows rows = rows_of(d, 1);
    anomaly_suggestion s = suggested(&rows, NULL, 1, &config);
    check_option(&config, "season", "1d");
    assert_non_null(strstr(reason_of(&s, "season"), "correlation 1.00,"));
    free(d);
}

static void test_one_wrong_time_hides_no_rhythm(void **state)
{
    data *d = new_data(20 * 288, 5 * MINUTE);
    anomaly_config config;
    (void)state;
    rhythm(d, 1);
    d->t[3000] = INT64_C(4102444800) * SECOND;
    d->t[4000] = INT64_MIN + 1;
    anomaly_rows rows = rows_of(d, 1);
    anomaly_suggestion s = suggested(&rows, NULL, 1, &config);
    check_option(&config, "season", "1d");
    assert_int_equal(s.interval_ns, 5 * MINUTE);
    free(d);
}

static void test_a_counter_is_judged_by_its_rate(void **state)
{
    data *d = new_data(4000, 10 * SECOND);
    random_state r = {4};
    double total = 1e6;
    anomaly_config config;
    (void)state;
    for (size_t i = 0; i < d->count; i++) {
        total = i == 2500 ? 0 : total + floor(100 * random_unit(&r));
        d->x[i] = total;
    }
    anomaly_rows timed = rows_of(d, 1), untimed = rows_of(d, 0);
    suggested(&timed, NULL, 1, &config);
    check_option(&config, "transform", "rate");
    suggested(&untimed, NULL, 1, &config);
    check_option(&config, "transform", "diff");
    d->x[1000] = d->x[999] * 0.9; /* a counter does not fall a little */
    suggested(&timed, NULL, 1, &config);
    check_option(&config, "transform", "none");
    free(d);
}

static void test_few_rows_are_judged_beside_each_other(void **state)
{
    data *d = new_data(40, HOUR);
    anomaly_config config;
    (void)state;
    for (size_t i = 0; i < d->count; i++)
        d->x[i] = (double)(i * 7 % 10);
    d->x[17] = 100;
    anomaly_rows rows = rows_of(d, 1);
    anomaly_suggestion s = suggested(&rows, NULL, 1, &config);
    assert_int_equal(s.whole, 1);
    assert_int_equal(config.kind, ANOMALY_ZSCORE);
    check_option(&config, "robust", "1");
    assert_int_equal(s.alarms, 1);
    assert_int_equal(s.strongest[0], 17);
    /* Of the other 39, each of 0 .. 9 four times but one 9 (17 * 7 % 10): median 4, MAD 2 or 3: (100 - 4) / (1.4826 MAD) */
    assert_true(s.scores[0] > 96 / (1.4826 * 3) - 1e-9 && s.scores[0] < 97 / (1.4826 * 2));
    for (rows.count = 1; rows.count <= 6; rows.count++)
        assert_int_equal(suggested(&rows, NULL, 1, &config).whole, 1);
    free(d);
}

static void test_several_values(void **state)
{
    data *d = new_data(MOST / 4, MINUTE);
    random_state r = {5};
    anomaly_config config;
    (void)state;
    d->count = 3000;
    for (size_t i = 0; i < 3 * d->count; i++)
        d->x[i] = random_normal(&r);
    anomaly_rows rows = rows_of(d, 1);
    suggested(&rows, NULL, 3, &config);
    assert_int_equal(config.kind, ANOMALY_MAHALANOBIS);
    assert_int_equal(config.features, 3);
    for (size_t i = 0; i < 3 * d->count; i++)
        d->x[i] = i % 3 ? (double)random_below(&r, 4) : d->x[i]; /* states */
    suggested(&rows, NULL, 3, &config);
    assert_int_equal(config.kind, ANOMALY_IFOREST);
    rows = (anomaly_rows){.count = 400, .values = d->x};
    suggested(&rows, NULL, 129, &config);
    assert_int_equal(config.kind, ANOMALY_ZSCORE);
    free(d);
}

static void test_rare_events_have_a_longer_budget(void **state)
{
    data *d = new_data(3000, HOUR);
    random_state r = {6};
    anomaly_config config;
    (void)state;
    for (size_t i = 0; i < d->count; i++)
        d->x[i] = random_normal(&r);
    anomaly_rows rows = rows_of(d, 1);
    anomaly_suggestion s = suggested(&rows, NULL, 1, &config);
    check_option(&config, "alarms", "1/7d");
    check_option(&config, "rest", "1d");
    /* 125 days: counted are the last 30 */
    assert_int_equal(s.first, 3000 - 1 - 720);
    assert_int_equal(s.span_ns, 720 * HOUR);
    assert_close(s.alarms_a_day, (double)s.alarms / 30, 1e-12);
    free(d);
}

/* ---- what is counted ---- */

static void test_alarms_are_those_of_the_proposal(void **state)
{
    data *d = new_data(20000, MINUTE);
    random_state r = {7};
    anomaly_config config;
    anomaly_detector *detector;
    uint64_t alarms = 0;
    double strongest = 0;
    size_t at = 0;
    (void)state;
    for (size_t i = 0; i < d->count; i++)
        d->x[i] = random_normal(&r) + (i % 2900 == 2800 ? 20 + (double)(i % 7) : 0);
    anomaly_rows rows = rows_of(d, 1);
    anomaly_suggestion s = suggested(&rows, NULL, 1, &config);
    assert_ok(anomaly_create(&config, NULL, &detector, NULL));
    for (size_t i = 0; i < d->count; i++) {
        anomaly_verdict v = push_at(detector, d->x[i], d->t[i]);
        if (i < 10000 || !(v.flags & ANOMALY_ALARM))
            continue;
        alarms++;
        if (v.score > strongest) {
            strongest = v.score;
            at = i;
        }
    }
    assert_true(alarms >= 3);
    assert_int_equal(s.alarms, alarms);
    assert_int_equal(s.strongest[0], at);
    assert_same(s.scores[0], strongest);
    assert_int_equal(s.strongest_count, alarms < 10 ? alarms : 10);
    for (uint32_t i = 1; i < s.strongest_count; i++)
        assert_true(s.scores[i] <= s.scores[i - 1]);
    anomaly_destroy(detector);
    free(d);
}

static void test_the_layout_changes_nothing(void **state)
{
    data *d = new_data(4000, MINUTE);
    random_state r = {8};
    anomaly_config config, other;
    double *mixed = calloc(4000 * 2, sizeof *mixed);
    int64_t *backwards = calloc(4000, sizeof *backwards);
    (void)state;
    assert_non_null(mixed);
    assert_non_null(backwards);
    for (size_t i = 0; i < 4000; i++) {
        d->x[i] = i % 97 ? exp(random_normal(&r)) : (double)NAN;
        mixed[2 * (3999 - i) + 1] = d->x[i];
        backwards[3999 - i] = d->t[i];
    }
    anomaly_rows rows = rows_of(d, 1);
    const double *column = mixed + 2 * 3999 + 1;
    anomaly_rows strange = {
        .count = 4000, .columns = &column, .row_stride = -16, .times = backwards + 3999, .time_stride = -8};
    anomaly_suggestion s = suggested(&rows, NULL, 1, &config), t = suggested(&strange, NULL, 1, &other);
    assert_memory_equal(&config, &other, sizeof config);
    assert_memory_equal(s.reasons, t.reasons, sizeof s.reasons);
    assert_int_equal(s.alarms, t.alarms);
    assert_memory_equal(s.scores, t.scores, sizeof s.scores);
    free(mixed);
    free(backwards);
    free(d);
}

/* ---- keys ---- */

static void test_many_short_keys_are_judged_by_all(void **state)
{
    data *d = new_data(12000, SECOND);
    uint64_t *slots = calloc(d->count, sizeof *slots);
    random_state r = {9};
    anomaly_config config;
    (void)state;
    assert_non_null(slots);
    for (size_t i = 0; i < d->count; i++) {
        slots[i] = random_below(&r, 100);
        d->x[i] = 1 + floor(exp(1 + random_normal(&r)));
    }
    anomaly_rows rows = rows_of(d, 1);
    anomaly_keys keys = {.slots = slots};
    anomaly_suggestion s = suggested(&rows, &keys, 1, &config);
    assert_int_equal(s.keys, 100);
    check_option(&config, "population", "1");
    check_option(&config, "transform", "log1p");
    check_option(&config, "alarms", "off");
    free(slots);
    free(d);
}

static void test_long_keys_vote(void **state)
{
    data *d = new_data(12000, SECOND);
    const char **names = calloc(d->count, sizeof *names);
    random_state r = {10};
    anomaly_config config, single;
    (void)state;
    assert_non_null(names);
    for (size_t i = 0; i < d->count; i++) {
        names[i] = i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c";
        d->x[i] = i % 3 == 2 ? 10 + random_normal(&r) : exp(random_normal(&r));
    }
    anomaly_rows rows = rows_of(d, 1);
    anomaly_keys keys = {.keys = names};
    anomaly_suggestion s = suggested(&rows, &keys, 1, &config);
    assert_int_equal(s.keys, 3);
    assert_int_equal(s.interval_ns, 3 * SECOND);
    check_option(&config, "transform", "log"); /* of two of three */
    check_option(&config, "population", "0");
    for (size_t i = 0; i < d->count; i++)
        names[i] = "only";
    anomaly_suggestion alone = suggested(&rows, NULL, 1, &single), one = suggested(&rows, &keys, 1, &config);
    assert_int_equal(one.keys, 1);
    assert_memory_equal(&single, &config, sizeof config);
    assert_int_equal(alone.alarms, one.alarms);
    free(names);
    free(d);
}

/* ---- hard values, refusals ---- */

static void test_any_values_are_taken(void **state)
{
    static const double hard[] = {0, -0.0, 1e308, -1e308, 1e-310, 5, 5, 5, 5, 5};
    data *d = new_data(3000, DAY);
    random_state r = {11};
    anomaly_config config;
    (void)state;
    for (int round = 0; round < 12; round++) {
        for (size_t i = 0; i < d->count; i++) {
            d->x[i] = round == 0 ? (double)NAN : round == 1 ? 5.0 : hard[random_below(&r, (uint64_t)(round % 10) + 1)];
            if (round > 3 && one_in(&r, 50))
                d->x[i] = one_in(&r, 2) ? (double)INFINITY : (double)NAN;
            if (round > 5 && one_in(&r, 9))
                d->t[i] = one_in(&r, 2) ? ANOMALY_NO_TIME : (int64_t)(random_bits(&r) >> 1) * (one_in(&r, 2) ? 1 : -1);
        }
        anomaly_rows rows = rows_of(d, round % 3 != 2);
        suggested(&rows, NULL, 1, &config);
    }
    free(d);
}

static void check_refused(const anomaly_rows *rows, const anomaly_keys *keys, anomaly_config *config, anomaly_suggestion *s,
                          int status)
{
    anomaly_config config_before = *config;
    anomaly_suggestion before = *s;
    anomaly_error error;
    assert_error(anomaly_suggest(rows, keys, NULL, config, s, &error), status);
    assert_int_equal(error.status, status);
    assert_true(error.message[0] != '\0');
    assert_memory_equal(&config_before, config, sizeof *config);
    assert_memory_equal(&before, s, sizeof *s);
}

static void test_refusals(void **state)
{
    double x[2] = {1, 2};
    const char *names[2] = {"a", ""};
    anomaly_rows rows = {.count = 2, .values = x}, none = {.count = 0}, no_values = {.count = 2};
    anomaly_keys nothing = {0}, empty = {.keys = names};
    anomaly_config config;
    anomaly_suggestion s = {.struct_size = sizeof s};
    (void)state;
    config_of(&config, ANOMALY_WATCH, "");
    check_refused(&none, NULL, &config, &s, ANOMALY_E_EMPTY);
    check_refused(&no_values, NULL, &config, &s, ANOMALY_E_ARG);
    check_refused(&rows, &nothing, &config, &s, ANOMALY_E_ARG);
    check_refused(&rows, &empty, &config, &s, ANOMALY_E_ARG);
    s.struct_size++;
    check_refused(&rows, NULL, &config, &s, ANOMALY_E_VERSION);
    s.struct_size -= 2;
    check_refused(&rows, NULL, &config, &s, ANOMALY_E_ARG);
    s.struct_size++;
    config.features = 5000;
    check_refused(&rows, NULL, &config, &s, ANOMALY_E_ARG);
    assert_error(anomaly_suggest(NULL, NULL, NULL, &config, &s, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_suggest(&rows, NULL, NULL, NULL, &s, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_suggest(&rows, NULL, NULL, &config, NULL, NULL), ANOMALY_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noise_without_times),
        cmocka_unit_test(test_amounts_are_judged_by_their_logarithms),
        cmocka_unit_test(test_a_rhythm_without_times_is_no_lean),
        cmocka_unit_test(test_days_and_weeks),
        cmocka_unit_test(test_no_correlation_is_said_to_be_above_one),
        cmocka_unit_test(test_one_wrong_time_hides_no_rhythm),
        cmocka_unit_test(test_a_counter_is_judged_by_its_rate),
        cmocka_unit_test(test_few_rows_are_judged_beside_each_other),
        cmocka_unit_test(test_several_values),
        cmocka_unit_test(test_rare_events_have_a_longer_budget),
        cmocka_unit_test(test_alarms_are_those_of_the_proposal),
        cmocka_unit_test(test_the_layout_changes_nothing),
        cmocka_unit_test(test_many_short_keys_are_judged_by_all),
        cmocka_unit_test(test_long_keys_vote),
        cmocka_unit_test(test_any_values_are_taken),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
