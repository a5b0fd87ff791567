/* SPDX-License-Identifier: MIT
 * truth.h - what people write for yes and no in a column of labels.
 */
#ifndef CLI_TRUTH_H
#define CLI_TRUTH_H

#include <stdbool.h>
#include <stddef.h>

/** What cli_read_truth() takes, in words. */
#define CLI_TRUTHS "0 or 1, true or false, yes or no, anomaly or normal"

/** Reads a label, in any case; false for other text. */
bool cli_read_truth(const char *text, size_t length, bool *truth);

#endif
