/* SPDX-License-Identifier: MIT
 * list.c - lists of names, as an option gives them.
 */
#include "common/list.h"

#include "common/text.h"

#include <stdlib.h>
#include <string.h>

void cli_list_add(cli_list *list, const char *item, size_t length)
{
    list->items = cli_resize(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = cli_copy(item, length);
    list->given = true;
}

void cli_list_free(cli_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (cli_list){0};
}

void cli_list_copy(cli_list *to, const cli_list *from)
{
    cli_list_free(to);
    for (size_t i = 0; i < from->count; i++)
        cli_list_add(to, from->items[i], strlen(from->items[i]));
    to->given = from->given;
}

bool cli_list_has(const cli_list *list, const char *item)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], item) == 0)
            return true;
    return false;
}
