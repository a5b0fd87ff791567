/* SPDX-License-Identifier: MIT
 * json_scan.h - where a JSON value ends, found by brackets and quotes alone, in as many pieces as the text comes in.
 */
#ifndef CLI_JSON_SCAN_H
#define CLI_JSON_SCAN_H

#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct cli_json_scan {
    size_t at; /* bytes seen */
    int depth;
    bool quoted;
    bool escaped;
} cli_json_scan;

enum cli_json_end {
    CLI_JSON_MORE,  /* not ended yet */
    CLI_JSON_DONE,  /* scan->at is behind its last byte */
    CLI_JSON_BROKEN /* a line end inside a string: no JSON */
};

/** Goes on at text[scan->at] with a value that begins with a bracket or a quote at text[0]. */
enum cli_json_end cli_json_scan_on(cli_json_scan *scan, const char *text, size_t length);

/** Length of the value at `text` in valid JSON, scalars included; blanks before it are not skipped. */
size_t cli_json_value_length(const char *text, size_t length);

/** Appends valid JSON without the blanks between its parts. */
void cli_json_compact(cli_buffer *buffer, const char *text, size_t length);

#endif
