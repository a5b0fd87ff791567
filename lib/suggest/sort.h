/* SPDX-License-Identifier: MIT */
/* Sorts without memory of its own, in n log n steps whatever the order (heapsort); libc's qsort may allocate. */
#ifndef AN_SUGGEST_SORT_H
#define AN_SUGGEST_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Sorted by `by`, those of the same by `then`. */
typedef struct an_ordered {
    uint64_t by, then;
} an_ordered;

void an_ordered_sort(an_ordered *items, size_t count);

/* Whole numbers in the order of doubles and of times, and back. No NaN. */
uint64_t an_order_of_value(double x);
double an_of_order(uint64_t order);
uint64_t an_order_of_time(int64_t t_ns);
int64_t an_time_of_order(uint64_t order);

#endif
