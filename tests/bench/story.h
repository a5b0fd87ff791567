/* SPDX-License-Identifier: MIT
 * story.h - events in the order of their times, incidents among them that somebody should be told of, and how the alarms
 * of a detector fit the incidents. */
#ifndef STORY_H
#define STORY_H

#include "anomaly.h"
#include "random.h"

#include <stddef.h>
#include <stdint.h>

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

enum { INCIDENTS_MOST = 32 };

typedef struct happening {
    int64_t t_ns;
    double x;
    uint32_t key;
} happening;

typedef struct incident {
    int64_t from_ns, to_ns;
    uint32_t key;
    const char *what;
} incident;

typedef struct story {
    happening *event;
    size_t count, room;
    incident incident[INCIDENTS_MOST];
    size_t incidents;
    int64_t step_ns; /* between two events of a key, about */
    int64_t days;
} story;

/* Which stories a bench tells: those of the seeds `first` to `last`. */
typedef struct seed_range {
    uint64_t first, last;
} seed_range;

/* Reads "3", the stories 1 to 3, or "501-506". Returns 0 if the text is neither. */
int seed_range_read(const char *text, seed_range *seeds);

/* ---- telling ---- */

void add_event(story *s, int64_t t_ns, double x, uint32_t key);
void add_incident(story *s, int64_t from_ns, int64_t to_ns, uint32_t key, const char *what);
const incident *incident_at(const story *s, int64_t t_ns);
void story_free(story *s);

double between(random_state *r, double least, double most);
int64_t whole_between(random_state *r, int64_t least, int64_t most);
double normal(random_state *r);
double poisson(random_state *r, double mean);

/* The k-th of n times in [from, to), each in a stretch of its own and `gap` before the next stretch. */
int64_t time_of(random_state *r, int k, int n, int64_t from, int64_t to, int64_t gap);

/* ---- judging ---- */

typedef struct outcome {
    double days;
    size_t planted, found, false_alarms;
    int hit[INCIDENTS_MOST]; /* of the story that is being judged */
} outcome;

/* An alarm belongs to an incident of its key from the incident's begin until 30 events (at least ten minutes) after its
 * end; the incident is found if one comes before two events after its end. */
void outcome_alarm(outcome *sum, const story *s, uint32_t key, int64_t t_ns);
void outcome_end(outcome *sum, const story *s); /* of a story: counts what was found */
double outcome_false_a_day(const outcome *sum);
double outcome_share_found(const outcome *sum);

/* Sets name=value options, blanks between; ends the program with a message where one is wrong. */
void set_options(anomaly_config *config, const char *options);

#endif
