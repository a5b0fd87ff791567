/* SPDX-License-Identifier: MIT
 * source.c - the clients that have a name.
 */
#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

source *sources_find(const sources *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->items[i]->name, name) == 0)
            return all->items[i];
    return NULL;
}

static bool make_room(sources *all)
{
    if (all->count < all->room)
        return true;
    size_t room = all->room == 0 ? 16 : 2 * all->room;
    source **items = realloc(all->items, room * sizeof(source *));
    if (items == NULL)
        return false;
    all->items = items;
    all->room = room;
    return true;
}

source *sources_add(sources *all, const char *name, uint64_t lines)
{
    source *added = make_room(all) ? calloc(1, sizeof *added) : NULL;
    if (added == NULL)
        return NULL;
    snprintf(added->name, sizeof added->name, "%s", name);
    added->lines = lines;
    all->items[all->count++] = added;
    return added;
}

void sources_free(sources *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->items[i]);
    free(all->items);
    *all = (sources){0};
}
