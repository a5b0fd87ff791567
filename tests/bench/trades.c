/* SPDX-License-Identifier: MIT
 * trades.c - five ordinary trades (incidents.h): how many false alarms a day, how many of the planted incidents found?
 *
 *     trades [SEEDS [TRADE ...]]     so many stories of each trade (3), or those of the seeds FROM-TO
 *
 * `TOLD=1 trades` tells which incidents were missed. Sorts of settings: what the program takes by itself (`program`), what
 * Watch() of the bindings has (`watch`), the same with a strict budget and no rest (`strict`), the distance of the values
 * as they are (`distance`), a z-score with transform, season and a budget, strict or automatic, what docs/choose.md says
 * for such data (`chosen`), what anomaly_suggest() proposes for the first half of a story, and what people set today.
 * story.h says which alarm belongs to an incident. Bars, but for what is there only to compare with: one false alarm a
 * day, 85 % found.
 * Exit 0: every bar holds; 1: one does not; 2: usage. */
#include "anomaly.h"
#include "incidents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FALSE_BAR 1.0
#define FOUND_BAR 0.85

static void must(int status, const char *what)
{
    if (status == ANOMALY_OK)
        return;
    fprintf(stderr, "trades: %s: %s\n", what, anomaly_status_text(status));
    exit(2);
}

/* ---- settings ---- */

enum { SUGGESTED = 0 }; /* in place of a kind */

typedef struct setting {
    const char *trade; /* NULL: of each */
    const char *sort;
    int kind, barred;
    const char *options; /* name=value, blanks between */
} setting;

/* What the program takes: examples/cli/options/method.c. */
static const setting SETTINGS[] = {
    {"logins", "program", ANOMALY_WATCH, 1, "alarms=auto rest=150"},
    {"disk", "program", ANOMALY_MAHALANOBIS, 1, "transform=log alarms=auto rest=30 learn=normal:5"},
    {"money", "program", ANOMALY_MAHALANOBIS, 1, "transform=log alarms=auto rest=30 learn=normal:5"},
    {"temperature", "program", ANOMALY_WATCH, 1, "alarms=auto rest=150"},
    {"web", "program", ANOMALY_MAHALANOBIS, 1, "alarms=auto rest=30 learn=normal:30 calibrate=pool population=1"},
    {NULL, "watch", ANOMALY_WATCH, 1, "alarms=auto rest=150"},
    {NULL, "strict", ANOMALY_WATCH, 0, "alarms=1/day"},
    {NULL, "distance", ANOMALY_MAHALANOBIS, 0, "alarms=auto rest=30 learn=normal:5"},
    {"logins", "z-score", ANOMALY_ZSCORE, 1, "season=7d window=20000 alarms=1/day rest=150"},
    {"disk", "z-score", ANOMALY_ZSCORE, 1, "transform=log window=20000 side=upper alarms=1/day rest=150"},
    {"money", "z-score", ANOMALY_ZSCORE, 1, "transform=log window=5000 side=upper alarms=1/day rest=150"},
    {"temperature", "z-score", ANOMALY_ZSCORE, 1, "season=1d window=10000 alarms=1/day rest=150"},
    {"web", "z-score", ANOMALY_ZSCORE, 1, "transform=log1p side=upper population=1 calibrate=pool alarms=1/day rest=30m"},
    {"disk", "z-auto", ANOMALY_ZSCORE, 1, "transform=log window=20000 side=upper calibrate=100000 alarms=auto rest=150"},
    {"web", "z-auto", ANOMALY_ZSCORE, 1, "transform=log1p side=upper population=1 calibrate=pool alarms=auto rest=30m"},
    {"logins", "chosen", ANOMALY_MAHALANOBIS, 1, "season=7d alarms=1/day rest=2h"},
    {"disk", "chosen", ANOMALY_MAHALANOBIS, 1, "transform=log alarms=1/day rest=10m"},
    {"money", "chosen", ANOMALY_ZSCORE, 1, "window=5000 transform=log side=upper alarms=1/day rest=2h"},
    {"temperature", "chosen", ANOMALY_MAHALANOBIS, 1, "season=1d alarms=1/day rest=2h"},
    {"web", "chosen", ANOMALY_MAHALANOBIS, 1, "threshold=4 transform=log population=1 rest=30m"},
    {NULL, "suggest", SUGGESTED, 1, "as anomaly_suggest() proposes for the first half"},
    {"logins", "today", ANOMALY_ZSCORE, 0, "window=1h threshold=3"},
    {"disk", "today", ANOMALY_ZSCORE, 0, "window=300s threshold=3"},
    {"money", "today", ANOMALY_ZSCORE, 0, "window=1000 threshold=3"},
    {"temperature", "today", ANOMALY_ZSCORE, 0, "window=300s threshold=3"},
    {"web", "today", ANOMALY_ZSCORE, 0, "window=1d threshold=3"},
};
enum { SETTING_COUNT = sizeof SETTINGS / sizeof *SETTINGS };

