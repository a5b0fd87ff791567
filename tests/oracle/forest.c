/* SPDX-License-Identifier: MIT
 * forest.c - isolation forests beside what the documentation promises of them: which events are in the window, what is judged
 * and flagged and how often, and that rows, paths, parts and snapshots change nothing. Scores cannot be reckoned again from
 * the documentation, so they are taken as they come. */
#include "test.h"

#include <inttypes.h>

#include "support/agree.h"
#include "support/draw.h"
#include "support/run.h"

#define MOST_ROWS   60
#define MOST_WINDOW 300

typedef struct episode {
    uint64_t seed;
    uint64_t step;
    random_state r;
    anomaly_config config;
    char text[256];
    value_source values[ORACLE_FEATURES];
    anomaly_detector *detector;
    anomaly_detector *twin; /* goes the same way in rows, on the scalar path */
    oracle oracle;
    int has_forest;
    int is_rebuilt;             /* then it may be of fewer events than a first forest */
    double scores[MOST_WINDOW]; /* the last ones, the oldest first */
    size_t score_count;
    agreement *agreement;
    int failed;
} episode;

static void check(episode *e, int agrees, const char *what)
{
    if (agrees || e->failed)
        return;
    e->failed = 1;
    print_error("ORACLE_SEED=%" PRIu64 " step %" PRIu64 ", %s: %s\n  iforest %s\n", e->seed, e->step, what,
                e->agreement->reason, e->text);
    e->agreement->reason[0] = '\0';
}

/* ---- the threshold ---- */

static void note_score(episode *e, double score)
{
    size_t most = e->config.window_events;
    if (e->score_count == most)
        memmove(e->scores, e->scores + 1, --e->score_count * sizeof *e->scores);
    e->scores[e->score_count++] = score;
}

/* Of the scores that a threshold was made from, so many would be anomalous by it. */
static size_t count_over(const episode *e, double threshold, int or_equal)
{
    size_t count = 0;
    for (size_t i = 0; i < e->score_count; i++)
        count += e->scores[i] > threshold || (or_equal && e->scores[i] == threshold);
    return count;
}

static int all_differ(const episode *e)
{
    double sorted[MOST_WINDOW];
    memcpy(sorted, e->scores, e->score_count * sizeof *sorted);
    oracle_sort(sorted, e->score_count);
    for (size_t i = 1; i < e->score_count; i++)
        if (sorted[i] == sorted[i - 1])
            return 0;
    return 1;
}

static int follows(const episode *e)
{
    return e->config.contamination > 0 || e->config.threshold == 0;
}

/* Fixed, or following the scores: not before there is a forest; while there are too few for the share a given one, or one well
 * apart from them. `contamination` is an upper bound of the share that is flagged, to one event; where all scores differ it is
 * met. An event that has many equals has a threshold of its own, just above its score. */
static void check_threshold(episode *e, double threshold, double score)
{
    double share = e->config.contamination, wanted = share * (double)e->score_count;
    size_t flagged;
    if (!follows(e) || (e->has_forest && wanted < 1 && e->config.threshold != 0)) {
        check(e, threshold == e->config.threshold || threshold == nextafter(score, 2), "the fixed threshold");
        return;
    }
    if (!e->has_forest) {
        check(e, isnan(threshold) || e->is_rebuilt || threshold == 1 || threshold == e->config.threshold,
              "no threshold yet");
        return;
    }
    if (wanted < 1) {
        check(e, threshold >= 0.55 && threshold <= 1, "a threshold apart from the scores");
        return;
    }
    if (threshold == nextafter(score, 2))
        return;
    flagged = count_over(e, threshold, e->config.compare == ANOMALY_GE);
    snprintf(e->agreement->reason, sizeof e->agreement->reason, "%zu of %zu scores reach %.17g, contamination %g", flagged,
             e->score_count, threshold, share);
    check(e, (double)flagged < wanted + 1, "share flagged");
    if (one_in(&e->r, 16) && all_differ(e))
        check(e, (double)flagged > wanted - 2, "share flagged");
}

/* ---- a verdict ---- */

