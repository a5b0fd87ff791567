/* SPDX-License-Identifier: MIT
 * reason.c - why a row was rejected, in words.
 */
#include "read/reason.h"

const char *cli_reason_text(enum cli_reason reason)
{
    static const char *const texts[CLI_REASONS] = {
        [CLI_BAD_NUMBER] = "not a number",
        [CLI_BAD_TIME] = "unreadable time",
        [CLI_NO_TIME] = "no time, and the window is one of time",
        [CLI_NO_OPTION_TIME] = "no time, and season, alarms, rest, silence or transform needs one",
        [CLI_NO_MEMBER] = "a member is missing",
        [CLI_FEW_FIELDS] = "too few fields",
        [CLI_MANY_FIELDS] = "too many fields",
        [CLI_BAD_LABEL] = "no label",
        [CLI_EMPTY_KEY] = "empty key",
        [CLI_LONG_KEY] = "key longer than 255 bytes",
        [CLI_BAD_UTF8] = "not UTF-8",
        [CLI_NUL_BYTE] = "NUL byte",
        [CLI_LONG_LINE] = "longer than 1 MiB",
        [CLI_BAD_QUOTE] = "unbalanced quote",
        [CLI_BAD_JSON] = "not a JSON object",
        [CLI_BAD_LINE] = "not a line of the format",
        [CLI_NO_ROOM] = "no room for its window in --max-memory",
    };
    return texts[reason];
}
