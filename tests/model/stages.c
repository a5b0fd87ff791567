/* SPDX-License-Identifier: MIT
 * stages.c - a detector with stages round it, beside one put together by hand: a plain detector, and the parts of lib/stage/ each for
 * itself. Random kinds, options, values and times; by the loop, by rows, through snapshots. */
#include "../support/test.h"

#include "../support/random.h"
#include "../support/snapshots.h"
#include "../support/stage.h"
#include "base/simd.h"
#include "stage/stages.h"

enum { MOST_FEATURES = 3, EVENTS = 1500 };

/* ---- put together by hand ---- */

typedef struct assembly {
    anomaly_config config; /* with stages */
    anomaly_detector *plain;
    an_transform transform;
    an_season season;
    an_tail tail;
    an_decision decision;
    uint64_t told;                         /* events of the episode that goes on, without the alarm */
    double learned[EVENTS][MOST_FEATURES]; /* what the plain detector has learned, */
    int count;                             /* so many */
    an_interval interval;
} assembly;

static int has_budget(const anomaly_config *c)
{
    return c->alarm_rate > 0 || c->alarms_ns;
}

static int has_decision(const anomaly_config *c)
{
    return c->rest_events || c->rest_ns || c->confirm > 1 || c->min_change > 0 || c->min_percent > 0;
}

static void assemble(assembly *a, const anomaly_config *config)
{
    const anomaly_config *c = &a->config;
    anomaly_config bare, defaults;
    a->config = bare = *config;
    a->count = 0;
    assert_ok(anomaly_config_init(&defaults, sizeof defaults, config->kind));
    memcpy(&bare.alarm_rate, &defaults.alarm_rate, offsetof(anomaly_config, lags) - offsetof(anomaly_config, alarm_rate));
    bare.silence = 0;
    bare.silence_ns = 0;
    assert_ok(anomaly_create(&bare, NULL, &a->plain, NULL));
    assert_ok(an_transform_create(&a->transform, c->transform, c->features, memory()));
    if (c->season_ns)
        assert_ok(an_season_create(&a->season, &(an_season_options){{c->season_ns, c->second_ns}, c->offset_ns, c->features},
                                   memory()));
    an_tail_init(&a->tail, &(an_budget){c->calibrate, c->alarm_rate, c->alarms, c->alarms_ns},
                 an_places_for(an_simd_path(ANOMALY_SIMD_AUTO)));
    an_decision_init(&a->decision, &(an_decision_options){c->rest_events, c->rest_ns, c->margin, c->confirm, c->confirm_of,
                                                          c->min_change, c->min_percent});
    if (c->silence > 0)
        assert_ok(an_interval_create(
            &a->interval,
            &(an_interval_options){c->silence_ns ? 0 : c->silence, (int64_t)((double)c->silence_ns / c->silence)},
            memory()));
}

static void take_apart(assembly *a)
{
    anomaly_destroy(a->plain);
    an_transform_free(&a->transform, memory());
    if (a->config.season_ns)
        an_season_free(&a->season, memory());
    an_tail_free(&a->tail, memory());
    if (a->config.silence > 0)
        an_interval_free(&a->interval, memory());
}

/* What the plain detector is to see; returns the flags of features that it cannot see. */
static uint32_t see(const assembly *a, const double *x, int64_t t_ns, double *y)
{
    uint32_t flags = 0;
    for (uint32_t f = 0; f < a->config.features; f++) {
        enum an_transformed how = an_transform_apply(&a->transform, f, x[f], t_ns, &y[f]);
        flags |= how == AN_FIRST ? ANOMALY_WARMING_UP : how == AN_IMPOSSIBLE ? ANOMALY_UNTRANSFORMED : 0u;
        if (how != AN_TRANSFORMED || !a->config.season_ns || !isfinite(y[f]))
            continue;
        an_usual usual = an_season_at(&a->season, f, t_ns);
        flags |= usual.known ? 0u : ANOMALY_WARMING_UP;
        y[f] = usual.known ? (y[f] - usual.centre) / usual.spread : (double)NAN;
    }
    return flags;
}

