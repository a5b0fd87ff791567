/* SPDX-License-Identifier: MIT
 * forest_properties.c - what any isolation forest must have: scores between 0 and 1, units and signs that do not matter, far
 * points above all others. */
#include "../support/test.h"

#include "../support/forest_stream.h"

static void test_scores_lie_between_0_and_1(void **state)
{
    (void)state;
    for (uint64_t seed = 5000; seed < (is_quick() ? 5005 : 5040); seed++) {
        random_state r = {seed};
        anomaly_config config;
        random_forest(&r, &config);
        source s = random_source(&r, config.features);
        anomaly_detector *d = create(&config);
        for (int i = 0; i < 700; i++) {
            double x[FEATURES];
            anomaly_verdict v;
            source_next(&s, x);
            assert_ok(anomaly_update(d, x, ANOMALY_NO_TIME, &v));
            if (!isnan(v.score) && !has_flag(v, ANOMALY_NONFINITE))
                assert_true(v.score > 0 && v.score < 1);
        }
        anomaly_destroy(d);
    }
}

static void scores_of_scaled(const double *x, size_t count, uint32_t features, const double *factor, double *score)
{
    anomaly_config config;
    config_of(&config, ANOMALY_IFOREST, "window=512");
    config.features = features;
    anomaly_detector *d = create(&config);
    for (size_t i = 0; i < count; i++) {
        double y[FEATURES];
        anomaly_verdict v;
        for (uint32_t f = 0; f < features; f++)
            y[f] = x[i * features + f] * factor[f];
        assert_ok(anomaly_update(d, y, ANOMALY_NO_TIME, &v));
        score[i] = v.score;
    }
    anomaly_destroy(d);
}

/* A feature in other units is the same feature: the bits for powers of two, nearly so for others. */
static void test_scale_does_not_matter(void **state)
{
    enum { EVENTS = 1500, WIDTH = 4 };
    static const double ONE[WIDTH] = {1, 1, 1, 1}, TWOS[WIDTH] = {0x1p10, 0x1p-300, 1, 0x1p500},
                        OTHERS[WIDTH] = {3.7, 1e250, 1e-9, 0.1};
    static double x[EVENTS * WIDTH], plain[EVENTS], twos[EVENTS], others[EVENTS];
    random_state r = {8};
    (void)state;
    for (size_t i = 0; i < EVENTS * WIDTH; i++)
        x[i] = random_normal(&r) + (one_in(&r, 50) ? 5 : 0);
    scores_of_scaled(x, EVENTS, WIDTH, ONE, plain);
    scores_of_scaled(x, EVENTS, WIDTH, TWOS, twos);
    scores_of_scaled(x, EVENTS, WIDTH, OTHERS, others);
    for (size_t i = 0; i < EVENTS; i++) {
        assert_same(twos[i], plain[i]);
        assert_true(fabs(others[i] - plain[i]) <= 1e-9);
    }
}

static void test_a_far_point_scores_above_every_inlier(void **state)
{
    static const uint32_t WIDTHS[] = {1, 2, 5, 9};
    (void)state;
    for (size_t w = 0; w < ARRAY_COUNT(WIDTHS); w++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            anomaly_config config;
            random_state r = {seed};
            double most = 0;
            config_of(&config, ANOMALY_IFOREST, "");
            config.features = WIDTHS[w];
            config.seed = seed;
            anomaly_detector *d = create(&config);
            anomaly_verdict v;
            double x[FEATURES];
            for (int i = 0; i < 2500; i++) {
                for (uint32_t f = 0; f < config.features; f++)
                    x[f] = random_normal(&r);
                assert_ok(anomaly_update(d, x, ANOMALY_NO_TIME, &v));
                most = i > 500 && v.score > most ? v.score : most;
            }
            for (int k = 0; k < 4; k++) {
                static const double FAR[] = {30, -30, 1e6, -1e300};
                for (uint32_t f = 0; f < config.features; f++)
                    x[f] = FAR[k];
                assert_ok(anomaly_score(d, x, ANOMALY_NO_TIME, &v));
                if (!(v.score > most))
                    print_error("%u features, %g: %.4f, inliers up to %.4f\n", config.features, FAR[k], v.score, most);
                assert_true(v.score > most);
            }
            anomaly_destroy(d);
        }
}

/* Mirrored data have mirrored trees at best, but the scores' level must not depend on the sign. */
static void test_sign_does_not_matter_much(void **state)
{
    enum { EVENTS = 3000, WIDTH = 3 };
    static const double PLUS[WIDTH] = {1, 1, 1}, MINUS[WIDTH] = {-1, -1, -1};
    static double x[EVENTS * WIDTH], plus[EVENTS], minus[EVENTS];
    random_state r = {18};
    double difference = 0;
    (void)state;
    for (size_t i = 0; i < EVENTS * WIDTH; i++)
        x[i] = random_unit(&r) * random_unit(&r) * 10;
    scores_of_scaled(x, EVENTS, WIDTH, PLUS, plus);
    scores_of_scaled(x, EVENTS, WIDTH, MINUS, minus);
    for (size_t i = 600; i < EVENTS; i++)
        difference += (plus[i] - minus[i]) / (EVENTS - 600);
    assert_true(fabs(difference) < 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores_lie_between_0_and_1),
        cmocka_unit_test(test_scale_does_not_matter),
        cmocka_unit_test(test_a_far_point_scores_above_every_inlier),
        cmocka_unit_test(test_sign_does_not_matter_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
