/* SPDX-License-Identifier: MIT
 * uptime.c - a clock that nobody sets, for what is due every so often.
 */
#include "common/uptime.h"

#include <time.h>

double cli_uptime(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
