/* SPDX-License-Identifier: MIT
 * iforest.c - the isolation forest as a detector: options, verdicts, thresholds, policies, explanation, and how well it
 * finds what was planted. The scores themselves are compared with a slow forest in tests/model/forest.c. */
#include "../support/test.h"

#include "../support/exact.h"
#include "../support/forest_data.h"

enum { WIDEST = 4096 };

static anomaly_detector *forest_of(const char *options)
{
    return detector_of(ANOMALY_IFOREST, options);
}

static anomaly_verdict update(anomaly_detector *d, const double *x)
{
    anomaly_verdict v;
    assert_ok(anomaly_update(d, x, ANOMALY_NO_TIME, &v));
    return v;
}

static anomaly_verdict score(const anomaly_detector *d, const double *x)
{
    anomaly_verdict v;
    assert_ok(anomaly_score(d, x, ANOMALY_NO_TIME, &v));
    return v;
}

/* `count` standard normal events of `features`. */
static void teach_normal(anomaly_detector *d, random_state *r, int count, uint32_t features)
{
    double x[WIDEST];
    for (int i = 0; i < count; i++) {
        normal_event(r, x, features, 0, 1);
        assert_ok(anomaly_learn(d, x, ANOMALY_NO_TIME));
    }
}

/* ---- options ---- */

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
        {"window", "2048"},      {"warmup", "64"},          {"threshold", "0.6"}, {"compare", "ge"}, {"learn", "always"},
        {"profile", "balanced"}, {"trees", "128"},          {"sample", "96"},     {"depth", "8"},    {"candidates", "10"},
        {"guided", "0.5"},       {"contamination", "0.01"}, {"seed", "1"},        {"features", "1"}, {"reserve", "0"}};
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

/* ---- the verdict ---- */

static void test_verdict_fields(void **state)
{
    anomaly_detector *d = forest_of("features=3 contamination=0 window=300");
    random_state r = {1};
    double odd[3] = {0, 50, 0}, usual[3] = {0, 0, 0};
    anomaly_verdict v;
    (void)state;
    teach_normal(d, &r, 400, 3);
    v = score(d, odd);
    assert_true(v.score > 0.6 && v.score < 1);
    assert_same(v.threshold, 0.6);
    assert_nan(v.expected);
    assert_nan(v.lower);
    assert_nan(v.upper);
    assert_int_equal(v.flags, ANOMALY_IS_ANOMALY);
    assert_int_equal(v.feature, 1);
    assert_true(v.events == 300);
    v = score(d, usual);
    assert_true(v.score > 0.3 && v.score < 0.55);
    assert_int_equal(v.flags, 0);
    assert_int_equal(v.feature, 0);
    anomaly_destroy(d);
}

static void test_typical_events_score_about_half(void **state)
{
    static const char *const OPTIONS[] = {"features=2 profile=fast", "features=2", "features=8",
                                          "features=8 profile=accurate"};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(OPTIONS); k++) {
        anomaly_detector *d = forest_of(OPTIONS[k]);
        anomaly_config c;
        random_state r = {k};
        double mean = 0, x[8];
        assert_ok(anomaly_get_config(d, &c, sizeof c));
        teach_normal(d, &r, 2048, c.features);
        for (int i = 0; i < 1000; i++) {
            normal_event(&r, x, c.features, 0, 1);
            mean += score(d, x).score / 1000;
        }
        if (!(mean > 0.49 && mean < 0.56))
            print_error("%s: %.4f\n", OPTIONS[k], mean);
        assert_true(mean > 0.49 && mean < 0.56); /* fresh events are a little odder than those the trees were grown from */
        anomaly_destroy(d);
    }
}

static void test_warmup(void **state)
{
    anomaly_detector *d = forest_of("features=2 warmup=100 contamination=0");
    random_state r = {9};
    double x[2], odd[2] = {1e6, -1e6};
    (void)state;
    for (int i = 0; i < 100; i++) {
        anomaly_verdict v = score(d, odd);
        assert_true(has_flag(v, ANOMALY_WARMING_UP) && !flagged(v));
        assert_true(v.events == (uint64_t)i);
        assert_true(v.score > 0 && v.score < 1);
        if (i < 16)
            assert_same(v.score, 0.5);
        normal_event(&r, x, 2, 0, 1);
        assert_true(has_flag(update(d, x), ANOMALY_WARMING_UP));
    }
    assert_int_equal(score(d, odd).flags, ANOMALY_IS_ANOMALY);
    assert_true(counters_of(d).warming_up == 100);
    anomaly_destroy(d);
}

