/* SPDX-License-Identifier: MIT
 * json_member.h - the members of an object, in its text and as jansson has them, walked in step.
 *
 * Numbers are taken from the text itself, because a double cannot hold a time such as 1737460800.123456789. jansson
 * keeps the order of the members, and objects with a member twice are refused, so both lists have the same members.
 */
#ifndef CLI_JSON_MEMBER_H
#define CLI_JSON_MEMBER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/** Where a member lies in the text. */
typedef struct cli_json_member {
    const char *name; /* with quotes and escapes */
    size_t name_length;
    const char *value;
    size_t value_length;
} cli_json_member;

/** Finds the next member of a valid object; `s` is the place behind `{` or behind the member before. */
const char *cli_json_next_member(const char *s, const char *end, cli_json_member *member);

/** Finds the member that a path leads to: data.cpu is the member cpu of the member data. As names may have dots, the
 *  rest of the path is tried as one name first, then longer and longer beginnings. *member is the text of the object,
 *  and then of the member. */
json_t *cli_json_find_path(json_t *object, const char *path, cli_json_member *member);

/** Tells objects and arrays, which are no columns themselves; members of an object may be. */
bool cli_json_is_container(const json_t *value);

#endif
