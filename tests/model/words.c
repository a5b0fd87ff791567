/* SPDX-License-Identifier: MIT
 * words.c - the word of an anomaly against what was planted: streams of three grounds, a hundred seeds each. The table that it prints
 * is the one in docs/methods.md (WORDS_TABLE=1). */
#include "../support/test.h"

#include "../support/random.h"

enum { USUAL = 1500, PLANTED = 100, SETTLED = 4, PASSES = 10, STEP = 300 };
enum plant { SPIKE_UP, SPIKE_DOWN, SHIFT_UP, SHIFT_DOWN, NOISIER, QUIETER, STUCK, PLANTS };
enum ground { PLAIN, FOLLOWING, DAILY, GROUNDS };

static const char *const PLANT[PLANTS] = {"spike up", "spike down", "shift up", "shift down", "noisier", "quieter", "stuck"};

typedef struct stream {
    random_state r;
    enum ground ground;
    enum plant plant;
    double follows, last;
} stream;

typedef struct table {
    unsigned streams, seen, first[PLANTS], said[PLANTS]; /* streams; events: the first flagged, those that count */
} table;

/* Of one spread, plain or each value .9 of the one before; the plant begins at 0. */
static double noise_at(stream *s, int since)
{
    double size = since < 0             ? 1
                  : s->plant == NOISIER ? 4
                  : s->plant == QUIETER ? 0.25
                                        : 1,
           noise = random_normal(&s->r) * size;
    if (s->ground != FOLLOWING)
        return noise;
    s->follows = 0.9 * s->follows * (since == 0 && s->plant == QUIETER ? 0.25 : 1) + sqrt(1 - 0.81) * noise;
    return s->follows;
}

static double planted_at(enum plant plant, int since)
{
    if (plant == SPIKE_UP || plant == SPIKE_DOWN)
        return since != 0 ? 0 : plant == SPIKE_UP ? 8 : -8;
    return since < 0 ? 0 : plant == SHIFT_UP ? 4 : plant == SHIFT_DOWN ? -4 : 0;
}

static double value_at(stream *s, int i)
{
    int since = i - USUAL;
    double x = 100 + noise_at(s, since) + planted_at(s->plant, since);
    if (s->ground == DAILY)
        x += 5 * sin(i * 6.283185307 * STEP / 86400);
    s->last = s->plant == STUCK && since >= 0 ? s->last : x;
    return s->last;
}

static enum plant said_of(uint32_t flags)
{
    int up = (flags & ANOMALY_ABOVE) != 0;
    assert_true(has_one_word(flags));
    return flags & ANOMALY_SPIKE     ? (up ? SPIKE_UP : SPIKE_DOWN)
           : flags & ANOMALY_SHIFT   ? (up ? SHIFT_UP : SHIFT_DOWN)
           : flags & ANOMALY_NOISIER ? NOISIER
           : flags & ANOMALY_QUIETER ? QUIETER
                                     : STUCK;
}

/* A spike counts until it has passed, everything else once there are SETTLED values of it: the first of a shift is a spike.
 * Ten values are the shortest stretch of which watch sees that it is quiet. */
static int counts(enum plant plant, int since)
{
    return plant <= SPIKE_DOWN ? since < PASSES : since >= (plant == QUIETER ? PASSES : SETTLED);
}

static void run(int kind, const char *options, enum ground ground, enum plant plant, uint64_t seed, table *t)
{
    stream s = {{seed * PLANTS + plant + 77}, ground, plant, 0, 0};
    anomaly_detector *d = detector_of(kind, options);
    int seen = 0;
    for (int i = 0; i < USUAL + PLANTED; i++) {
        double x = value_at(&s, i);
        anomaly_verdict v = push_at(d, x, ground == DAILY ? (int64_t)i * STEP * SECOND : ANOMALY_NO_TIME);
        if (!flagged(v)) {
            assert_int_equal(v.flags & (uint32_t)WORDS, 0);
            continue;
        }
        enum plant said = said_of(v.flags);
        if (i < USUAL)
            continue;
        t->first[said] += !seen++;
        t->said[said] += (unsigned)counts(plant, i - USUAL);
    }
    t->streams++;
    t->seen += seen > 0;
    anomaly_destroy(d);
}

static unsigned sum_of(const unsigned *said)
{
    unsigned sum = 0;
    for (int p = 0; p < PLANTS; p++)
        sum += said[p];
    return sum;
}

static void print_row(const char *kind, enum plant plant, const table *t)
{
    print_message("| `%s` | %s | %u of %u | %u |", kind, PLANT[plant], t->seen, t->streams, sum_of(t->said));
    for (int p = 0; p < PLANTS; p++)
        print_message(t->said[p] ? " %u |" : " |", t->said[p]);
    print_message(" %u of %u |\n", t->first[plant], sum_of(t->first));
}

static void check_row(const char *name, int kind, const char *options, enum plant plant)
{
    table t = {0};
    for (uint64_t seed = 0; seed < (is_quick() ? 5 : 100); seed++)
        for (int g = 0; g < GROUNDS; g++)
            if (kind == ANOMALY_WATCH || g != DAILY)
                run(kind, options, (enum ground)g, plant, seed, &t);
    if (getenv("WORDS_TABLE"))
        print_row(name, plant, &t);
    assert_true(t.seen > 0 && sum_of(t.said) > 0);
    if (t.said[plant] * 10 < sum_of(t.said) * 9)
        print_error("%s, %s: %u of %u words are right\n", name, PLANT[plant], t.said[plant], sum_of(t.said));
    assert_true(t.said[plant] * 10 >= sum_of(t.said) * 9);
}

/* A distance does not see what is quieter or stays within the usual. */
static void test_mahalanobis(void **state)
{
    (void)state;
    for (int p = SPIKE_UP; p <= NOISIER; p++)
        check_row("mahalanobis", ANOMALY_MAHALANOBIS, "window=2048", (enum plant)p);
}

/* Quiet and stuck values within the usual have scores of 4 and more. */
static void test_watch(void **state)
{
    (void)state;
    for (int p = 0; p < PLANTS; p++)
        check_row("watch", ANOMALY_WATCH, p >= QUIETER ? "threshold=4" : "", (enum plant)p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mahalanobis),
        cmocka_unit_test(test_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
