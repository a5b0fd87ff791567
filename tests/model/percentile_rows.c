/* SPDX-License-Identifier: MIT
 * percentile_rows.c - long calls of rows, which keep brackets in place of the ordered list, give the loop's verdicts and leave
 * its state, on data that stays, that moves, that breaks off and that repeats itself. */
#include "../support/snapshots.h"

#include "../support/random.h"

#include <math.h>

enum shape { NORMAL, WALK, RISING, FALLING, TWO_VALUES, FEW_VALUES, HOLES, CHANGING, SHAPES };

typedef struct source {
    random_state random;
    size_t window, at;
    double level;
} source;

static double next_of(source *s, enum shape shape)
{
    size_t i = s->at++;
    double x = random_normal(&s->random);
    s->level += x;
    switch (shape) {
    case WALK: return s->level;
    case RISING: return (double)i;
    case FALLING: return -(double)i;
    case TWO_VALUES: return (double)(i / (s->window * 7 / 10 + 1) % 2);
    case FEW_VALUES: return one_in(&s->random, 3) ? -0.0 : floor(3 * x);
    case HOLES: return one_in(&s->random, 5000) ? (one_in(&s->random, 2) ? (double)NAN : (double)INFINITY) : x;
    case CHANGING: return i % (12 * s->window) < 10 * s->window ? x : 50 + x;
    default: return x;
    }
}

typedef struct columns {
    double *x, *score, *threshold, *expected, *lower, *upper;
    uint32_t *flags, *feature;
    uint64_t *events;
} columns;

static void *room(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    assert_non_null(memory);
    return memory;
}

static columns columns_of(size_t count)
{
    columns c = {.x = room(6 * count, sizeof(double)), .flags = room(2 * count, sizeof(uint32_t))};
    c.score = c.x + count;
    c.threshold = c.score + count;
    c.expected = c.threshold + count;
    c.lower = c.expected + count;
    c.upper = c.lower + count;
    c.feature = c.flags + count;
    c.events = room(count, sizeof(uint64_t));
    return c;
}

/* All rows in calls of random length, the median sometimes not asked for. */
static void by_rows(anomaly_detector *d, const columns *c, size_t count, int median, random_state *random)
{
    for (size_t from = 0, some; from < count; from += some) {
        some = 1 + (size_t)random_below(random, 2 * count);
        some = some < count - from ? some : count - from;
        anomaly_rows rows = {.count = some, .values = c->x + from};
        anomaly_verdicts out = {c->score + from,   c->threshold + from, median ? c->expected + from : NULL,
                                c->lower + from,   c->upper + from,     c->flags + from,
                                c->feature + from, c->events + from,    NULL};
        assert_ok(anomaly_update_rows(d, &rows, &out, NULL));
    }
}

static void by_loop(anomaly_detector *d, const columns *c, size_t count, int median)
{
    for (size_t i = 0; i < count; i++) {
        anomaly_verdict want = push(d, c->x[i]);
        anomaly_verdict got = {c->score[i],   c->threshold[i], median ? c->expected[i] : want.expected,
                               c->lower[i],   c->upper[i],     c->flags[i],
                               c->feature[i], c->events[i],    (double)NAN};
        if (!same_verdict(&got, &want))
            print_error("row %zu\n", i);
        assert_same_verdict(&got, &want);
    }
}

static void compare(enum shape shape, const char *options, size_t window, int median)
{
    anomaly_detector *rows = percentile_of(options), *loop = percentile_of(options);
    size_t windows = is_quick() ? 16 : 40, least = 500 * windows;
    size_t count = windows * window > least ? windows * window : least;
    source s = {.random = {window + (uint64_t)shape}, .window = window};
    random_state random = {window + 77};
    columns c = columns_of(count);
    for (size_t i = 0; i < count; i++)
        c.x[i] = next_of(&s, shape);
    by_rows(rows, &c, count, median, &random);
    by_loop(loop, &c, count, median);
    assert_same_state(rows, loop);
    assert_same_bytes(rows, loop);
    for (int i = 0; i <= 20; i++)
        assert_same(quantile_of(rows, i / 20.0), quantile_of(loop, i / 20.0));
    anomaly_destroy(rows);
    anomaly_destroy(loop);
    free(c.x);
    free(c.flags);
    free(c.events);
}

static void compare_shapes(const char *options, size_t window)
{
    for (int shape = 0; shape < SHAPES; shape++)
        for (int median = 0; median < 2; median++)
            compare((enum shape)shape, options, window, median);
}

static void test_windows(void **state)
{
    (void)state;
    compare_shapes("window=2", 2);
    compare_shapes("window=65", 65);
    compare_shapes("window=1000", 1000);
    compare_shapes("window=1024", 1024); /* as many as the ring has slots */
    if (!is_quick())
        compare_shapes("window=5000", 5000);
}

static void test_bounds(void **state)
{
    (void)state;
    compare_shapes("window=500 lower=0 upper=100", 500);
    compare_shapes("window=500 quantile=nearest lower=5 upper=99.9", 500);
    compare_shapes("window=2000 lower=45 upper=50 side=upper threshold=0.5", 2000);
    compare_shapes("window=500 side=lower flat=ignore", 500);
}

static void test_learning_policies_and_warm_up(void **state)
{
    (void)state;
    compare_shapes("window=300 learn=normal:5", 300);
    compare_shapes("window=300 include_self=1", 300);
    compare_shapes("window=300 warmup=301", 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_learning_policies_and_warm_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
