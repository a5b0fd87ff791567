/* SPDX-License-Identifier: MIT
 * iforest.c - the isolation forest as a detector: verdicts, thresholds, policies, its window, the rebuild. Its options are
 * tested in iforest_options.c, how well it finds in iforest_finding.c; the scores themselves are compared with a slow forest in
 * tests/model/forest.c. */
#include "../support/test.h"

#include "../support/exact.h"
#include "../support/forest_data.h"

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
    assert_true(v.score > 0.8 && v.score < 1);
    assert_true(v.threshold > 0.6 && v.threshold < 0.9);
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
    return exact_weibull(sorted, n, 1 - contamination);
}

static void test_contamination(void **state)
{
    static const struct {
        const char *options;
        size_t window;
        double contamination;
    } CASES[] = {{"features=3 window=300 contamination=0.01 profile=fast", 300, 0.01},
                 {"features=3 window=257 contamination=0.1 warmup=20 profile=fast", 257, 0.1},
                 {"features=3 window=100 contamination=0.5 learn=normal:3 profile=fast", 100, 0.5}};
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
            int enough = (double)scored * CASES[k].contamination >= 1;
            double want = enough ? slow_threshold(scores, scored, CASES[k].window, CASES[k].contamination) : v.threshold;
            assert_same(v.threshold, want);
            if (!has_flag(v, ANOMALY_WARMING_UP | ANOMALY_NONFINITE))
                assert_true(flagged(v) == (v.score >= want));
            if (!has_flag(v, ANOMALY_NONFINITE) && !isnan(v.threshold)) {
                scores[scored++] = v.score;
                anomalies += flagged(v) != 0;
            }
        }
        double share = (double)anomalies / (double)scored;
        assert_true(share > CASES[k].contamination * 0.5 && share < CASES[k].contamination * 1.6 + 0.01);
        anomaly_destroy(d);
    }
}

/* The threshold belongs to the stream: scoring does not move it, nor does learning alone once there are scores enough. */
static void test_only_updates_move_the_threshold(void **state)
{
    anomaly_detector *d = forest_of("features=2");
    random_state r = {6};
    double x[2], before;
    (void)state;
    for (int i = 0; i < 600; i++) {
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
    assert_error(anomaly_set_threshold(d, 0), ANOMALY_E_ARG); /* stands for one that follows the scores */
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
    anomaly_detector *always = forest_of("contamination=0 threshold=0.6"),
                     *normal = forest_of("contamination=0 threshold=0.6 learn=normal"),
                     *capped = forest_of("contamination=0 threshold=0.6 learn=normal:3");
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

/* ---- the rebuild ---- */

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
    assert_same(score(d, x[0]).threshold, exact_weibull(scores, EVENTS, 1 - 0.03));
    assert_int_equal(anomalies, 18);
    anomaly_destroy(d);
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
        cmocka_unit_test(test_errors_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
