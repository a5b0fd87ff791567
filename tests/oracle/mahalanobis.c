/* SPDX-License-Identifier: MIT
 * mahalanobis.c - the distance beside what docs/methods.md and docs/concepts.md say of it: every vector is kept, and covariance,
 * distance and shares are reckoned anew from the vectors in 113 bits. The word for an anomaly is looked at elsewhere. */
#include "test.h"

#include <inttypes.h>

#include "random.h"
#include "support/agree.h"
#include "support/run.h"

enum {
    FEATURES = 3,
    COORDINATES = 14,
    MOST_EVENTS = 2600,
    BATCH = 16,
    BLOCKS = 8,
    MOST_ROWS = 40,
    ONE_WORD = ANOMALY_SPIKE | ANOMALY_SHIFT | ANOMALY_NOISIER | ANOMALY_QUIETER | ANOMALY_STUCK
};

/* Counts, means and sums of products of deviations. */
typedef struct stretch {
    real count[COORDINATES], mean[COORDINATES], products[COORDINATES][COORDINATES];
} stretch;

typedef struct episode {
    uint64_t seed, step;
    random_state r;
    char text[200];
    anomaly_config config;
    double offset, scale, follows; /* how near a value is to the one before */
    unsigned still_one_in, missing_one_in, infinite_one_in, spike_one_in;
    double last[FEATURES];
    anomaly_detector *detector, *twin; /* the twin goes the same way in rows */
    oracle oracle;                     /* counts and the learning policy */
    size_t events;                     /* that were learned */
    real value[MOST_EVENTS][FEATURES]; /* of each learned event; of a missing value the one before */
    size_t vectors, coordinates, span; /* so many values go into a vector */
    real vector[MOST_EVENTS][COORDINATES];
    size_t fitted; /* vectors that `fit` has seen come */
    stretch fit;
    agreement *agreement;
    int failed;
} episode;

typedef struct judgement {
    real score, share[FEATURES];
    int flat, feature, unsure; /* feature: of the largest share; unsure: a rounding decides it */
} judgement;

static void check(episode *e, int agrees, const char *what, double got, double want)
{
    if (agrees || e->failed)
        return;
    e->failed = 1;
    print_error("ORACLE_SEED=%" PRIu64 " step %" PRIu64 ", %s: %.17g, want %.17g\n  mahalanobis %s\n", e->seed, e->step,
                what, got, want, e->text);
}

/* ---- coordinates ---- */

static int is_pyramid(const episode *e)
{
    return e->config.lags == ANOMALY_LAGS_PYRAMID || (e->config.lags == ANOMALY_LAGS_AUTO && e->config.features == 1);
}

static size_t lags_of(const episode *e)
{
    return is_pyramid(e) ? 7 : e->config.lags > 1 ? (size_t)e->config.lags : 1;
}

/* The mean of the `length` learned values that end `back` values before the newest learned one. */
static real mean_before(const episode *e, uint32_t f, size_t back, size_t length)
{
    real sum = 0;
    for (size_t i = 0; i < length; i++)
        sum += e->value[e->events - 1 - back - i][f];
    return sum / (real)length;
}

/* Returns 0 while too few values were learned. A missing newest value is NaN. */
static int coordinates_of(const episode *e, const double *x, real *y)
{
    size_t lags = lags_of(e);
    if (e->events + 1 < e->span)
        return 0;
    for (uint32_t f = 0; f < e->config.features; f++) {
        y[f * lags] = (real)x[f];
        for (size_t k = 1, back = 0; k < lags; k++) {
            size_t length = is_pyramid(e) ? (size_t)1 << (k - 1) : 1;
            y[f * lags + k] = mean_before(e, f, back, length);
            back += length;
        }
    }
    return 1;
}

/* ---- totals ---- */

