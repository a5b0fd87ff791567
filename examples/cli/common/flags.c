/* SPDX-License-Identifier: MIT
 * flags.c - the flags of a verdict in words.
 */
#include "common/flags.h"

#include "anomaly.h"

static const struct {
    uint32_t flag;
    const char *name;
} known[] = {
    {ANOMALY_WARMING_UP, "warming_up"},
    {ANOMALY_MISSING, "missing"},
    {ANOMALY_NONFINITE, "nonfinite"},
    {ANOMALY_LATE, "late"},
    {ANOMALY_TRUNCATED, "truncated"},
    {ANOMALY_FLAT, "flat"},
    {ANOMALY_ABOVE, "above"},
    {ANOMALY_BELOW, "below"},
    {ANOMALY_JUMPED, "jumped"},
    {ANOMALY_NOT_LEARNED, "not_learned"},
    {ANOMALY_UNTRANSFORMED, "untransformed"},
    {ANOMALY_TAIL_ESTIMATED, "tail_estimated"},
    {ANOMALY_BY_POPULATION, "by_population"},
    {ANOMALY_ALARM, "alarm"},
    {ANOMALY_EPISODE, "episode"},
    {ANOMALY_EPISODE_END, "episode_end"},
    {ANOMALY_HELD, "held"},
    {ANOMALY_UNCONFIRMED, "unconfirmed"},
    {ANOMALY_SMALL_CHANGE, "small_change"},
    {ANOMALY_SPIKE, "spike"},
    {ANOMALY_SHIFT, "shift"},
    {ANOMALY_NOISIER, "noisier"},
    {ANOMALY_QUIETER, "quieter"},
    {ANOMALY_STUCK, "stuck"},
};

const char *cli_next_flag(uint32_t flags, size_t *next)
{
    while (*next < sizeof known / sizeof *known) {
        size_t i = (*next)++;
        if (flags & known[i].flag)
            return known[i].name;
    }
    return NULL;
}