static int has_keys(const story *s)
{
    for (size_t i = 1; i < s->count; i++)
        if (s->event[i].key != s->event[0].key)
            return 1;
    return 0;
}

/* What is proposed for the first half of a story, its incidents included. */
static void suggest(anomaly_config *config, const story *s)
{
    const ptrdiff_t stride = sizeof *s->event;
    anomaly_rows rows = {s->count / 2, &s->event->x, stride, 0, NULL, &s->event->t_ns, stride};
    uint64_t *slots = malloc(rows.count * sizeof *slots);
    anomaly_keys keys = {slots, NULL, NULL};
    anomaly_suggestion said = {.struct_size = sizeof said};
    must(slots ? ANOMALY_OK : ANOMALY_E_NOMEM, "malloc");
    for (size_t i = 0; i < rows.count; i++)
        slots[i] = s->event[i].key;
    must(anomaly_config_init(config, sizeof *config, ANOMALY_ZSCORE), "config_init");
    must(anomaly_suggest(&rows, has_keys(s) ? &keys : NULL, NULL, config, &said, NULL), "suggest");
    free(slots);
}

static anomaly_pool *pool_of(const setting *how, const story *s)
{
    anomaly_config config;
    anomaly_pool *pool;
    anomaly_error error;
    if (how->kind == SUGGESTED) {
        suggest(&config, s);
    } else {
        must(anomaly_config_init(&config, sizeof config, how->kind), "config_init");
        set_options(&config, how->options);
    }
    if (anomaly_pool_create(&config, NULL, NULL, &pool, &error) != ANOMALY_OK) {
        fprintf(stderr, "trades: %s: %s\n", how->options, error.message);
        exit(2);
    }
    return pool;
}

/* ---- a story ---- */

static int is_alarm(const setting *how, uint32_t flags)
{
    return (flags & (how->kind == SUGGESTED || strstr(how->options, "rest=") ? ANOMALY_ALARM : ANOMALY_IS_ANOMALY)) != 0;
}

static void run_story(const setting *how, const story *s, outcome *sum)
{
    anomaly_pool *pool = pool_of(how, s);
    for (size_t i = 0; i < s->count; i++) {
        const happening *e = &s->event[i];
        anomaly_verdict v;
        must(anomaly_pool_update(pool, &e->key, sizeof e->key, &e->x, e->t_ns, &v), "update");
        if (is_alarm(how, v.flags))
            outcome_alarm(sum, s, e->key, e->t_ns);
    }
    anomaly_pool_destroy(pool);
    outcome_end(sum, s);
}

/* ---- the table ---- */

static int report_setting(const trade *which, const setting *how, const seed_range *seeds)
{
    outcome sum = {0};
    for (uint64_t seed = seeds->first; seed <= seeds->last; seed++) {
        story s = story_of(which, 1000 + seed);
        run_story(how, &s, &sum);
        story_free(&s);
    }
    double a_day = outcome_false_a_day(&sum), share = outcome_share_found(&sum);
    int missed = how->barred && (a_day > FALSE_BAR || share < FOUND_BAR);
    printf("%-12s %-8s %9.2f %5zu/%-4zu %4.0f %%  %-5s %s\n", which->name, how->sort, a_day, sum.found, sum.planted,
           share * 100,
           missed        ? "MISS"
           : how->barred ? "ok"
                         : "",
           how->options);
    (void)fflush(stdout);
    return missed;
}

static int is_wanted(const char *name, int argc, char **argv)
{
    int wanted = argc <= 2;
    for (int i = 2; i < argc; i++)
        wanted |= strcmp(argv[i], name) == 0;
    return wanted;
}

static const trade *trade_named(const char *name)
{
    for (int i = 0; i < TRADES; i++)
        if (strcmp(TRADE[i].name, name) == 0)
            return &TRADE[i];
    return NULL;
}

int main(int argc, char **argv)
{
    seed_range seeds;
    int missed = 0, usage = !seed_range_read(argc > 1 ? argv[1] : "3", &seeds);
    for (int i = 2; i < argc; i++)
        usage |= !trade_named(argv[i]);
    if (usage) {
        (void)fputs("usage: trades [SEEDS or FROM-TO [TRADE ...]]\ntrades: logins disk money temperature web\n", stderr);
        return 2;
    }
    printf("%-12s %-8s %9s %10s\n", "trade", "by", "false/day", "found");
    for (int i = 0; i < TRADES; i++)
        for (int k = 0; k < SETTING_COUNT && is_wanted(TRADE[i].name, argc, argv); k++)
            if (!SETTINGS[k].trade || strcmp(SETTINGS[k].trade, TRADE[i].name) == 0)
                missed += report_setting(&TRADE[i], &SETTINGS[k], &seeds);
    printf("bars missed: %d\n", missed);
    return missed ? 1 : 0;
}
