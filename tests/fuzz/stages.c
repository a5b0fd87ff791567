/* SPDX-License-Identifier: MIT
 * stages.c - libFuzzer: a detector of any kind with stages round it from the first bytes, calls with any values and times from the
 * rest. Verdicts keep the rules of the flags; a twin that gets its events by rows, and comes back from a snapshot now and
 * then, ends as the same bytes. */
#include "anomaly.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

enum { MOST_FEATURES = 3, MOST_EVENTS = 2000 };

typedef struct bytes {
    const uint8_t *at;
    size_t left;
} bytes;

typedef struct bench {
    anomaly_config config;
    anomaly_detector *d, *twin;
    int64_t clock;
} bench;

/* ---- input ---- */

static uint8_t next_byte(bytes *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

static uint64_t next_bytes(bytes *in)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | next_byte(in);
    return value;
}

static double next_value(bytes *in)
{
    static const double SPECIAL[] = {NAN, INFINITY, -INFINITY, -0.0, 0, 1e308, -1e308, 5e-324, -1, 1e9};
    uint8_t choice = next_byte(in);
    double x;
    if (choice == 255) {
        uint64_t raw = next_bytes(in);
        memcpy(&x, &raw, sizeof x);
        return x;
    }
    return choice < 10 ? SPECIAL[choice] : choice / 4.0;
}

static int64_t next_time(bench *b, bytes *in)
{
    uint8_t choice = next_byte(in);
    if (choice == 255) {
        int64_t t = (int64_t)next_bytes(in);
        return t == ANOMALY_NO_TIME ? 0 : t;
    }
    if (choice >= 240)
        return b->clock - (choice - 240) * INT64_C(1000000000);
    b->clock += choice * INT64_C(250000000);
    return b->clock;
}

static void set(anomaly_config *config, const char *const *options, size_t count, uint8_t choice)
{
    char name[64];
    const char *option = options[choice % count], *value = strchr(option, '=');
    snprintf(name, sizeof name, "%.*s", (int)(value - option), option);
    (void)anomaly_config_set(config, name, value + 1, NULL); /* some kinds do not have it */
}

#define SET(options) set(&b->config, options, sizeof(options) / sizeof *(options), next_byte(in))

static int begin(bench *b, bytes *in)
{
    static const char *const WINDOWS[] = {"window=20", "window=40s,30", "window=64"};
    static const char *const TRANSFORMS[] = {"transform=none", "transform=log",  "transform=log1p",
                                             "transform=sqrt", "transform=diff", "transform=rate"};
    static const char *const SEASONS[] = {"season=off", "season=1m", "season=1m,3m", "season=366d", "season=3m,366d"};
    static const char *const OFFSETS[] = {"season_offset=0s", "season_offset=-1d", "season_offset=1d"};
    static const char *const RATES[] = {"alarm_rate=0", "alarm_rate=0.5", "alarm_rate=0.01", "alarms=9/1m", "alarms=1/366d"};
    static const char *const RESTS[] = {"rest=off", "rest=1", "rest=8", "rest=5s"};
    static const char *const CONFIRMS[] = {"confirm=1/1", "confirm=2/3", "confirm=64/64"};
    static const char *const MARGINS[] = {"margin=0", "margin=0.5"};
    static const char *const CHANGES[] = {"min_change=0", "min_change=5", "min_change=10%"};
    uint8_t kind = next_byte(in);
    *b = (bench){.clock = 0};
    CHECK(anomaly_config_init(&b->config, sizeof b->config, 1 + kind % 5) == ANOMALY_OK);
    b->config.features = 1 + next_byte(in) % MOST_FEATURES;
    b->config.warmup_events = 8;
    SET(WINDOWS);
    if (b->config.kind == ANOMALY_MAHALANOBIS)
        b->config.window_events = 128;
    if (b->config.kind == ANOMALY_WATCH)
        b->config.window_events = 256, b->config.features = 1;
    b->config.trees = 5;
    b->config.sample = 16;
    b->config.calibrate = 128;
    SET(TRANSFORMS);
    SET(SEASONS);
    SET(OFFSETS);
    SET(RATES);
    SET(RESTS);
    SET(CONFIRMS);
    SET(MARGINS);
    SET(CHANGES);
    return anomaly_create(&b->config, NULL, &b->d, NULL) == ANOMALY_OK &&
           anomaly_create(&b->config, NULL, &b->twin, NULL) == ANOMALY_OK;
}

/* ---- rules ---- */

static int has(const anomaly_verdict *v, uint32_t flag)
{
    return (v->flags & flag) != 0;
}

