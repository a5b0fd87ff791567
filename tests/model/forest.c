/* SPDX-License-Identifier: MIT
 * forest.c - the isolation forest against a slow, obvious one (support/forest_model.h), bit for bit, over random streams and
 * configurations. */
#include "../support/test.h"

#include "../support/exact.h"
#include "../support/forest_model.h"
#include "../support/forest_model_explain.h"
#include "../support/forest_stream.h"

enum { SEEN = FEATURES * MOST_LAGS };

/* ---- a detector around the slow forest ---- */

typedef struct slow_detector {
    anomaly_config config;
    slow_forest forest;
    double *scores, *sorted; /* the last scores of updates, a ring */
    uint64_t scored, run;
} slow_detector;

static void model_begin(slow_detector *m, const anomaly_config *config)
{
    *m = (slow_detector){.config = *config};
    slow_begin(&m->forest, config);
    m->scores = calloc((size_t)config->window_events, sizeof *m->scores);
    m->sorted = calloc((size_t)config->window_events, sizeof *m->sorted);
    assert_true(m->scores != NULL && m->sorted != NULL);
}

static void model_end(slow_detector *m)
{
    slow_end(&m->forest);
    free(m->scores);
    free(m->sorted);
}

static int model_follows(const slow_detector *m)
{
    return m->config.contamination > 0 || m->config.threshold == 0;
}

static double model_share(const slow_detector *m)
{
    return m->config.contamination > 0 ? m->config.contamination : 0.01;
}

/* The quantile of n sorted scores; where more of them reach it than would if all were different, what comes after it. */
static double model_cut(const double *sorted, size_t n, double q)
{
    double cut = exact_weibull(sorted, n, q), place = fmin(fmax(q * ((double)n + 1) - 1, 0), (double)n - 1);
    size_t reach = 0, most = n - (size_t)floor(place) - (floor(place) < place ? 1 : 0);
    for (size_t i = 0; i < n; i++)
        reach += sorted[i] >= cut;
    return reach > most ? nextafter(cut, 2) : cut;
}

/* No forest, no threshold; then the quantile of the scores so far, if they are enough for it; the fixed one; well apart from
 * them. */
static double model_threshold(const slow_detector *m)
{
    uint64_t window = m->config.window_events;
    size_t n = (size_t)(m->scored < window ? m->scored : window);
    double cut;
    if (!model_follows(m))
        return m->config.threshold;
    if (m->forest.built == 0 || 3 * m->forest.built < m->forest.trees)
        return NAN;
    if (m->config.threshold != 0 && (double)n * m->config.contamination < 1)
        return m->config.threshold;
    if (n < 16 && (double)n * m->config.contamination < 1)
        return 1;
    memcpy(m->sorted, m->scores, n * sizeof *m->sorted);
    exact_sort(m->sorted, n);
    if ((double)n * m->config.contamination >= 1)
        return model_cut(m->sorted, n, 1 - m->config.contamination);
    cut = model_cut(m->sorted, n, n < 100 ? 1 - 0.1 : 1 - 0.01);
    return fmax(fmin(0.5 + (n < 100 ? 3.0 : 1.45) * (cut - 0.5), 1 - 0.3 * (1 - cut)), 0.55);
}

/* Do more than the share of the newest 4096 events look the same? What is not finite is missing. */
static int model_is_common(const slow_detector *m, const double *seen)
{
    uint32_t features = m->forest.features;
    uint64_t count = m->forest.count, n = count < 4096 ? count : 4096, equal = 0;
    for (uint64_t age = count - n; age < count; age++) {
        uint32_t same = 0;
        for (uint32_t f = 0; f < features; f++) {
            double y = slow_event(&m->forest, age, f);
            same += y == seen[f] || (isnan(y) && !isfinite(seen[f]));
        }
        equal += same == features;
    }
    return (double)equal > fmax(model_share(m) * (double)n, 1);
}

static void model_note_score(slow_detector *m, double score)
{
    m->scores[m->scored++ % m->config.window_events] = score;
}

static uint32_t model_event_flags(const double *x, uint32_t features)
{
    uint32_t flags = 0, missing = 0;
    for (uint32_t f = 0; f < features; f++) {
        missing += isnan(x[f]) ? 1 : 0;
        flags |= isnan(x[f]) ? (uint32_t)ANOMALY_MISSING : 0;
        flags |= isinf(x[f]) ? (uint32_t)ANOMALY_NONFINITE : 0;
    }
    return missing == features ? flags | 1u << 31 : flags; /* bit 31: nothing to judge */
}

