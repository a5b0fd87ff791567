/* SPDX-License-Identifier: MIT */
#include "suggest/groups.h"

#include <string.h>

static uint64_t name_of(const anomaly_keys *keys, size_t row)
{
    if (keys->slots)
        return keys->slots[row];
    size_t size = keys->sizes ? keys->sizes[row] : strlen(keys->keys[row]);
    return anomaly_key_hash(keys->keys[row], size);
}

size_t an_groups_end(const an_groups *groups, size_t from)
{
    size_t to = from;
    while (to < groups->rows && groups->order[to].by == groups->order[from].by)
        to++;
    return to;
}

/* Counts the keys, and the rows in keys of at least `least` rows. */
static size_t rows_of_keys(an_groups *groups, size_t least)
{
    size_t rows = 0;
    groups->keys = 0;
    for (size_t from = 0, to; from < groups->rows; from = to) {
        to = an_groups_end(groups, from);
        groups->keys++;
        rows += to - from >= least ? to - from : 0;
    }
    return rows;
}

int an_groups_make(an_groups *groups, const anomaly_rows *rows, const anomaly_keys *keys, const anomaly_allocator *allocator)
{
    groups->rows = rows->count;
    groups->order = an_alloc(allocator, rows->count, sizeof *groups->order);
    if (!groups->order)
        return ANOMALY_E_NOMEM;
    for (size_t i = 0; i < rows->count; i++)
        groups->order[i] = (an_ordered){name_of(keys, i), i};
    an_ordered_sort(groups->order, groups->rows);
    size_t least = 1, most = rows->count;
    while (least < most) {
        size_t middle = most - (most - least) / 2;
        if (rows_of_keys(groups, middle) >= rows->count - rows->count / 2)
            least = middle;
        else
            most = middle - 1;
    }
    groups->usual = least;
    rows_of_keys(groups, least);
    return ANOMALY_OK;
}

void an_groups_free(an_groups *groups, const anomaly_allocator *allocator)
{
    an_free(allocator, groups->order, groups->rows, sizeof *groups->order);
    groups->order = NULL;
}