static double back(const assembly *a, uint32_t feature, double x, double y, int64_t t_ns)
{
    if (a->config.season_ns) {
        an_usual usual = an_season_at(&a->season, feature, t_ns);
        y = usual.centre + usual.spread * y;
    }
    return an_transform_back(&a->transform, feature, x, y, t_ns);
}

static int any(const double *x, uint32_t n, int (*is)(double))
{
    for (uint32_t f = 0; f < n; f++)
        if (is(x[f]))
            return 1;
    return 0;
}

static int is_missing(double x)
{
    return isnan(x) != 0;
}

static int is_finite(double x)
{
    return isfinite(x) != 0;
}

static void stretch_bounds(const assembly *a, anomaly_verdict *v)
{
    double share = v->threshold / a->config.threshold;
    if (a->config.kind != ANOMALY_ZSCORE || share == 1 || !(share > 0) || v->lower == v->upper)
        return;
    v->lower = v->expected + (v->lower - v->expected) * share;
    v->upper = v->expected + (v->upper - v->expected) * share;
}

/* ---- equal events ---- */

/* In what the kind judges by: the value of a feature, or the last `lags` events as a whole, but for kinds that judge by
 * more than values. */
static int is_equal(const assembly *a, const double *y, uint32_t feature, int i)
{
    if (a->config.kind != ANOMALY_IFOREST)
        return a->learned[i][feature] == y[feature];
    for (int lag = 0; lag == 0 || lag < a->config.lags; lag++)
        for (uint32_t f = 0; f < a->config.features; f++) {
            double now = lag ? a->learned[a->count - lag][f] : y[f], then = a->learned[i - lag][f];
            if (is_finite(now) != is_finite(then) || (is_finite(now) && now != then))
                return 0;
        }
    return 1;
}

/* The share of equal ones among the events of the window, or among the scores if they are more. */
static double share_of_equals(const assembly *a, const double *y, uint32_t feature)
{
    int whole = a->config.kind == ANOMALY_IFOREST, window = (int)a->config.window_events, equal = 0;
    int held = a->count < window ? a->count : window, compared = held - (whole && a->config.lags ? a->config.lags - 1 : 0);
    if (a->config.kind == ANOMALY_MAHALANOBIS || a->config.kind == ANOMALY_WATCH)
        return 0;
    for (int i = 0; i < compared; i++)
        equal += is_equal(a, y, feature, a->count - 1 - i);
    double of = compared > (int)a->tail.count ? compared : (double)a->tail.count;
    return equal ? (equal + 1) / (of + 1) : 0;
}

static void spare_equals(const assembly *a, const double *y, anomaly_verdict *v)
{
    double share = share_of_equals(a, y, v->feature), most = a->config.alarm_rate;
    int estimated;
    if (!(share > v->tail))
        return;
    most = a->config.alarms_ns ? an_tail_of(&a->tail, a->tail.threshold, &estimated) : most;
    v->tail = share;
    v->flags &= ~(uint32_t)ANOMALY_TAIL_ESTIMATED;
    if (share > most) {
        v->flags &= ~(uint32_t)ANOMALY_IS_ANOMALY;
        v->threshold = nextafter(v->score, (double)INFINITY);
    }
}

