/* SPDX-License-Identifier: MIT
 * labels.h - what --labels names.
 */
#ifndef CLI_LABELS_H
#define CLI_LABELS_H

#include "options/options.h"

/** The column of labels; NULL: there is none, since --labels names a file of intervals, or is not given. */
const char *cli_labels_column(const cli_options *options);

#endif