static uint32_t wanted_flags(const episode *e, const double *x, const anomaly_verdict *v)
{
    uint32_t flags = oracle_event_flags(&e->oracle, x, 0);
    int over = e->config.compare == ANOMALY_GE ? v->score >= v->threshold : v->score > v->threshold;
    int is_judged = !isnan(v->score);
    int is_warm = e->has_forest && e->oracle.count >= e->config.warmup_events;
    if (is_judged && !is_warm)
        flags |= ANOMALY_WARMING_UP;
    if (is_judged && is_warm && over)
        flags |= ANOMALY_IS_ANOMALY;
    return flags;
}

static int all_missing(const episode *e, const double *x)
{
    for (uint32_t f = 0; f < e->config.features; f++)
        if (!isnan(x[f]))
            return 0;
    return 1;
}

/* Before a third of the trees is there every score is .5 and nothing is judged. */
static void check_score(episode *e, const double *x, const anomaly_verdict *v)
{
    uint32_t flags = oracle_event_flags(&e->oracle, x, 0);
    if ((flags & ANOMALY_NONFINITE) != 0) {
        check(e, v->score == 1, "score of an infinity");
    } else if (all_missing(e, x)) {
        check(e, isnan(v->score), "score of nothing");
    } else {
        check(e, v->score > 0 && v->score < 1, "score between 0 and 1");
        check(e, e->has_forest || v->score == 0.5, "score before there is a forest");
    }
}

static void check_verdict_of(episode *e, const double *x, const anomaly_verdict *v)
{
    uint32_t got = v->flags & ~(uint32_t)ANOMALY_NOT_LEARNED;
    e->agreement->verdicts++;
    check_score(e, x, v);
    check_threshold(e, v->threshold, v->score);
    snprintf(e->agreement->reason, sizeof e->agreement->reason, "flags %#x, want %#x, score %.17g threshold %.17g", got,
             wanted_flags(e, x, v), v->score, v->threshold);
    check(e, got == wanted_flags(e, x, v), "flags");
    check(e, isnan(v->expected) && isnan(v->lower) && isnan(v->upper), "no bounds");
    check(e, v->events == e->oracle.count, "events");
    check(e, v->feature < e->config.features, "feature");
    check(e, (got & (ANOMALY_IS_ANOMALY | ANOMALY_NONFINITE)) != 0 || v->feature == 0, "feature of what is no anomaly");
    if ((got & ANOMALY_IS_ANOMALY) != 0)
        check(e, !isnan(x[v->feature]), "a missing value is no cause");
}

/* There is a forest once a third of its trees is grown, and then until it is reset. When that is only the verdicts show. */
static void look_for_forest(episode *e, const double *x, const anomaly_verdict *v)
{
    if (all_missing(e, x))
        return;
    if ((v->flags & ANOMALY_WARMING_UP) == 0 || (v->score != 0.5 && v->score != 1))
        e->has_forest = 1;
    if (e->has_forest && !e->is_rebuilt)
        check(e, e->oracle.count >= 16, "a forest of fewer than 16 events");
}

static void follow(episode *e, const double *x, const anomaly_verdict *v)
{
    uint32_t kept_out;
    look_for_forest(e, x, v);
    check_verdict_of(e, x, v);
    if (follows(e) && !isnan(v->threshold) && (v->flags & ANOMALY_NONFINITE) == 0 && !isnan(v->score))
        note_score(e, v->score);
    kept_out = oracle_take(&e->oracle, x, 0, flagged(*v));
    oracle_count_update(&e->oracle, v->flags);
    check(e, (v->flags & ANOMALY_NOT_LEARNED) == kept_out, "not learned");
}

/* ---- steps ---- */

static void draw_event(episode *e, double *x)
{
    for (uint32_t f = 0; f < e->config.features; f++)
        x[f] = draw_value(&e->r, &e->values[f]);
}

