/* SPDX-License-Identifier: MIT
 * list.h - lists of names, as an option gives them.
 */
#ifndef CLI_LIST_H
#define CLI_LIST_H

#include <stdbool.h>
#include <stddef.h>

/** The parts of "a,b,c". `given` tells an empty list from none. All zero is none. */
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

bool cli_list_has(const cli_list *list, const char *item);

#endif
