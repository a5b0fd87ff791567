/* SPDX-License-Identifier: MIT
 * stage.h - what the tests of the stages share: the allocator that stages are given. */
#ifndef STAGE_H
#define STAGE_H

#include "base/memory.h"

static inline const anomaly_allocator *memory(void)
{
    static anomaly_allocator allocator;
    allocator = an_allocator_or_default(NULL);
    return &allocator;
}

#endif
