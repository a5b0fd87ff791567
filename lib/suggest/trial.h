/* SPDX-License-Identifier: MIT */
/* What a proposal would have brought: its detectors judge the rows, and the last part of them is counted. */
#ifndef AN_SUGGEST_TRIAL_H
#define AN_SUGGEST_TRIAL_H

#include "suggest/choice.h"
#include "suggest/groups.h"

/* Runs the choice's configuration over the rows, and fills in what is said of alarms. groups: those of keys, else of
 * no order. Memory from `allocator`, given back. ANOMALY_E_NOMEM, ANOMALY_E_CONFIG. */
int an_trial(an_choice *choice, const anomaly_rows *rows, const anomaly_keys *keys, const an_groups *groups,
             const anomaly_allocator *allocator);

#endif
