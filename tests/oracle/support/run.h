/* SPDX-License-Identifier: MIT
 * run.h - the main loop of the programs of random steps: how long they run, and what they say at the end. */
#ifndef ORACLE_RUN_H
#define ORACLE_RUN_H

#include "test.h"

#include <inttypes.h>

#include "agree.h"

#define MOST_FAILURES 10

/* Runs the episode of `seed`; adds its steps to `steps` and, if it failed, 1 to `failures`. */
typedef void run_episode_function(uint64_t seed, agreement *a, uint64_t *steps, uint64_t *failures);

/* Reads a whole number from the environment; returns `otherwise` where `name` is not set. */
static inline uint64_t run_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

/* Prints how many steps were taken, and how often a rounding decided. */
static inline void run_report(uint64_t steps, uint64_t episodes, const agreement *a)
{
    printf("%" PRIu64 " steps in %" PRIu64 " episodes, %" PRIu64 " verdicts\n"
           "decided by a rounding: anomalous or not %" PRIu64 ", direction %" PRIu64 ", feature %" PRIu64
           "; largest error of a score: %.2f of what is allowed\n",
           steps, episodes, a->verdicts, a->tied_anomalies, a->tied_directions, a->tied_features, a->worst_score);
}

/* Runs episodes from ORACLE_SEED (1) on until ORACLE_STEPS steps are done or ORACLE_TOLD episodes have failed; none may. */
static inline void run_episodes(run_episode_function *run_episode)
{
    uint64_t wanted = run_number("ORACLE_STEPS", is_quick() ? 10000 : 100000);
    uint64_t told = run_number("ORACLE_TOLD", MOST_FAILURES);
    uint64_t steps = 0, failures = 0, first = run_number("ORACLE_SEED", 1), seed = first;
    agreement a;
    memset(&a, 0, sizeof a);
    while (steps < wanted && failures < told)
        run_episode(seed++, &a, &steps, &failures);
    run_report(steps, seed - first, &a);
    assert_int_equal(failures, 0);
}

#endif
