/* SPDX-License-Identifier: MIT
 * iforest_alarms.c - how many events a forest flags: equal ones never more than the share asked for, what leaves a constant
 * feature always, ordinary ones of whatever distribution hardly ever. */
#include "../support/test.h"

#include "../support/distributions.h"
#include "../support/snapshots.h"

enum { MOST_FEATURES = 100, EVENTS = 6000 };

static const char *const PROFILES[] = {"fast", "balanced", "accurate"};

static anomaly_detector *forest_with(const char *options, const char *profile, uint32_t features)
{
    char text[160];
    snprintf(text, sizeof text, "features=%u profile=%s %s", features, profile, options);
    return detector_of(ANOMALY_IFOREST, text);
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

/* ---- streams of equal events ---- */

typedef void (*draw)(random_state *r, int i, double *x, uint32_t features);

static void constant(random_state *r, int i, double *x, uint32_t features)
{
    (void)r, (void)i;
    for (uint32_t f = 0; f < features; f++)
        x[f] = 5;
}

static void two_values(random_state *r, int i, double *x, uint32_t features)
{
    (void)i, (void)features;
    x[0] = (double)random_below(r, 2);
}

static void rarely_another(random_state *r, int i, double *x, uint32_t features)
{
    (void)i, (void)features;
    x[0] = one_in(r, 200);
}

static void small_integers(random_state *r, int i, double *x, uint32_t features)
{
    (void)i;
    for (uint32_t f = 0; f < features; f++)
        x[f] = (double)random_below(r, 10);
}

static void one_hot(random_state *r, int i, double *x, uint32_t features)
{
    (void)i;
    memset(x, 0, features * sizeof *x);
    x[random_below(r, 1 + random_below(r, features))] = 1; /* the first ones often, the last one seldom */
}

static void mostly_equal(random_state *r, int i, double *x, uint32_t features)
{
    int other = one_in(r, 33);
    (void)i;
    for (uint32_t f = 0; f < features; f++)
        x[f] = other ? random_normal(r) : 7;
}

static void goes_still(random_state *r, int i, double *x, uint32_t features)
{
    for (uint32_t f = 0; f < features; f++)
        x[f] = i < EVENTS / 2 ? random_normal(r) : 0.7;
}

/* The newest column only goes still: no two events are equal. */
static void one_goes_still(random_state *r, int i, double *x, uint32_t features)
{
    for (uint32_t f = 0; f < features; f++)
        x[f] = i < EVENTS / 2 || f > 0 ? random_normal(r) : 0.7;
}

static const struct tied {
    const char *name;
    draw next;
    uint32_t features;
    double most; /* percent flagged, of a stream: chance and drift are in it where events differ */
} TIED[] = {
    {"constant", constant, 1, 0},
    {"constant, 3 features", constant, 3, 0},
    {"two values", two_values, 1, 0},
    {"rarely another", rarely_another, 1, 1},
    {"small integers", small_integers, 1, 0},
    {"small integers, 2 features", small_integers, 2, 1.3},
    {"small integers, 3 features", small_integers, 3, 1.3},
    {"one-hot", one_hot, 6, 1},
    {"one-hot, 20", one_hot, 20, 1},
    {"mostly equal", mostly_equal, 2, 1.6},
    {"goes still", goes_still, 3, 1.1},
    {"one goes still", one_goes_still, 3, 1.1},
};

static void check_share(const struct tied *t, const char *how, const char *profile, int flagged_events, int of, double most)
{
    double percent = 100.0 * flagged_events / of;
    if (percent > most)
        print_error("%s, %s, %s: %.2f %% flagged, %.2f %% allowed\n", t->name, how, profile, percent, most);
    assert_true(percent <= most);
}

static void check_stream(const struct tied *t, const char *profile, const char *options)
{
    anomaly_detector *d = forest_with(options, profile, t->features);
    random_state r = {t->features + 11};
    double x[MOST_FEATURES];
    int count = 0;
    for (int i = 0; i < EVENTS; i++) {
        t->next(&r, i, x, t->features);
        count += flagged(update(d, x));
    }
    check_share(t, options, profile, count, EVENTS, t->most);
    anomaly_destroy(d);
}

static int flagged_rows(const anomaly_detector *d, const double *x, size_t count)
{
    static uint32_t flags[EVENTS];
    anomaly_rows rows = {.count = count, .values = x};
    anomaly_verdicts out = {.flags = flags};
    int n = 0;
    assert_ok(anomaly_score_rows(d, &rows, &out, NULL));
    for (size_t i = 0; i < count; i++)
        n += (flags[i] & ANOMALY_IS_ANOMALY) != 0;
    return n;
}

/* As a batch the share is an upper bound, to the event. */
static void check_batch(const struct tied *t, const char *profile)
{
    enum { ROWS = 3000 };
    static double x[ROWS * MOST_FEATURES];
    anomaly_detector *d = forest_with("window=3000", profile, t->features);
    anomaly_rows rows = {.count = ROWS, .values = x};
    random_state r = {t->features + 12};
    for (int i = 0; i < ROWS; i++)
        t->next(&r, EVENTS / 2 - ROWS / 2 + i, x + (size_t)i * t->features, t->features);
    assert_ok(anomaly_learn_rows(d, &rows, NULL));
    assert_ok(anomaly_rebuild(d));
    check_share(t, "batch", profile, flagged_rows(d, x, ROWS), ROWS, 1);
    anomaly_destroy(d);
}

static void test_equal_events_are_not_flagged(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(TIED); k++)
        for (size_t p = 0; p < (is_quick() ? 1 : ARRAY_COUNT(PROFILES)); p++) {
            check_stream(&TIED[k], PROFILES[p], "");
            check_stream(&TIED[k], PROFILES[p], "contamination=0");
            check_batch(&TIED[k], PROFILES[p]);
        }
}

