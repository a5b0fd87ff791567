/* SPDX-License-Identifier: MIT
 * stream.c - libFuzzer: a detector from the first bytes, calls from the rest, beside the slow model of the tests and beside
 * a twin that gets its events through the rows call. */
#include "../support/stream.h"
#include "../support/model.h"

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

enum { MOST_WINDOW = 48, MOST_BATCH = 16 };

typedef struct bytes {
    const uint8_t *at;
    size_t left;
} bytes;

static uint8_t next_byte(bytes *b)
{
    if (b->left == 0)
        return 0;
    b->left--;
    return *b->at++;
}

static uint64_t next_bytes(bytes *b, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value = value << 8 | next_byte(b);
    return value;
}

typedef struct bench {
    model m;
    anomaly_detector *d, *twin;
    int64_t clock;
    int wild; /* values beyond what the model's tolerance is made for */
    size_t waiting;
    double x[MOST_BATCH][MODEL_FEATURES];
    int64_t t[MOST_BATCH];
    anomaly_verdict v[MOST_BATCH];
} bench;

/* ---- input ---- */

static double next_value(bench *b, bytes *in)
{
    static const double SPECIAL[] = {NAN,  INFINITY, -INFINITY,          -0.0, 0,   1e9,
                                     -1e9, 0.1,      0.1000000000000001, 1e-3, 5e4, 1.0 / 3};
    uint8_t choice = next_byte(in);
    double x;
    if (choice == 255) {
        uint64_t raw = next_bytes(in, 8);
        memcpy(&x, &raw, sizeof x);
        b->wild |= isfinite(x) && x != 0 && (fabs(x) > 1e12 || fabs(x) < 1e-12);
        return x;
    }
    if (choice < 12)
        return SPECIAL[choice];
    return ((double)choice - 128) / 4;
}

static int64_t next_time(bench *b, bytes *in)
{
    uint8_t choice = next_byte(in);
    int64_t t;
    if (choice == 255) {
        t = (int64_t)next_bytes(in, 8);
        return t == ANOMALY_NO_TIME ? 0 : t;
    }
    if (choice >= 240)
        return b->clock - (int64_t)(choice - 240) * STREAM_SECOND;
    b->clock += (int64_t)(choice % 24) * STREAM_SECOND / 4;
    return b->clock;
}

static int begin(bench *b, bytes *in)
{
    random_state r = {next_bytes(in, 4)};
    anomaly_config config;
    *b = (bench){0};
    random_config(&r, &config, 0, MOST_WINDOW, MODEL_FEATURES);
    if (config.window_events == 0)
        config.window_events = MOST_WINDOW;
    if (anomaly_create(&config, NULL, &b->d, NULL) != ANOMALY_OK)
        return 0;
    config.simd = ANOMALY_SIMD_PORTABLE;
    CHECK(anomaly_create(&config, NULL, &b->twin, NULL) == ANOMALY_OK);
    return model_begin(&b->m, &config);
}

static void end(bench *b)
{
    anomaly_destroy(b->d);
    anomaly_destroy(b->twin);
    model_end(&b->m);
}

/* ---- comparisons ---- */

