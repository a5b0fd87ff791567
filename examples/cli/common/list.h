/* SPDX-License-Identifier: MIT
 * list.h - lists of names, as an option gives them.
 */
#ifndef CLI_LIST_H
#define CLI_LIST_H

#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>

/** The parts of `a,b,"c,d"`. `given` tells an empty list from none. All zero is none. */
typedef struct cli_list {
    char **items;
    size_t count;
    bool given;
} cli_list;

/** Appends a copy of the `length` bytes at `item`. */
void cli_list_add(cli_list *list, const char *item, size_t length);
void cli_list_free(cli_list *list);

/** Makes *to, whatever it holds, a copy of *from. */
void cli_list_copy(cli_list *to, const cli_list *from);

/** Replaces the list by the parts of a text, as CSV has them: between commas; in double quotes, with a quote inside
 *  doubled, where a part holds a comma or begins with a quote. False, and no list is left, where a quote that opens a
 *  part does not close at its end. */
bool cli_list_split(cli_list *list, const char *text);

/** Appends an item as cli_list_split() reads it. */
void cli_list_add_quoted(cli_buffer *buffer, const char *item);

bool cli_list_has(const cli_list *list, const char *item);

#endif
