/* SPDX-License-Identifier: MIT
 * json_member.c - the members of an object, in its text and as jansson has them, walked in step.
 */
#include "read/json_member.h"

#include "read/json_scan.h"

#include <string.h>

static const char *skip_to(const char *s, const char *end, const char *blanks)
{
    while (s < end && strchr(blanks, *s) != NULL)
        s++;
    return s;
}

const char *cli_json_next_member(const char *s, const char *end, cli_json_member *m)
{
    m->name = skip_to(s, end, " \t\r\n,");
    m->name_length = cli_json_value_length(m->name, (size_t)(end - m->name));
    m->value = skip_to(m->name + m->name_length, end, " \t\r\n:");
    m->value_length = cli_json_value_length(m->value, (size_t)(end - m->value));
    return m->value + m->value_length;
}

/* Finds the member of that name, and where it lies in the object's text; NULL if there is none. */
static json_t *find_member(json_t *object, const cli_json_member *text, const char *name, size_t length, cli_json_member *m)
{
    const char *s = text->value + 1, *end = text->value + text->value_length, *present;
    json_t *value;
    json_object_foreach(object, present, value)
    {
        s = cli_json_next_member(s, end, m);
        if (strncmp(present, name, length) == 0 && present[length] == '\0')
            return value;
    }
    return NULL;
}

json_t *cli_json_find_path(json_t *object, const char *path, cli_json_member *m)
{
    cli_json_member inner;
    while (json_is_object(object)) {
        size_t head = strcspn(path, ".");
        json_t *value = find_member(object, m, path, strlen(path), &inner);
        bool whole = value != NULL || path[head] == '\0';
        while (!whole && (value = find_member(object, m, path, head, &inner)) == NULL && path[head] == '.')
            head += 1 + strcspn(path + head + 1, ".");
        *m = inner;
        if (whole)
            return value;
        object = value;
        path += head + 1;
    }
    return NULL;
}

bool cli_json_is_container(const json_t *value)
{
    return json_is_object(value) || json_is_array(value);
}
