/* SPDX-License-Identifier: MIT
 * names.h - what the name of a column says of it.
 */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/** Tells whether the name is in the list, in upper or lower case. */
bool cli_name_in(const char *const *names, size_t count, const char *name);

/** Answers the i-th of the names that a column of times usually has, the surest first; NULL past the last. */
const char *cli_name_of_time(size_t i);
bool cli_name_is_time(const char *name);

/** Tells whether a column of that name may be one of times if its values are such: epoch_ms, created_at, unix_time. */
bool cli_name_may_be_time(const char *name);

/** Tell by its name a column that says which rows are anomalies; that numbers the rows (the index of pandas has an
 *  empty name); whose numbers name something: pid, http.port; whose words say of what a row is: host, disk. */
bool cli_name_is_label(const char *name);
bool cli_name_is_id(const char *name);
bool cli_name_is_number_of(const char *name);
bool cli_name_is_key(const char *name);

#endif
