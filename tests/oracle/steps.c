/* SPDX-License-Identifier: MIT
 * steps.c - detectors beside the oracle of oracle.h, step by step: random configurations, hard values, odd times, and all
 * calls mixed. ORACLE_STEPS says how many steps, ORACLE_SEED with which episode to begin, ORACLE_TRACE=1 prints the steps. */
#include "test.h"

#include <inttypes.h>

#include "support/agree.h"
#include "support/draw.h"
#include "support/run.h"

#define MOST_ROWS  5000
#define MOST_STEPS 4000

/* One configuration and its stream, from the seed that it is named by. */
typedef struct episode {
    uint64_t seed;
    uint64_t step;
    random_state r;
    drawn_config drawn;
    value_source values;
    time_source times;
    anomaly_detector *detector;
    oracle oracle;
    agreement *agreement;
    int failed;
} episode;

static int is_traced(void)
{
    const char *text = getenv("ORACLE_TRACE");
    return text != NULL && strcmp(text, "1") == 0;
}

static void check(episode *e, int agrees, const char *what)
{
    if (agrees || e->failed)
        return;
    e->failed = 1;
    print_error("ORACLE_SEED=%" PRIu64 " step %" PRIu64 ", %s: %s\n  %s %s\n", e->seed, e->step, what, e->agreement->reason,
                e->drawn.config.kind == ANOMALY_ZSCORE ? "zscore" : "percentile", e->drawn.text);
}

static void check_status(episode *e, int got, int want, const char *what)
{
    snprintf(e->agreement->reason, sizeof e->agreement->reason, "status %d, want %d", got, want);
    check(e, got == want, what);
}

static void trace(const episode *e, const char *what, const double *x, int64_t t)
{
    if (!is_traced())
        return;
    fprintf(stderr, "%" PRIu64 " %s", e->step, what);
    for (uint32_t f = 0; x != NULL && f < e->drawn.config.features; f++)
        fprintf(stderr, " %.17g", x[f]);
    fprintf(stderr, " @%" PRId64 " (window %zu)\n", t, e->oracle.count);
}

/* ---- single events ---- */

static void draw_event(episode *e, double *x, int64_t *t)
{
    for (uint32_t f = 0; f < e->drawn.config.features; f++)
        x[f] = draw_value(&e->r, &e->values);
    *t = draw_time(&e->r, &e->times);
}

/* The calls that an update is made of; with include_self it learns before it scores. A jumped event moves no clock. */
static void update_by_parts(episode *e, const double *x, int64_t t)
{
    anomaly_verdict verdict;
    oracle *o = &e->oracle;
    if (o->config.window_ns > 0 && (oracle_event_flags(o, x, t) & ANOMALY_JUMPED) == 0)
        check_status(e, anomaly_advance(e->detector, t), ANOMALY_OK, "advance");
    oracle_arrive(o, t);
    if (o->config.include_self) {
        check_status(e, anomaly_learn(e->detector, x, t), ANOMALY_OK, "learn");
        oracle_take(o, x, t, 0);
    }
    check_status(e, anomaly_score(e->detector, x, t, &verdict), ANOMALY_OK, "score");
    check(e, agree_verdict(o, x, t, &verdict, e->agreement), "score");
    check_status(e, (verdict.flags & ANOMALY_NOT_LEARNED) != 0, 0, "what score cannot know");
    if (o->config.include_self)
        return;
    check_status(e, anomaly_learn(e->detector, x, t), ANOMALY_OK, "learn");
    oracle_take(o, x, t, (verdict.flags & ANOMALY_IS_ANOMALY) != 0);
}

static void do_update(episode *e)
{
    double x[ORACLE_FEATURES];
    anomaly_verdict verdict;
    int64_t t;
    draw_event(e, x, &t);
    trace(e, "update", x, t);
    if (one_in(&e->r, 8)) {
        update_by_parts(e, x, t);
        return;
    }
    check_status(e, anomaly_update(e->detector, x, t, &verdict), ANOMALY_OK, "update");
    check(e, agree_update(&e->oracle, x, t, &verdict, e->agreement), "update");
}

static void do_score(episode *e)
{
    double x[ORACLE_FEATURES];
    anomaly_verdict verdict;
    int64_t t;
    draw_event(e, x, &t);
    trace(e, "score", x, t);
    check_status(e, anomaly_score(e->detector, x, t, &verdict), ANOMALY_OK, "score");
    check(e, agree_verdict(&e->oracle, x, t, &verdict, e->agreement), "score");
}

