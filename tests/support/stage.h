/* SPDX-License-Identifier: MIT
 * stage.h - what the tests of the stages share: the allocator that stages are given, and what is usual at a time. */
#ifndef STAGE_H
#define STAGE_H

#include "base/memory.h"
#include "stage/season.h"

static inline const anomaly_allocator *memory(void)
{
    static anomaly_allocator allocator;
    allocator = an_allocator_or_default(NULL);
    return &allocator;
}

/* As the stages ask: first what is at hand. */
static inline an_usual an_season_at(const an_season *season, uint32_t feature, int64_t t_ns)
{
    const an_usual *here = an_season_here(season, feature, t_ns);
    return here ? *here : an_season_find(season, feature, t_ns);
}

#endif
