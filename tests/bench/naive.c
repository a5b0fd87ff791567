/* SPDX-License-Identifier: MIT
 * naive.c - sliding Welford: a ring, the mean and M2 moved by what comes and what goes. No flags, no bounds, no warm-up, no
 * policy; and wrong as soon as a spike has gone through it. In a file of its own, so that a call is a call. */
#include "naive.h"

#include <math.h>

void naive_init(naive *n, double *ring, size_t window)
{
    *n = (naive){.ring = ring, .window = window};
}

static void grow(naive *n, double x)
{
    double distance = x - n->mean;
    n->count++;
    n->mean += distance / (double)n->count;
    n->m2 += distance * (x - n->mean);
}

/* Add and remove in one step: the fastest form that is still Welford's. */
static void replace(naive *n, double x, double old)
{
    double mean = n->mean, distance = x - old;
    n->mean = mean + distance / (double)n->count;
    n->m2 += distance * ((x - n->mean) + (old - mean));
}

double naive_update(naive *n, double x)
{
    double score = fabs(x - n->mean) / sqrt(n->m2 / (double)(n->count - 1));
    if (n->count < n->window)
        grow(n, x);
    else
        replace(n, x, n->ring[n->next]);
    n->ring[n->next] = x;
    if (++n->next == n->window)
        n->next = 0;
    return score;
}