/* learn() shows no verdict, so where a rounding decides whether the policy lets the event in, the library is asked for one;
 * its clock has moved by then as learn() would move it. */
static int is_flagged(episode *e, const double *x, int64_t t)
{
    anomaly_verdict verdict;
    int unsure, flagged = agree_flagged(&e->oracle, x, &unsure);
    if (!unsure || e->oracle.config.learn != ANOMALY_LEARN_NORMAL)
        return flagged;
    if (e->oracle.has_clock && e->oracle.clock == t)
        check_status(e, anomaly_advance(e->detector, t), ANOMALY_OK, "advance");
    check_status(e, anomaly_score(e->detector, x, t, &verdict), ANOMALY_OK, "score");
    check(e, agree_verdict(&e->oracle, x, t, &verdict, e->agreement), "score");
    return (verdict.flags & ANOMALY_IS_ANOMALY) != 0;
}

static void do_learn(episode *e)
{
    double x[ORACLE_FEATURES];
    int64_t t;
    int flagged;
    draw_event(e, x, &t);
    trace(e, "learn", x, t);
    oracle_arrive(&e->oracle, t);
    flagged = is_flagged(e, x, t);
    check_status(e, anomaly_learn(e->detector, x, t), ANOMALY_OK, "learn");
    oracle_take(&e->oracle, x, t, flagged);
}

/* ---- rows ---- */

typedef struct block {
    size_t count;
    double x[MOST_ROWS][ORACLE_FEATURES];
    int64_t t[MOST_ROWS];
    double cells[MOST_ROWS * (ORACLE_FEATURES + 3)];
    const double *columns[ORACLE_FEATURES];
    anomaly_rows rows;
    double score[MOST_ROWS], threshold[MOST_ROWS], expected[MOST_ROWS], lower[MOST_ROWS], upper[MOST_ROWS];
    uint32_t flags[MOST_ROWS], feature[MOST_ROWS];
    uint64_t events[MOST_ROWS];
} block;

/* Lays the events out by rows, packed, with gaps or from the end to the start, or by columns. */
static void lay_out(episode *e, block *b)
{
    size_t features = e->drawn.config.features, gap = random_below(&e->r, 3), width = features + gap;
    uint64_t form = random_below(&e->r, 4);
    memset(&b->rows, 0, sizeof b->rows);
    b->rows.count = b->count;
    b->rows.times = b->t;
    if (form == 3) {
        for (size_t f = 0; f < features; f++)
            b->columns[f] = b->cells + f * MOST_ROWS;
        b->rows.columns = b->columns;
    } else if (form == 2) {
        b->rows.values = b->cells + (b->count - 1) * width;
        b->rows.row_stride = -(ptrdiff_t)(width * sizeof(double));
    } else {
        b->rows.values = b->cells;
        b->rows.row_stride = gap > 0 ? (ptrdiff_t)(width * sizeof(double)) : 0;
    }
    for (size_t i = 0; i < b->count; i++)
        for (size_t f = 0; f < features; f++)
            b->cells[form == 3 ? f * MOST_ROWS + i : (form == 2 ? b->count - 1 - i : i) * width + f] = b->x[i][f];
}

static anomaly_verdicts columns_of(block *b)
{
    anomaly_verdicts v = {.score = b->score,
                          .threshold = b->threshold,
                          .expected = b->expected,
                          .lower = b->lower,
                          .upper = b->upper,
                          .flags = b->flags,
                          .feature = b->feature,
                          .events = b->events};
    return v;
}

static anomaly_verdict row_of(const block *b, size_t i)
{
    anomaly_verdict v;
    v.score = b->score[i];
    v.threshold = b->threshold[i];
    v.expected = b->expected[i];
    v.lower = b->lower[i];
    v.upper = b->upper[i];
    v.flags = b->flags[i];
    v.feature = b->feature[i];
    v.events = b->events[i];
    return v;
}

/* Now and then a row has no time: those before it stand. */
static void draw_block(episode *e, block *b, int *status, size_t *done)
{
    uint64_t most = one_in(&e->r, 100) ? MOST_ROWS : one_in(&e->r, 10) ? 600 : 40;
    b->count = 1 + random_below(&e->r, most);
    for (size_t i = 0; i < b->count; i++)
        draw_event(e, b->x[i], &b->t[i]);
    *status = ANOMALY_OK;
    *done = b->count;
    if (e->drawn.config.window_ns > 0 && one_in(&e->r, 20)) {
        *status = ANOMALY_E_ARG;
        *done = random_below(&e->r, b->count);
        b->t[*done] = ANOMALY_NO_TIME;
    }
    lay_out(e, b);
}