static stretch of_batch(const episode *e, size_t from)
{
    stretch s;
    memset(&s, 0, sizeof s);
    for (size_t i = 0; i < e->coordinates; i++) {
        for (size_t v = from; v < from + BATCH; v++)
            if (!real_is_nan(e->vector[v][i])) {
                s.count[i]++;
                s.mean[i] += e->vector[v][i];
            }
        s.mean[i] /= real_max(s.count[i], 1);
    }
    for (size_t v = from; v < from + BATCH; v++)
        for (size_t i = 0; i < e->coordinates; i++)
            for (size_t j = 0; j < e->coordinates; j++)
                if (!real_is_nan(e->vector[v][i]) && !real_is_nan(e->vector[v][j]))
                    s.products[i][j] += (e->vector[v][i] - s.mean[i]) * (e->vector[v][j] - s.mean[j]);
    return s;
}

static void merge(const episode *e, stretch *a, const stretch *b)
{
    real apart[COORDINATES];
    for (size_t i = 0; i < e->coordinates; i++) {
        real count = a->count[i] + b->count[i], both = a->count[i] * b->count[i];
        apart[i] = both > 0 ? (b->mean[i] - a->mean[i]) * real_sqrt(both / count) : 0;
        if (count > 0)
            a->mean[i] = (a->count[i] * a->mean[i] + b->count[i] * b->mean[i]) / count;
        a->count[i] = count;
    }
    for (size_t i = 0; i < e->coordinates; i++)
        for (size_t j = 0; j < e->coordinates; j++)
            a->products[i][j] += b->products[i][j] + apart[i] * apart[j];
}

static stretch of_vectors(const episode *e, size_t from, size_t to)
{
    stretch all, one;
    memset(&all, 0, sizeof all);
    for (; from < to; from += BATCH) {
        one = of_batch(e, from);
        merge(e, &all, &one);
    }
    return all;
}

/* The totals of all vectors up to there: eight blocks, of which the newest may be part of one. */
static stretch of_window(const episode *e, size_t to)
{
    size_t block = (size_t)e->config.window_events / BLOCKS, begun = (to + block - 1) / block * block;
    stretch window;
    memset(&window, 0, sizeof window);
    for (size_t from = begun > BLOCKS * block ? begun - BLOCKS * block : 0; from < to; from += block) {
        stretch one = of_vectors(e, from, from + block < to ? from + block : to);
        merge(e, &window, &one);
    }
    return window;
}

/* Has a coordinate left the value that the fit has always seen? */
static int has_moved(const episode *e, const stretch *window)
{
    for (size_t i = 0; i < e->coordinates; i++)
        if (!(e->fit.products[i][i] > 0) && window->products[i][i] > 0)
            return 1;
    return 0;
}

/* The covariance is made anew with each batch until the first block is full, then with each block; and with a batch that
 * brings in another value of a coordinate that had but one. */
static void fit_anew(episode *e)
{
    size_t block = (size_t)e->config.window_events / BLOCKS;
    stretch window;
    if (e->vectors == 0 || e->vectors % BATCH != 0 || e->vectors == e->fitted)
        return;
    window = of_window(e, e->vectors);
    if (e->vectors > block && e->vectors % block != 0 && !has_moved(e, &window))
        return;
    e->fitted = e->vectors;
    e->fit = window;
}

/* ---- the distance ---- */

static real covariance(const stretch *s, size_t i, size_t j)
{
    return s->products[i][j] / real_sqrt(s->count[i] * s->count[j]);
}

/* The coordinates that are there and vary, in order; *off: a bit for each feature that has left the value that it
 * always had. */
static size_t pick(const episode *e, const real *y, size_t *picked, uint32_t *off)
{
    size_t count = 0;
    *off = 0;
    for (size_t i = 0; i < e->coordinates; i++) {
        if (real_is_nan(y[i]) || !(e->fit.count[i] > 0))
            continue;
        if (e->fit.products[i][i] > 0)
            picked[count++] = i;
        else if ((e->config.features > 1 || i == 0) && y[i] != e->fit.mean[i])
            *off |= 1u << (i / lags_of(e));
    }
    return count;
}

