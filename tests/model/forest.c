/* SPDX-License-Identifier: MIT
 * forest.c - the isolation forest against a slow, obvious one (support/forest_model.h), bit for bit, over random streams and
 * configurations; the same bits whichever way events come in and whichever code path computes; and properties that any
 * isolation forest must have. */
#include "../support/test.h"

#include "../support/exact.h"
#include "../support/forest_model.h"
#include "../support/random.h"

enum { FEATURES = 9, MOST_EVENTS = 2500 };

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
    m->scores = calloc(config->window_events, sizeof *m->scores);
    m->sorted = calloc(config->window_events, sizeof *m->sorted);
    assert_true(m->scores != NULL && m->sorted != NULL);
}

static void model_end(slow_detector *m)
{
    slow_end(&m->forest);
    free(m->scores);
    free(m->sorted);
}

/* The fixed one, or the quantile of the scores so far as soon as there are enough of them. */
static double model_threshold(const slow_detector *m)
{
    uint64_t window = m->config.window_events, n = m->scored < window ? m->scored : window;
    if (!(m->config.contamination > 0) || n < m->config.warmup_events)
        return m->config.threshold;
    memcpy(m->sorted, m->scores, n * sizeof *m->sorted);
    exact_sort(m->sorted, n);
    return exact_linear(m->sorted, n, 1 - m->config.contamination);
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

/* Of the features that are there. */
static uint32_t largest(const double *share, const double *x, uint32_t features)
{
    uint32_t most = 0;
    for (uint32_t f = 1; f < features; f++)
        if (!isnan(x[f]) && (isnan(x[most]) || share[f] > share[most]))
            most = f;
    return most;
}

/* The verdict; nothing moves. */
static anomaly_verdict model_score(const slow_detector *m, const double *x)
{
    uint32_t features = m->config.features, flags = model_event_flags(x, features);
    anomaly_verdict v = {.threshold = model_threshold(m), .expected = NAN, .lower = NAN, .upper = NAN};
    const slow_forest *f = &m->forest;
    int warm = f->count >= m->config.warmup_events && f->built > 0 && 3 * f->built >= f->trees;
    v.events = f->count;
    v.flags = flags & ~(1u << 31);
    v.score = NAN;
    if ((flags & 1u << 31) != 0)
        return v;
    v.flags |= warm ? 0 : (uint32_t)ANOMALY_WARMING_UP;
    v.score = (flags & ANOMALY_NONFINITE) != 0 ? 1 : slow_score(f, x);
    if ((flags & ANOMALY_NONFINITE) != 0)
        v.feature = first_infinite(x);
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
    if ((v.flags & (ANOMALY_NONFINITE | ANOMALY_WARMING_UP)) == 0 && !isnan(v.score))
        model_note_score(m, v.score);
    if (!has_finite(x, m->config.features))
        return v;
    if (model_keeps_out(m, v.flags))
        v.flags |= ANOMALY_NOT_LEARNED;
    else
        model_learn(m, x);
    return v;
}

static void model_rebuild(slow_detector *m)
{
    slow_forest *f = &m->forest;
    slow_rebuild(f);
    if (!(m->config.contamination > 0) || f->count < 2)
        return;
    m->scored = 0;
    for (uint32_t age = 0; age < f->count; age++) {
        double x[FEATURES];
        for (uint32_t i = 0; i < f->features; i++)
            x[i] = slow_event(f, age, i);
        model_note_score(m, slow_score(f, x));
    }
}

/* ---- random configurations and streams ---- */

static void random_forest(random_state *r, anomaly_config *c)
{
    static const double CONTAMINATION[] = {0, 0.01, 0.02, 0.1, 0.5};
    static const double GUIDED[] = {0, 0.25, 0.5, 0.5, 0.9, 1};
    assert_ok(anomaly_config_init(c, sizeof *c, ANOMALY_IFOREST));
    c->features = 1 + (uint32_t)random_below(r, one_in(r, 2) ? 3 : FEATURES);
    c->window_events = 16 + random_below(r, one_in(r, 3) ? 1000 : 150);
    c->warmup_events = 1 + random_below(r, one_in(r, 4) ? 100 : 16);
    c->trees = 1 + (uint32_t)random_below(r, one_in(r, 3) ? 130 : 20);
    c->sample = 2 + (uint32_t)random_below(r, one_in(r, 3) ? 120 : 30);
    c->sample = c->sample > c->window_events ? (uint32_t)c->window_events : c->sample;
    c->depth = 1 + (uint32_t)random_below(r, one_in(r, 3) ? 14 : 6);
    c->candidates = 1 + (uint32_t)random_below(r, 16);
    c->guided = GUIDED[random_below(r, 6)];
    c->contamination = CONTAMINATION[random_below(r, 5)];
    c->threshold = 0.45 + 0.3 * random_unit(r);
    c->compare = (int32_t)random_below(r, 2);
    c->seed = random_bits(r);
    c->reserve = one_in(r, 3);
    c->learn = one_in(r, 2) ? ANOMALY_LEARN_NORMAL : ANOMALY_LEARN_ALWAYS;
    c->learn_after = c->learn == ANOMALY_LEARN_NORMAL ? (uint32_t)random_below(r, 6) : 0;
    if (c->warmup_events > c->window_events)
        c->warmup_events = c->window_events;
}

typedef struct source {
    random_state r;
    uint32_t features;
    uint64_t missing, infinite, turn; /* one value in so many; 0: none. turn: events between changes of scale */
    int shape;
    uint64_t i;
    double at[FEATURES];
} source;

static source random_source(random_state *r, uint32_t features)
{
    source s = {.r = {random_bits(r)}, .features = features, .shape = (int)random_below(r, 7)};
    s.missing = one_in(r, 2) ? 0 : 3 + random_below(r, 30);
    s.infinite = one_in(r, 3) ? 60 + random_below(r, 200) : 0;
    s.turn = one_in(r, 2) ? 0 : 200 + random_below(r, 900);
    return s;
}

/* Normal, few values, a walk, constant, heavy tails, one feature fixed, clusters. */
static double source_value(source *s, uint32_t f)
{
    switch (s->shape) {
    case 0: return random_normal(&s->r);
    case 1: return (double)random_below(&s->r, 3);
    case 2: return s->at[f] += random_normal(&s->r);
    case 3: return one_in(&s->r, 50) ? 1 : 5;
    case 4: return random_normal(&s->r) / (1e-3 + random_unit(&s->r));
    case 5: return f % 2 == 0 ? 7 : random_normal(&s->r);
    default: return random_normal(&s->r) / 50 + (double)random_below(&s->r, 4) * (f + 1);
    }
}

static void source_next(source *s, double *x)
{
    static const double SCALE[] = {1, 3e5, 1e-7, 1, 1e300, 1e-300}, OFFSET[] = {0, 1e9, 0, -1e15, 0, 0};
    uint64_t turn = s->turn == 0 ? 0 : s->i / s->turn % 6;
    s->i++;
    for (uint32_t f = 0; f < s->features; f++) {
        x[f] = source_value(s, f) * (turn == 4 ? 1e-3 : 1) * SCALE[turn] + OFFSET[turn];
        if (s->missing != 0 && one_in(&s->r, s->missing))
            x[f] = NAN;
        if (s->infinite != 0 && one_in(&s->r, s->infinite))
            x[f] = one_in(&s->r, 2) ? INFINITY : -INFINITY;
    }
}

static anomaly_detector *create(const anomaly_config *config)
{
    anomaly_detector *d = NULL;
    anomaly_error error = {0};
    if (anomaly_create(config, NULL, &d, &error) != ANOMALY_OK)
        print_error("%s: %s\n", error.field, error.message);
    assert_non_null(d);
    return d;
}

static void print_config(const anomaly_config *c)
{
    for (size_t i = 0; anomaly_option_at(i) != NULL; i++) {
        char text[64];
        if ((anomaly_option_at(i)->kinds >> c->kind & 1) != 0 &&
            anomaly_config_get(c, anomaly_option_at(i)->name, text, sizeof text) == ANOMALY_OK)
            print_error("%s=%s ", anomaly_option_at(i)->name, text);
    }
    print_error("\n");
}

/* ---- equal to the model ---- */

/* The main cause is what the walks met most of. The shares are those of the model, put to one scale; where they nearly cancel
 * out the scale is mostly rounding. */
static void check_cause(const anomaly_detector *d, const slow_detector *m, const double *x, const anomaly_verdict *v)
{
    double share[FEATURES], want[FEATURES], met[FEATURES], total, sum = 0;
    uint32_t features = m->config.features;
    assert_ok(anomaly_explain(d, x, share));
    total = slow_met(&m->forest, x, met);
    assert_true(met[v->feature] >= met[largest(met, x, features)] - 1e-5 * m->forest.built);
    for (uint32_t f = 0; f < features; f++)
        sum += share[f];
    assert_true(fabs(sum - (v->score - 0.5)) <= 1e-6);
    if (fabs(total) <= 0.03 * m->forest.built)
        return;
    slow_explain(&m->forest, x, met, total, want);
    for (uint32_t f = 0; f < features; f++)
        if (!(fabs(share[f] - want[f] / total * (v->score - 0.5)) <= 1e-5)) {
            print_error("share of %u of %u: %.17g, model %.17g\n", f, features, share[f],
                        want[f] / total * (v->score - 0.5));
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

/* The default configuration over a change of coding, with everything in its usual size. */
static void test_defaults_equal_the_slow_forest(void **state)
{
    anomaly_config config;
    slow_detector m;
    random_state r = {5};
    (void)state;
    for (uint32_t profile = 0; profile < (is_quick() ? 1 : 3); profile++) {
        static const char *const NAMES[] = {"fast", "balanced", "accurate"};
        assert_ok(anomaly_config_init(&config, sizeof config, ANOMALY_IFOREST));
        assert_ok(anomaly_config_set(&config, "profile", NAMES[profile], NULL));
        config.features = 5;
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
    double *x = calloc(features, sizeof *x);
    assert_non_null(x);
    config_of(&config, ANOMALY_IFOREST, options);
    config.features = features;
    anomaly_detector *d = create(&config);
    slow_begin(&f, &config);
    for (int i = 0; i < events; i++) {
        anomaly_verdict v;
        next(&r, i, x, features);
        assert_ok(anomaly_update(d, x, ANOMALY_NO_TIME, &v));
        assert_same(v.score, slow_score(&f, x));
        slow_learn(&f, x);
    }
    slow_end(&f);
    anomaly_destroy(d);
    free(x);
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
    compare_scores("window=2500 trees=40 sample=30", 2, 6000, next_scale);
}

static void test_still_features(void **state)
{
    (void)state;
    compare_scores("window=200 trees=20 sample=60 guided=0.1 candidates=2", 400, is_quick() ? 60 : 300, next_still);
}

/* ---- the same bits, whichever way ---- */

typedef struct table {
    anomaly_config config;
    double *x;
    anomaly_verdict *want; /* event by event */
    size_t count;
} table;

static void table_begin(table *t, random_state *r, size_t count)
{
    random_forest(r, &t->config);
    t->count = count;
    t->x = calloc(count * FEATURES, sizeof *t->x);
    t->want = calloc(count, sizeof *t->want);
    assert_true(t->x != NULL && t->want != NULL);
    source s = random_source(r, t->config.features);
    for (size_t i = 0; i < count; i++)
        source_next(&s, t->x + i * t->config.features);
    anomaly_detector *d = create(&t->config);
    for (size_t i = 0; i < count; i++)
        assert_ok(anomaly_update(d, t->x + i * t->config.features, ANOMALY_NO_TIME, &t->want[i]));
    anomaly_destroy(d);
}

static void table_end(table *t)
{
    free(t->x);
    free(t->want);
}

typedef struct output {
    double score[MOST_EVENTS], threshold[MOST_EVENTS];
    uint32_t flags[MOST_EVENTS], feature[MOST_EVENTS];
    uint64_t events[MOST_EVENTS];
} output;

static anomaly_verdict verdict_of(const output *o, size_t i)
{
    return (anomaly_verdict){.score = o->score[i],
                             .threshold = o->threshold[i],
                             .expected = NAN,
                             .lower = NAN,
                             .upper = NAN,
                             .flags = o->flags[i],
                             .feature = o->feature[i],
                             .events = o->events[i]};
}

/* Every row laid out apart, in chunks of any size; now and then event by event, or by columns. */
static void run_chunks(const table *t, anomaly_detector *d, random_state *r, output *o)
{
    uint32_t features = t->config.features;
    size_t stride = features + random_below(r, 3), at = 0;
    double *apart = calloc(t->count * stride, sizeof *apart);
    assert_non_null(apart);
    for (size_t i = 0; i < t->count; i++)
        memcpy(apart + i * stride, t->x + i * features, features * sizeof *apart);
    while (at < t->count) {
        size_t left = t->count - at, chunk = 1 + random_below(r, one_in(r, 3) ? left : 40), done = 0;
        const double *columns[FEATURES];
        anomaly_rows rows = {.count = chunk < left ? chunk : left, .row_stride = (ptrdiff_t)(stride * sizeof *apart)};
        anomaly_verdicts out = {.score = o->score + at,
                                .threshold = o->threshold + at,
                                .flags = o->flags + at,
                                .feature = o->feature + at,
                                .events = o->events + at};
        for (uint32_t f = 0; f < features; f++)
            columns[f] = apart + at * stride + f;
        if (one_in(r, 2))
            rows.columns = columns;
        else
            rows.values = apart + at * stride;
        assert_ok(anomaly_update_rows(d, &rows, &out, &done));
        assert_true(done == rows.count);
        at += done;
    }
    free(apart);
}

static void check_output(const table *t, const output *o, const char *what)
{
    for (size_t i = 0; i < t->count; i++) {
        anomaly_verdict got = verdict_of(o, i);
        if (same_verdict(&got, &t->want[i]))
            continue;
        print_error("%s, event %zu\n", what, i);
        print_config(&t->config);
        assert_same_verdict(&got, &t->want[i]);
    }
}

static void test_rows_are_the_loop(void **state)
{
    output *o = calloc(1, sizeof *o);
    (void)state;
    assert_non_null(o);
    for (uint64_t seed = 1000; seed < (is_quick() ? 1006 : 1060); seed++) {
        random_state r = {seed};
        table t;
        table_begin(&t, &r, 200 + random_below(&r, MOST_EVENTS - 200));
        anomaly_detector *d = create(&t.config);
        run_chunks(&t, d, &r, o);
        check_output(&t, o, "rows");
        anomaly_destroy(d);
        table_end(&t);
    }
    free(o);
}

static void test_every_path_gives_the_same_bits(void **state)
{
    static const char *const PATHS[] = {"scalar", "portable", "avx2", "avx512"};
    output *o = calloc(1, sizeof *o);
    (void)state;
    assert_non_null(o);
    for (uint64_t seed = 2000; seed < (is_quick() ? 2004 : 2040); seed++) {
        random_state r = {seed};
        table t;
        table_begin(&t, &r, 1200);
        for (size_t k = 0; k < ARRAY_COUNT(PATHS); k++) {
            anomaly_config config = t.config;
            assert_ok(anomaly_config_set(&config, "simd", PATHS[k], NULL));
            anomaly_detector *d = create(&config);
            run_chunks(&t, d, &r, o);
            check_output(&t, o, PATHS[k]);
            anomaly_destroy(d);
        }
        table_end(&t);
    }
    free(o);
}

/* Wide events go other ways: codes in several vectors, gathers. And what is explained is the same on all. */
static void test_wide_events_on_every_path(void **state)
{
    static const char *const PATHS[] = {"scalar", "portable", "avx2", "avx512"};
    static const uint32_t WIDTHS[] = {15, 16, 17, 31, 33, 63, 64, 100, 127, 128, 129, 300};
    enum { EVENTS = 220, MOST_WIDE = 300 };
    (void)state;
    for (size_t w = 0; w < ARRAY_COUNT(WIDTHS); w++) {
        uint32_t features = WIDTHS[w];
        double *x = calloc((size_t)EVENTS * features, sizeof *x), score[EVENTS], want[EVENTS];
        double share[MOST_WIDE], want_share[MOST_WIDE];
        random_state r = {features};
        anomaly_detector *first = NULL;
        assert_non_null(x);
        for (size_t i = 0; i < (size_t)EVENTS * features; i++)
            x[i] = one_in(&r, 60) ? (double)NAN : random_normal(&r);
        for (size_t k = 0; k < ARRAY_COUNT(PATHS); k++) {
            anomaly_config config;
            anomaly_rows rows = {.count = EVENTS, .values = x};
            anomaly_verdicts out = {.score = score};
            config_of(&config, ANOMALY_IFOREST, "window=64 trees=40 sample=40");
            config.features = features;
            assert_ok(anomaly_config_set(&config, "simd", PATHS[k], NULL));
            anomaly_detector *d = create(&config);
            first = k == 0 ? d : first;
            assert_ok(anomaly_update_rows(d, &rows, &out, NULL));
            memcpy(k == 0 ? want : score, score, sizeof score);
            for (size_t i = 0; i < EVENTS; i++)
                assert_same(score[i], want[i]);
            for (size_t i = 0; i < EVENTS; i += 20) {
                assert_ok(anomaly_explain(d, x + i * features, share));
                assert_ok(anomaly_explain(first, x + i * features, want_share));
                assert_memory_equal(share, want_share, features * sizeof *share);
            }
            if (k > 0)
                anomaly_destroy(d);
        }
        anomaly_destroy(first);
        free(x);
    }
}

static void test_score_rows_are_the_loop(void **state)
{
    output *o = calloc(1, sizeof *o);
    (void)state;
    assert_non_null(o);
    for (uint64_t seed = 3000; seed < (is_quick() ? 3004 : 3030); seed++) {
        random_state r = {seed};
        table t;
        table_begin(&t, &r, 1000);
        anomaly_detector *d = create(&t.config);
        anomaly_rows half = {.count = 600, .values = t.x}, all = {.count = t.count, .values = t.x};
        anomaly_verdicts out = {
            .score = o->score, .threshold = o->threshold, .flags = o->flags, .feature = o->feature, .events = o->events};
        assert_ok(anomaly_learn_rows(d, &half, NULL));
        assert_ok(anomaly_score_rows(d, &all, &out, NULL));
        for (size_t i = 0; i < t.count; i++)
            assert_ok(anomaly_score(d, t.x + i * t.config.features, ANOMALY_NO_TIME, &t.want[i]));
        check_output(&t, o, "score rows");
        anomaly_destroy(d);
        table_end(&t);
    }
    free(o);
}

/* update is score and learn; a forest that only learns is the same forest. */
static void test_learning_apart_from_scoring(void **state)
{
    (void)state;
    for (uint64_t seed = 4000; seed < (is_quick() ? 4003 : 4015); seed++) {
        random_state r = {seed};
        table t;
        table_begin(&t, &r, 900);
        anomaly_config config = t.config;
        config.learn = ANOMALY_LEARN_ALWAYS;
        config.learn_after = 0;
        anomaly_detector *a = create(&config), *b = create(&config);
        for (size_t i = 0; i < t.count; i++) {
            const double *x = t.x + i * config.features;
            anomaly_verdict v, w;
            assert_ok(anomaly_update(a, x, ANOMALY_NO_TIME, &v));
            assert_ok(anomaly_score(b, x, ANOMALY_NO_TIME, &w));
            assert_same(v.score, w.score);
            assert_ok(anomaly_learn(b, x, ANOMALY_NO_TIME));
        }
        anomaly_destroy(a);
        anomaly_destroy(b);
        table_end(&t);
    }
}

/* ---- the same on every machine ---- */

static uint64_t checksum(uint64_t h, double x)
{
    h = (h ^ bits_of(x)) * UINT64_C(0x100000001b3);
    return h ^ h >> 29;
}

/* What gcc 12 and clang 14 gave on x86-64, with and without vectors: whoever gets something else computes something else. */
static void test_golden_scores(void **state)
{
    static const char *const NAMES[] = {"fast", "balanced", "accurate"};
    static const uint64_t GOLDEN[] = {UINT64_C(0xf0e63ab4e86ee0d6), UINT64_C(0x33d570506f05f82a),
                                      UINT64_C(0xbc91eadca31337d6)};
    int wrong = 0;
    (void)state;
    for (size_t k = 0; k < 3; k++) {
        anomaly_config config;
        uint64_t h = UINT64_C(0xcbf29ce484222325);
        random_state r = {20260101};
        assert_ok(anomaly_config_init(&config, sizeof config, ANOMALY_IFOREST));
        assert_ok(anomaly_config_set(&config, "profile", NAMES[k], NULL));
        config.features = 4;
        anomaly_detector *d = create(&config);
        for (int i = 0; i < 4000; i++) {
            double x[4];
            anomaly_verdict v;
            for (int f = 0; f < 4; f++)
                x[f] = one_in(&r, 100) ? (double)NAN : random_normal(&r) * (f + 1) + (i > 2500 ? 1e6 : 0);
            assert_ok(anomaly_update(d, x, ANOMALY_NO_TIME, &v));
            h = checksum(checksum(h, v.score), v.threshold);
        }
        anomaly_destroy(d);
        if (h != GOLDEN[k])
            print_error("%s: checksum %#llx\n", NAMES[k], (unsigned long long)h);
        wrong += h != GOLDEN[k];
    }
    assert_int_equal(wrong, 0);
}

/* ---- properties ---- */

static void test_scores_lie_between_0_and_1(void **state)
{
    (void)state;
    for (uint64_t seed = 5000; seed < (is_quick() ? 5005 : 5040); seed++) {
        random_state r = {seed};
        table t;
        table_begin(&t, &r, 700);
        for (size_t i = 0; i < t.count; i++)
            if (!isnan(t.want[i].score) && !has_flag(t.want[i], ANOMALY_NONFINITE))
                assert_true(t.want[i].score > 0 && t.want[i].score < 1);
        table_end(&t);
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
        cmocka_unit_test(test_equals_the_slow_forest),
        cmocka_unit_test(test_defaults_equal_the_slow_forest),
        cmocka_unit_test(test_changes_of_coding),
        cmocka_unit_test(test_still_features),
        cmocka_unit_test(test_rows_are_the_loop),
        cmocka_unit_test(test_every_path_gives_the_same_bits),
        cmocka_unit_test(test_wide_events_on_every_path),
        cmocka_unit_test(test_score_rows_are_the_loop),
        cmocka_unit_test(test_learning_apart_from_scoring),
        cmocka_unit_test(test_golden_scores),
        cmocka_unit_test(test_scores_lie_between_0_and_1),
        cmocka_unit_test(test_scale_does_not_matter),
        cmocka_unit_test(test_a_far_point_scores_above_every_inlier),
        cmocka_unit_test(test_sign_does_not_matter_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
