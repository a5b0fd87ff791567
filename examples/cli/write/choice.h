/* SPDX-License-Identifier: MIT
 * choice.h - which fields are written, in which order.
 */
#ifndef CLI_CHOICE_H
#define CLI_CHOICE_H

#include "common/fields.h"
#include "options/options.h"

#include <stdbool.h>
#include <stddef.h>

/** The fields to print, in order. */
typedef struct cli_field_list {
    enum cli_field fields[2 * CLI_FIELDS];
    size_t count;
    bool explained; /* the explanation is one of them */
} cli_field_list;

/** The fields that --fields names, or the output's own choice. Several files: the table says which. Says what is wrong
 *  and answers false for an unknown name. */
bool cli_fields_choose(cli_field_list *list, const cli_options *options, const anomaly_config *config);

#endif