static uint32_t first_infinite(const double *x)
{
    uint32_t f = 0;
    while (!isinf(x[f]))
        f++;
    return f;
}

static int model_passes(const slow_detector *m, double score, double threshold)
{
    return m->config.compare == ANOMALY_GT ? score > threshold : score >= threshold;
}

/* Of each value the sum over the events seen, of those that are there; NaN: of none. */
static void sum_lags(const slow_forest *f, const double *seen, const double *share, double *sum)
{
    for (uint32_t v = 0; v < f->values; v++) {
        sum[v] = NAN;
        for (uint32_t i = v; i < f->features; i += f->values)
            if (!isnan(seen[i]))
                sum[v] = (isnan(sum[v]) ? 0 : sum[v]) + share[i];
    }
}

static double largest(const double *sum, uint32_t values)
{
    double most = NAN;
    for (uint32_t v = 0; v < values; v++)
        most = fmax(most, sum[v]);
    return most;
}

/* The verdict; nothing moves. */
static anomaly_verdict model_score(const slow_detector *m, const double *x)
{
    uint32_t features = m->config.features, flags = model_event_flags(x, features);
    anomaly_verdict v = {.threshold = model_threshold(m), .expected = NAN, .lower = NAN, .upper = NAN};
    const slow_forest *f = &m->forest;
    double seen[SEEN];
    slow_see(f, x, seen);
    int warm = f->held >= m->config.warmup_events && f->built > 0 && 3 * f->built >= f->trees;
    v.events = f->held;
    v.flags = flags & ~(1u << 31);
    v.score = NAN;
    if ((flags & 1u << 31) != 0)
        return v;
    v.flags |= warm ? 0 : (uint32_t)ANOMALY_WARMING_UP;
    v.score = (flags & ANOMALY_NONFINITE) != 0 ? 1 : slow_score(f, seen);
    if ((flags & ANOMALY_NONFINITE) != 0)
        v.feature = first_infinite(x);
    if (warm && (flags & ANOMALY_NONFINITE) == 0 && model_follows(m) && model_passes(m, v.score, v.threshold) &&
        model_is_common(m, seen))
        v.threshold = nextafter(v.score, 2);
    if (warm && ((flags & ANOMALY_NONFINITE) != 0 || model_passes(m, v.score, v.threshold)))
        v.flags |= ANOMALY_IS_ANOMALY;
    return v;
}

static int has_finite(const double *x, uint32_t features)
{
    uint32_t f = 0;
    while (f < features && !isfinite(x[f]))
        f++;
    return f < features;
}

/* Does the policy keep the event out? Infinite ones say nothing about the level: they neither count nor end a row. */
static int model_keeps_out(slow_detector *m, uint32_t flags)
{
    int anomalous = (flags & ANOMALY_IS_ANOMALY) != 0;
    if (m->config.learn == ANOMALY_LEARN_ALWAYS)
        return 0;
    if ((flags & ANOMALY_NONFINITE) != 0)
        return anomalous;
    m->run = anomalous ? m->run + 1 : 0;
    return anomalous && (m->config.learn_after == 0 || m->run < m->config.learn_after);
}

/* In the window an infinite value is a missing one. */
static void model_learn(slow_detector *m, const double *x)
{
    double y[FEATURES];
    for (uint32_t f = 0; f < m->config.features; f++)
        y[f] = isinf(x[f]) ? (double)NAN : x[f];
    slow_learn(&m->forest, y);
}

static anomaly_verdict model_update(slow_detector *m, const double *x)
{
    anomaly_verdict v = model_score(m, x);
    if ((v.flags & ANOMALY_NONFINITE) == 0 && !isnan(v.score) && !isnan(v.threshold))
        model_note_score(m, v.score);
    if (!has_finite(x, m->config.features))
        return v;
    if (model_keeps_out(m, v.flags))
        v.flags |= ANOMALY_NOT_LEARNED;
    else
        model_learn(m, x);
    return v;
}