static anomaly_verdict update_assembly(assembly *a, const double *x, int64_t t_ns)
{
    const anomaly_config *c = &a->config;
    double y[MOST_FEATURES];
    anomaly_verdict v;
    int estimated = 0;
    if (c->season_ns)
        an_season_advance(&a->season, t_ns);
    uint32_t unseen = see(a, x, t_ns, y);
    assert_ok(anomaly_score(a->plain, y, t_ns, &v));
    v.flags &= ~(uint32_t)ANOMALY_MISSING;
    v.flags |= (any(x, c->features, is_missing) ? ANOMALY_MISSING : 0u) | (unseen & ANOMALY_UNTRANSFORMED);
    v.flags |= isnan(v.score) ? unseen : 0u;
    int is_flat = (v.flags & (ANOMALY_FLAT | ANOMALY_NONFINITE)) == ANOMALY_FLAT;
    int judged = !(v.flags & ANOMALY_WARMING_UP) && !isnan(v.score) && !(is_flat && c->flat == ANOMALY_FLAT_IGNORE);
    if (has_budget(c)) {
        v.tail = judged ? an_tail_of(&a->tail, v.score, &estimated) : (double)NAN;
        v.flags |= estimated ? ANOMALY_TAIL_ESTIMATED : 0u;
        if (c->alarms_ns != ANOMALY_ALARMS_AUTO || a->tail.count == c->calibrate || a->tail.count >= 1000) {
            v.threshold = a->tail.threshold;
            v.flags &= ~(uint32_t)ANOMALY_IS_ANOMALY;
            v.flags |= (judged && isnan(v.tail) ? ANOMALY_WARMING_UP : 0u) |
                       (judged && an_tail_exceeds(&a->tail, v.score) ? ANOMALY_IS_ANOMALY : 0u);
            if ((v.flags & ANOMALY_IS_ANOMALY) && !(v.flags & ANOMALY_NONFINITE))
                spare_equals(a, y, &v);
        }
        stretch_bounds(a, &v);
    }
    v.expected = back(a, v.feature, x[v.feature], v.expected, t_ns);
    v.lower = back(a, v.feature, x[v.feature], v.lower, t_ns);
    v.upper = back(a, v.feature, x[v.feature], v.upper, t_ns);
    int odd = (v.flags & ANOMALY_IS_ANOMALY) != 0;
    an_judged event = {odd, v.score, x[v.feature], v.expected, t_ns};
    if (has_decision(c))
        v.flags |= an_decision_move(&a->decision, &event);
    if (c->silence > 0)
        an_interval_learn(&a->interval, t_ns);
    if (any(y, c->features, is_finite)) {
        assert_ok(anomaly_learn(a->plain, y, t_ns));
        memcpy(a->learned[a->count++], y, sizeof y);
    }
    if (c->season_ns)
        an_season_follow(&a->season, t_ns);
    for (uint32_t f = 0; f < c->features; f++) {
        double seen;
        if (c->season_ns && isfinite(x[f]) && an_transform_apply(&a->transform, f, x[f], t_ns, &seen) == AN_TRANSFORMED)
            an_season_learn(&a->season, f, seen, t_ns, odd);
        an_transform_learn(&a->transform, f, x[f], t_ns);
    }
    a->told = v.flags & ANOMALY_EPISODE ? a->told + 1 : 0;
    if (has_budget(c) && judged && (a->told == 0 || a->told > c->calibrate / 8)) {
        assert_ok(an_tail_prepare(&a->tail, memory()));
        an_tail_add(&a->tail, v.score, t_ns);
    }
    return v;
}

/* ---- random configurations and events ---- */

static const char *const OPTIONS[][9] = {
    {"transform=none", "transform=log", "transform=log1p", "transform=sqrt", "transform=diff", "transform=rate", NULL},
    {"season=off", "season=off", "season=1h", "season=1h,1d", "season=2m season_offset=-30m", NULL},
    {"alarm_rate=0", "alarm_rate=0.05", "alarm_rate=0.001", "alarms=5/h", "alarm_rate=0.02 calibrate=128",
     "alarm_rate=0.1 calibrate=128", "alarms=auto", "alarms=auto calibrate=150", NULL},
    {"rest=off", "rest=off", "rest=20", "rest=5m", NULL},
    {"confirm=1/1", "confirm=1/1", "confirm=2/3", NULL},
    {"margin=0", "margin=0.5", NULL},
    {"silence=off", "silence=off", "silence=2x", "silence=3/1h", NULL},
};

