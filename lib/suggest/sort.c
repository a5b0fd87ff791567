/* SPDX-License-Identifier: MIT */
#include "suggest/sort.h"

#include <string.h>

#define TOP_BIT ((uint64_t)1 << 63)

static int is_before(const an_ordered *a, const an_ordered *b)
{
    return a->by != b->by ? a->by < b->by : a->then < b->then;
}

/* Puts `item` where it belongs below place `at`, the largest being the top. */
static void sift(an_ordered *items, size_t at, size_t count, an_ordered item)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        child += child + 1 < count && is_before(&items[child], &items[child + 1]);
        if (!is_before(&item, &items[child]))
            break;
        items[at] = items[child];
    }
    items[at] = item;
}

void an_ordered_sort(an_ordered *items, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sift(items, i, count, items[i]);
    for (size_t left = count; left > 1; left--) {
        an_ordered last = items[left - 1];
        items[left - 1] = items[0];
        sift(items, 0, left - 1, last);
    }
}

uint64_t an_order_of_value(double x)
{
    uint64_t bits;
    x += 0.0; /* one zero */
    memcpy(&bits, &x, sizeof bits);
    return bits & TOP_BIT ? ~bits : bits | TOP_BIT;
}

double an_of_order(uint64_t order)
{
    double x;
    order = order & TOP_BIT ? order & ~TOP_BIT : ~order;
    memcpy(&x, &order, sizeof x);
    return x;
}

uint64_t an_order_of_time(int64_t t_ns)
{
    return (uint64_t)t_ns ^ TOP_BIT;
}

int64_t an_time_of_order(uint64_t order)
{
    order ^= TOP_BIT;
    return order & TOP_BIT ? -1 - (int64_t)~order : (int64_t)order;
}