/* Of one value a tenth of the mean variance; of several .3, each in its own standard deviations. */
static real ridge_and_units(const episode *e, const size_t *picked, size_t count, real *unit)
{
    real sum = 0, varying = 0;
    for (size_t k = 0; k < count; k++)
        unit[k] = e->config.features > 1 ? real_sqrt(covariance(&e->fit, picked[k], picked[k])) : 1;
    if (e->config.features > 1)
        return (real)3 / 10;
    for (size_t i = 0; i < e->coordinates; i++) {
        varying += e->fit.products[i][i] > 0;
        sum += covariance(&e->fit, i, i);
    }
    return sum / varying / 10;
}

/* Turns the matrix into its inverse, by Gauss and Jordan; it is positive definite, so no pivot is sought. */
static void invert(real a[COORDINATES][COORDINATES], size_t n)
{
    for (size_t k = 0; k < n; k++) {
        real pivot = 1 / a[k][k];
        a[k][k] = 1;
        for (size_t j = 0; j < n; j++)
            a[k][j] *= pivot;
        for (size_t i = 0; i < n; i++) {
            real factor = a[i][k];
            if (i == k)
                continue;
            a[i][k] = 0;
            for (size_t j = 0; j < n; j++)
                a[i][j] -= factor * a[k][j];
        }
    }
}

static void largest_share(const episode *e, judgement *j)
{
    for (uint32_t f = 1; f < e->config.features; f++)
        if (j->share[f] > j->share[j->feature])
            j->feature = (int)f;
    for (uint32_t f = 0; f < e->config.features; f++)
        j->unsure |= (int)f != j->feature && j->share[f] > j->share[j->feature] * (1 - (real)1e-9);
}

/* d = sqrt(z' S^-1 z / m); coordinate i loses (S^-1 z)i^2 / (S^-1)ii, scaled to sum to d. */
static judgement distance(const episode *e, const real *y, const size_t *picked, size_t count)
{
    real inverse[COORDINATES][COORDINATES], z[COORDINATES], unit[COORDINATES], square = 0, lost = 0;
    real ridge = ridge_and_units(e, picked, count, unit);
    judgement j;
    memset(&j, 0, sizeof j);
    for (size_t i = 0; i < count; i++) {
        z[i] = (y[picked[i]] - e->fit.mean[picked[i]]) / unit[i];
        for (size_t k = 0; k < count; k++)
            inverse[i][k] = covariance(&e->fit, picked[i], picked[k]) / (unit[i] * unit[k]) + (i == k ? ridge : 0);
    }
    invert(inverse, count);
    for (size_t i = 0; i < count; i++) {
        real u = 0, part;
        for (size_t k = 0; k < count; k++)
            u += inverse[i][k] * z[k];
        square += u * z[i];
        part = u * u / inverse[i][i];
        j.share[picked[i] / lags_of(e)] += part;
        lost += part;
    }
    j.score = count > 0 ? real_sqrt(square / (real)count) : 0;
    for (uint32_t f = 0; f < e->config.features; f++)
        j.share[f] = lost > 0 ? j.share[f] * (j.score / lost) : 0;
    largest_share(e, &j);
    return j;
}

static judgement infinite(uint32_t feature, int flat)
{
    judgement j;
    memset(&j, 0, sizeof j);
    j.score = j.share[feature] = real_infinity(0);
    j.feature = (int)feature;
    j.flat = flat;
    return j;
}

/* Which of several such features is named is not said. */
static judgement left_behind(uint32_t off)
{
    judgement j;
    uint32_t feature = 0;
    while (!(off >> feature & 1))
        feature++;
    j = infinite(feature, 1);
    j.unsure = (off & (off - 1)) != 0;
    return j;
}

