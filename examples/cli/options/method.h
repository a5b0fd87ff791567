/* SPDX-License-Identifier: MIT
 * method.h - how events are judged where the command line does not say: by what the input shows.
 */
#ifndef CLI_METHOD_H
#define CLI_METHOD_H

#include "common/text.h"
#include "options/options.h"

/** What the first rows have shown. */
typedef struct cli_shown {
    bool times;      /* most of them have a time */
    bool keys;       /* a column names their stream */
    bool many;       /* ... of which there are many */
    bool skewed;     /* one value, positive and skewed, whose logarithm is not */
    bool is_short;   /* they are all that there is */
    size_t features; /* values that are judged together */
} cli_shown;

/** Says how events are judged. Answers whether each row is judged against all others, as with --whole. */
bool cli_method_choose(const cli_options *options, const cli_shown *shown, anomaly_config *config);

/** Is an option other than it is by default? Then `text` is its value. */
bool cli_method_differs(const anomaly_config *config, const anomaly_option *option, char text[64]);

/** Appends the options that say the same: "-d watch -s alarms=auto -s rest=150". */
void cli_method_add(cli_buffer *buffer, const anomaly_config *config, bool whole);

#endif
