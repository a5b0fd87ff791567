/* SPDX-License-Identifier: MIT
 * answer.h - does what a line asks for and replies. Here a line meets the library.
 */
#ifndef SERVICE_ANSWER_H
#define SERVICE_ANSWER_H

#include "connection.h"

/** text[size] must be readable. */
void answer_line(connection *c, const char *text, size_t size);

/** To a line whose end is not to be waited for. It counts like any other that is refused. */
void answer_too_long(connection *c, bool json);

/** To bytes without a line end before the client's end. They do not count: the client may have meant to say more. */
void answer_unfinished(connection *c);

#endif
