/* SPDX-License-Identifier: MIT
 * encoding_signs.h - which encoding the first bytes of a file show.
 */
#ifndef CLI_ENCODING_SIGNS_H
#define CLI_ENCODING_SIGNS_H

#include <stdbool.h>
#include <stddef.h>

/** Finds the encoding that the first bytes show: UTF-16 and UTF-32 by a byte order mark, UTF-16 by its NUL bytes, and
 *  if `letters`, Windows-1252 by letters that are no UTF-8. NULL: UTF-8, as far as can be seen. */
const char *cli_encoding_shown(const char *data, size_t length, bool letters);

#endif