/* One by one here, in one call there. */
static void do_rows(episode *e)
{
    double x[MOST_ROWS * ORACLE_FEATURES] = {0}, score[MOST_ROWS], threshold[MOST_ROWS];
    uint32_t flags[MOST_ROWS], feature[MOST_ROWS];
    size_t features = e->config.features, count = 1 + random_below(&e->r, MOST_ROWS), done = 0;
    anomaly_rows rows = {0};
    anomaly_verdicts verdicts = {0};
    for (size_t i = 0; i < count; i++)
        draw_event(e, x + i * features);
    rows.count = count;
    rows.values = x;
    verdicts.score = score;
    verdicts.threshold = threshold;
    verdicts.flags = flags;
    verdicts.feature = feature;
    assert_ok(anomaly_update_rows(e->twin, &rows, &verdicts, &done));
    check(e, done == count, "rows done");
    for (size_t i = 0; i < count && !e->failed; i++) {
        anomaly_verdict v;
        assert_ok(anomaly_update(e->detector, x + i * features, ANOMALY_NO_TIME, &v));
        check(e,
              same_double(v.score, score[i]) && same_double(v.threshold, threshold[i]) && v.flags == flags[i] &&
                  v.feature == feature[i],
              "rows and loop");
        follow(e, x + i * features, &v);
    }
    e->step += count;
}

/* update() here, score() and learn() there, or update() again where `contamination` remembers the scores of updates. */
static void do_parts(episode *e)
{
    double x[ORACLE_FEATURES];
    anomaly_verdict v, part;
    draw_event(e, x);
    assert_ok(anomaly_update(e->detector, x, (int64_t)random_bits(&e->r), &v));
    assert_ok(anomaly_score(e->twin, x, ANOMALY_NO_TIME, &part));
    if (follows(e))
        assert_ok(anomaly_update(e->twin, x, ANOMALY_NO_TIME, NULL));
    else
        assert_ok(anomaly_learn(e->twin, x, ANOMALY_NO_TIME));
    part.flags |= v.flags & ANOMALY_NOT_LEARNED;
    check(e, same_verdict(&v, &part), "update and its parts");
    follow(e, x, &v);
    e->step++;
}

static void do_ask(episode *e)
{
    double value = 0;
    anomaly_stats stats;
    uint32_t f = (uint32_t)random_below(&e->r, e->config.features);
    anomaly_counts counts = counters_of(e->detector), twins = counters_of(e->twin);
    check(e, agree_counters(&e->oracle, &counts, e->agreement), "counters");
    check(e, counts.learned == twins.learned && counts.skipped == twins.skipped && counts.missing == twins.missing,
          "counters");
    stats = stats_of(e->detector, f);
    check(e, agree_stats(&e->oracle, f, &stats, e->agreement), "window_stats");
    check(e, anomaly_quantile(e->detector, f, 0.5, &value) == ANOMALY_E_KIND, "quantile");
    check(e, anomaly_advance(e->detector, 5) == ANOMALY_OK, "advance");
    e->step++;
}

static void do_explain(episode *e)
{
    double x[ORACLE_FEATURES], share[ORACLE_FEATURES], sum = 0;
    anomaly_verdict v;
    draw_event(e, x);
    assert_ok(anomaly_score(e->detector, x, ANOMALY_NO_TIME, &v));
    look_for_forest(e, x, &v);
    check_verdict_of(e, x, &v);
    if (!e->has_forest || isnan(v.score) || v.score == 1)
        return;
    assert_ok(anomaly_explain(e->detector, x, share));
    for (uint32_t f = 0; f < e->config.features; f++) {
        sum += share[f];
        check(e, share[f] * (v.score - 0.5) >= 0, "sign of a share");
    }
    snprintf(e->agreement->reason, sizeof e->agreement->reason, "%.17g, want %.17g", sum, v.score - 0.5);
    check(e, fabs(sum - (v.score - 0.5)) <= 1e-7, "sum of the shares"); /* paths are floats: next to .5 they say no more */
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
    check(e, anomaly_restore(bytes, used, NULL, &restored, NULL) == ANOMALY_OK, "restore");
    free(bytes);
    if (restored == NULL)
        return;
    anomaly_destroy(e->twin);
    e->twin = restored;
}

static void do_reset(episode *e)
{
    anomaly_reset(e->detector);
    anomaly_reset(e->twin);
    oracle_reset(&e->oracle);
    e->has_forest = e->is_rebuilt = 0;
    e->score_count = 0;
}

