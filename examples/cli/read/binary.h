/* SPDX-License-Identifier: MIT
 * binary.h - files that are no text, by their first bytes.
 */
#ifndef CLI_BINARY_H
#define CLI_BINARY_H

#include <stddef.h>

/** Finds what to say of a file that is no text: what it is, and the command that makes text of it; NULL if its first
 *  bytes are of no such file. */
const char *cli_binary(const char *data, size_t length);

#endif
