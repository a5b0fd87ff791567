/* SPDX-License-Identifier: MIT
 * charts.c - the series of each key, thinned while it streams.
 */
#include "write/charts.h"

#include "common/text.h"

#include <math.h>
#include <stdlib.h>

/* Buckets of all keys together, of one key at most and at least: a page of some megabytes, however many keys. */
enum { ALL_BUCKETS = 200000, MOST_BUCKETS = 4096, LEAST_BUCKETS = 48 };

void cli_bucket_merge(cli_bucket *to, const cli_bucket *from)
{
    to->to = fmax(to->to, from->to);
    to->low = fmin(to->low, from->low); /* fmin takes the number of a number and a NaN */
    to->high = fmax(to->high, from->high);
    to->sum += from->sum;
    to->values += from->values;
    to->lower += from->lower;
    to->upper += from->upper;
    to->bounds += from->bounds;
    to->odd += from->odd;
    to->above += from->above;
    to->told += from->told;
    if (isnan(to->score) || from->score > to->score) {
        to->score = from->score;
        to->threshold = from->threshold;
    }
}

static cli_bucket bucket_of(const cli_record *record, double at, bool told)
{
    const anomaly_verdict *v = &record->verdict;
    bool valued = isfinite(record->value), bounded = isfinite(v->lower) && isfinite(v->upper);
    bool scored = isfinite(v->score) && (v->flags & ANOMALY_WARMING_UP) == 0;
    bool odd = (v->flags & ANOMALY_IS_ANOMALY) != 0;
    return (cli_bucket){.from = at,
                        .to = at,
                        .low = valued ? record->value : NAN,
                        .high = valued ? record->value : NAN,
                        .sum = valued ? record->value : 0,
                        .lower = bounded ? v->lower : 0,
                        .upper = bounded ? v->upper : 0,
                        .score = scored ? v->score : NAN,
                        .threshold = scored ? v->threshold : NAN,
                        .values = valued,
                        .bounds = bounded,
                        .odd = odd,
                        .above = odd && (v->flags & ANOMALY_BELOW) == 0,
                        .told = told};
}

/* ---- a chart ---- */

static size_t most_buckets(const cli_charts *charts)
{
    size_t share = ALL_BUCKETS / charts->keys.count;
    return share > MOST_BUCKETS ? MOST_BUCKETS : share < LEAST_BUCKETS ? LEAST_BUCKETS : share;
}

/* An odd last one stays by itself, half full. */
static void halve(cli_chart *c)
{
    size_t half = c->count / 2;
    bool odd = c->count % 2 != 0;
    for (size_t i = 0; i < half; i++) {
        c->buckets[i] = c->buckets[2 * i];
        cli_bucket_merge(&c->buckets[i], &c->buckets[2 * i + 1]);
    }
    if (odd)
        c->buckets[half] = c->buckets[c->count - 1];
    c->in_last += odd ? 0 : c->each;
    c->count = half + odd;
    c->each *= 2;
}

/* The more keys there are, the smaller each one's share; keys without an event any more give up theirs too. */
static void share_again(cli_charts *charts)
{
    size_t most = most_buckets(charts);
    for (size_t i = 0; i < charts->keys.count; i++) {
        cli_chart *c = &charts->items[i];
        if (c->count <= most)
            continue;
        while (c->count > most)
            halve(c);
        c->capacity = c->count;
        c->buckets = cli_resize(c->buckets, c->capacity, sizeof *c->buckets);
    }
}

static void append(cli_chart *c, const cli_bucket *bucket, size_t most)
{
    while (c->count >= most && c->in_last >= c->each)
        halve(c);
    if (c->count > 0 && c->in_last < c->each) {
        cli_bucket_merge(&c->buckets[c->count - 1], bucket);
        c->in_last++;
        return;
    }
    if (c->count == c->capacity) {
        c->capacity = c->capacity == 0 ? 16 : 2 * c->capacity;
        c->buckets = cli_resize(c->buckets, c->capacity, sizeof *c->buckets);
    }
    c->buckets[c->count++] = *bucket;
    c->in_last = 1;
}

/* An event without a time among others with one lies where the one before it does. */
static double place_of(const cli_charts *charts, const cli_chart *c, const cli_record *record)
{
    if (!charts->timed)
        return (double)c->events;
    if (record->time != ANOMALY_NO_TIME)
        return (double)(record->time / 1000) / 1000;
    return c->count > 0 ? c->buckets[c->count - 1].to : NAN;
}