static int same(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

static int near_to(double got, double want, double room)
{
    return same(got, want) || got == want || fabs(got - want) <= room;
}

static void check_shape(const bench *b, const anomaly_verdict *v)
{
    CHECK(v->feature < b->m.config.features);
    CHECK(v->events <= MOST_WINDOW);
    CHECK((v->flags & ~0x7ffu) == 0);
    CHECK(!(v->flags & ANOMALY_IS_ANOMALY) || !(v->flags & ANOMALY_WARMING_UP));
    CHECK(!(v->flags & ANOMALY_ABOVE) || !(v->flags & ANOMALY_BELOW));
    CHECK(!(v->flags & ANOMALY_FLAT) || isinf(v->score));
    CHECK(!(v->flags & ANOMALY_IS_ANOMALY) || v->score >= v->threshold);
}

/* Exactly, or for mean and standard deviation as far as double goes. */
static void check_verdict(const bench *b, const anomaly_verdict *got, const model_verdict *want)
{
    int exact = model_ordered(&b->m);
    const anomaly_verdict *w = &want->v;
    double unit = 1e-12 * (want->scale + fabs(w->expected));
    check_shape(b, got);
    if (b->wild && !exact)
        return;
    CHECK(got->feature == w->feature || !exact);
    if (got->feature != w->feature)
        return;
    CHECK(exact ? same(got->score + 0.0, w->score + 0.0) : near_to(got->score, w->score, 1e-12 * (1 + fabs(w->score))));
    CHECK(exact ? same(got->expected, w->expected) : near_to(got->expected, w->expected, unit));
    CHECK(exact ? same(got->lower, w->lower) : near_to(got->lower, w->lower, 8 * unit));
    CHECK(exact ? same(got->upper, w->upper) : near_to(got->upper, w->upper, 8 * unit));
    CHECK(got->events == w->events);
    if (exact || fabs(w->score) > 1e-12)
        CHECK(got->flags == w->flags);
}

/* Where values are wild the model cannot know the flags of plain z-scores: it takes the library's. */
static void follow(bench *b, const double *x, int64_t t, const anomaly_verdict *got)
{
    model_verdict want = model_prepare(&b->m, x, t);
    if (b->wild && !model_ordered(&b->m)) {
        (void)model_take(&b->m, x, t, got->flags);
        return;
    }
    want = model_update(&b->m, x, t, got->flags);
    check_verdict(b, got, &want);
}

static void flush(bench *b)
{
    double score[MOST_BATCH], upper[MOST_BATCH];
    uint32_t flags[MOST_BATCH];
    anomaly_rows rows = {.count = b->waiting, .values = b->x[0], .row_stride = sizeof b->x[0], .times = b->t};
    anomaly_verdicts out = {.score = score, .upper = upper, .flags = flags};
    size_t done = 0;
    CHECK(anomaly_update_rows(b->twin, &rows, &out, &done) == ANOMALY_OK && done == b->waiting);
    for (size_t i = 0; i < done; i++)
        CHECK(same(score[i], b->v[i].score) && same(upper[i], b->v[i].upper) && flags[i] == b->v[i].flags);
    b->waiting = 0;
}

static void check_state(bench *b)
{
    anomaly_stats s, twin;
    anomaly_counts a, c;
    CHECK(anomaly_window_stats(b->d, 0, &s) == ANOMALY_OK && anomaly_window_stats(b->twin, 0, &twin) == ANOMALY_OK);
    CHECK(s.count == twin.count && same(s.mean, twin.mean) && same(s.stddev, twin.stddev) && same(s.min, twin.min));
    CHECK(s.count == model_values(&b->m, 0));
    CHECK(anomaly_counters(b->d, &a) == ANOMALY_OK && anomaly_counters(b->twin, &c) == ANOMALY_OK);
    CHECK(memcmp(&a, &c, sizeof a) == 0);
    CHECK(a.learned == b->m.counts.learned && a.skipped == b->m.counts.skipped && a.late == b->m.counts.late);
}

static void check_quantile(bench *b, double q)
{
    size_t n = model_values(&b->m, 0);
    double value;
    int status = anomaly_quantile(b->d, 0, q, &value);
    if (!model_ordered(&b->m) || n == 0) {
        CHECK(status == (model_ordered(&b->m) ? ANOMALY_E_EMPTY : ANOMALY_E_KIND));
        return;
    }
    exact_sort(b->m.sorted, n);
    CHECK(status == ANOMALY_OK && same(value, model_quantile_of(&b->m, b->m.sorted, n, q, 1)));
}

/* ---- calls ---- */

static void call_update(bench *b, bytes *in)
{
    double *x = b->x[b->waiting];
    int64_t t = next_time(b, in);
    for (uint32_t f = 0; f < b->m.config.features; f++)
        x[f] = next_value(b, in);
    b->t[b->waiting] = t;
    CHECK(anomaly_update(b->d, x, t, &b->v[b->waiting]) == ANOMALY_OK);
    follow(b, x, t, &b->v[b->waiting]);
    if (++b->waiting == MOST_BATCH)
        flush(b);
}

static void call_score(bench *b, bytes *in)
{
    double x[MODEL_FEATURES];
    int64_t t = next_time(b, in);
    anomaly_verdict got;
    model_verdict want;
    for (uint32_t f = 0; f < b->m.config.features; f++)
        x[f] = next_value(b, in);
    CHECK(anomaly_score(b->d, x, t, &got) == ANOMALY_OK);
    want = model_score(&b->m, x, t);
    want.v.flags = model_settle(&want, got.flags);
    check_verdict(b, &got, &want);
}

static void call_advance(bench *b, bytes *in)
{
    int64_t t = next_time(b, in);
    flush(b);
    CHECK(anomaly_advance(b->d, t) == ANOMALY_OK && anomaly_advance(b->twin, t) == ANOMALY_OK);
    model_advance(&b->m, t);
}

static void call_other(bench *b, uint8_t choice)
{
    flush(b);
    if (choice % 8 == 0) {
        anomaly_reset(b->d);
        anomaly_reset(b->twin);
        model_reset(&b->m);
    } else if (choice % 8 == 1) {
        b->m.config.threshold = choice / 64.0;
        CHECK(anomaly_set_threshold(b->d, choice / 64.0) == ANOMALY_OK);
        CHECK(anomaly_set_threshold(b->twin, choice / 64.0) == ANOMALY_OK);
    } else {
        check_state(b);
        check_quantile(b, choice / 255.0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bytes in = {data, size < 4096 ? size : 4096};
    bench b;
    if (begin(&b, &in))
        while (in.left > 0) {
            uint8_t choice = next_byte(&in);
            if (choice < 200)
                call_update(&b, &in);
            else if (choice < 220)
                call_score(&b, &in);
            else if (choice < 235)
                call_advance(&b, &in);
            else
                call_other(&b, choice);
        }
    end(&b);
    return 0;
}
