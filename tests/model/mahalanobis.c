/* SPDX-License-Identifier: MIT
 * mahalanobis.c - the distance on random streams, event by event beside the slow model: score, flags, feature, explanation,
 * statistics; and the same after snapshots, on other streams than those of the model too. */
#include "../support/test.h"

#include "../support/mahalanobis_model.h"
#include "../support/random.h"
#include "../support/snapshots.h"
#include "../support/stream.h"

static const double TOLERANCE = 1e-9;

static mm model;

static void differs(uint64_t seed, size_t i, const char *what, double got, double want)
{
    char lags[64] = "";
    anomaly_config_get(&model.config, "lags", lags, sizeof lags);
    print_error("seed %llu, event %zu, features %u, lags %s, window %llu: %s is %.17g, the model says %.17g\n",
                (unsigned long long)seed, i, model.features, lags, (unsigned long long)model.config.window_events, what, got,
                want);
    fail();
}

static int is_close(double got, double want)
{
    return same_double(got, want) || got == want || fabs(got - want) <= TOLERANCE * (fabs(want) + 1e-3);
}

static uint64_t events_to_judge(void)
{
    uint64_t least = model.values - 1 + (2 * model.m + 15) / 16 * 16;
    return model.config.warmup_events > least ? model.config.warmup_events : least;
}

/* The flags but IS_ANOMALY and NOT_LEARNED. */
static uint32_t plain_flags(const double *x, const mm_answer *a, uint64_t events)
{
    uint32_t flags = a->flat ? ANOMALY_FLAT : 0u;
    for (uint32_t f = 0; f < model.features; f++) {
        flags |= isnan(x[f]) ? ANOMALY_MISSING : 0u;
        flags |= isinf(x[f]) ? ANOMALY_NONFINITE : 0u;
    }
    int judged = (flags & (ANOMALY_NONFINITE | ANOMALY_MISSING)) || !isnan(a->score);
    return flags | (events < events_to_judge() || !judged ? ANOMALY_WARMING_UP : 0u);
}

static int is_anomaly(uint32_t flags, double score)
{
    if ((flags & ANOMALY_WARMING_UP) ||
        ((flags & ANOMALY_FLAT) && !(flags & ANOMALY_NONFINITE) && model.config.flat == ANOMALY_FLAT_IGNORE))
        return 0;
    return model.config.compare == ANOMALY_GT ? score > model.config.threshold : score >= model.config.threshold;
}

static void compare(uint64_t seed, size_t i, const anomaly_detector *d, const double *x, const anomaly_verdict *v)
{
    mm_answer a = mm_score(&model, x, i % 16 == 0);
    uint64_t events = model.learned < model.config.window_events ? model.learned : model.config.window_events;
    uint32_t flags = plain_flags(x, &a, events);
    double score = flags & ANOMALY_NONFINITE ? INFINITY : a.score, share[MM_FEATURES] = {0};
    if (!is_close(v->score, score))
        differs(seed, i, "score", v->score, score);
    uint32_t seen = v->flags & ~(uint32_t)(ANOMALY_IS_ANOMALY | ANOMALY_NOT_LEARNED);
    if (flagged(*v) && model.features == 1 && has_one_word(seen)) /* tests/model/words.c tells whether it is the right one */
        seen &= ~(uint32_t)(WORDS | ANOMALY_ABOVE | ANOMALY_BELOW);
    if (seen != flags || (flagged(*v) && model.features == 1 && !has_one_word(v->flags)))
        differs(seed, i, "flags", v->flags, flags);
    if (flagged(*v) != is_anomaly(flags, v->score))
        differs(seed, i, "anomaly", flagged(*v), is_anomaly(flags, v->score));
    if (v->events != events)
        differs(seed, i, "events", (double)v->events, (double)events);
    if (i % 16 != 0 || !isfinite(score))
        return;
    assert_ok(anomaly_explain(d, x, share));
    for (uint32_t f = 0; f < model.features; f++)
        if (fabs(share[f] - a.share[f]) > 1e-6 * (score + 1e-3))
            differs(seed, i, "share", share[f], a.share[f]);
}