/* However small the warm-up: nothing is judged before there is a forest. */
static void test_no_forest_no_verdict(void **state)
{
    anomaly_detector *d = forest_of("warmup=1 contamination=0");
    double share = 7, x = 1;
    int first = -1;
    (void)state;
    assert_error(anomaly_explain(d, &x, &share), ANOMALY_E_EMPTY);
    assert_same(share, 7);
    for (int i = 0; i < 60 && first < 0; i++) {
        anomaly_verdict v = push(d, i % 7);
        first = has_flag(v, ANOMALY_WARMING_UP) ? -1 : i;
    }
    assert_true(first >= 16 && first <= 32);
    assert_ok(anomaly_explain(d, &x, &share));
    anomaly_destroy(d);
}

static void test_compare(void **state)
{
    anomaly_detector *ge = forest_of("contamination=0"), *gt = forest_of("contamination=0 compare=gt");
    random_state r = {4};
    (void)state;
    for (int i = 0; i < 300; i++) {
        double x = random_normal(&r);
        teach(ge, x);
        teach(gt, x);
    }
    double limit = judge(ge, 2.5).score;
    assert_ok(anomaly_set_threshold(ge, limit));
    assert_ok(anomaly_set_threshold(gt, limit));
    assert_true(flagged(judge(ge, 2.5)) && !flagged(judge(gt, 2.5)));
    anomaly_destroy(ge);
    anomaly_destroy(gt);
}

/* ---- thresholds ---- */

enum { SCORES = 4000 };

/* The quantile of the last scores, sorted anew for every event. */
static double slow_threshold(const double *scores, size_t scored, size_t window, double contamination)
{
    static double sorted[SCORES];
    size_t n = scored < window ? scored : window;
    memcpy(sorted, scores + scored - n, n * sizeof *sorted);
    exact_sort(sorted, n);
    return exact_linear(sorted, n, 1 - contamination);
}

static void test_contamination(void **state)
{
    static const struct {
        const char *options;
        size_t window, warmup;
        double contamination;
    } CASES[] = {{"features=3 window=300 contamination=0.01 profile=fast", 300, 64, 0.01},
                 {"features=3 window=257 contamination=0.1 warmup=20 profile=fast", 257, 20, 0.1},
                 {"features=3 window=100 contamination=0.5 learn=normal:3 profile=fast", 100, 64, 0.5}};
    static double scores[SCORES];
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(CASES); k++) {
        anomaly_detector *d = forest_of(CASES[k].options);
        random_state r = {k};
        size_t scored = 0, anomalies = 0;
        for (int i = 0; i < 1500; i++) {
            double x[3];
            normal_event(&r, x, 3, 0, one_in(&r, 30) ? 4 : 1);
            if (one_in(&r, 50))
                x[0] = one_in(&r, 2) ? (double)NAN : (double)INFINITY;
            anomaly_verdict v = update(d, x);
            double want =
                scored >= CASES[k].warmup ? slow_threshold(scores, scored, CASES[k].window, CASES[k].contamination) : 0.6;
            assert_same(v.threshold, want);
            if (!has_flag(v, ANOMALY_WARMING_UP | ANOMALY_NONFINITE)) {
                assert_true(flagged(v) == (v.score >= want));
                scores[scored++] = v.score;
                anomalies += flagged(v) != 0;
            }
        }
        double share = (double)anomalies / (double)scored;
        assert_true(share > CASES[k].contamination * 0.5 && share < CASES[k].contamination * 1.6 + 0.01);
        anomaly_destroy(d);
    }
}

/* The threshold belongs to the stream: scoring does not move it, nor does learning alone. */
static void test_only_updates_move_the_threshold(void **state)
{
    anomaly_detector *d = forest_of("features=2");
    random_state r = {6};
    double x[2], before;
    (void)state;
    for (int i = 0; i < 400; i++) {
        normal_event(&r, x, 2, 0, 1);
        update(d, x);
    }
    before = score(d, x).threshold;
    for (int i = 0; i < 100; i++) {
        normal_event(&r, x, 2, 0, 5);
        assert_same(score(d, x).threshold, before);
        assert_ok(anomaly_learn(d, x, ANOMALY_NO_TIME));
    }
    assert_same(score(d, x).threshold, before);
    anomaly_destroy(d);
}

static void test_set_threshold(void **state)
{
    anomaly_detector *d = forest_of("features=2");
    random_state r = {7};
    double x[2];
    (void)state;
    for (int i = 0; i < 300; i++) {
        normal_event(&r, x, 2, 0, 1);
        update(d, x);
    }
    assert_true(score(d, x).threshold != 0.9);
    assert_error(anomaly_set_threshold(d, NAN), ANOMALY_E_ARG);
    assert_error(anomaly_set_threshold(d, INFINITY), ANOMALY_E_ARG);
    assert_ok(anomaly_set_threshold(d, 0.9));
    for (int i = 0; i < 200; i++) {
        normal_event(&r, x, 2, 0, 1);
        assert_same(update(d, x).threshold, 0.9);
    }
    assert_ok(anomaly_set_threshold(d, 0.1));
    assert_true(flagged(update(d, x)));
    anomaly_destroy(d);
}

