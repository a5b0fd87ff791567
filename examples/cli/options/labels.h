/* SPDX-License-Identifier: MIT
 * labels.h - what --labels names.
 */
#ifndef CLI_LABELS_H
#define CLI_LABELS_H

#include <stdbool.h>

/** Is it a file of intervals, and no column? */
bool cli_labels_are_intervals(const char *labels);

#endif
