/* SPDX-License-Identifier: MIT */
/* From what a series has shown to a configuration, and the reason for each option. */
#ifndef AN_SUGGEST_CHOICE_H
#define AN_SUGGEST_CHOICE_H

#include "suggest/facts.h"

typedef struct an_choice {
    anomaly_config config;
    anomaly_suggestion said;
    size_t rows, usual_rows; /* in all, and of a key in the middle */
} an_choice;

/* Too few rows to learn from one after the other: beside each other. */
void an_choose_whole(an_choice *choice, uint32_t features);

/* Keys too short to learn by: by the events of all keys. */
void an_choose_population(an_choice *choice, uint32_t features, const an_facts *facts);

void an_choose_options(an_choice *choice, uint32_t features, const an_facts *facts);

#endif