static void test_equal_events_are_not_flagged_in_pools(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(TIED); k++) {
        char text[80];
        random_state r = {k};
        double x[MOST_FEATURES];
        int count = 0;
        snprintf(text, sizeof text, "window=256 profile=fast features=%u", TIED[k].features);
        anomaly_pool *pool = pool_of(ANOMALY_IFOREST, text, NULL);
        for (int i = 0; i < EVENTS; i++)
            for (int key = 0; key < 2; key++) {
                anomaly_verdict v;
                TIED[k].next(&r, i, x, TIED[k].features);
                assert_ok(anomaly_pool_update(pool, key ? "a" : "b", 1, x, ANOMALY_NO_TIME, &v));
                count += flagged(v);
            }
        check_share(&TIED[k], "pool", "fast", count, 2 * EVENTS, TIED[k].most * 1.3);
        anomaly_pool_destroy(pool);
    }
}

/* A sensor that goes still is told, and then it is what is usual. */
static void test_stillness_is_told_and_ends(void **state)
{
    (void)state;
    for (size_t p = 0; p < ARRAY_COUNT(PROFILES); p++) {
        anomaly_detector *d = forest_with("", PROFILES[p], 3);
        random_state r = {3};
        double x[3];
        int late = 0;
        for (int i = 0; i < EVENTS; i++) {
            goes_still(&r, i, x, 3);
            late += flagged(update(d, x)) && i > EVENTS / 2 + 100;
        }
        assert_int_equal(late, 0);
        anomaly_destroy(d);
    }
}

/* Eleven odd rows of 4000 discrete ones are found, all of them, and no more than the share in all. */
static void test_what_stands_out_among_ties(void **state)
{
    enum { ROWS = 4000 };
    static double x[ROWS * 2];
    static const double ODD[2] = {40, -40};
    (void)state;
    for (size_t p = 0; p < ARRAY_COUNT(PROFILES); p++) {
        anomaly_detector *batch = forest_with("window=4000", PROFILES[p], 2), *stream = forest_with("", PROFILES[p], 2);
        anomaly_rows rows = {.count = ROWS, .values = x};
        random_state r = {21};
        int found = 0, found_live = 0;
        for (int i = 0; i < ROWS; i++) {
            int odd = i % 350 == 349;
            small_integers(&r, i, x + 2 * i, 2);
            if (odd)
                memcpy(x + 2 * i, ODD, sizeof ODD);
            found_live += flagged(update(stream, x + 2 * i)) && odd;
        }
        assert_ok(anomaly_learn_rows(batch, &rows, NULL));
        assert_ok(anomaly_rebuild(batch));
        for (int i = 349; i < ROWS; i += 350)
            found += flagged(score(batch, x + 2 * i));
        assert_int_equal(found, 11);
        assert_int_equal(found_live, 11);
        assert_true(flagged_rows(batch, x, ROWS) <= ROWS / 100);
        anomaly_destroy(batch);
        anomaly_destroy(stream);
    }
}

/* ---- leaving a constant feature ---- */

/* Errors have been 0 for hours: any other number is as strange as can be, and the feature is named. */
static void check_break_out(const char *profile, uint32_t features, double usual, int rebuilt)
{
    static const double STEPS[] = {1e-6, 1, 1000, 1e9, -1e9};
    anomaly_detector *d = forest_with("", profile, features), *again;
    random_state r = {features};
    double x[MOST_FEATURES], share[MOST_FEATURES], first = 0;
    for (int i = 0; i < 3000; i++) {
        for (uint32_t f = 0; f < features; f++)
            x[f] = f == 1 ? usual : random_normal(&r);
        update(d, x);
    }
    if (rebuilt)
        assert_ok(anomaly_rebuild(d));
    again = copy_of(d);
    memset(x, 0, sizeof x);
    for (size_t k = 0; k < ARRAY_COUNT(STEPS); k++) {
        x[1] = usual + STEPS[k];
        anomaly_verdict v = score(d, x), w = score(again, x);
        assert_same_verdict(&v, &w);
        assert_true(flagged(v) && v.feature == 1 && v.score > 0.99 && v.score < 1);
        first = k == 0 ? v.score : first;
        assert_same(v.score, first); /* more than one step outside does not matter more */
        assert_ok(anomaly_explain(d, x, share));
        assert_true(share[1] > 0.95 * (v.score - 0.5));
    }
    x[1] = usual;
    assert_true(score(d, x).score < 0.6);
    anomaly_destroy(d);
    anomaly_destroy(again);
}

