/* SPDX-License-Identifier: MIT
 * draw.h - random configurations, values and times that are hard on a detector, from one seed. */
#ifndef ORACLE_DRAW_H
#define ORACLE_DRAW_H

#include "anomaly.h"
#include "random.h"

/* A configuration with every option that applies, as text ("name=value ...") and set from that text. The fields were set
 * beside it by hand; *wrong names an option where the two differ, or is NULL. */
typedef struct drawn_config {
    anomaly_config config;
    char text[512];
    const char *wrong;
} drawn_config;

void draw_config(random_state *r, drawn_config *drawn);

/* Where an episode's values come from. */
typedef struct value_source {
    int family;
    double offset;
    double scale;
    double last;
    unsigned special_one_in; /* NaN, infinities, negative zero; 0: never */
} value_source;

void draw_value_source(random_state *r, value_source *source);
double draw_value(random_state *r, value_source *source);

/* Where its times come from. */
typedef struct time_source {
    int64_t window_ns;
    int64_t now;
    unsigned odd_one_in; /* late ones, jumps, gaps; 0: never */
} time_source;

void draw_time_source(random_state *r, const anomaly_config *config, time_source *source);
int64_t draw_time(random_state *r, time_source *source);

#endif
