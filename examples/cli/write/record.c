/* SPDX-License-Identifier: MIT
 * record.c - the text of a record's fields.
 */
#include "write/record.h"

bool cli_field_number(const cli_record *record, enum cli_field field, double *number)
{
    const anomaly_verdict *v = &record->verdict;
    switch (field) {
    case CLI_VALUE: *number = record->value; return true;
    case CLI_SCORE: *number = v->score; return true;
    case CLI_THRESHOLD: *number = v->threshold; return true;
    case CLI_CHANCE: *number = v->tail; return true;
    case CLI_EXPECTED: *number = v->expected; return true;
    case CLI_LOWER: *number = v->lower; return true;
    case CLI_UPPER: *number = v->upper; return true;
    default: return false;
    }
}

void cli_add_flags(cli_buffer *buffer, uint32_t flags)
{
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
    bool first = true;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if ((flags & known[i].flag) == 0)
            continue;
        if (!first)
            cli_buffer_char(buffer, '|');
        cli_buffer_text(buffer, known[i].name);
        first = false;
    }
}
