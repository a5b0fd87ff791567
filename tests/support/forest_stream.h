/* SPDX-License-Identifier: MIT
 * forest_stream.h - random configurations of the forest, and random streams for them: several shapes, changes of scale, values
 * that are missing or infinite. */
#ifndef FOREST_STREAM_H
#define FOREST_STREAM_H

#include "random.h"
#include "test.h"

enum { FEATURES = 9, MOST_LAGS = 6, MOST_EVENTS = 2500 };

static inline void random_forest(random_state *r, anomaly_config *c)
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
    c->threshold = one_in(r, 3) ? 0 : 0.45 + 0.3 * random_unit(r);
    c->compare = (int32_t)random_below(r, 2);
    c->seed = random_bits(r);
    c->reserve = one_in(r, 3);
    c->learn = one_in(r, 2) ? ANOMALY_LEARN_NORMAL : ANOMALY_LEARN_ALWAYS;
    c->learn_after = c->learn == ANOMALY_LEARN_NORMAL ? (uint32_t)random_below(r, 6) : 0;
    if (c->warmup_events > c->window_events)
        c->warmup_events = c->window_events;
    c->lags = one_in(r, 3) ? (int32_t)random_below(r, MOST_LAGS + 1) : 0;
    c->window_events += c->lags > 1 ? (uint64_t)c->lags - 1 : 0;
}

typedef struct source {
    random_state r;
    uint32_t features;
    uint64_t missing, infinite, turn; /* one value in so many; 0: none. turn: events between changes of scale */
    int shape;
    uint64_t i;
    double at[FEATURES];
} source;

static inline source random_source(random_state *r, uint32_t features)
{
    source s = {.r = {random_bits(r)}, .features = features, .shape = (int)random_below(r, 7)};
    s.missing = one_in(r, 2) ? 0 : 3 + random_below(r, 30);
    s.infinite = one_in(r, 3) ? 60 + random_below(r, 200) : 0;
    s.turn = one_in(r, 2) ? 0 : 200 + random_below(r, 900);
    return s;
}

/* Normal, few values, a walk, constant, heavy tails, one feature fixed, clusters. */
static inline double source_value(source *s, uint32_t f)
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

static inline void source_next(source *s, double *x)
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

static inline anomaly_detector *create(const anomaly_config *config)
{
    anomaly_detector *d = NULL;
    anomaly_error error = {0};
    if (anomaly_create(config, NULL, &d, &error) != ANOMALY_OK)
        print_error("%s: %s\n", error.field, error.message);
    assert_non_null(d);
    return d;
}

static inline void print_config(const anomaly_config *c)
{
    for (size_t i = 0; anomaly_option_at(i) != NULL; i++) {
        char text[64];
        if ((anomaly_option_at(i)->kinds >> c->kind & 1) != 0 &&
            anomaly_config_get(c, anomaly_option_at(i)->name, text, sizeof text) == ANOMALY_OK)
            print_error("%s=%s ", anomaly_option_at(i)->name, text);
    }
    print_error("\n");
}

#endif
