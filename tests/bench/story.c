/* SPDX-License-Identifier: MIT
 * story.c - see story.h. */
#include "story.h"

#include "shapes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- seeds ---- */

static int begins_with_digit(const char *text)
{
    return *text >= '0' && *text <= '9';
}

int seed_range_read(const char *text, seed_range *seeds)
{
    char *end;
    if (!begins_with_digit(text))
        return 0;
    *seeds = (seed_range){1, strtoull(text, &end, 10)};
    if (*end == '-' && begins_with_digit(end + 1))
        *seeds = (seed_range){seeds->last, strtoull(end + 1, &end, 10)};
    return !*end && seeds->first > 0 && seeds->last >= seeds->first;
}

/* ---- telling ---- */

void add_event(story *s, int64_t t_ns, double x, uint32_t key)
{
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 4096;
        happening *more = realloc(s->event, s->room * sizeof *more);
        if (!more) {
            perror("story");
            exit(2);
        }
        s->event = more;
    }
    s->event[s->count++] = (happening){t_ns, x, key};
}

void add_incident(story *s, int64_t from_ns, int64_t to_ns, uint32_t key, const char *what)
{
    s->incident[s->incidents] = (incident){from_ns, to_ns, key, what};
    s->incidents++;
}

double between(random_state *r, double least, double most)
{
    return least + (most - least) * random_unit(r);
}

int64_t whole_between(random_state *r, int64_t least, int64_t most)
{
    return least + (int64_t)random_below(r, (uint64_t)(most - least + 1));
}

double normal(random_state *r)
{
    series s = {.r = *r};
    double x = shape_normal(&s);
    *r = s.r;
    return x;
}

/* Poisson's; by a normal where the mean is large. */
double poisson(random_state *r, double mean)
{
    double product = random_unit(r), least = exp(-mean), count = 0;
    if (mean > 30)
        return fmax(0, floor(mean + sqrt(mean) * normal(r) + 0.5));
    for (; product > least; product *= random_unit(r))
        count++;
    return count;
}

int64_t time_of(random_state *r, int k, int n, int64_t from, int64_t to, int64_t gap)
{
    int64_t stretch = (to - from) / n;
    return from + k * stretch + (int64_t)random_below(r, (uint64_t)(stretch - gap));
}

const incident *incident_at(const story *s, int64_t t_ns)
{
    for (size_t i = 0; i < s->incidents; i++)
        if (t_ns >= s->incident[i].from_ns && t_ns < s->incident[i].to_ns)
            return &s->incident[i];
    return NULL;
}

void story_free(story *s)
{
    free(s->event);
    s->event = NULL;
}

/* ---- judging ---- */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Returns the incident that the alarm belongs to, -1: none. */
static int incident_of(const story *s, uint32_t key, int64_t t_ns)
{
    int64_t after = larger(30 * s->step_ns, 10 * MINUTE);
    for (size_t i = 0; i < s->incidents; i++) {
        const incident *planted = &s->incident[i];
        if (key == planted->key && t_ns >= planted->from_ns && t_ns <= planted->to_ns + after)
            return (int)i;
    }
    return -1;
}

void outcome_alarm(outcome *sum, const story *s, uint32_t key, int64_t t_ns)
{
    int at = incident_of(s, key, t_ns);
    if (at < 0)
        sum->false_alarms++;
    else if (t_ns <= s->incident[at].to_ns + larger(2 * s->step_ns, SECOND))
        sum->hit[at] = 1;
}

void outcome_end(outcome *sum, const story *s)
{
    for (size_t i = 0; i < s->incidents; i++) {
        sum->found += (size_t)sum->hit[i];
        if (getenv("TOLD") && !sum->hit[i])
            printf("    missed: %s at %.3f days\n", s->incident[i].what, (double)s->incident[i].from_ns / (double)DAY);
        sum->hit[i] = 0;
    }
    sum->planted += s->incidents;
    sum->days += (double)s->days;
}

double outcome_false_a_day(const outcome *sum)
{
    return (double)sum->false_alarms / sum->days;
}

double outcome_share_found(const outcome *sum)
{
    return (double)sum->found / (double)sum->planted;
}

void set_options(anomaly_config *config, const char *options)
{
    char text[256], *at = text;
    (void)snprintf(text, sizeof text, "%s", options);
    for (char *option = strtok_r(text, " ", &at); option; option = strtok_r(NULL, " ", &at)) {
        anomaly_error error;
        char *value = strchr(option, '=');
        *value++ = 0;
        if (anomaly_config_set(config, option, value, &error) != ANOMALY_OK) {
            fprintf(stderr, "%s: %s\n", option, error.message);
            exit(2);
        }
    }
}
