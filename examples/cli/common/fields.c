/* SPDX-License-Identifier: MIT
 * fields.c - the names of the output's fields.
 */
#include "common/fields.h"

#include <string.h>

static const char *const names[] = {
    [CLI_FILE] = "file",       [CLI_LINE] = "line",         [CLI_KEY] = "key",         [CLI_TIME] = "time",
    [CLI_FEATURE] = "feature", [CLI_VALUE] = "value",       [CLI_SCORE] = "score",     [CLI_THRESHOLD] = "threshold",
    [CLI_CHANCE] = "tail",     [CLI_EXPECTED] = "expected", [CLI_LOWER] = "lower",     [CLI_UPPER] = "upper",
    [CLI_EVENTS] = "events",   [CLI_FLAGS] = "flags",       [CLI_ANOMALY] = "anomaly", [CLI_EXPLANATION] = "explanation",
    [CLI_REST] = "rest",
};

const char *cli_field_name(enum cli_field field)
{
    return names[field];
}

enum cli_field cli_field_find(const char *name)
{
    int i = 0;
    while (i < CLI_FIELDS && strcmp(names[i], name) != 0)
        i++;
    return (enum cli_field)i;
}