static const struct {
    int kind;
    const char *options;
    uint64_t features; /* at most */
    int offers_change; /* takes min_change */
} KINDS[] = {
    {ANOMALY_ZSCORE, "window=200", MOST_FEATURES, 1},
    {ANOMALY_ZSCORE, "window=100 side=upper flat=ignore", MOST_FEATURES, 1},
    {ANOMALY_ZSCORE, "window=150 robust=1", MOST_FEATURES, 1},
    {ANOMALY_PERCENTILE, "window=200", MOST_FEATURES, 1},
    {ANOMALY_IFOREST, "window=100 sample=20 trees=8 contamination=0 threshold=0.6", MOST_FEATURES, 0},
    {ANOMALY_IFOREST, "window=100 sample=20 trees=8 contamination=0 threshold=0.6 lags=3", MOST_FEATURES, 0},
    {ANOMALY_MAHALANOBIS, "window=256 threshold=1.5", MOST_FEATURES, 0},
    {ANOMALY_MAHALANOBIS, "window=128 lags=3", MOST_FEATURES, 0},
    {ANOMALY_WATCH, "window=256 threshold=5", 1, 0},
};

static anomaly_config random_config(random_state *r)
{
    char text[400] = "";
    size_t kind = random_size(r, ARRAY_COUNT(KINDS));
    anomaly_config config;
    snprintf(text, sizeof text, "%s features=%d", KINDS[kind].options, 1 + (int)random_below(r, KINDS[kind].features));
    for (size_t group = 0; group < ARRAY_COUNT(OPTIONS); group++) {
        size_t count = 0;
        while (OPTIONS[group][count])
            count++;
        snprintf(text + strlen(text), sizeof text - strlen(text), " %s", OPTIONS[group][random_size(r, count)]);
    }
    if (KINDS[kind].offers_change && one_in(r, 3))
        strcat(text, one_in(r, 2) ? " min_change=5" : " min_change=20%");
    config_of(&config, KINDS[kind].kind, text);
    return config;
}

static double random_value(random_state *r, int i)
{
    if (one_in(r, 60))
        return one_in(r, 2) ? (double)NAN : 0;
    if (one_in(r, 200))
        return one_in(r, 2) ? (double)INFINITY : -(double)INFINITY;
    double usual = 50 + 20 * (i / 60 % 2) + 3 * random_normal(r);
    return one_in(r, 40) ? usual * (double)random_below(r, 20) : usual;
}

static int64_t random_step(random_state *r)
{
    if (one_in(r, 300))
        return ((int64_t)random_below(r, 5) - 2) * 86400 * SECOND;
    return one_in(r, 50) ? -(int64_t)random_below(r, 30) * SECOND : (int64_t)random_below(r, 40) * SECOND;
}

/* ---- beside each other ---- */

static void compare_verdicts(const anomaly_verdict *got, const anomaly_verdict *want, int i)
{
    if (same_verdict(got, want) && same_double(got->tail, want->tail))
        return;
    print_verdict("got ", got);
    print_verdict("want", want);
    fail_msg("event %d, tails %g and %g", i, got->tail, want->tail);
}

/* What a kind says only of events that are flagged in the end: the parts flag others. tests/model/words.c has the
 * words. */
static int has_words(const anomaly_config *c)
{
    return c->features == 1 && (c->kind == ANOMALY_MAHALANOBIS || c->kind == ANOMALY_WATCH);
}

static uint32_t without_cause(uint32_t flags, const anomaly_config *c)
{
    return has_words(c) ? flags & ~(uint32_t)(WORDS | ANOMALY_ABOVE | ANOMALY_BELOW) : flags;
}

