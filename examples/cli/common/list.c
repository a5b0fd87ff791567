/* SPDX-License-Identifier: MIT
 * list.c - lists of names, as an option gives them.
 */
#include "common/list.h"

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

/* Takes what is behind an opening quote; answers where it goes on behind the closing one, NULL if there is none. */
static const char *take_quoted(cli_buffer *item, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' && *++text != '"')
            return text;
        cli_buffer_char(item, *text);
    }
    return NULL;
}

/* Adds the part at `text`; answers where the next one begins, NULL if its quote is not closed. */
static const char *take_part(cli_list *list, const char *text)
{
    cli_buffer item = {0};
    const char *end = text + strcspn(text, ",");
    if (*text == '"')
        end = take_quoted(&item, text + 1);
    else
        cli_buffer_add(&item, text, (size_t)(end - text));
    bool good = end != NULL && (*end == ',' || *end == '\0');
    if (good)
        cli_list_add(list, item.length > 0 ? item.data : "", item.length);
    cli_buffer_free(&item);
    return good ? end + (*end == ',') : NULL;
}

bool cli_list_split(cli_list *list, const char *text)
{
    cli_list_free(list);
    list->given = true;
    while (text != NULL && *text != '\0')
        text = take_part(list, text);
    if (text == NULL)
        cli_list_free(list);
    return text != NULL;
}

void cli_list_add_quoted(cli_buffer *buffer, const char *item)
{
    if (*item != '"' && strchr(item, ',') == NULL) {
        cli_buffer_text(buffer, item);
        return;
    }
    cli_buffer_char(buffer, '"');
    for (; *item != '\0'; item++) {
        cli_buffer_text(buffer, *item == '"' ? "\"" : "");
        cli_buffer_char(buffer, *item);
    }
    cli_buffer_char(buffer, '"');
}

bool cli_list_has(const cli_list *list, const char *item)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], item) == 0)
            return true;
    return false;
}