/* ---- learning, missing and infinite values ---- */

static void test_learning_policies(void **state)
{
    anomaly_detector *always = forest_of("contamination=0"), *normal = forest_of("contamination=0 learn=normal"),
                     *capped = forest_of("contamination=0 learn=normal:3");
    anomaly_detector *all[] = {always, normal, capped};
    random_state r = {8};
    (void)state;
    for (int i = 0; i < 500; i++) {
        double x = random_unit(&r);
        for (int k = 0; k < 3; k++)
            teach(all[k], x);
    }
    assert_true(count_of(always) <= 500);
    for (int i = 0; i < 6; i++) {
        anomaly_verdict a = push(always, 50), n = push(normal, 50), c = push(capped, 50);
        assert_true(flagged(n) && has_flag(n, ANOMALY_NOT_LEARNED));
        assert_true(!has_flag(a, ANOMALY_NOT_LEARNED));
        assert_true(has_flag(c, ANOMALY_NOT_LEARNED) == (flagged(c) && i < 2));
    }
    assert_true(stats_of(normal, 0).max < 1);
    assert_true(stats_of(always, 0).max == 50 && stats_of(capped, 0).max == 50);
    assert_true(counters_of(normal).skipped > counters_of(capped).skipped);
    for (int k = 0; k < 3; k++)
        anomaly_destroy(all[k]);
}

static void test_missing(void **state)
{
    anomaly_detector *d = forest_of("features=3 contamination=0");
    random_state r = {10};
    double part[3] = {0, NAN, 0}, odd[3] = {NAN, 40, 0}, none[3] = {NAN, NAN, NAN};
    uint64_t learned;
    (void)state;
    teach_normal(d, &r, 500, 3);
    anomaly_verdict v = update(d, part);
    assert_int_equal(v.flags, ANOMALY_MISSING);
    assert_true(v.score > 0.3 && v.score < 0.6);
    v = update(d, odd);
    assert_int_equal(v.flags, ANOMALY_MISSING | ANOMALY_IS_ANOMALY);
    assert_int_equal(v.feature, 1);
    learned = counters_of(d).learned;
    assert_true(learned == 502);
    v = update(d, none);
    assert_int_equal(v.flags, ANOMALY_MISSING);
    assert_nan(v.score);
    assert_true(counters_of(d).learned == learned && counters_of(d).missing == 3 && counters_of(d).anomalies == 1);
    anomaly_destroy(d);
}

static void test_infinite(void **state)
{
    anomaly_detector *d = forest_of("features=3");
    random_state r = {11};
    double up[3] = {0, 0, INFINITY}, down[3] = {0, -INFINITY, INFINITY}, all[3] = {INFINITY, INFINITY, INFINITY}, share[3];
    (void)state;
    anomaly_verdict v = score(d, up);
    assert_int_equal(v.flags, ANOMALY_NONFINITE | ANOMALY_WARMING_UP);
    teach_normal(d, &r, 500, 3);
    v = score(d, up);
    assert_int_equal(v.flags, ANOMALY_NONFINITE | ANOMALY_IS_ANOMALY);
    assert_same(v.score, 1);
    assert_int_equal(v.feature, 2);
    v = score(d, down);
    assert_int_equal(v.feature, 1);
    assert_ok(anomaly_explain(d, down, share));
    assert_true(share[0] == 0 && share[1] == 0.25 && share[2] == 0.25);
    uint64_t learned = counters_of(d).learned;
    update(d, all);
    assert_true(counters_of(d).learned == learned && counters_of(d).nonfinite == 1);
    for (int i = 0; i < 50; i++)
        update(d, up);
    assert_true(isfinite(stats_of(d, 2).max) && isfinite(stats_of(d, 0).max));
    up[2] = 0;
    v = score(d, up);
    assert_true(v.score > 0 && v.score < 1);
    anomaly_destroy(d);
}