static void take_cause(anomaly_verdict *want, const anomaly_verdict *got, const anomaly_config *c)
{
    int whole = c->kind == ANOMALY_IFOREST || c->kind == ANOMALY_MAHALANOBIS;
    assert_int_equal((got->flags & (uint32_t)WORDS) != 0, has_words(c) && (got->flags & ANOMALY_IS_ANOMALY));
    want->feature = whole ? got->feature : want->feature;
    want->flags = without_cause(want->flags, c) | (got->flags & ~without_cause(got->flags, c));
}

/* A score changes nothing and says what the update will say. */
static void check_score(const anomaly_detector *d, const anomaly_config *c, const double *x, int64_t t_ns,
                        const anomaly_verdict *want)
{
    anomaly_verdict v;
    uint32_t of_updates = ANOMALY_NOT_LEARNED;
    assert_ok(anomaly_score(d, x, t_ns, &v));
    assert_true(same_double(v.score, want->score));
    assert_int_equal(without_cause(v.flags, c), without_cause(want->flags, c) & ~of_updates);
}

static void check_overdue(const anomaly_detector *d, const assembly *a, int64_t now_ns)
{
    anomaly_silence got = {0}, want = {0};
    if (a->config.silence == 0) {
        assert_error(anomaly_overdue(d, now_ns, &got), ANOMALY_E_CONFIG);
        return;
    }
    assert_int_equal(anomaly_overdue(d, now_ns, &got), an_interval_at(&a->interval, now_ns, &want));
    assert_memory_equal(&got, &want, sizeof got);
}

static void renew(anomaly_detector **d)
{
    anomaly_detector *copy = copy_of(*d);
    assert_same_bytes(*d, copy);
    anomaly_destroy(*d);
    *d = copy;
}

static void check_episode(random_state *r)
{
    static double x[EVENTS * MOST_FEATURES];
    static int64_t times[EVENTS];
    static anomaly_verdict verdicts[EVENTS];
    static double score[EVENTS], tail[EVENTS];
    static uint32_t flags[EVENTS];
    anomaly_config config = random_config(r);
    anomaly_detector *loop, *rows;
    assembly a;
    int64_t t_ns = 0;
    assemble(&a, &config);
    assert_ok(anomaly_create(&config, NULL, &loop, NULL));
    assert_ok(anomaly_create(&config, NULL, &rows, NULL));
    for (int i = 0; i < EVENTS; i++) {
        double *event = x + (size_t)i * config.features;
        times[i] = t_ns += random_step(r);
        for (uint32_t f = 0; f < config.features; f++)
            event[f] = random_value(r, i);
        assert_ok(anomaly_advance(loop, t_ns));
        anomaly_verdict before, want = update_assembly(&a, event, t_ns);
        int looks = one_in(r, 5);
        if (looks)
            check_score(loop, &config, event, t_ns, &want);
        assert_ok(anomaly_update(loop, event, t_ns, &before));
        verdicts[i] = before;
        take_cause(&want, &before, &config);
        compare_verdicts(&before, &want, i);
        check_overdue(loop, &a, t_ns + (int64_t)random_below(r, 1000) * SECOND);
        if (one_in(r, 200))
            renew(&loop);
    }
    anomaly_rows in = {.count = EVENTS, .values = x, .times = times};
    anomaly_verdicts out = {.score = score, .tail = tail, .flags = flags};
    assert_ok(anomaly_update_rows(rows, &in, &out, NULL));
    for (int i = 0; i < EVENTS; i++) {
        assert_same(score[i], verdicts[i].score);
        assert_same(tail[i], verdicts[i].tail);
        assert_int_equal(flags[i], verdicts[i].flags);
    }
    assert_same_bytes(rows, loop);
    anomaly_destroy(loop);
    anomaly_destroy(rows);
    take_apart(&a);
}

static void test_beside_the_parts(void **state)
{
    random_state r = {1};
    (void)state;
    for (int i = 0; i < (is_quick() ? 20 : 200); i++)
        check_episode(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beside_the_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
