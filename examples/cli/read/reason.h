/* SPDX-License-Identifier: MIT
 * reason.h - why a row was rejected.
 */
#ifndef CLI_REASON_H
#define CLI_REASON_H

enum cli_reason {
    CLI_BAD_NUMBER,
    CLI_BAD_TIME,
    CLI_NO_TIME,
    CLI_NO_OPTION_TIME,
    CLI_NO_MEMBER,
    CLI_FEW_FIELDS,
    CLI_MANY_FIELDS,
    CLI_BAD_LABEL,
    CLI_EMPTY_KEY,
    CLI_LONG_KEY,
    CLI_BAD_UTF8,
    CLI_NUL_BYTE,
    CLI_LONG_LINE,
    CLI_BAD_QUOTE,
    CLI_BAD_JSON,
    CLI_BAD_LINE,
    CLI_NO_ROOM,
    CLI_REASONS
};

/** Puts a reason into words. */
const char *cli_reason_text(enum cli_reason reason);

#endif