/* The threshold is fixed from here on. */
static void do_set_threshold(episode *e)
{
    e->config.threshold = 0.5 + 0.2 * random_unit(&e->r);
    e->config.contamination = 0;
    assert_ok(anomaly_set_threshold(e->detector, e->config.threshold));
    assert_ok(anomaly_set_threshold(e->twin, e->config.threshold));
}

/* Every tree anew; the scores that `contamination` goes by are then those of the window's own events, where an infinity is a
 * missing value. */
static void do_rebuild(episode *e)
{
    assert_ok(anomaly_rebuild(e->detector));
    assert_ok(anomaly_rebuild(e->twin));
    if (e->oracle.count < 2) /* nothing to grow a tree from */
        return;
    e->has_forest = e->is_rebuilt = 1;
    e->score_count = 0;
    for (size_t i = 0; i < e->oracle.count; i++) {
        anomaly_verdict v;
        double x[ORACLE_FEATURES];
        for (uint32_t f = 0; f < e->config.features; f++)
            x[f] = isinf(e->oracle.events[i].x[f]) ? (double)NAN : e->oracle.events[i].x[f];
        assert_ok(anomaly_score(e->detector, x, ANOMALY_NO_TIME, &v));
        note_score(e, v.score);
    }
}

static void do_step(episode *e)
{
    uint64_t which = random_below(&e->r, 100);
    if (which < 30)
        do_rows(e);
    else if (which < 70)
        do_parts(e);
    else if (which < 80)
        do_ask(e);
    else if (which < 95)
        do_explain(e);
    else if (which < 97)
        do_restore(e);
    else if (which < 98)
        do_rebuild(e);
    else if (which < 99 && one_in(&e->r, 4))
        do_set_threshold(e);
    else if (one_in(&e->r, 4))
        do_reset(e);
}

/* ---- episodes ---- */

static void draw_forest(episode *e)
{
    static const char *const learns[] = {"always", "always", "normal", "normal:3"};
    static const double shares[] = {0, 0.01, 0.05, 0.2, 0.5};
    random_state *r = &e->r;
    snprintf(e->text, sizeof e->text,
             "features=%u window=%u warmup=%u sample=%u trees=%u depth=%u candidates=%u guided=%.2f contamination=%g "
             "compare=%s learn=%s seed=%u threshold=%.2f",
             1 + (unsigned)random_below(r, ORACLE_FEATURES), 16 + (unsigned)random_below(r, MOST_WINDOW - 15),
             1 + (unsigned)random_below(r, 80), 2 + (unsigned)random_below(r, 15), 1 + (unsigned)random_below(r, 40),
             1 + (unsigned)random_below(r, 9), 1 + (unsigned)random_below(r, 16), random_unit(r), shares[random_below(r, 5)],
             one_in(r, 2) ? "ge" : "gt", learns[random_below(r, 4)], (unsigned)random_below(r, 1000),
             0.5 + 0.2 * random_unit(r));
    config_of(&e->config, ANOMALY_IFOREST, e->text);
}

static void begin(episode *e, uint64_t seed, agreement *a)
{
    anomaly_config scalar;
    memset(e, 0, sizeof *e);
    e->seed = seed;
    e->r.s = seed;
    e->agreement = a;
    draw_forest(e);
    for (uint32_t f = 0; f < e->config.features; f++)
        draw_value_source(&e->r, &e->values[f]);
    scalar = e->config;
    scalar.simd = ANOMALY_SIMD_SCALAR;
    assert_ok(anomaly_create(&e->config, NULL, &e->detector, NULL));
    assert_ok(anomaly_create(&scalar, NULL, &e->twin, NULL));
    oracle_init(&e->oracle, &e->config);
}

static void run_episode(uint64_t seed, agreement *a, uint64_t *steps, uint64_t *failures)
{
    episode e;
    uint64_t length;
    begin(&e, seed, a);
    length = 100 + random_below(&e.r, 3 * e.config.window_events);
    while (!e.failed && e.step < length)
        do_step(&e);
    *steps += e.step;
    *failures += e.failed != 0;
    anomaly_destroy(e.detector);
    anomaly_destroy(e.twin);
    oracle_clear(&e.oracle);
}

static void a_forest_keeps_what_the_documentation_promises(void **state)
{
    (void)state;
    run_episodes(run_episode);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_forest_keeps_what_the_documentation_promises)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
