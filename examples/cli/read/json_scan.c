/* SPDX-License-Identifier: MIT
 * json_scan.c - where a JSON value ends, found by brackets and quotes alone.
 */
#include "read/json_scan.h"

#include <string.h>

/* Takes one byte inside a string. */
static void scan_quoted(cli_json_scan *scan, char c)
{
    if (scan->escaped)
        scan->escaped = false;
    else if (c == '\\')
        scan->escaped = true;
    else if (c == '"')
        scan->quoted = false;
}

enum cli_json_end cli_json_scan_on(cli_json_scan *scan, const char *text, size_t length)
{
    while (scan->at < length) {
        char c = text[scan->at];
        if (scan->quoted) {
            if (c == '\n')
                return CLI_JSON_BROKEN;
            scan_quoted(scan, c);
        } else if (c == '"') {
            scan->quoted = true;
        } else if (c == '{' || c == '[') {
            scan->depth++;
        } else if (c == '}' || c == ']') {
            scan->depth--;
        }
        scan->at++;
        if (scan->depth <= 0 && !scan->quoted)
            return CLI_JSON_DONE;
    }
    return CLI_JSON_MORE;
}

size_t cli_json_value_length(const char *text, size_t length)
{
    cli_json_scan scan = {0};
    size_t n = 0;
    if (length > 0 && strchr("{[\"", *text) != NULL) {
        cli_json_scan_on(&scan, text, length);
        return scan.at;
    }
    while (n < length && !cli_is_blank(text[n]) && text[n] != ',' && text[n] != '}' && text[n] != ']')
        n++;
    return n;
}

void cli_json_compact(cli_buffer *buffer, const char *text, size_t length)
{
    cli_json_scan scan = {.depth = 1}; /* only its knowledge of strings is used */
    for (size_t i = 0; i < length; i++) {
        if (scan.quoted || !cli_is_blank(text[i]))
            cli_buffer_char(buffer, text[i]);
        if (scan.quoted)
            scan_quoted(&scan, text[i]);
        else
            scan.quoted = text[i] == '"';
    }
}
