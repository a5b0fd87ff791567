/* SPDX-License-Identifier: MIT */
/* The rows of many keys, sorted by key. */
#ifndef AN_SUGGEST_GROUPS_H
#define AN_SUGGEST_GROUPS_H

#include "base/memory.h"
#include "suggest/series.h"

typedef struct an_groups {
    an_ordered *order; /* by the key's hash, then by row */
    size_t rows, keys;
    size_t usual; /* rows of a key in the middle, by rows: half of all rows are of keys with so many or more */
} an_groups;

/* 16 bytes a row. ANOMALY_E_NOMEM. */
int an_groups_make(an_groups *groups, const anomaly_rows *rows, const anomaly_keys *keys,
                   const anomaly_allocator *allocator);
void an_groups_free(an_groups *groups, const anomaly_allocator *allocator);

/* The end of the key that begins at place `from`. */
size_t an_groups_end(const an_groups *groups, size_t from);

#endif
