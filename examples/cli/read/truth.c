/* SPDX-License-Identifier: MIT
 * truth.c - what people write for yes and no in a column of labels.
 */
#include "read/truth.h"

#include "common/number.h"

#include <string.h>
#include <strings.h>

bool cli_read_truth(const char *text, size_t length, bool *truth)
{
    static const char *const words[] = {"false", "true", "no", "yes", "normal", "anomaly"};
    double number;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        *truth = i % 2 == 1;
        if (strlen(words[i]) == length && strncasecmp(words[i], text, length) == 0)
            return true;
    }
    bool read = cli_parse_number(text, length, &number) == CLI_NUMBER_OK;
    *truth = read && number == 1;
    return read && (number == 0 || number == 1);
}
