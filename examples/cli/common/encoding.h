/* SPDX-License-Identifier: MIT
 * encoding.h - encodings of text by their names.
 */
#ifndef CLI_ENCODING_H
#define CLI_ENCODING_H

#include <stdbool.h>

/** The encodings that need no iconv(3); small containers lack its tables. */
enum cli_encoding { CLI_ENCODING_OTHER, CLI_UTF8, CLI_UTF16_LITTLE, CLI_UTF16_BIG, CLI_WINDOWS_1252 };

/** Finds an encoding by its name, in upper or lower case. */
enum cli_encoding cli_encoding_find(const char *name);

/** Tells whether text of an encoding can be read on this machine. */
bool cli_encoding_known(const char *name);

#endif