static void do_update_rows(episode *e, block *b)
{
    anomaly_verdicts verdicts = columns_of(b);
    size_t done, want;
    int status;
    draw_block(e, b, &status, &want);
    trace(e, "update_rows", NULL, (int64_t)b->count);
    check_status(e, anomaly_update_rows(e->detector, &b->rows, &verdicts, &done), status, "update_rows");
    check_status(e, (int)done, (int)want, "rows done");
    for (size_t i = 0; i < want && !e->failed; i++) {
        anomaly_verdict v = row_of(b, i);
        trace(e, "  row", b->x[i], b->t[i]);
        check(e, agree_update(&e->oracle, b->x[i], b->t[i], &v, e->agreement), "update_rows");
    }
    e->step += want;
}

static void do_score_rows(episode *e, block *b)
{
    anomaly_verdicts verdicts = columns_of(b);
    size_t done, want;
    int status;
    draw_block(e, b, &status, &want);
    trace(e, "score_rows", NULL, (int64_t)b->count);
    check_status(e, anomaly_score_rows(e->detector, &b->rows, &verdicts, &done), status, "score_rows");
    check_status(e, (int)done, (int)want, "rows done");
    for (size_t i = 0; i < want && !e->failed; i++) {
        anomaly_verdict v = row_of(b, i);
        trace(e, "  row", b->x[i], b->t[i]);
        check(e, agree_verdict(&e->oracle, b->x[i], b->t[i], &v, e->agreement), "score_rows");
    }
    e->step += want;
}

/* Under a learning policy each row's fate depends on verdicts that are not shown, so those rows go one by one. */
static void do_learn_rows(episode *e, block *b)
{
    size_t done, want;
    int status;
    if (e->drawn.config.learn == ANOMALY_LEARN_NORMAL)
        return;
    draw_block(e, b, &status, &want);
    trace(e, "learn_rows", NULL, (int64_t)b->count);
    check_status(e, anomaly_learn_rows(e->detector, &b->rows, &done), status, "learn_rows");
    check_status(e, (int)done, (int)want, "rows done");
    for (size_t i = 0; i < want; i++) {
        trace(e, "  row", b->x[i], b->t[i]);
        oracle_arrive(&e->oracle, b->t[i]);
        oracle_take(&e->oracle, b->x[i], b->t[i], 0);
    }
    e->step += want;
}

/* ---- everything else ---- */

static void do_advance(episode *e)
{
    int64_t t = draw_time(&e->r, &e->times);
    trace(e, "advance", NULL, t);
    check_status(e, anomaly_advance(e->detector, t), t == ANOMALY_NO_TIME ? ANOMALY_E_ARG : ANOMALY_OK, "advance");
    if (t != ANOMALY_NO_TIME)
        oracle_advance(&e->oracle, t);
}

static void do_ask(episode *e)
{
    uint32_t f = (uint32_t)random_below(&e->r, e->drawn.config.features);
    double q = one_in(&e->r, 2) ? (double)random_below(&e->r, 101) / 100 : random_unit(&e->r), value = 0;
    anomaly_stats stats;
    anomaly_counts counts;
    int status;
    check_status(e, anomaly_window_stats(e->detector, f, &stats), ANOMALY_OK, "window_stats");
    check(e, agree_stats(&e->oracle, f, &stats, e->agreement), "window_stats");
    status = anomaly_quantile(e->detector, f, q, &value);
    check(e, agree_quantile(&e->oracle, f, q, status, value, e->agreement), "quantile");
    check_status(e, anomaly_counters(e->detector, &counts), ANOMALY_OK, "counters");
    check(e, agree_counters(&e->oracle, &counts, e->agreement), "counters");
}