static void test_leaving_a_constant_feature(void **state)
{
    static const uint32_t FEATURES[] = {2, 3, 10, 100};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(FEATURES); k++)
        for (size_t p = 0; p < (is_quick() ? 1 : ARRAY_COUNT(PROFILES)); p++) {
            check_break_out(PROFILES[p], FEATURES[k], 0, 0);
            check_break_out(PROFILES[p], FEATURES[k], 7.25, 1);
        }
}

/* A fill value of long ago is the only scale the feature has ever had: what is small beside it is seen all the same. */
static void test_leaving_a_constant_feature_that_once_jumped(void **state)
{
    static const double SPIKES[] = {100, 9.96921e36, -1e300}, STEPS[] = {1e-6, 5, -5000};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(SPIKES); k++) {
        anomaly_detector *d = forest_with("window=512", "balanced", 2);
        random_state r = {8};
        for (int i = 0; i < 2000; i++) {
            double x[2] = {random_normal(&r), i == 100 ? SPIKES[k] : 20};
            update(d, x);
        }
        for (size_t s = 0; s < ARRAY_COUNT(STEPS); s++) {
            double x[2] = {0, 20 + STEPS[s]};
            anomaly_verdict v = score(d, x);
            assert_true(flagged(v) && v.feature == 1 && v.score > 0.99);
        }
        anomaly_destroy(d);
    }
}

/* Once the other value has come often enough it is one of the usual ones. */
static void test_a_new_level_of_a_constant_feature(void **state)
{
    anomaly_detector *d = forest_with("", "balanced", 4);
    random_state r = {5};
    int count = 0;
    (void)state;
    for (int i = 0; i < 8000; i++) {
        double x[4] = {random_normal(&r), i < 3000 ? 1 : 2, random_normal(&r), random_normal(&r)};
        int odd = flagged(update(d, x));
        count += odd && i >= 3000;
        assert_true(odd || i != 3000);
    }
    assert_true(count < 120);
    anomaly_destroy(d);
}

/* ---- ordinary events ---- */

static double percent_flagged(double (*next)(random_state *), uint32_t features, int events)
{
    anomaly_detector *d = forest_with("contamination=0", "balanced", features);
    random_state r = {features};
    double x[MOST_FEATURES];
    int count = 0;
    for (int i = 0; i < events; i++) {
        for (uint32_t f = 0; f < features; f++)
            x[f] = next(&r);
        count += flagged(update(d, x));
    }
    anomaly_destroy(d);
    return 100.0 * count / events;
}

static void test_ordinary_events(void **state)
{
    static const uint32_t FEATURES[] = {1, 2, 3, 5, 10, 30, 100};
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(ORDINARY); k++)
        for (size_t w = 0; w < ARRAY_COUNT(FEATURES); w += is_quick() ? 3 : 1) {
            double percent = percent_flagged(ORDINARY[k].next, FEATURES[w], is_quick() ? 2000 : 20000);
            if (percent > 0.2)
                print_error("%s, %u features: %.2f %%\n", ORDINARY[k].name, FEATURES[w], percent);
            assert_true(percent <= 0.2);
        }
}

/* ... and what stands apart from them is flagged, also by a detector that was only taught. */
static void test_what_stands_apart(void **state)
{
    (void)state;
    for (int taught = 0; taught < 2; taught++)
        for (uint32_t features = 1; features <= 10; features += 3) {
            anomaly_detector *d = forest_with("contamination=0", "balanced", features);
            random_state r = {features};
            double x[10];
            for (int i = 0; i < 3000; i++) {
                for (uint32_t f = 0; f < features; f++)
                    x[f] = random_normal(&r);
                assert_ok(taught ? anomaly_learn(d, x, ANOMALY_NO_TIME) : anomaly_update(d, x, ANOMALY_NO_TIME, NULL));
            }
            for (uint32_t f = 0; f < features; f++)
                x[f] = 8;
            assert_true(flagged(score(d, x)));
            anomaly_destroy(d);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_events_are_not_flagged),
        cmocka_unit_test(test_equal_events_are_not_flagged_in_pools),
        cmocka_unit_test(test_stillness_is_told_and_ends),
        cmocka_unit_test(test_what_stands_out_among_ties),
        cmocka_unit_test(test_leaving_a_constant_feature),
        cmocka_unit_test(test_leaving_a_constant_feature_that_once_jumped),
        cmocka_unit_test(test_a_new_level_of_a_constant_feature),
        cmocka_unit_test(test_ordinary_events),
        cmocka_unit_test(test_what_stands_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