static void compare_statistics(uint64_t seed, size_t i, const anomaly_detector *d)
{
    size_t block = (size_t)model.config.window_events / 8, blocks = model.vectors / block + 1;
    static double x[MM_EVENTS];
    for (uint32_t f = 0; f < model.features; f++) {
        anomaly_stats s = stats_of(d, f);
        size_t n = 0;
        for (size_t v = blocks > 8 ? (blocks - 8) * block : 0; v < model.vectors; v++)
            if (!isnan(model.vector[v][model.m - model.features + f]))
                x[n++] = model.vector[v][model.m - model.features + f];
        exact_moments e = exact_of(x, n);
        if (s.count != n)
            differs(seed, i, "count", (double)s.count, (double)n);
        if (n > 1 && !is_close(s.mean, (double)e.mean))
            differs(seed, i, "mean", s.mean, (double)e.mean);
        if (n > 1 && !is_close(s.stddev, exact_constant(x, n) ? 0 : (double)exact_stddev(&e, 1)))
            differs(seed, i, "stddev", s.stddev, (double)exact_stddev(&e, 1));
    }
}

static void random_distance(random_state *r, anomaly_config *c)
{
    static const int32_t LAGS[] = {ANOMALY_LAGS_AUTO, ANOMALY_LAGS_AUTO, ANOMALY_LAGS_PYRAMID, 0, 1, 2, 3, 8};
    (void)anomaly_config_init(c, sizeof *c, ANOMALY_MAHALANOBIS);
    c->features = one_in(r, 3) ? 1 : 1 + (uint32_t)random_below(r, MM_FEATURES);
    c->lags = LAGS[random_below(r, ARRAY_COUNT(LAGS))];
    c->window_events = 128 * (1 + random_below(r, 4));
    c->warmup_events = 1 + random_below(r, 200);
    c->threshold = 1 + random_unit(r) * 2;
    c->compare = (int32_t)random_below(r, 2);
    c->flat = (int32_t)random_below(r, 2);
    c->reserve = one_in(r, 4);
    if (one_in(r, 2)) {
        c->learn = ANOMALY_LEARN_NORMAL;
        c->learn_after = 1 + (uint32_t)random_below(r, 6);
    }
}

static int has_finite(const double *x, uint32_t features)
{
    for (uint32_t f = 0; f < features; f++)
        if (isfinite(x[f]))
            return 1;
    return 0;
}

static void run(uint64_t seed, size_t events)
{
    random_state r = {seed};
    anomaly_config config;
    anomaly_error error = {0};
    anomaly_detector *d = NULL;
    random_distance(&r, &config);
    if (anomaly_create(&config, NULL, &d, &error) != ANOMALY_OK)
        return; /* more coordinates than the window can judge */
    mm_begin(&model, &config);
    stream s = random_stream(&r);
    for (size_t i = 0; i < events; i++) {
        double x[MM_FEATURES];
        anomaly_verdict v;
        stream_values(&s, x, config.features);
        assert_ok(anomaly_score(d, x, ANOMALY_NO_TIME, &v));
        compare(seed, i, d, x, &v);
        uint32_t flags = v.flags;
        assert_ok(anomaly_update(d, x, ANOMALY_NO_TIME, &v));
        assert_int_equal(v.flags & ~(uint32_t)ANOMALY_NOT_LEARNED, flags);
        if (!(v.flags & ANOMALY_NOT_LEARNED) && has_finite(x, config.features))
            mm_learn(&model, x);
        if (i % 37 == 0)
            compare_statistics(seed, i, d);
    }
    anomaly_destroy(d);
}

static void test_events_are_judged_as_by_the_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 8 : 40); seed++)
        run(seed, 300 + (size_t)(seed % 7) * 200);
}

/* ---- snapshots ---- */

static void test_a_restored_detector_goes_on_with_the_same_bits(void **state)
{
    (void)state;
    for (uint64_t seed = 1000; seed < (is_quick() ? 1005 : 1040); seed++) {
        random_state r = {seed};
        anomaly_config config;
        anomaly_detector *a = NULL;
        random_distance(&r, &config);
        if (anomaly_create(&config, NULL, &a, NULL) != ANOMALY_OK)
            continue;
        anomaly_detector *b = copy_of(a);
        stream s = random_stream(&r);
        for (size_t i = 0; i < 1500; i++) {
            double x[MM_FEATURES];
            anomaly_verdict v, w;
            stream_values(&s, x, config.features);
            assert_ok(anomaly_update(a, x, ANOMALY_NO_TIME, &v));
            assert_ok(anomaly_update(b, x, ANOMALY_NO_TIME, &w));
            assert_same_verdict(&v, &w);
            if (!one_in(&r, 50))
                continue;
            assert_same_bytes(a, b);
            anomaly_detector *copy = copy_of(b);
            anomaly_destroy(b);
            b = copy;
            assert_same_state(a, b);
        }
        anomaly_destroy(a);
        anomaly_destroy(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_are_judged_as_by_the_model),
        cmocka_unit_test(test_a_restored_detector_goes_on_with_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
