/* SPDX-License-Identifier: MIT
 * rate.c - does a budget hold? Ten stationary kinds of series through every kind of detector: the share of events that
 * alarm_rate flags, over the share that was asked for.
 *
 *     rate [EVENTS [METHOD ...]]     EVENTS of each series, default 500000; METHOD: zscore robust percentile iforest
 *                                    mahalanobis watch, all by default
 *
 * Once with the series as they are, once with 1 % of the events far off: then the question is how many alarms there are
 * at all. Counting begins when the record of scores has been full once. Bars: within 2 at rates of 1e-2 and 1e-3,
 * within 3 at 1e-4; with the far events at most 2. Where values repeat, no score need exist that so small a share
 * reaches, and equal scores are never more than asked: there only too many is a miss.
 * Exit 0: every bar holds; 1: one does not; 2: usage. */
#include "anomaly.h"
#include "shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATES = 3, SETTLING = 20000, FAR_ONE_IN = 100 };
static const double RATE[RATES] = {1e-2, 1e-3, 1e-4}, BAR[RATES] = {2, 2, 3};

static void must(int status, const char *what)
{
    if (status == ANOMALY_OK)
        return;
    fprintf(stderr, "rate: %s: %s\n", what, anomaly_status_text(status));
    exit(2);
}

/* ---- the series: each has a spread of about 1 to 6 ---- */

static double next_lognormal(series *s)
{
    return exp(shape_normal(s));
}

static double next_exponential(series *s)
{
    return -log(1 - random_unit(&s->r));
}

static double next_uniform(series *s)
{
    return 4 * random_unit(&s->r);
}

/* Each value is nine tenths of the one before. */
static double next_autoregressive(series *s)
{
    return s->at = 0.9 * s->at + shape_normal(s);
}

/* Poisson's, mean 5, by multiplying uniforms. */
static double next_counts(series *s)
{
    double product = random_unit(&s->r), least = exp(-5), count = 0;
    for (; product > least; product *= random_unit(&s->r))
        count++;
    return count;
}

/* A sine of 288 events, noise on it. */
static double next_rhythm(series *s)
{
    return 3 * sin((double)(s->i % 288) * 6.283185307179586 / 288) + shape_normal(s);
}

/* Quiet and noisy spells: the variance depends on the last value and the last variance. */
static double next_bursts(series *s)
{
    double variance = 0.1 + 0.2 * s->at * s->at + 0.7 * s->window;
    s->window = variance;
    return s->at = sqrt(variance) * shape_normal(s);
}

static const struct {
    const char *name;
    double (*next)(series *s);
    int repeats; /* few values, each often */
} SERIES[] = {
    {"normal", shape_normal, 0},          {"heavy", shape_heavy, 0},    {"lognormal", next_lognormal, 0},
    {"exponential", next_exponential, 0}, {"uniform", next_uniform, 0}, {"autoregr.", next_autoregressive, 0},
    {"counts", next_counts, 1},           {"few", shape_few, 1},        {"rhythm", next_rhythm, 0},
    {"bursts", next_bursts, 0},
};
enum { SERIES_COUNT = sizeof SERIES / sizeof *SERIES };

/* ---- the methods ---- */

static const struct {
    const char *name;
    int kind, robust;
} METHODS[] = {
    {"zscore", ANOMALY_ZSCORE, 0},   {"robust", ANOMALY_ZSCORE, 1},           {"percentile", ANOMALY_PERCENTILE, 0},
    {"iforest", ANOMALY_IFOREST, 0}, {"mahalanobis", ANOMALY_MAHALANOBIS, 0}, {"watch", ANOMALY_WATCH, 0},
};
enum { METHOD_COUNT = sizeof METHODS / sizeof *METHODS };

static anomaly_detector *detector_of(int method)
{
    anomaly_config config;
    anomaly_detector *detector;
    must(anomaly_config_init(&config, sizeof config, METHODS[method].kind), "config_init");
    config.robust = METHODS[method].robust;
    config.alarm_rate = RATE[1];
    must(anomaly_create(&config, NULL, &detector, NULL), "create");
    return detector;
}

