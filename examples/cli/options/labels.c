/* SPDX-License-Identifier: MIT
 * labels.c - what --labels names.
 */
#include "options/labels.h"

#include <string.h>
#include <strings.h>

const char *cli_labels_column(const cli_options *options)
{
    static const char ending[] = ".csv";
    const char *labels = options->labels;
    size_t length = labels != NULL ? strlen(labels) : 0, n = sizeof ending - 1;
    bool file = length > n && strcasecmp(labels + length - n, ending) == 0;
    return file ? NULL : labels;
}