static void test_counters(void **state)
{
    anomaly_detector *d = forest_of("features=2 contamination=0.05 learn=normal window=200");
    random_state r = {12};
    anomaly_counts want = {0};
    (void)state;
    for (int i = 0; i < 1200; i++) {
        double x[2];
        normal_event(&r, x, 2, 0, 1);
        x[1] = one_in(&r, 20) ? (double)NAN : x[1];
        anomaly_verdict v = update(d, x);
        want.events++;
        want.anomalies += flagged(v) != 0;
        want.warming_up += has_flag(v, ANOMALY_WARMING_UP) != 0;
        want.missing += has_flag(v, ANOMALY_MISSING) != 0;
        want.skipped += has_flag(v, ANOMALY_NOT_LEARNED) != 0;
    }
    want.learned = want.events - want.skipped;
    anomaly_counts got = counters_of(d);
    assert_memory_equal(&got, &want, sizeof got);
    assert_true(want.anomalies > 20 && want.skipped == want.anomalies);
    anomaly_destroy(d);
}

static void test_questions(void **state)
{
    anomaly_detector *d = forest_of("features=2 window=100"), *z = zscore_of("features=2");
    double x[2] = {1, 2}, share[2], value;
    (void)state;
    for (int i = 0; i < 150; i++) {
        x[0] = i;
        update(d, x);
    }
    assert_true(count_of(d) == 100);
    assert_same(stats_of(d, 0).min, 50);
    assert_same(stats_of(d, 0).max, 149);
    assert_close(stats_of(d, 0).mean, 99.5, 1e-14);
    assert_same(stats_of(d, 1).variance, 0);
    assert_error(anomaly_quantile(d, 0, 0.5, &value), ANOMALY_E_KIND);
    assert_error(anomaly_explain(z, x, share), ANOMALY_E_KIND);
    assert_error(anomaly_explain(NULL, x, share), ANOMALY_E_ARG);
    assert_error(anomaly_explain(d, NULL, share), ANOMALY_E_ARG);
    assert_error(anomaly_explain(d, x, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_rebuild(NULL), ANOMALY_E_ARG);
    assert_ok(anomaly_rebuild(z));
    anomaly_destroy(d);
    anomaly_destroy(z);
}

/* The window holds the last events, whole, while it grows, when it is full, and after a reset. */
static void check_window(int window)
{
    char options[64];
    snprintf(options, sizeof options, "features=3 profile=fast sample=16 window=%d", window);
    anomaly_detector *d = forest_of(options);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3 * window; i++) {
            double x[3] = {i, i % 5 == 3 ? (double)NAN : -i, 1e9 + i};
            int oldest = i < window ? 0 : i - window + 1, count = i - oldest + 1;
            assert_ok(anomaly_learn(d, x, ANOMALY_NO_TIME));
            assert_true(count_of(d) == (uint64_t)count);
            assert_same(stats_of(d, 0).min, oldest);
            assert_same(stats_of(d, 0).max, i);
            assert_same(stats_of(d, 1).max, -(oldest + (oldest % 5 == 3)));
            assert_same(stats_of(d, 2).min, 1e9 + oldest);
        }
        anomaly_reset(d);
    }
    anomaly_destroy(d);
}

static void test_window_keeps_its_events(void **state)
{
    (void)state;
    check_window(16);
    check_window(17);
    check_window(100);
    check_window(600);
}

/* Time is carried, not needed: the verdicts do not know it. */
static void test_time_does_not_matter(void **state)
{
    anomaly_detector *a = forest_of("features=2"), *b = forest_of("features=2");
    random_state r = {13};
    (void)state;
    for (int i = 0; i < 300; i++) {
        double x[2];
        anomaly_verdict v, w;
        normal_event(&r, x, 2, 0, 1);
        assert_ok(anomaly_update(a, x, ANOMALY_NO_TIME, &v));
        assert_ok(anomaly_update(b, x, (int64_t)random_bits(&r) / 2, &w));
        assert_same_verdict(&v, &w);
    }
    anomaly_destroy(a);
    anomaly_destroy(b);
}

static void test_reset(void **state)
{
    anomaly_detector *d = forest_of("features=2 window=200 learn=normal:4"),
                     *fresh = forest_of("features=2 window=200 learn=normal:4");
    random_state r = {14};
    double x[2];
    (void)state;
    for (int i = 0; i < 777; i++) {
        normal_event(&r, x, 2, 1e5, 30);
        update(d, x);
    }
    anomaly_reset(d);
    assert_same_state(d, fresh);
    for (int i = 0; i < 500; i++) {
        normal_event(&r, x, 2, 0, one_in(&r, 20) ? 5 : 1);
        anomaly_verdict v = update(d, x), w = update(fresh, x);
        assert_same_verdict(&v, &w);
    }
    anomaly_destroy(d);
    anomaly_destroy(fresh);
}

/* ---- batch ---- */

