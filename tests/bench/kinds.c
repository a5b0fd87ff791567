/* SPDX-License-Identifier: MIT
 * kinds.c - which detector finds which kind of anomaly (anomalies.h), all with the same budget of alarms.
 *
 *     kinds [--markdown] [SEEDS [REST]]     so many stories of each kind and base (3), or those of the seeds
 *                                           FROM-TO; the option rest (2h); --markdown: as docs/choose.md has it
 *
 * Twice: a metric without a rhythm, and one with a daily rhythm. "yes": at least 85 % of the planted incidents are found,
 * "partly": at least 30 %. The false alarms are those of all stories of a base. A detector that judges several values
 * together gets the two metrics of `joint` so; `watch` gets them one by one.
 * Bar: one false alarm a day. Exit 0: the bar holds; 1: it does not; 2: usage. */
#include "anomalies.h"
#include "anomaly.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FALSE_BAR  1.0
#define YES_BAR    0.85
#define PARTLY_BAR 0.30
#define BUDGET     " alarms=1/day"

typedef struct request {
    int markdown;
    seed_range seeds;
    const char *rest;
} request;

typedef struct method {
    const char *name;
    int kind;
    const char *options;
    int jointly; /* takes several values an event */
} method;

static const method METHOD[] = {
    {"z-score", ANOMALY_ZSCORE, "window=1000" BUDGET, 1},
    {"z-score, robust", ANOMALY_ZSCORE, "window=1000 robust=1" BUDGET, 1},
    {"z-score, season", ANOMALY_ZSCORE, "window=1000 season=1d" BUDGET, 1},
    {"percentile", ANOMALY_PERCENTILE, "window=1000" BUDGET, 1},
    {"iforest", ANOMALY_IFOREST, "window=2048" BUDGET, 1},
    {"iforest, lags", ANOMALY_IFOREST, "window=2048 lags=8" BUDGET, 1},
    {"mahalanobis", ANOMALY_MAHALANOBIS, "window=8192" BUDGET, 1},
    {"mahalanobis, season", ANOMALY_MAHALANOBIS, "window=8192 season=1d" BUDGET, 1},
    {"watch", ANOMALY_WATCH, "window=4000" BUDGET, 0},
    {"silence", ANOMALY_ZSCORE, "silence=1/1d", 0}, /* asked each minute; what the kind says does not count */
};
enum { METHODS = sizeof METHOD / sizeof *METHOD };

static void must(int status, const char *what)
{
    if (status == ANOMALY_OK)
        return;
    fprintf(stderr, "kinds: %s: %s\n", what, anomaly_status_text(status));
    exit(2);
}

/* ---- a story ---- */

static anomaly_detector *detector_of(const method *how, const char *rest, uint32_t features)
{
    anomaly_config config;
    anomaly_detector *detector;
    anomaly_error error;
    must(anomaly_config_init(&config, sizeof config, how->kind), "config_init");
    set_options(&config, how->options);
    config.features = features;
    if (anomaly_config_set(&config, "rest", rest, &error) != ANOMALY_OK ||
        anomaly_create(&config, NULL, &detector, &error) != ANOMALY_OK) {
        fprintf(stderr, "kinds: %s: %s\n", how->name, error.message);
        exit(2);
    }
    return detector;
}

/* Feeds every event of that key, with the `features` - 1 events that follow it. */
static void judge_values(const method *how, const char *rest, const story *s, uint32_t key, uint32_t features, outcome *sum)
{
    anomaly_detector *detector = detector_of(how, rest, features);
    for (size_t i = 0; i < s->count; i++) {
        const happening *e = &s->event[i];
        anomaly_verdict v;
        if (e->key != key)
            continue;
        double x[2] = {e->x, features == 2 ? e[1].x : 0};
        must(anomaly_update(detector, x, e->t_ns, &v), "update");
        if (v.flags & ANOMALY_ALARM)
            outcome_alarm(sum, s, 0, e->t_ns);
    }
    anomaly_destroy(detector);
}

/* Asks each minute of the pause before an event; a silence is told once. */
static void ask_until(const anomaly_detector *detector, int64_t from_ns, int64_t until_ns, const story *s, outcome *sum)
{
    anomaly_silence silence;
    for (int64_t now = from_ns; now < until_ns; now += MINUTE)
        if (anomaly_overdue(detector, now, &silence) == ANOMALY_OK && silence.overdue_ns > 0) {
            outcome_alarm(sum, s, 0, now);
            return;
        }
}

