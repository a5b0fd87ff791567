/* SPDX-License-Identifier: MIT
 * scores.c - the quantile of the last scores (lib/forest/scores.h): after every score it is that of the scores sorted anew, whatever
 * their shape, while the ring grows and when it is full. */
#include "../support/test.h"

#include "../support/exact.h"
#include "../support/random.h"
#include "base/simd.h"
#include "forest/scores.h"
#include "window/places.h"

enum { EVENTS = 6000 };

typedef double (*shape)(random_state *r, int i);

static double bell(random_state *r, int i)
{
    (void)i;
    double x = 0.5 + 0.06 * random_normal(r);
    return x < 0.01 ? 0.01 : x > 0.99 ? 0.99 : x;
}

static double even(random_state *r, int i)
{
    (void)i;
    return random_unit(r);
}

static double constant(random_state *r, int i)
{
    (void)r;
    (void)i;
    return 0.5;
}

static double few(random_state *r, int i)
{
    (void)i;
    return 0.25 * (double)random_below(r, 5);
}

static double up(random_state *r, int i)
{
    (void)r;
    return (double)i / EVENTS;
}

static double down(random_state *r, int i)
{
    return 1 - up(r, i);
}

static double waves(random_state *r, int i)
{
    return (i / 700 % 2 ? 0.3 : 0.6) + 0.02 * random_unit(r);
}

static double bursts(random_state *r, int i)
{
    return i % 1500 > 1300 ? 0.9 + 0.01 * random_unit(r) : 0.5;
}

static double narrow(random_state *r, int i)
{
    (void)i;
    return 0.5 + 1e-6 * random_unit(r);
}

static const struct {
    const char *name;
    shape next;
} SHAPES[] = {{"bell", bell}, {"even", even},   {"constant", constant}, {"few values", few}, {"up", up},
              {"down", down}, {"waves", waves}, {"bursts", bursts},     {"narrow", narrow}};

static double at_rank(const double *sorted, size_t n, double q)
{
    return exact_weibull(sorted, n, q);
}

/* The last n scores in order, by insertion and removal. */
static void keep_sorted(double *sorted, size_t *n, const double *all, size_t i, size_t window)
{
    size_t at = 0;
    if (*n == window) {
        while (sorted[at] != all[i - window])
            at++;
        memmove(sorted + at, sorted + at + 1, (--*n - at) * sizeof *sorted);
    }
    for (at = *n; at > 0 && sorted[at - 1] > all[i]; at--)
        sorted[at] = sorted[at - 1];
    sorted[at] = all[i];
    ++*n;
}

static void check(size_t shape_number, size_t window, double contamination)
{
    static double all[EVENTS], sorted[EVENTS];
    anomaly_allocator memory = an_allocator_or_default(NULL);
    an_scores scores = {0};
    random_state r = {shape_number + window};
    size_t n = 0;
    scores.ranks.places = an_places_for(an_simd_path(ANOMALY_SIMD_AUTO));
    an_scores_set_share(&scores, contamination, window);
    an_scores_reset(&scores);
    for (size_t i = 0; i < EVENTS; i++) {
        all[i] = SHAPES[shape_number].next(&r, (int)i);
        keep_sorted(sorted, &n, all, i, window);
        assert_ok(an_scores_prepare(&scores, &memory));
        an_scores_add(&scores, all[i]);
        double share = (double)n * contamination >= 1 ? contamination : n < 100 ? 0.1 : 0.01; /* too few: another one */
        if (!(scores.quantile == at_rank(sorted, n, 1 - share)))
            print_error("%s, window %zu, contamination %g, event %zu\n", SHAPES[shape_number].name, window, contamination,
                        i);
        assert_same(scores.quantile, at_rank(sorted, n, 1 - share));
        assert_true(scores.count == n);
    }
    an_scores_free(&scores, &memory);
}

static void test_quantile_is_exact(void **state)
{
    static const size_t WINDOWS[] = {16, 100, 2048, 5000};
    static const double SHARES[] = {1e-6, 0.01, 0.1, 0.5};
    (void)state;
    for (size_t s = 0; s < ARRAY_COUNT(SHAPES); s++)
        for (size_t w = 0; w < ARRAY_COUNT(WINDOWS); w += is_quick() ? 2 : 1)
            for (size_t c = 0; c < ARRAY_COUNT(SHARES); c++)
                check(s, WINDOWS[w], SHARES[c]);
}

/* Most events are only counted: that is what the floor is for. */
static void test_few_are_kept_in_order(void **state)
{
    anomaly_allocator memory = an_allocator_or_default(NULL);
    an_scores scores = {0};
    random_state r = {1};
    uint32_t most = 0;
    (void)state;
    scores.ranks.places = an_places_for(an_simd_path(ANOMALY_SIMD_AUTO));
    an_scores_set_share(&scores, 0.01, 2048);
    an_scores_reset(&scores);
    for (int i = 0; i < 50000; i++) {
        assert_ok(an_scores_prepare(&scores, &memory));
        an_scores_add(&scores, bell(&r, i));
        if (i > 4096 && scores.ranks.size > most)
            most = scores.ranks.size;
    }
    assert_true(most < 2048 / 8);
    an_scores_free(&scores, &memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantile_is_exact),
        cmocka_unit_test(test_few_are_kept_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
