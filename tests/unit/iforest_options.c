/* SPDX-License-Identifier: MIT
 * iforest_options.c - the options of the isolation forest: what they are by themselves, what is refused, what a seed does. */
#include "../support/test.h"

#include "../support/forest_data.h"

static void assert_option(const char *options, const char *name, const char *want)
{
    anomaly_config config;
    char text[64];
    config_of(&config, ANOMALY_IFOREST, options);
    assert_ok(anomaly_config_get(&config, name, text, sizeof text));
    if (strcmp(text, want) != 0)
        print_error("%s after '%s'\n", name, options);
    assert_string_equal(text, want);
}

static void test_defaults(void **state)
{
    static const char *const DEFAULTS[][2] = {
        {"window", "2048"},  {"warmup", "64"},        {"threshold", "0"}, {"compare", "ge"},
        {"learn", "always"}, {"profile", "balanced"}, {"trees", "128"},   {"sample", "96"},
        {"depth", "8"},      {"candidates", "10"},    {"guided", "0.5"},  {"contamination", "0.01"},
        {"seed", "1"},       {"features", "1"},       {"reserve", "0"},   {"lags", "0"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(DEFAULTS); i++)
        assert_option("", DEFAULTS[i][0], DEFAULTS[i][1]);
}

static void test_profiles_set_their_options_together(void **state)
{
    static const char *const WANT[][5] = {{"profile=fast", "48", "64", "8", "10"},
                                          {"profile=balanced", "128", "96", "8", "10"},
                                          {"profile=accurate", "256", "96", "10", "16"}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_option(WANT[i][0], "trees", WANT[i][1]);
        assert_option(WANT[i][0], "sample", WANT[i][2]);
        assert_option(WANT[i][0], "depth", WANT[i][3]);
        assert_option(WANT[i][0], "candidates", WANT[i][4]);
        assert_option(WANT[i][0], "guided", "0.5");
    }
    assert_option("trees=7 guided=0.2 profile=fast", "trees", "48");
    assert_option("profile=fast trees=7", "trees", "7");
    assert_option("profile=accurate seed=9 window=300", "seed", "9");
    assert_option("seed=18446744073709551615", "seed", "18446744073709551615");
}

static void test_values_that_are_refused(void **state)
{
    static const char *const REFUSED[] = {"trees=0",
                                          "trees=1025",
                                          "trees=x",
                                          "sample=1",
                                          "sample=16385",
                                          "depth=0",
                                          "depth=33",
                                          "candidates=0",
                                          "candidates=17",
                                          "guided=-0.1",
                                          "guided=1.1",
                                          "guided=nan",
                                          "contamination=-0.01",
                                          "contamination=0.51",
                                          "contamination=1",
                                          "profile=best",
                                          "seed=-1",
                                          "seed=18446744073709551616",
                                          "seed=x",
                                          "lags=-1",
                                          "lags=4097",
                                          "lags=x",
                                          "features=0",
                                          "features=4097",
                                          "threshold=nan"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(REFUSED); i++) {
        anomaly_config config;
        anomaly_error error = {0};
        char name[32];
        assert_int_equal(sscanf(REFUSED[i], "%31[^=]", name), 1);
        if (config_try(&config, ANOMALY_IFOREST, REFUSED[i], &error) != ANOMALY_E_CONFIG)
            print_error("%s was taken\n", REFUSED[i]);
        assert_error(config_try(&config, ANOMALY_IFOREST, REFUSED[i], &error), ANOMALY_E_CONFIG);
        assert_string_equal(error.field, name);
    }
}

static void test_options_of_other_kinds_are_refused(void **state)
{
    static const char *const OTHERS[] = {"ddof=0",     "robust=1",    "min_stddev=1",     "flat=ignore",
                                         "lower=5",    "upper=95",    "quantile=nearest", "include_self=1",
                                         "side=upper", "max_late=1s", "max_jump=1s"};
    static const char *const OURS[] = {"trees=9",  "sample=9",        "depth=9", "candidates=9",
                                       "guided=0", "contamination=0", "seed=9",  "profile=fast"};
    anomaly_config config;
    anomaly_error error;
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(OTHERS); i++) {
        if (config_try(&config, ANOMALY_IFOREST, OTHERS[i], &error) != ANOMALY_E_CONFIG)
            print_error("%s was taken\n", OTHERS[i]);
        assert_error(config_try(&config, ANOMALY_IFOREST, OTHERS[i], &error), ANOMALY_E_CONFIG);
    }
    for (size_t i = 0; i < ARRAY_COUNT(OURS); i++) {
        assert_error(config_try(&config, ANOMALY_ZSCORE, OURS[i], &error), ANOMALY_E_CONFIG);
        assert_error(config_try(&config, ANOMALY_PERCENTILE, OURS[i], &error), ANOMALY_E_CONFIG);
    }
}

