/* SPDX-License-Identifier: MIT
 * record.c - the text of a record's fields.
 */
#include "write/record.h"

#include "common/flags.h"

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
    const char *name;
    for (size_t next = 0, told = 0; (name = cli_next_flag(flags, &next)) != NULL; told++) {
        if (told > 0)
            cli_buffer_char(buffer, '|');
        cli_buffer_text(buffer, name);
    }
}