/* An infinite value counts as missing in the window. */
static void without_infinite(const episode *e, const double *x, double *finite)
{
    for (uint32_t f = 0; f < e->config.features; f++)
        finite[f] = isinf(x[f]) ? (double)NAN : x[f];
}

/* A score that is NaN: all is missing, or there is no covariance yet. */
static judgement judged_by_finite(const episode *e, const double *x)
{
    double finite[FEATURES] = {0};
    real y[COORDINATES];
    size_t picked[COORDINATES], count;
    uint32_t f = 0, off;
    judgement none;
    memset(&none, 0, sizeof none);
    none.score = (real)NAN;
    without_infinite(e, x, finite);
    while (f < e->config.features && isnan(finite[f]))
        f++;
    if (f == e->config.features || e->fitted == 0 || !coordinates_of(e, finite, y))
        return none;
    count = pick(e, y, picked, &off);
    return off ? left_behind(off) : distance(e, y, picked, count);
}

static judgement judged(const episode *e, const double *x)
{
    judgement j = judged_by_finite(e, x);
    for (uint32_t f = 0; f < e->config.features; f++)
        if (isinf(x[f]))
            return infinite(f, j.flat);
    return j;
}

/* ---- learning ---- */

static void learn(episode *e, const double *x)
{
    double finite[FEATURES] = {0};
    without_infinite(e, x, finite);
    if (coordinates_of(e, finite, e->vector[e->vectors]))
        e->vectors++;
    for (uint32_t f = 0; f < e->config.features; f++)
        e->value[e->events][f] = isnan(finite[f]) ? e->value[e->events - 1][f] : (real)finite[f];
    e->events++;
    fit_anew(e);
}

/* ---- a verdict ---- */

/* A covariance of fewer than two vectors a coordinate tells little. */
static int has_enough(const episode *e)
{
    return e->fitted > 0 && e->fitted >= 2 * e->coordinates;
}

static uint32_t wanted_flags(const episode *e, const double *x, const judgement *j, int over)
{
    uint32_t flags = oracle_event_flags(&e->oracle, x, 0);
    int is_judged = !real_is_nan(j->score), is_warm = e->oracle.count >= e->config.warmup_events && has_enough(e);
    if (!is_warm)
        flags |= ANOMALY_WARMING_UP;
    if (is_judged && is_warm && over)
        flags |= ANOMALY_IS_ANOMALY;
    if (j->flat)
        flags |= ANOMALY_FLAT;
    return flags;
}

/* Each anomaly of one value has one word, and no other event has one. */
static void check_word(episode *e, uint32_t flags)
{
    uint32_t words = flags & ONE_WORD;
    int wanted = e->config.features == 1 && (flags & ANOMALY_IS_ANOMALY) != 0;
    check(e, wanted ? words != 0 && (words & (words - 1)) == 0 : words == 0, "one word", flags, wanted);
}

static void check_verdict_of(episode *e, const double *x, const anomaly_verdict *v)
{
    judgement j = judged(e, x);
    int over = e->config.compare == ANOMALY_GE ? v->score >= v->threshold : v->score > v->threshold;
    uint32_t got = v->flags & ~(uint32_t)(ANOMALY_NOT_LEARNED | ANOMALY_ABOVE | ANOMALY_BELOW | ONE_WORD);
    e->agreement->verdicts++;
    check(e, agree_number(v->score, j.score, (real)1e-9 * j.score), "score", v->score, (double)j.score);
    check(e, got == wanted_flags(e, x, &j, over), "flags", got, wanted_flags(e, x, &j, over));
    check_word(e, v->flags);
    check(e, v->threshold == e->config.threshold, "threshold", v->threshold, e->config.threshold);
    check(e, isnan(v->expected) && isnan(v->lower) && isnan(v->upper), "no bounds", v->expected, NAN);
    check(e, v->events == e->oracle.count, "events", (double)v->events, (double)e->oracle.count);
    if ((got & ANOMALY_IS_ANOMALY) != 0 && !j.unsure)
        check(e, (int)v->feature == j.feature, "feature", v->feature, j.feature);
}