static cli_chart *find_chart(cli_charts *charts, const cli_record *record, size_t *number)
{
    *number = cli_key_index_get(&charts->keys, record->key, record->key_length, CLI_CHARTED);
    if (*number == SIZE_MAX)
        return NULL;
    size_t before = charts->capacity;
    if (*number >= before) {
        charts->capacity = before == 0 ? 16 : 2 * before;
        charts->items = cli_resize(charts->items, charts->capacity, sizeof *charts->items);
        for (size_t i = before; i < charts->capacity; i++)
            charts->items[i] = (cli_chart){.each = 1, .in_last = 1};
    }
    size_t count = charts->keys.count;
    if (*number + 1 == count && charts->items[*number].count == 0 && (count & (count - 1)) == 0)
        share_again(charts);
    return &charts->items[*number];
}

/* ---- alarms ---- */

static cli_alarm *new_alarm(cli_charts *charts)
{
    if (charts->alarm_count == CLI_ALARMS_KEPT) {
        charts->alarms_beyond++;
        return NULL;
    }
    if (charts->alarm_count == charts->alarm_capacity) {
        charts->alarm_capacity = charts->alarm_capacity == 0 ? 64 : 2 * charts->alarm_capacity;
        charts->alarms = cli_resize(charts->alarms, charts->alarm_capacity, sizeof *charts->alarms);
    }
    return &charts->alarms[charts->alarm_count++];
}

/* An alarm inside an episode stands by itself and leaves the episode to the first. */
static void add_alarm(cli_charts *charts, const cli_record *record, size_t key, double at)
{
    cli_alarm *alarm = new_alarm(charts);
    if (alarm == NULL)
        return;
    const anomaly_verdict *v = &record->verdict;
    *alarm = (cli_alarm){.key = key,
                         .file = record->file,
                         .line = record->line,
                         .at = at,
                         .time = record->time,
                         .value = record->value,
                         .score = v->score,
                         .threshold = v->threshold,
                         .above = (v->flags & ANOMALY_BELOW) == 0,
                         .text = cli_copy(record->explanation, record->explanation_length),
                         .text_length = record->explanation_length,
                         .episode = {record->time, record->time, 1}};
    if (key != SIZE_MAX && (v->flags & (ANOMALY_ALARM | ANOMALY_EPISODE)) == ANOMALY_ALARM)
        charts->items[key].episode = charts->alarm_count;
}

static void go_on(cli_charts *charts, cli_chart *c, const cli_record *record)
{
    uint32_t flags = record->verdict.flags;
    if (flags & ANOMALY_EPISODE_END)
        c->episode = 0;
    if (c->episode == 0 || (flags & ANOMALY_EPISODE) == 0 || (flags & ANOMALY_IS_ANOMALY) == 0)
        return;
    cli_episode *episode = &charts->alarms[c->episode - 1].episode;
    episode->odd++;
    episode->last = record->time > episode->last ? record->time : episode->last;
}

void cli_charts_add(cli_charts *charts, const cli_record *record, bool told)
{
    size_t key;
    cli_chart *c = find_chart(charts, record, &key);
    if (c == NULL) {
        charts->events_beyond++;
        if (told)
            add_alarm(charts, record, SIZE_MAX, (double)record->line);
        return;
    }
    cli_bucket bucket = bucket_of(record, place_of(charts, c, record), told);
    c->events++;
    c->judged += !isnan(bucket.score) || (record->verdict.flags & ANOMALY_IS_ANOMALY) != 0;
    c->odd += bucket.odd;
    c->told += told;
    append(c, &bucket, most_buckets(charts));
    go_on(charts, c, record);
    if (told)
        add_alarm(charts, record, key, bucket.from);
}

void cli_charts_free(cli_charts *charts)
{
    for (size_t i = 0; i < charts->keys.count; i++)
        free(charts->items[i].buckets);
    for (size_t i = 0; i < charts->alarm_count; i++)
        free(charts->alarms[i].text);
    free(charts->items);
    free(charts->alarms);
    cli_key_index_free(&charts->keys);
    *charts = (cli_charts){0};
}