static void test_rebuild_of_little(void **state)
{
    anomaly_detector *d = forest_of("features=2");
    double x[2] = {1, 2};
    (void)state;
    assert_ok(anomaly_rebuild(d));
    assert_ok(anomaly_learn(d, x, ANOMALY_NO_TIME));
    assert_ok(anomaly_rebuild(d));
    for (int i = 0; i < 9; i++) {
        x[0] = i;
        assert_ok(anomaly_learn(d, x, ANOMALY_NO_TIME));
        assert_ok(anomaly_rebuild(d));
        anomaly_verdict v = score(d, x);
        assert_true(v.score > 0 && v.score < 1 && has_flag(v, ANOMALY_WARMING_UP));
    }
    for (int i = 0; i < 300; i++) {
        x[0] = i % 10;
        assert_true(isfinite(update(d, x).score));
    }
    anomaly_destroy(d);
}

/* The threshold after a rebuild is the quantile of what the new forest says of the window. */
static void test_rebuild_sets_the_threshold(void **state)
{
    enum { EVENTS = 600 };
    static double x[EVENTS][2], scores[EVENTS];
    anomaly_detector *d = forest_of("features=2 window=600 contamination=0.03");
    random_state r = {15};
    int anomalies = 0;
    (void)state;
    for (int i = 0; i < EVENTS; i++) {
        normal_event(&r, x[i], 2, 0, i % 50 == 7 ? 6 : 1);
        assert_ok(anomaly_learn(d, x[i], ANOMALY_NO_TIME));
    }
    assert_ok(anomaly_rebuild(d));
    for (int i = 0; i < EVENTS; i++) {
        scores[i] = score(d, x[i]).score;
        anomalies += flagged(score(d, x[i])) != 0;
    }
    exact_sort(scores, EVENTS);
    assert_same(score(d, x[0]).threshold, exact_linear(scores, EVENTS, 1 - 0.03));
    assert_int_equal(anomalies, 18);
    anomaly_destroy(d);
}

/* S12: 1000 standard normal points and 20 spread outside of radius 4, all learned, then judged. */
static double s12_auc(uint64_t seed, const char *options)
{
    enum { INSIDE = 1000, OUTSIDE = 20, ALL = INSIDE + OUTSIDE };
    static double x[ALL][2], scores[ALL];
    static int odd[ALL];
    random_state r = {seed * 1000 + 42};
    anomaly_config config;
    anomaly_detector *d = NULL;
    anomaly_rows rows = {.count = ALL, .values = &x[0][0]};
    anomaly_verdicts out = {.score = scores};
    for (int i = 0; i < ALL; i++) {
        odd[i] = i >= INSIDE;
        do {
            normal_event(&r, x[i], 2, 0, 1);
            if (odd[i])
                for (int f = 0; f < 2; f++)
                    x[i][f] = random_unit(&r) * 12 - 6;
        } while (odd[i] && x[i][0] * x[i][0] + x[i][1] * x[i][1] <= 16);
    }
    config_of(&config, ANOMALY_IFOREST, options);
    config.features = 2;
    config.seed = seed;
    assert_ok(anomaly_create(&config, NULL, &d, NULL));
    assert_ok(anomaly_learn_rows(d, &rows, NULL));
    assert_ok(anomaly_rebuild(d));
    assert_ok(anomaly_score_rows(d, &rows, &out, NULL));
    anomaly_destroy(d);
    return auc_of(scores, odd, ALL);
}

static void test_s12(void **state)
{
    static const char *const OPTIONS[] = {"", "profile=fast", "profile=accurate", "window=1020 trees=100 sample=256"};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(OPTIONS); k++)
        for (uint64_t seed = 1; seed <= 20; seed++) {
            double auc = s12_auc(seed, OPTIONS[k]);
            if (!(auc >= 0.998))
                print_error("'%s', seed %d: %.5f\n", OPTIONS[k], (int)seed, auc);
            assert_true(auc >= 0.998);
        }
}

/* ---- explanation ---- */

typedef struct found {
    int explained, named; /* by the largest share, by the verdict */
} found;

/* One feature of many is `far` out: how often is it found? The shares sum to the score's excess and have its sign. */
static found planted_found(uint32_t features, double far, int tries, const char *options)
{
    anomaly_config config;
    anomaly_detector *d = NULL;
    random_state r = {16};
    double x[100], share[100];
    found n = {0, 0};
    config_of(&config, ANOMALY_IFOREST, options);
    config.features = features;
    assert_ok(anomaly_create(&config, NULL, &d, NULL));
    teach_normal(d, &r, 2500, features);
    for (int i = 0; i < tries; i++) {
        uint32_t planted = (uint32_t)random_below(&r, features), most = 0;
        double sum = 0;
        normal_event(&r, x, features, 0, 1);
        x[planted] = one_in(&r, 2) ? far : -far;
        assert_ok(anomaly_explain(d, x, share));
        anomaly_verdict v = score(d, x);
        for (uint32_t f = 0; f < features; f++) {
            sum += share[f];
            most = share[f] > share[most] ? f : most;
            assert_true(share[f] * (v.score - 0.5) >= 0);
        }
        assert_true(fabs(sum - (v.score - 0.5)) <= 1e-9);
        n.explained += most == planted;
        n.named += flagged(v) && v.feature == planted;
    }
    anomaly_destroy(d);
    return n;
}