/* Calls that have to be refused, and to change nothing. */
static void do_wrong(episode *e)
{
    double x[ORACLE_FEATURES] = {0}, value = 7;
    anomaly_verdict verdict = {0};
    anomaly_stats stats;
    uint32_t features = e->drawn.config.features;
    int no_time = e->drawn.config.window_ns > 0 ? ANOMALY_E_ARG : ANOMALY_OK;
    check_status(e, anomaly_score(e->detector, x, ANOMALY_NO_TIME, &verdict), no_time, "score without a time");
    if (no_time != ANOMALY_OK) {
        check_status(e, anomaly_update(e->detector, x, ANOMALY_NO_TIME, &verdict), no_time, "update without a time");
        check_status(e, anomaly_learn(e->detector, x, ANOMALY_NO_TIME), no_time, "learn without a time");
    }
    check_status(e, anomaly_update(e->detector, NULL, 0, &verdict), ANOMALY_E_ARG, "update of NULL");
    check_status(e, anomaly_advance(e->detector, ANOMALY_NO_TIME), ANOMALY_E_ARG, "advance without a time");
    check_status(e, anomaly_window_stats(e->detector, features, &stats), ANOMALY_E_ARG, "stats of no feature");
    check_status(e, anomaly_set_threshold(e->detector, NAN), ANOMALY_E_ARG, "threshold of NaN");
    check_status(e, anomaly_set_threshold(e->detector, INFINITY), ANOMALY_E_ARG, "threshold of infinity");
    if (e->drawn.config.kind == ANOMALY_PERCENTILE)
        check_status(e, anomaly_quantile(e->detector, 0, 1.5, &value), ANOMALY_E_ARG, "quantile of 1.5");
    check_status(e, value == 7 ? 0 : 1, 0, "an output after an error");
}

static void do_set_threshold(episode *e)
{
    double threshold = 4 * random_unit(&e->r) - 0.5;
    check_status(e, anomaly_set_threshold(e->detector, threshold), ANOMALY_OK, "set_threshold");
    e->oracle.config.threshold = threshold;
}

static void do_reset(episode *e)
{
    trace(e, "reset", NULL, 0);
    anomaly_reset(e->detector);
    oracle_reset(&e->oracle);
}

static void do_restore(episode *e)
{
    size_t size = 0, used = 0;
    unsigned char *bytes;
    anomaly_detector *restored = NULL;
    trace(e, "restore", NULL, 0);
    assert_ok(anomaly_snapshot_size(e->detector, &size));
    bytes = malloc(size);
    assert_non_null(bytes);
    assert_ok(anomaly_snapshot(e->detector, bytes, size, &used));
    check_status(e, (int)used, (int)size, "size of a snapshot");
    check_status(e, anomaly_restore(bytes, used, NULL, &restored, NULL), ANOMALY_OK, "restore");
    free(bytes);
    if (restored == NULL)
        return;
    anomaly_destroy(e->detector);
    e->detector = restored;
}

static void do_step(episode *e, block *b)
{
    uint64_t which = random_below(&e->r, 200);
    e->step++;
    if (which < 120)
        do_update(e);
    else if (which < 140)
        do_score(e);
    else if (which < 155)
        do_learn(e);
    else if (which < 165)
        do_advance(e);
    else if (which < 176)
        do_update_rows(e, b);
    else if (which < 179)
        do_score_rows(e, b);
    else if (which < 182)
        do_learn_rows(e, b);
    else if (which < 194)
        do_ask(e);
    else if (which < 196)
        do_set_threshold(e);
    else if (which < 198)
        do_restore(e);
    else if (which < 199)
        do_wrong(e);
    else if (one_in(&e->r, 4))
        do_reset(e);
}

/* ---- episodes ---- */

static void begin(episode *e, uint64_t seed, agreement *a)
{
    memset(e, 0, sizeof *e);
    e->seed = seed;
    e->r.s = seed;
    e->agreement = a;
    draw_config(&e->r, &e->drawn);
    draw_value_source(&e->r, &e->values);
    draw_time_source(&e->r, &e->drawn.config, &e->times);
    snprintf(a->reason, sizeof a->reason, "option %s", e->drawn.wrong != NULL ? e->drawn.wrong : "");
    check(e, e->drawn.wrong == NULL, "config");
    check_status(e, anomaly_create(&e->drawn.config, NULL, &e->detector, NULL), ANOMALY_OK, "create");
    oracle_init(&e->oracle, &e->drawn.config);
}

static void run_episode(uint64_t seed, agreement *a, uint64_t *steps, uint64_t *failures)
{
    static block b;
    episode e;
    uint64_t length;
    begin(&e, seed, a);
    length = 50 + random_below(&e.r, one_in(&e.r, 8) ? MOST_STEPS : 400);
    while (!e.failed && e.step < length)
        do_step(&e, &b);
    if (!e.failed)
        do_ask(&e);
    *steps += e.step;
    *failures += e.failed != 0;
    anomaly_destroy(e.detector);
    oracle_clear(&e.oracle);
}

static void the_library_answers_as_the_documentation_says(void **state)
{
    (void)state;
    run_episodes(run_episode);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_library_answers_as_the_documentation_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