static void check_verdict(const bench *b, const anomaly_verdict *v)
{
    const anomaly_config *c = &b->config;
    int decides = c->rest_events || c->rest_ns || c->confirm > 1 || c->min_change > 0 || c->min_percent > 0;
    CHECK(v->feature < c->features);
    CHECK(isnan(v->tail) || (v->tail >= 0 && v->tail <= 1));
    /* An infinite value is anomalous, and a forest's score 1, even if a threshold above 1 was set. */
    int beyond_scores = c->kind == ANOMALY_IFOREST && has(v, ANOMALY_NONFINITE) && v->threshold > 1;
    CHECK(!has(v, ANOMALY_IS_ANOMALY) || (!has(v, ANOMALY_WARMING_UP) && (v->score >= v->threshold || beyond_scores)));
    CHECK(!has(v, ANOMALY_TAIL_ESTIMATED) || !isnan(v->tail));
    CHECK(has(v, ANOMALY_ALARM) + has(v, ANOMALY_HELD) == (decides && has(v, ANOMALY_IS_ANOMALY)));
    CHECK(!has(v, ANOMALY_EPISODE) || !has(v, ANOMALY_EPISODE_END));
}

static int same(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

static void update(bench *b, bytes *in)
{
    double x[MOST_FEATURES], score = 0, tail = 0, upper = 0;
    uint32_t flags = 0, learning = ANOMALY_NOT_LEARNED;
    anomaly_verdict asked, v;
    int64_t t = next_time(b, in);
    int looks = next_byte(in) % 8 == 0;
    for (uint32_t f = 0; f < b->config.features; f++)
        x[f] = next_value(in);
    CHECK(anomaly_advance(b->d, t) == ANOMALY_OK && anomaly_advance(b->twin, t) == ANOMALY_OK);
    if (looks)
        CHECK(anomaly_score(b->d, x, t, &asked) == ANOMALY_OK);
    CHECK(anomaly_update(b->d, x, t, &v) == ANOMALY_OK);
    check_verdict(b, &v);
    CHECK(!looks || (same(asked.score, v.score) && same(asked.tail, v.tail) && asked.flags == (v.flags & ~learning)));
    anomaly_rows rows = {.count = 1, .values = x, .times = &t};
    anomaly_verdicts out = {.score = &score, .tail = &tail, .upper = &upper, .flags = &flags};
    CHECK(anomaly_update_rows(b->twin, &rows, &out, NULL) == ANOMALY_OK);
    CHECK(same(score, v.score) && same(tail, v.tail) && same(upper, v.upper) && flags == v.flags);
}

static void learn(bench *b, bytes *in)
{
    double x[MOST_FEATURES];
    int64_t t = next_time(b, in);
    for (uint32_t f = 0; f < b->config.features; f++)
        x[f] = next_value(in);
    CHECK(anomaly_learn(b->d, x, t) == ANOMALY_OK && anomaly_learn(b->twin, x, t) == ANOMALY_OK);
}

static uint8_t *save(const anomaly_detector *d, size_t *size)
{
    uint8_t *saved;
    CHECK(anomaly_snapshot_size(d, size) == ANOMALY_OK);
    saved = malloc(*size);
    CHECK(saved && anomaly_snapshot(d, saved, *size, size) == ANOMALY_OK);
    return saved;
}

static void renew_twin(bench *b)
{
    size_t size, same_size;
    uint8_t *saved = save(b->d, &size), *twin = save(b->twin, &same_size);
    CHECK(size == same_size && memcmp(saved, twin, size) == 0);
    anomaly_destroy(b->twin);
    CHECK(anomaly_restore(saved, size, NULL, &b->twin, NULL) == ANOMALY_OK);
    free(saved);
    free(twin);
}

static void set_threshold(bench *b, uint8_t choice)
{
    CHECK(anomaly_set_threshold(b->d, choice / 32.0) == anomaly_set_threshold(b->twin, choice / 32.0));
}

static void call(bench *b, bytes *in)
{
    uint8_t choice = next_byte(in);
    if (choice < 230)
        update(b, in);
    else if (choice < 240)
        learn(b, in);
    else if (choice < 252)
        renew_twin(b);
    else if (choice < 254)
        set_threshold(b, next_byte(in));
    else {
        anomaly_reset(b->d);
        anomaly_reset(b->twin);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bytes in = {data, size};
    bench b;
    if (begin(&b, &in)) {
        for (int i = 0; in.left > 0 && i < MOST_EVENTS; i++)
            call(&b, &in);
        renew_twin(&b);
    }
    anomaly_destroy(b.d);
    anomaly_destroy(b.twin);
    return 0;
}
