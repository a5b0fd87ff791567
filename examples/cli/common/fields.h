/* SPDX-License-Identifier: MIT
 * fields.h - the names of the output's fields, which members of the input must not take.
 */
#ifndef CLI_FIELDS_H
#define CLI_FIELDS_H

enum cli_field {
    CLI_FILE,
    CLI_LINE,
    CLI_KEY,
    CLI_TIME,
    CLI_FEATURE,
    CLI_VALUE,
    CLI_SCORE,
    CLI_THRESHOLD,
    CLI_CHANCE,
    CLI_EXPECTED,
    CLI_LOWER,
    CLI_UPPER,
    CLI_EVENTS,
    CLI_FLAGS,
    CLI_ANOMALY,
    CLI_EXPLANATION,
    CLI_FIELDS, /* number of fields that an output can have */
    CLI_REST = CLI_FIELDS
};

const char *cli_field_name(enum cli_field field);

/** Finds the field of that name; CLI_FIELDS if there is none such. */
enum cli_field cli_field_find(const char *name);

#endif