/* ---- counting ---- */

/* An event is flagged exactly where its `tail` is the asked rate or less, so one detector tells of all rates; the one
 * that it has been asked for shows that this is so. */
static void count_flags(const anomaly_verdict *v, uint64_t *flagged)
{
    int is_flagged = (v->flags & ANOMALY_IS_ANOMALY) != 0;
    for (int i = 0; i < RATES; i++)
        flagged[i] += v->tail <= RATE[i];
    if (is_flagged != (v->tail <= RATE[1])) {
        fprintf(stderr, "rate: tail %g, flags %x\n", v->tail, (unsigned)v->flags);
        exit(2);
    }
}

static void run_series(int method, int which, int far, uint64_t events, double *ratio)
{
    anomaly_detector *detector = detector_of(method);
    series s = {.r = {100 + (uint64_t)which}, .window = 1};
    random_state others = {7};
    uint64_t flagged[RATES] = {0};
    for (uint64_t i = 0; i < SETTLING + events; i++, s.i++) {
        anomaly_verdict v;
        double x = SERIES[which].next(&s);
        if (far && one_in(&others, FAR_ONE_IN))
            x += 50 + 50 * random_unit(&others);
        must(anomaly_update(detector, &x, ANOMALY_NO_TIME, &v), "update");
        if (i >= SETTLING)
            count_flags(&v, flagged);
    }
    anomaly_destroy(detector);
    for (int i = 0; i < RATES; i++)
        ratio[i] = (double)flagged[i] / ((double)events * RATE[i]);
}

/* ---- the table ---- */

static int is_missed(double ratio, int which, int rate, int far)
{
    double most = far ? 2 : BAR[rate], least = far || SERIES[which].repeats ? 0 : 1 / BAR[rate];
    return ratio > most || ratio < least;
}

static int report_series(int method, int which, uint64_t events)
{
    int missed = 0;
    printf("%-12s %-12s", METHODS[method].name, SERIES[which].name);
    for (int far = 0; far <= 1; far++) {
        double ratio[RATES];
        run_series(method, which, far, events, ratio);
        for (int i = 0; i < RATES; i++) {
            int miss = is_missed(ratio[i], which, i, far);
            printf(" %6.2f%s", ratio[i], miss ? "!" : " ");
            missed += miss;
        }
        printf("  ");
    }
    printf("%s\n", missed ? "MISS" : "ok");
    (void)fflush(stdout);
    return missed;
}

static int is_wanted(int method, int argc, char **argv)
{
    int wanted = argc <= 2;
    for (int i = 2; i < argc; i++)
        wanted |= strcmp(argv[i], METHODS[method].name) == 0;
    return wanted;
}

static int usage(void)
{
    (void)fputs("usage: rate [EVENTS [METHOD ...]]\nmethods:", stderr);
    for (int m = 0; m < METHOD_COUNT; m++)
        (void)fprintf(stderr, " %s", METHODS[m].name);
    (void)fputs("\n", stderr);
    return 2;
}

static int is_method(const char *name)
{
    for (int m = 0; m < METHOD_COUNT; m++)
        if (strcmp(METHODS[m].name, name) == 0)
            return 1;
    return 0;
}

int main(int argc, char **argv)
{
    int missed = 0;
    long events = argc > 1 ? atol(argv[1]) : 500000;
    if (events <= 0)
        return usage();
    for (int i = 2; i < argc; i++)
        if (!is_method(argv[i]))
            return usage();
    printf("flagged over asked                 as it is                with 1 %% far off\n%-12s %-12s", "method", "series");
    for (int far = 0; far <= 1; far++)
        printf(" %6g  %6g  %6g   ", RATE[0], RATE[1], RATE[2]);
    printf("\n");
    for (int m = 0; m < METHOD_COUNT; m++)
        for (int k = 0; k < SERIES_COUNT && is_wanted(m, argc, argv); k++)
            missed += report_series(m, k, (uint64_t)events);
    printf("bars missed: %d\n", missed);
    return missed ? 1 : 0;
}
