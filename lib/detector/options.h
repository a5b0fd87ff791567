/* SPDX-License-Identifier: MIT */
/* The table of options: a row says all that the library, the programs and the bindings know of an option. */
#ifndef AN_DETECTOR_OPTIONS_H
#define AN_DETECTOR_OPTIONS_H

#include "anomaly.h"

#include <stddef.h>

#define AN_MAX_FEATURES      4096
#define AN_MAX_WINDOW_EVENTS ((uint64_t)1 << 30)
#define AN_MOST_CHOICES      6

enum an_option_type {
    AN_COUNT64,
    AN_COUNT32,
    AN_CHOICE,
    AN_NUMBER,
    AN_DURATION,
    AN_OFFSET,     /* a duration with a sign */
    AN_WORD_COUNT, /* a count, or a word for what is none */
    /* of two members, detector/pairs.c: */
    AN_WINDOW,
    AN_LEARN,
    AN_ALARMS,
    AN_SEASON,
    AN_REST,
    AN_CONFIRM,
    AN_CHANGE,
    AN_SILENCE,
    AN_CALIBRATE
};

typedef struct an_option {
    anomaly_option shown;
    const char *preset; /* default as text; lib/kinds.c names the kinds that have another one */
    enum an_option_type type;
    size_t offset;                       /* of its member of anomaly_config, or of the first of two */
    size_t saved;                        /* the member's place in a snapshot, never changed; 0: not saved */
    double least, most;                  /* counts, numbers and durations */
    const char *choice[AN_MOST_CHOICES]; /* AN_CHOICE: index = value; AN_DURATION: the word for `least`;
                                            AN_WORD_COUNT: index i = -1 - i */
} an_option;

/* The index-th row, NULL past the last. */
const an_option *an_option_at(size_t index);
const an_option *an_option_find(const char *name);

/* Sets the option's members from text; 0 where it does not take that. */
int an_option_set(anomaly_config *config, const an_option *option, const char *text);

/* Writes the option's value, which is within its bounds, in less than 64 bytes. */
void an_option_write(const anomaly_config *config, const an_option *option, char *text);

int an_option_is_in_bounds(const anomaly_config *config, const an_option *option);

/* The same for the options of two members. */
int an_pair_set(anomaly_config *config, enum an_option_type type, const char *text);
void an_pair_write(const anomaly_config *config, enum an_option_type type, char *text);
int an_pair_is_in_bounds(const anomaly_config *config, enum an_option_type type);

/* A member of anomaly_config as snapshots see it. */
enum an_member_type { AN_NO_MEMBER, AN_U32, AN_U64, AN_I32, AN_I64, AN_F64 };
typedef struct an_member {
    enum an_member_type type;
    size_t offset;
} an_member;

#define AN_MEMBERS 49

/* Fills the members in the order of snapshots; the first is `kind`. */
void an_option_members(an_member member[AN_MEMBERS]);

#endif
