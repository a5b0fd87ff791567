/* SPDX-License-Identifier: MIT
 * run.h - how long the programs of the oracle run, and what they say at the end. */
#ifndef ORACLE_RUN_H
#define ORACLE_RUN_H

#include "test.h"

#include <inttypes.h>

#include "agree.h"

static inline uint64_t run_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

static inline uint64_t run_steps(void)
{
    return run_number("ORACLE_STEPS", is_quick() ? 10000 : 100000);
}

static inline void run_report(uint64_t steps, uint64_t episodes, const agreement *a)
{
    printf("%" PRIu64 " steps in %" PRIu64 " episodes, %" PRIu64 " verdicts\n"
           "decided by a rounding: anomalous or not %" PRIu64 ", direction %" PRIu64 ", feature %" PRIu64
           "; largest error of a score: %.2f of what is allowed\n",
           steps, episodes, a->verdicts, a->tied_anomalies, a->tied_directions, a->tied_features, a->worst_score);
}

#endif