static void check_planted(uint32_t features, double far, const char *options, int explained, int named)
{
    found n = planted_found(features, far, 300, options);
    if (n.explained < explained || n.named < named)
        print_error("%u features, %g out, '%s': explained %d, named %d\n", features, far, options, n.explained, n.named);
    assert_true(n.explained >= explained);
    assert_true(n.named >= named);
}

static void test_explanation_names_the_planted_feature(void **state)
{
    (void)state;
    check_planted(10, 6, "contamination=0 threshold=0.5", 300, 297);
    check_planted(10, 6, "contamination=0 threshold=0.5 profile=fast", 299, 285);
    check_planted(100, 6, "contamination=0 threshold=0.5", 297, 210);
    check_planted(100, 6, "contamination=0 threshold=0.5 profile=fast", 270, 100);
    check_planted(100, 20, "contamination=0 threshold=0.5 profile=accurate", 300, 270);
    check_planted(1, 6, "contamination=0 threshold=0.5", 300, 300);
}

/* Two features out: both have a share, and the further one the larger. */
static void test_explanation_of_two(void **state)
{
    anomaly_detector *d = forest_of("features=10");
    random_state r = {17};
    double x[10], share[10];
    (void)state;
    teach_normal(d, &r, 2500, 10);
    for (int i = 0; i < 50; i++) {
        double rest = 0;
        normal_event(&r, x, 10, 0, 0.5);
        x[3] = 12;
        x[7] = -6;
        assert_ok(anomaly_explain(d, x, share));
        for (int f = 0; f < 10; f++)
            rest = f != 3 && f != 7 && share[f] > rest ? share[f] : rest;
        assert_true(share[3] > rest && share[7] > rest);
    }
    anomaly_destroy(d);
}

/* With values missing the shares still sum to the excess, none goes to what is not there, and the cause speaks for it. */
static void test_explanation_with_missing_values(void **state)
{
    anomaly_detector *d = forest_of("features=6 contamination=0 threshold=0.5");
    random_state r = {18};
    double x[6], share[6];
    (void)state;
    for (int i = 0; i < 3000; i++) {
        double sum = 0;
        normal_event(&r, x, 6, 0, i % 10 == 0 ? 3 : 1);
        for (int f = 0; f < 5; f++)
            x[f] = one_in(&r, 4) ? (double)NAN : x[f];
        anomaly_verdict v = update(d, x);
        if (has_flag(v, ANOMALY_WARMING_UP))
            continue;
        v = score(d, x);
        assert_ok(anomaly_explain(d, x, share));
        for (int f = 0; f < 6; f++) {
            sum += share[f];
            assert_true(!isnan(x[f]) || share[f] == 0);
        }
        assert_true(fabs(sum - (v.score - 0.5)) <= 1e-7);
        assert_true(!flagged(v) || share[v.feature] > 0);
    }
    anomaly_destroy(d);
}

/* ---- streams ---- */

typedef struct plan {
    uint32_t features;
    int events;
    double offset, missing;
    uint64_t seed;
} plan;

/* Prequential AUC where one event in forty has twice and a half the spread. */
static double stream_auc(const plan *p, const char *options)
{
    static double scores[8000];
    static int odd[8000];
    anomaly_config config;
    anomaly_detector *d = NULL;
    random_state r = {p->seed}, holes = {p->seed + 1};
    double x[16];
    config_of(&config, ANOMALY_IFOREST, options);
    config.features = p->features;
    assert_ok(anomaly_create(&config, NULL, &d, NULL));
    for (int i = 0; i < p->events; i++) {
        odd[i] = one_in(&r, 40);
        normal_event(&r, x, p->features, 0, odd[i] ? 2.5 : 1);
        for (uint32_t f = 0; f < p->features; f++) {
            x[f] += p->offset;
            x[f] = random_unit(&holes) < p->missing ? (double)NAN : x[f];
        }
        scores[i] = update(d, x).score;
        scores[i] = isnan(scores[i]) ? 0.5 : scores[i];
    }
    anomaly_destroy(d);
    return auc_of(scores, odd, (size_t)p->events);
}