/* Learning alone: the policy looks at the verdict as usual; the first 512 scores count here too. */
static void model_teach(slow_detector *m, const double *x)
{
    anomaly_verdict v = model_score(m, x);
    if ((v.flags & ANOMALY_NONFINITE) == 0 && !isnan(v.score) && !isnan(v.threshold) && model_follows(m) &&
        m->scored < 512 && m->scored < m->config.window_events)
        model_note_score(m, v.score);
    if (has_finite(x, m->config.features) && !model_keeps_out(m, v.flags))
        model_learn(m, x);
}

static void model_rebuild(slow_detector *m)
{
    slow_forest *f = &m->forest;
    slow_rebuild(f);
    if (!model_follows(m) || f->count < 2)
        return;
    m->scored = 0;
    for (uint32_t age = 0; age < f->count; age++) {
        double seen[SEEN];
        for (uint32_t i = 0; i < f->features; i++)
            seen[i] = slow_event(f, age, i);
        model_note_score(m, slow_score(f, seen));
    }
}

/* ---- equal to the model ---- */

/* The main cause is what the walks met most of. The shares are those of the model, put to one scale; where they nearly cancel
 * out the scale is mostly rounding. */
static void check_cause(const anomaly_detector *d, const slow_detector *m, const double *x, const anomaly_verdict *v)
{
    double share[FEATURES], whole[FEATURES], seen[SEEN] = {0}, want[SEEN], met[SEEN], total, sum = 0;
    uint32_t features = m->config.features;
    assert_ok(anomaly_explain(d, x, share));
    slow_see(&m->forest, x, seen);
    slow_met_alone(&m->forest, seen, met);
    sum_lags(&m->forest, seen, met, whole);
    assert_true(whole[v->feature] >= largest(whole, features) - 1e-5 * m->forest.built);
    total = slow_met(&m->forest, seen, met);
    for (uint32_t f = 0; f < features; f++)
        sum += share[f];
    assert_true(fabs(sum - (v->score - 0.5)) <= 1e-6);
    if (fabs(total) <= 0.03 * m->forest.built)
        return;
    slow_explain(&m->forest, seen, met, total, want);
    sum_lags(&m->forest, seen, want, whole);
    for (uint32_t f = 0; f < features; f++)
        if (!(fabs(share[f] - (isnan(whole[f]) ? 0 : whole[f]) / total * (v->score - 0.5)) <= 1e-5)) {
            print_error("share of %u of %u: %.17g, model %.17g\n", f, features, share[f],
                        whole[f] / total * (v->score - 0.5));
            print_config(&m->config);
            fail();
        }
}

static void check_step(anomaly_detector *d, slow_detector *m, const double *x, uint64_t i)
{
    anomaly_verdict got, want = model_score(m, x), scored;
    int odd = (want.flags & ANOMALY_IS_ANOMALY) != 0 && (want.flags & ANOMALY_NONFINITE) == 0;
    assert_ok(anomaly_score(d, x, ANOMALY_NO_TIME, &scored));
    if (odd) {
        check_cause(d, m, x, &scored);
        want.feature = scored.feature;
    }
    if (!same_verdict(&scored, &want)) {
        print_error("event %llu, score:\n", (unsigned long long)i);
        print_config(&m->config);
        assert_same_verdict(&scored, &want);
    }
    want = model_update(m, x);
    want.feature = odd ? scored.feature : want.feature;
    assert_ok(anomaly_update(d, x, ANOMALY_NO_TIME, &got));
    if (!same_verdict(&got, &want)) {
        print_error("event %llu, update:\n", (unsigned long long)i);
        print_config(&m->config);
    }
    assert_same_verdict(&got, &want);
}

static void compare_with_model(uint64_t seed)
{
    random_state r = {seed};
    anomaly_config config;
    slow_detector m;
    random_forest(&r, &config);
    anomaly_detector *d = create(&config);
    model_begin(&m, &config);
    source s = random_source(&r, config.features);
    uint64_t events = 300 + random_below(&r, is_quick() ? 300 : MOST_EVENTS - 300);
    for (uint64_t i = 0; i < events; i++) {
        double x[FEATURES];
        source_next(&s, x);
        check_step(d, &m, x, i);
        if (one_in(&r, 700)) {
            assert_ok(anomaly_rebuild(d));
            model_rebuild(&m);
        }
        if (one_in(&r, 20)) {
            source_next(&s, x);
            assert_ok(anomaly_learn(d, x, ANOMALY_NO_TIME));
            model_teach(&m, x);
        }
    }
    model_end(&m);
    anomaly_destroy(d);
}

