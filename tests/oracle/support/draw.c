/* SPDX-License-Identifier: MIT
 * draw.c - see draw.h. */
#include "draw.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- configurations ---- */

/* One option as text, and a note of it. */
__attribute__((format(printf, 3, 4))) static void set(drawn_config *drawn, const char *name, const char *format, ...)
{
    char value[96];
    size_t used = strlen(drawn->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    snprintf(drawn->text + used, sizeof drawn->text - used, "%s%s=%s", used > 0 ? " " : "", name, value);
    if (anomaly_config_set(&drawn->config, name, value, NULL) != ANOMALY_OK)
        drawn->wrong = name;
}

/* A time in one of the ways to write it. */
static void write_time(random_state *r, int64_t ns, char *text, size_t size)
{
    static const struct {
        const char *unit;
        int64_t ns;
    } units[] = {{"ns", 1},
                 {"us", INT64_C(1000)},
                 {"ms", INT64_C(1000000)},
                 {"s", INT64_C(1000000000)},
                 {"m", INT64_C(60000000000)},
                 {"h", INT64_C(3600000000000)},
                 {"d", INT64_C(86400000000000)}};
    size_t k = random_below(r, sizeof units / sizeof *units);
    while (ns * 2 % units[k].ns != 0)
        k--;
    if (ns % units[k].ns == 0)
        snprintf(text, size, "%" PRId64 "%s", ns / units[k].ns, units[k].unit);
    else
        snprintf(text, size, "%" PRId64 ".5%s", ns / units[k].ns, units[k].unit);
}

static int64_t draw_span(random_state *r)
{
    static const int64_t units[] = {1, INT64_C(1000), INT64_C(500000000), INT64_C(60000000000), INT64_C(1800000000000)};
    return (int64_t)(1 + random_below(r, 40)) * units[random_below(r, sizeof units / sizeof *units)];
}

static uint64_t draw_count(random_state *r)
{
    if (one_in(r, 200))
        return 600 + random_below(r, 2500);
    switch (random_below(r, 12)) {
    case 0: return 1 + random_below(r, 3);
    case 1: return 64 + random_below(r, 3);
    case 2: return 100 + random_below(r, 400);
    default: return 4 + random_below(r, 60);
    }
}

static void draw_window(random_state *r, drawn_config *drawn, anomaly_config *by_hand)
{
    char time[64];
    uint64_t form = random_below(r, 5);
    by_hand->window_events = form != 2 ? draw_count(r) : 0;
    by_hand->window_ns = form >= 2 ? draw_span(r) : 0;
    write_time(r, by_hand->window_ns, time, sizeof time);
    if (form < 2)
        set(drawn, "window", "%" PRIu64, by_hand->window_events);
    else if (form == 2)
        set(drawn, "window", "%s", time);
    else
        set(drawn, "window", "%s,%" PRIu64, time, by_hand->window_events);
}

static void draw_time_options(random_state *r, drawn_config *drawn, anomaly_config *by_hand)
{
    char time[64];
    if (by_hand->window_ns == 0)
        return;
    if (one_in(r, 2)) {
        by_hand->max_late_ns = one_in(r, 4) ? 0 : (int64_t)random_below(r, (uint64_t)by_hand->window_ns + 1);
        write_time(r, by_hand->max_late_ns, time, sizeof time);
        set(drawn, "max_late", "%s", time);
    }
    if (one_in(r, 3)) {
        by_hand->max_jump_ns = draw_span(r);
        write_time(r, by_hand->max_jump_ns, time, sizeof time);
        set(drawn, "max_jump", "%s", time);
    }
}

static void draw_learning(random_state *r, drawn_config *drawn, anomaly_config *by_hand)
{
    by_hand->include_self = one_in(r, 5);
    set(drawn, "include_self", "%d", by_hand->include_self);
    if (by_hand->include_self || one_in(r, 2))
        return;
    by_hand->learn = ANOMALY_LEARN_NORMAL;
    by_hand->learn_after = (uint32_t)random_below(r, 5);
    if (by_hand->learn_after > 0)
        set(drawn, "learn", "normal:%" PRIu32, by_hand->learn_after);
    else
        set(drawn, "learn", "normal");
}

static void draw_threshold(random_state *r, drawn_config *drawn, anomaly_config *by_hand)
{
    static const double usual[] = {0, 1, 2, 3, 0.5, 0.25, -0.5, 1.5, 2.576, 1e-9, 40};
    by_hand->threshold = one_in(r, 4) ? 4 * random_unit(r) : usual[random_below(r, sizeof usual / sizeof *usual)];
    set(drawn, "threshold", "%.17g", by_hand->threshold);
    by_hand->compare = (int32_t)random_below(r, 2);
    set(drawn, "compare", "%s", by_hand->compare == ANOMALY_GE ? "ge" : "gt");
}

static double draw_percent(random_state *r)
{
    switch (random_below(r, 6)) {
    case 0: return 0;
    case 1: return 100;
    case 2: return 100 * random_unit(r);
    case 3: return (double)random_below(r, 1001) / 10;
    default: return (double)random_below(r, 101);
    }
}

static void draw_percents(random_state *r, drawn_config *drawn, anomaly_config *by_hand)
{
    do {
        by_hand->lower_percent = draw_percent(r);
        by_hand->upper_percent = draw_percent(r);
    } while (!(by_hand->lower_percent < by_hand->upper_percent));
    set(drawn, "lower", "%.17g", by_hand->lower_percent);
    set(drawn, "upper", "%.17g", by_hand->upper_percent);
}

static void draw_spread(random_state *r, drawn_config *drawn, anomaly_config *by_hand)
{
    by_hand->robust = one_in(r, 2);
    set(drawn, "robust", "%d", by_hand->robust);
    if (!one_in(r, 4))
        return;
    by_hand->min_stddev = one_in(r, 2) ? 1 : random_unit(r);
    set(drawn, "min_stddev", "%.17g", by_hand->min_stddev);
}

static void draw_shared(random_state *r, drawn_config *drawn, anomaly_config *by_hand)
{
    static const char *const sides[] = {"both", "upper", "lower"};
    by_hand->features = one_in(r, 3) ? 1 + (uint32_t)random_below(r, 4) : 1;
    by_hand->warmup_events = one_in(r, 3) ? 1 : 1 + random_below(r, 12);
    by_hand->side = (int32_t)random_below(r, 3);
    by_hand->ddof = (int32_t)random_below(r, 2);
    by_hand->flat = (int32_t)one_in(r, 3);
    by_hand->quantile = (int32_t)random_below(r, 2);
    by_hand->reserve = (int32_t)one_in(r, 8);
    set(drawn, "features", "%" PRIu32, by_hand->features);
    set(drawn, "warmup", "%" PRIu64, by_hand->warmup_events);
    set(drawn, "side", "%s", sides[by_hand->side]);
    set(drawn, "ddof", "%d", by_hand->ddof);
    set(drawn, "flat", "%s", by_hand->flat == ANOMALY_FLAT_FLAG ? "flag" : "ignore");
    set(drawn, "quantile", "%s", by_hand->quantile == ANOMALY_LINEAR ? "linear" : "nearest");
    set(drawn, "reserve", "%d", by_hand->reserve);
}

/* Two configurations are the same if every option reads the same and so do their kinds. */
static const char *difference(const anomaly_config *a, const anomaly_config *b)
{
    const anomaly_option *option;
    for (size_t i = 0; (option = anomaly_option_at(i)) != NULL; i++) {
        char x[64] = "", y[64] = "";
        if (anomaly_config_get(a, option->name, x, sizeof x) != ANOMALY_OK ||
            anomaly_config_get(b, option->name, y, sizeof y) != ANOMALY_OK || strcmp(x, y) != 0)
            return option->name;
    }
    return a->window_events == b->window_events && a->window_ns == b->window_ns && a->threshold == b->threshold &&
                   a->max_late_ns == b->max_late_ns && a->max_jump_ns == b->max_jump_ns && a->min_stddev == b->min_stddev
               ? NULL
               : "a number";
}

void draw_config(random_state *r, drawn_config *drawn)
{
    static const char *const paths[] = {"auto", "scalar", "portable"};
    anomaly_config by_hand;
    int kind = one_in(r, 2) ? ANOMALY_ZSCORE : ANOMALY_PERCENTILE;
    memset(drawn, 0, sizeof *drawn);
    anomaly_config_init(&drawn->config, sizeof drawn->config, kind);
    anomaly_config_init(&by_hand, sizeof by_hand, kind);
    draw_window(r, drawn, &by_hand);
    draw_shared(r, drawn, &by_hand);
    draw_threshold(r, drawn, &by_hand);
    draw_learning(r, drawn, &by_hand);
    draw_time_options(r, drawn, &by_hand);
    by_hand.simd = (int32_t)random_below(r, 3);
    set(drawn, "simd", "%s", paths[by_hand.simd]);
    if (kind == ANOMALY_ZSCORE)
        draw_spread(r, drawn, &by_hand);
    else
        draw_percents(r, drawn, &by_hand);
    if (drawn->wrong == NULL)
        drawn->wrong = difference(&drawn->config, &by_hand);
}

/* ---- values ---- */

enum family { NORMAL, OFFSET, FEW, STILL, RAMP, HUGE_NOISE, SPIKES, TINY, DECIMALS, SIGNS, DENORMAL, EDGE, ANY, FAMILIES };

void draw_value_source(random_state *r, value_source *source)
{
    static const double offsets[] = {0, 1e12, -1e15, 1e6, 0.1};
    memset(source, 0, sizeof *source);
    source->family = (int)random_below(r, FAMILIES);
    source->offset = offsets[random_below(r, sizeof offsets / sizeof *offsets)];
    source->scale = one_in(r, 2) ? 1 : 1000 * random_unit(r);
    source->last = 1;
    source->special_one_in = one_in(r, 2) ? 0 : 3 + (unsigned)random_below(r, 30);
}

static double any_double(random_state *r)
{
    double x;
    do {
        uint64_t bits = random_bits(r);
        memcpy(&x, &bits, sizeof x);
    } while (!isfinite(x));
    return x;
}

static double of_family(random_state *r, value_source *source)
{
    switch (source->family) {
    case NORMAL: return source->scale * random_normal(r);
    case OFFSET: return source->offset + source->scale * random_normal(r);
    case FEW: return (double)random_below(r, 4);
    case STILL: return source->last = one_in(r, 20) ? (double)random_below(r, 9) * 0.1 : source->last;
    case RAMP: return source->last += one_in(r, 50) ? -20 : 1;
    case HUGE_NOISE: return 1e299 * random_normal(r);
    case SPIKES: return one_in(r, 15) ? 1e300 * (random_unit(r) - 0.5) : source->offset + random_normal(r);
    case TINY: return 1e-288 * random_normal(r);
    case DECIMALS: return floor(source->offset + 100 * random_normal(r)) / 100;
    case SIGNS: return one_in(r, 3) ? -0.0 : one_in(r, 2) ? 0.0 : one_in(r, 2) ? -1 : 1;
    case DENORMAL: return DBL_TRUE_MIN * (double)random_below(r, 6) * (one_in(r, 2) ? 1 : -1);
    case EDGE: return DBL_MAX * (2 * random_unit(r) - 1);
    default: return any_double(r);
    }
}

double draw_value(random_state *r, value_source *source)
{
    if (source->special_one_in > 0 && one_in(r, source->special_one_in)) {
        switch (random_below(r, 5)) {
        case 0: return INFINITY;
        case 1: return -INFINITY;
        case 2: return -0.0;
        default: return NAN;
        }
    }
    return of_family(r, source);
}

/* ---- times ---- */

void draw_time_source(random_state *r, const anomaly_config *config, time_source *source)
{
    static const int64_t starts[] = {0, INT64_C(1700000000000000000), -INT64_C(5000000000), INT64_MAX - 5000,
                                     INT64_MIN + 5000};
    memset(source, 0, sizeof *source);
    source->window_ns = config->window_ns;
    source->now = starts[random_below(r, sizeof starts / sizeof *starts)];
    source->odd_one_in = one_in(r, 3) ? 0 : 2 + (unsigned)random_below(r, 20);
}

/* t + step, but never beyond what a time can be. */
static int64_t add(int64_t t, int64_t step)
{
    if (step > 0 && t > INT64_MAX - step)
        return INT64_MAX;
    if (step < 0 && t < INT64_MIN + 1 - step)
        return INT64_MIN + 1;
    return t + step;
}

static int64_t up_to(random_state *r, int64_t most)
{
    return (int64_t)random_below(r, (uint64_t)most + 1);
}

int64_t draw_time(random_state *r, time_source *source)
{
    int64_t window = source->window_ns;
    if (window == 0)
        return one_in(r, 2) ? ANOMALY_NO_TIME : (int64_t)random_bits(r);
    if (source->odd_one_in > 0 && one_in(r, source->odd_one_in)) {
        switch (random_below(r, 4)) {
        case 0: return add(source->now, -up_to(r, window / 4));
        case 1: return add(source->now, -up_to(r, window + window / 2));
        case 2: return add(source->now, -window); /* exactly as old as the window */
        default: return source->now = add(source->now, up_to(r, 3 * window));
        }
    }
    if (!one_in(r, 4))
        source->now = add(source->now, up_to(r, 1 + window / (int64_t)(1 + random_below(r, 40))));
    return source->now;
}
