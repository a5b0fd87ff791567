/* SPDX-License-Identifier: MIT
 * labels.c - what --labels names.
 */
#include "options/labels.h"

#include <string.h>
#include <strings.h>

bool cli_labels_are_intervals(const char *labels)
{
    size_t length = strlen(labels);
    return length > 4 && strcasecmp(labels + length - 4, ".csv") == 0;
}
