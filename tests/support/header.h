/* SPDX-License-Identifier: MIT
 * header.h - the text of include/anomaly.h, for tests of what it says. */
#ifndef HEADER_H
#define HEADER_H

#include "test.h"

/* The caller frees the text. Tests run from the top of the tree. */
static inline char *read_header(void)
{
    FILE *file = fopen("include/anomaly.h", "r");
    char *text = calloc(1, 1 << 20);
    assert_true(file != NULL && text != NULL);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 1000);
    fclose(file);
    return text;
}

#endif