static void test_missing_values_cost_little(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        plan whole = {.features = 8, .events = 6000, .seed = seed}, holes = whole;
        holes.missing = 0.1;
        double full = stream_auc(&whole, ""), less = stream_auc(&holes, "");
        if (!(full > 0.9 && less >= full - 0.03))
            print_error("seed %d: %.4f, with 10 %% missing %.4f\n", (int)seed, full, less);
        assert_true(full > 0.9 && less >= full - 0.03);
    }
}

static void test_an_offset_costs_nothing(void **state)
{
    plan plain = {.features = 5, .events = 6000, .seed = 3}, shifted = plain;
    (void)state;
    shifted.offset = 1e9;
    assert_true(fabs(stream_auc(&plain, "") - stream_auc(&shifted, "")) < 1e-3);
}

static void test_huge_and_tiny_values(void **state)
{
    static const double SCALE[] = {1e300, 1e-300, 1e-310};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(SCALE); k++) {
        anomaly_detector *d = forest_of("features=2 contamination=0");
        random_state r = {19};
        double x[2];
        for (int i = 0; i < 1500; i++) {
            normal_event(&r, x, 2, 0, SCALE[k]);
            anomaly_verdict v = update(d, x);
            assert_true(v.score > 0 && v.score < 1);
        }
        x[0] = x[1] = 40 * SCALE[k];
        assert_true(score(d, x).score > 0.6);
        x[0] = -1.7e308;
        assert_true(score(d, x).score > 0.6);
        anomaly_destroy(d);
    }
}

static double mean_score(anomaly_detector *d, random_state *r, int events, double mean, double spread)
{
    double sum = 0, x[5];
    for (int i = 0; i < events; i++) {
        normal_event(r, x, 5, mean, spread);
        sum += update(d, x).score;
    }
    return sum / events;
}

/* What was odd is usual one window later: nearly all of the excess is gone, all of it with the last tree that has seen the old
 * state, after two. And an event of the new state is flagged no more often than one of the old was. */
static void check_drift(double mean, double spread)
{
    enum { WINDOW = 1024 };
    anomaly_detector *d = forest_of("features=5 window=1024");
    random_state r = {20};
    mean_score(d, &r, 3 * WINDOW, 0, 1);
    double before = mean_score(d, &r, 500, 0, 1), at = mean_score(d, &r, 50, mean, spread);
    mean_score(d, &r, WINDOW - 50, mean, spread);
    uint64_t anomalies = counters_of(d).anomalies;
    double after = mean_score(d, &r, 500, mean, spread);
    anomalies = counters_of(d).anomalies - anomalies;
    mean_score(d, &r, WINDOW, mean, spread);
    double later = mean_score(d, &r, 500, mean, spread);
    if (!(at > before + 0.1 && after < before + 0.3 * (at - before) && after < 0.6 && fabs(later - before) < 0.01 &&
          anomalies < 15))
        print_error("mean %g, spread %g: %.3f, at once %.3f, a window later %.3f and %d flagged, then %.3f\n", mean, spread,
                    before, at, after, (int)anomalies, later);
    assert_true(at > before + 0.1);
    assert_true(after < before + 0.3 * (at - before) && after < 0.6);
    assert_true(fabs(later - before) < 0.01);
    assert_true(anomalies < 15);
    anomaly_destroy(d);
}

static void test_drift_is_usual_after_a_window(void **state)
{
    (void)state;
    check_drift(2, 1);
    check_drift(0, 3);
    check_drift(1e7, 3);
}

/* ---- degenerate data ---- */

static void test_constant_features(void **state)
{
    anomaly_detector *d = forest_of("features=3 contamination=0");
    double same[3] = {5, 5, 5}, near[3] = {5, 5, 5.0000001}, far[3] = {5, 1e6, 5};
    (void)state;
    for (int i = 0; i < 3000; i++)
        update(d, same);
    assert_same(score(d, same).score, 0.5);
    assert_true(!flagged(score(d, same)));
    assert_true(score(d, near).score > 0.5 && score(d, far).score > 0.5);
    anomaly_destroy(d);
}

/* One feature moves, the others do not: those do not stand in its way. */
static void test_some_constant_features(void **state)
{
    anomaly_detector *d = forest_of("features=6 contamination=0");
    random_state r = {21};
    double x[6] = {1, 2, 3, 0, 5, 6};
    (void)state;
    for (int i = 0; i < 2500; i++) {
        x[3] = random_normal(&r);
        update(d, x);
    }
    x[3] = 9;
    anomaly_verdict v = score(d, x);
    assert_true(flagged(v));
    assert_int_equal(v.feature, 3);
    anomaly_destroy(d);
}