/* Where a rounding decides between score and threshold, the library's word counts. */
static void follow(episode *e, const double *x, const anomaly_verdict *v)
{
    uint64_t learned = e->oracle.counts.learned;
    check_verdict_of(e, x, v);
    check(e, (v->flags & ANOMALY_NOT_LEARNED) == oracle_take(&e->oracle, x, 0, flagged(*v)), "not learned", v->flags, 0);
    oracle_count_update(&e->oracle, v->flags);
    if (e->oracle.counts.learned > learned)
        learn(e, x);
    e->step++;
}

/* ---- steps ---- */

/* The first event is complete: what a lag counts as before any value has come is not said. */
static void draw_event(episode *e, double *x)
{
    for (uint32_t f = 0; f < e->config.features; f++) {
        double next = e->follows * e->last[f] + random_normal(&e->r) + (f > 0 ? 0.5 * e->last[f - 1] : 0);
        e->last[f] = one_in(&e->r, e->still_one_in) ? next : e->last[f];
        x[f] = e->offset + e->scale * e->last[f];
        if (one_in(&e->r, e->spike_one_in))
            x[f] = e->offset + e->scale * 30 * random_normal(&e->r);
        if (e->events > 0 && one_in(&e->r, e->missing_one_in))
            x[f] = NAN;
        else if (e->events > 0 && one_in(&e->r, e->infinite_one_in))
            x[f] = one_in(&e->r, 2) ? INFINITY : -INFINITY;
    }
}

static void do_rows(episode *e)
{
    double x[MOST_ROWS * FEATURES] = {0}, score[MOST_ROWS];
    uint32_t flags[MOST_ROWS], feature[MOST_ROWS];
    size_t features = e->config.features, count = 1 + random_size(&e->r, MOST_ROWS), done = 0;
    anomaly_rows rows = {.count = count, .values = x};
    anomaly_verdicts verdicts = {.score = score, .flags = flags, .feature = feature};
    for (size_t i = 0; i < count; i++)
        draw_event(e, x + i * features);
    assert_ok(anomaly_update_rows(e->twin, &rows, &verdicts, &done));
    for (size_t i = 0; i < count && !e->failed; i++) {
        anomaly_verdict v;
        assert_ok(anomaly_update(e->detector, x + i * features, ANOMALY_NO_TIME, &v));
        check(e, same_double(v.score, score[i]) && v.flags == flags[i] && v.feature == feature[i], "rows and loop", score[i],
              v.score);
        follow(e, x + i * features, &v);
    }
}

static void do_parts(episode *e)
{
    double x[FEATURES];
    anomaly_verdict v, part;
    draw_event(e, x);
    assert_ok(anomaly_update(e->detector, x, ANOMALY_NO_TIME, &v));
    assert_ok(anomaly_score(e->twin, x, ANOMALY_NO_TIME, &part));
    part.flags |= v.flags & ANOMALY_NOT_LEARNED;
    check(e, same_verdict(&v, &part), "update and score", part.score, v.score);
    assert_ok(anomaly_update(e->twin, x, ANOMALY_NO_TIME, NULL));
    follow(e, x, &v);
}

static void do_explain(episode *e)
{
    double x[FEATURES], share[FEATURES];
    judgement j;
    draw_event(e, x);
    j = judged(e, x);
    if (real_is_nan(j.score) || real_is_infinite(j.score))
        return;
    assert_ok(anomaly_explain(e->detector, x, share));
    for (uint32_t f = 0; f < e->config.features; f++)
        check(e, agree_number(share[f], j.share[f], (real)1e-8 * j.score), "share", share[f], (double)j.share[f]);
    e->step++;
}