static void test_equals_the_slow_forest(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 12 : 120); seed++)
        compare_with_model(seed);
}

/* The default configuration over a change of coding, with everything in its usual size; with lags too. */
static void test_defaults_equal_the_slow_forest(void **state)
{
    anomaly_config config;
    slow_detector m;
    random_state r = {5};
    (void)state;
    for (uint32_t profile = 0; profile < (is_quick() ? 2 : 4); profile++) {
        static const char *const NAMES[] = {"fast", "fast", "balanced", "accurate"};
        assert_ok(anomaly_config_init(&config, sizeof config, ANOMALY_IFOREST));
        assert_ok(anomaly_config_set(&config, "profile", NAMES[profile], NULL));
        config.features = 5;
        config.lags = profile == 1 ? MOST_LAGS : 0;
        anomaly_detector *d = create(&config);
        model_begin(&m, &config);
        for (uint64_t i = 0; i < 2800; i++) {
            double x[FEATURES];
            for (uint32_t f = 0; f < config.features; f++)
                x[f] = one_in(&r, 40) ? (double)NAN : random_normal(&r) * (f + 1) + (i > 1200 ? 1e7 : 0);
            check_step(d, &m, x, i);
        }
        model_end(&m);
        anomaly_destroy(d);
    }
}

/* Scores alone, for streams that the random ones hardly meet. */
static void compare_scores(const char *options, uint32_t features, int events,
                           void (*next)(random_state *, int, double *, uint32_t))
{
    anomaly_config config;
    slow_forest f;
    random_state r = {31};
    config_of(&config, ANOMALY_IFOREST, options);
    config.features = features;
    anomaly_detector *d = create(&config);
    slow_begin(&f, &config);
    double *x = calloc(features, sizeof *x), *seen = calloc(f.features, sizeof *seen);
    assert_true(x != NULL && seen != NULL);
    for (int i = 0; i < events; i++) {
        anomaly_verdict v;
        next(&r, i, x, features);
        assert_ok(anomaly_update(d, x, ANOMALY_NO_TIME, &v));
        slow_see(&f, x, seen);
        assert_same(v.score, slow_score(&f, seen));
        slow_learn(&f, x);
    }
    slow_end(&f);
    anomaly_destroy(d);
    free(x);
    free(seen);
}

/* Levels a few hundred spreads apart, about where a new coding begins. */
static void next_level(random_state *r, int i, double *x, uint32_t features)
{
    static const double LEVEL[] = {0, 265, 540, 270, 30, 310, 590, 320, 40};
    for (uint32_t f = 0; f < features; f++)
        x[f] = LEVEL[i / 1100 % 9] * (1 + 0.05 * f) + random_normal(r) * 1.5;
}

/* A change of scale before all trees have followed the one before. */
static void next_scale(random_state *r, int i, double *x, uint32_t features)
{
    for (uint32_t f = 0; f < features; f++)
        x[f] = (random_normal(r) + i / 700) * ldexp(1, i / 700 * 12);
}

/* Nearly all of very many features never move: the search for one that does has an end. */
static void next_still(random_state *r, int i, double *x, uint32_t features)
{
    for (uint32_t f = 0; f < features; f++)
        x[f] = f % 97 == 5 ? floor(random_normal(r) * 2) : f == (uint32_t)i % 40 && one_in(r, 30) ? 1 : 0;
}

static void test_changes_of_coding(void **state)
{
    (void)state;
    compare_scores("window=900 trees=40 sample=30", 6, is_quick() ? 3000 : 9900, next_level);
    compare_scores("window=900 trees=40 sample=30 lags=4", 3, is_quick() ? 3000 : 9900, next_level);
    compare_scores("window=2500 trees=40 sample=30", 2, 6000, next_scale);
}

static void test_still_features(void **state)
{
    (void)state;
    compare_scores("window=200 trees=20 sample=60 guided=0.1 candidates=2", 400, is_quick() ? 60 : 300, next_still);
    compare_scores("window=200 trees=20 sample=60 guided=0.1 candidates=2 lags=100", 4, is_quick() ? 150 : 400, next_still);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_the_slow_forest),
        cmocka_unit_test(test_defaults_equal_the_slow_forest),
        cmocka_unit_test(test_changes_of_coding),
        cmocka_unit_test(test_still_features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
