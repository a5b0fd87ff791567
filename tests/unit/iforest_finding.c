/* SPDX-License-Identifier: MIT
 * iforest_finding.c - how well the isolation forest finds what was planted, in a batch and in streams that are long, drifting or
 * degenerate, and what it says is the cause. */
#include "../support/test.h"

#include "../support/forest_data.h"

/* ---- batch ---- */

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
        for (uint64_t seed = 1; seed <= (is_quick() ? 3 : 20); seed++) {
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
    check_planted(1, 6, "contamination=0 threshold=0.5", 300, 300);
    if (is_quick())
        return;
    check_planted(100, 6, "contamination=0 threshold=0.5", 297, 210);
    check_planted(100, 6, "contamination=0 threshold=0.5 profile=fast", 270, 100);
    check_planted(100, 20, "contamination=0 threshold=0.5 profile=accurate", 300, 270);
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
    for (int i = 0; i < (is_quick() ? 600 : 3000); i++) {
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        cmocka_unit_test(test_dimensions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