static void test_duplicates(void **state)
{
    static const double KINDS[3][2] = {{0, 0}, {1, 0}, {0, 1}};
    anomaly_detector *d = forest_of("features=2 contamination=0");
    random_state r = {22};
    double odd[2] = {7, 7}, most = 0;
    (void)state;
    for (int i = 0; i < 3000; i++) {
        anomaly_verdict v = update(d, KINDS[random_below(&r, 3)]);
        most = i > 200 && v.score > most ? v.score : most;
    }
    assert_true(most < 0.6);
    assert_true(score(d, odd).score > most);
    anomaly_destroy(d);
}

/* The least window there is, with a sample as large. */
static void test_smallest_window(void **state)
{
    anomaly_detector *d = forest_of("features=2 window=16 sample=16 warmup=16 contamination=0");
    random_state r = {23};
    double x[2], odd[2] = {1e3, 1e3};
    (void)state;
    for (int i = 0; i < 400; i++) {
        normal_event(&r, x, 2, 0, 1);
        anomaly_verdict v = update(d, x);
        assert_true(v.events == (uint64_t)(i < 16 ? i : 16));
    }
    assert_true(flagged(score(d, odd)));
    anomaly_destroy(d);
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

static void test_dimensions(void **state)
{
    static const uint32_t DIMENSIONS[] = {1, 2, 10, 100, 4096};
    static double x[WIDEST];
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(DIMENSIONS); k++) {
        uint32_t features = DIMENSIONS[k];
        anomaly_config config;
        anomaly_detector *d = NULL;
        random_state r = {24};
        config_of(&config, ANOMALY_IFOREST,
                  features > 1000 ? "window=200 contamination=0 threshold=0.5" : "contamination=0");
        config.features = features;
        assert_ok(anomaly_create(&config, NULL, &d, NULL));
        for (int i = 0; i < (features > 1000 ? 300 : 2500); i++) {
            normal_event(&r, x, features, 0, 1);
            update(d, x);
        }
        double most = 0;
        for (int i = 0; i < 20; i++) {
            normal_event(&r, x, features, 0, 1);
            anomaly_verdict v = score(d, x);
            most = v.score > most ? v.score : most;
        }
        for (uint32_t f = 0; f < features; f++)
            x[f] = 25;
        assert_true(score(d, x).score > most && flagged(score(d, x)));
        anomaly_destroy(d);
    }
}

/* ---- wrong calls ---- */

static void test_errors_change_nothing(void **state)
{
    anomaly_detector *d = forest_of("features=2"), *twin = forest_of("features=2");
    random_state r = {25};
    double x[2];
    anomaly_verdict v, w;
    (void)state;
    for (int i = 0; i < 200; i++) {
        normal_event(&r, x, 2, 0, 1);
        update(d, x);
        update(twin, x);
        assert_error(anomaly_update(d, NULL, ANOMALY_NO_TIME, &v), ANOMALY_E_ARG);
        assert_error(anomaly_learn(d, NULL, ANOMALY_NO_TIME), ANOMALY_E_ARG);
        assert_error(anomaly_update(NULL, x, ANOMALY_NO_TIME, &v), ANOMALY_E_ARG);
        assert_error(anomaly_set_threshold(d, NAN), ANOMALY_E_ARG);
    }
    assert_same_state(d, twin);
    v = score(d, x);
    w = score(twin, x);
    assert_same_verdict(&v, &w);
    anomaly_destroy(d);
    anomaly_destroy(twin);
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
        cmocka_unit_test(test_verdict_fields),
        cmocka_unit_test(test_typical_events_score_about_half),
        cmocka_unit_test(test_warmup),
        cmocka_unit_test(test_no_forest_no_verdict),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_contamination),
        cmocka_unit_test(test_only_updates_move_the_threshold),
        cmocka_unit_test(test_set_threshold),
        cmocka_unit_test(test_learning_policies),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_infinite),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_window_keeps_its_events),
        cmocka_unit_test(test_time_does_not_matter),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_rebuild_of_little),
        cmocka_unit_test(test_rebuild_sets_the_threshold),
        cmocka_unit_test(test_s12),
        cmocka_unit_test(test_explanation_names_the_planted_feature),
        cmocka_unit_test(test_explanation_of_two),
        cmocka_unit_test(test_explanation_with_missing_values),
        cmocka_unit_test(test_missing_values_cost_little),
        cmocka_unit_test(test_an_offset_costs_nothing),
        cmocka_unit_test(test_huge_and_tiny_values),
        cmocka_unit_test(test_drift_is_usual_after_a_window),
        cmocka_unit_test(test_constant_features),
        cmocka_unit_test(test_some_constant_features),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_smallest_window),
        cmocka_unit_test(test_warmup_beyond_the_window),
        cmocka_unit_test(test_dimensions),
        cmocka_unit_test(test_errors_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