static void test_combinations_that_create_refuses(void **state)
{
    static const char *const REFUSED[][2] = {{"window=15 sample=10", "window"},
                                             {"window=300s", "window"},
                                             {"window=300s,500", "window"},
                                             {"window=64 sample=96", "sample"},
                                             {"window=1 sample=2", "window"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(REFUSED); i++) {
        anomaly_config config;
        anomaly_error error = {0};
        anomaly_detector *d = NULL;
        size_t bytes = 7;
        if (config_try(&config, ANOMALY_IFOREST, REFUSED[i][0], &error) != ANOMALY_OK)
            continue;
        if (anomaly_create(&config, NULL, &d, &error) != ANOMALY_E_CONFIG)
            print_error("%s was taken\n", REFUSED[i][0]);
        assert_error(anomaly_create(&config, NULL, &d, &error), ANOMALY_E_CONFIG);
        assert_string_equal(error.field, REFUSED[i][1]);
        assert_null(d);
        assert_error(anomaly_memory_needed(&config, &bytes), ANOMALY_E_CONFIG);
        assert_true(bytes == 7);
    }
}

/* Fields set directly are looked at as those set by name. */
static void test_fields_out_of_range(void **state)
{
    anomaly_config config, good;
    anomaly_detector *d = NULL;
    (void)state;
    config_of(&good, ANOMALY_IFOREST, "");
#define REFUSE(field, value)                                                     \
    do {                                                                         \
        config = good;                                                           \
        config.field = (value);                                                  \
        assert_error(anomaly_create(&config, NULL, &d, NULL), ANOMALY_E_CONFIG); \
    } while (0)
    REFUSE(trees, 0);
    REFUSE(trees, 1025);
    REFUSE(sample, 1);
    REFUSE(depth, 0);
    REFUSE(depth, 33);
    REFUSE(candidates, 17);
    REFUSE(guided, NAN);
    REFUSE(guided, 1.5);
    REFUSE(contamination, NAN);
    REFUSE(contamination, 0.6);
    REFUSE(profile, 3);
    REFUSE(window_ns, SECOND);
    REFUSE(window_events, 0);
    REFUSE(include_self, 1);
    REFUSE(features, 4097);
#undef REFUSE
}

static void test_get_config(void **state)
{
    anomaly_detector *d =
        forest_of("window=500 trees=33 sample=40 depth=5 candidates=3 guided=0.25 contamination=0.05 seed=77");
    anomaly_config c;
    (void)state;
    assert_ok(anomaly_get_config(d, &c, sizeof c));
    assert_int_equal(c.kind, ANOMALY_IFOREST);
    assert_true(c.window_events == 500 && c.trees == 33 && c.sample == 40 && c.depth == 5 && c.candidates == 3);
    assert_true(c.guided == 0.25 && c.contamination == 0.05 && c.seed == 77);
    assert_ok(anomaly_set_threshold(d, 0.7));
    assert_ok(anomaly_get_config(d, &c, sizeof c));
    assert_true(c.threshold == 0.7 && c.contamination == 0);
    anomaly_destroy(d);
}

static void test_seeds_give_different_forests(void **state)
{
    anomaly_detector *a = forest_of("features=2"), *b = forest_of("features=2 seed=1"), *c = forest_of("features=2 seed=2");
    random_state r = {3};
    int differ = 0;
    (void)state;
    for (int i = 0; i < 500; i++) {
        double x[2];
        normal_event(&r, x, 2, 0, 1);
        anomaly_verdict va = update(a, x), vb = update(b, x), vc = update(c, x);
        assert_same_verdict(&va, &vb);
        differ += va.score != vc.score;
    }
    assert_true(differ > 400);
    anomaly_destroy(a);
    anomaly_destroy(b);
    anomaly_destroy(c);
}

static void test_warmup_beyond_the_window(void **state)
{
    anomaly_config config;
    anomaly_detector *d = NULL;
    anomaly_error error = {0};
    (void)state;
    config_of(&config, ANOMALY_IFOREST, "window=100 warmup=500");
    int status = anomaly_create(&config, NULL, &d, &error);
    assert_true(status == ANOMALY_OK ? error.message[0] != '\0' : status == ANOMALY_E_CONFIG);
    anomaly_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_profiles_set_their_options_together),
        cmocka_unit_test(test_values_that_are_refused),
        cmocka_unit_test(test_options_of_other_kinds_are_refused),
        cmocka_unit_test(test_combinations_that_create_refuses),
        cmocka_unit_test(test_fields_out_of_range),
        cmocka_unit_test(test_get_config),
        cmocka_unit_test(test_seeds_give_different_forests),
        cmocka_unit_test(test_warmup_beyond_the_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