static void do_restore(episode *e)
{
    size_t size = 0, used = 0;
    void *bytes;
    anomaly_detector *restored = NULL;
    assert_ok(anomaly_snapshot_size(e->twin, &size));
    bytes = malloc(size);
    assert_non_null(bytes);
    assert_ok(anomaly_snapshot(e->twin, bytes, size, &used));
    assert_ok(anomaly_restore(bytes, used, NULL, &restored, NULL));
    free(bytes);
    anomaly_destroy(e->twin);
    e->twin = restored;
}

static void do_reset(episode *e)
{
    anomaly_reset(e->detector);
    anomaly_reset(e->twin);
    oracle_reset(&e->oracle);
    e->events = e->vectors = e->fitted = 0;
}

static void do_step(episode *e)
{
    uint64_t which = random_below(&e->r, 400);
    if (which < 200)
        do_parts(e);
    else if (which < 290)
        do_rows(e);
    else if (which < 390)
        do_explain(e);
    else if (which < 399)
        do_restore(e);
    else if (one_in(&e->r, 3))
        do_reset(e);
}

/* ---- episodes ---- */

static void draw_detector(episode *e)
{
    static const char *const learns[] = {"always", "always", "normal", "normal:3"};
    static const char *const lags[] = {"auto", "auto", "0", "2", "4", "pyramid"};
    random_state *r = &e->r;
    const char *lag = lags[random_below(r, 6)];
    snprintf(e->text, sizeof e->text, "features=%d window=%d lags=%s warmup=%d learn=%s compare=%s threshold=%.2f",
             1 + (int)random_below(r, *lag == 'p' ? 2 : FEATURES), 128 * (1 + (int)random_below(r, 3)), lag,
             1 + (int)random_below(r, 120), learns[random_below(r, 4)], one_in(r, 2) ? "ge" : "gt",
             1 + 2.5 * random_unit(r));
    config_of(&e->config, ANOMALY_MAHALANOBIS, e->text);
}

static void draw_stream(episode *e)
{
    static const double offsets[] = {0, 0, 1e6, -50}, scales[] = {1, 1, 1000, 1e-100, 1e100};
    random_state *r = &e->r;
    e->offset = offsets[random_below(r, 4)];
    e->scale = e->offset != 0 ? 1 : scales[random_below(r, 5)];
    e->follows = one_in(r, 2) ? 0 : 0.9 * random_unit(r);
    e->still_one_in = one_in(r, 4) ? 300 : 1;
    e->missing_one_in = one_in(r, 2) ? 20 : 1000000;
    e->infinite_one_in = one_in(r, 2) ? 100 : 1000000;
    e->spike_one_in = one_in(r, 2) ? 50 : 1000;
}

static void begin(episode *e, uint64_t seed, agreement *a)
{
    memset(e, 0, sizeof *e);
    e->seed = seed;
    e->r.s = seed;
    e->agreement = a;
    draw_detector(e);
    draw_stream(e);
    e->coordinates = lags_of(e) * e->config.features;
    e->span = is_pyramid(e) ? 64 : lags_of(e);
    assert_ok(anomaly_create(&e->config, NULL, &e->detector, NULL));
    assert_ok(anomaly_create(&e->config, NULL, &e->twin, NULL));
    oracle_init(&e->oracle, &e->config);
}

static void run_episode(uint64_t seed, agreement *a, uint64_t *steps, uint64_t *failures)
{
    episode *e = malloc(sizeof *e);
    uint64_t length;
    assert_non_null(e);
    begin(e, seed, a);
    length = 200 + random_below(&e->r, MOST_EVENTS - 200 - MOST_ROWS);
    while (!e->failed && e->step < length)
        do_step(e);
    *steps += e->step;
    *failures += e->failed != 0;
    anomaly_destroy(e->detector);
    anomaly_destroy(e->twin);
    oracle_clear(&e->oracle);
    free(e);
}

static void a_distance_is_that_of_the_documentation(void **state)
{
    (void)state;
    run_episodes(run_episode);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_distance_is_that_of_the_documentation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