static void judge_times(const method *how, const story *s, uint32_t key, outcome *sum)
{
    anomaly_detector *detector = detector_of(how, "off", 1);
    int64_t last_ns = 0;
    for (size_t i = 0; i < s->count; i++) {
        const happening *e = &s->event[i];
        if (e->key != key)
            continue;
        ask_until(detector, last_ns, e->t_ns, s, sum);
        must(anomaly_update(detector, &e->x, e->t_ns, NULL), "update");
        last_ns = e->t_ns;
    }
    anomaly_destroy(detector);
}

static void run_story(const method *how, const char *rest, const sort_of_anomaly *which, const story *s, outcome *sum)
{
    uint32_t keys = which->jointly && !how->jointly ? 2 : 1, features = which->jointly && how->jointly ? 2 : 1;
    for (uint32_t key = 0; key < keys; key++) {
        if (strstr(how->options, "silence="))
            judge_times(how, s, key, sum);
        else
            judge_values(how, rest, s, key, features, sum);
    }
    outcome_end(sum, s);
}

static outcome outcome_of(const request *r, const method *how, const sort_of_anomaly *which, int rhythm)
{
    outcome sum = {0};
    for (uint64_t seed = r->seeds.first; seed <= r->seeds.last; seed++) {
        story s = anomalies_of(which, rhythm, 2000 + seed);
        run_story(how, r->rest, which, &s, &sum);
        story_free(&s);
    }
    return sum;
}

/* ---- the tables: a line for each detector, a column for each kind of anomaly ---- */

static void print_cell(int markdown, const char *text)
{
    printf(markdown ? " %s |" : " %-11s", text);
}

static void print_heading(int markdown, int rhythm)
{
    printf(markdown ? "| %s |" : "%-20s", rhythm ? "daily rhythm" : "no rhythm");
    for (int k = 0; k < SORTS; k++)
        if (rhythm || !SORT[k].rhythm)
            print_cell(markdown, SORT[k].name);
    print_cell(markdown, "false/day");
    printf(markdown ? "\n| --- | --- |" : "\n");
    for (int k = 0; markdown && k < SORTS; k++)
        printf(rhythm || !SORT[k].rhythm ? " --- |" : "");
    printf(markdown ? "\n" : "");
}

static void print_share(int markdown, double share)
{
    char text[32];
    const char *word = share >= YES_BAR ? "yes" : share >= PARTLY_BAR ? "partly" : "no";
    (void)snprintf(text, sizeof text, markdown && share >= YES_BAR ? "**%s** %.0f" : "%s %.0f", word, share * 100);
    print_cell(markdown, text);
}

/* Returns whether the bar is missed. */
static int print_method(const request *r, const method *how, int rhythm)
{
    char text[32];
    double days = 0, false_alarms = 0;
    printf(r->markdown ? "| %s |" : "%-20s", how->name);
    for (int k = 0; k < SORTS; k++) {
        if (SORT[k].rhythm && !rhythm)
            continue;
        outcome sum = outcome_of(r, how, &SORT[k], rhythm);
        days += sum.days;
        false_alarms += (double)sum.false_alarms;
        print_share(r->markdown, outcome_share_found(&sum));
    }
    (void)snprintf(text, sizeof text, "%.2f", false_alarms / days);
    print_cell(r->markdown, text);
    printf("\n");
    (void)fflush(stdout);
    return false_alarms / days > FALSE_BAR;
}

static int print_table(const request *r, int rhythm)
{
    int missed = 0;
    print_heading(r->markdown, rhythm);
    for (int m = 0; m < METHODS; m++)
        missed += print_method(r, &METHOD[m], rhythm);
    return missed;
}

int main(int argc, char **argv)
{
    int markdown = argc > 1 && strcmp(argv[1], "--markdown") == 0, missed = 0;
    char **word = argv + 1 + markdown;
    int words = argc - 1 - markdown;
    request r = {.markdown = markdown, .rest = words > 1 ? word[1] : "2h"};
    if (!seed_range_read(words > 0 ? word[0] : "3", &r.seeds) || words > 2) {
        (void)fputs("usage: kinds [--markdown] [SEEDS or FROM-TO [REST]]\n", stderr);
        return 2;
    }
    missed += print_table(&r, 0);
    printf("\n");
    missed += print_table(&r, 1);
    fprintf(stderr, "bars missed: %d\n", missed);
    return missed ? 1 : 0;
}
