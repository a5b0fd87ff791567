/* SPDX-License-Identifier: MIT
 * sql.h - what extensions of databases share: options in one text, the flags of a verdict in words, aligned memory.
 */
#ifndef COMMON_SQL_H
#define COMMON_SQL_H

#include <anomaly.h>

enum { SQL_ALIGNMENT = 16 };   /* of malloc, which the library counts on; memory of databases is aligned to 8 only */
enum { SQL_WORDS_SIZE = 400 }; /* bytes that the words of any flags fit in, with their NUL */

/** Makes a configuration from "kind=percentile window=1h": options of libanomaly with blanks between; without a kind
 *  it is zscore. Answers what anomaly_config_set() answers; `error` names the option. */
int sql_configure(const char *text, size_t length, anomaly_config *config, anomaly_error *error);

/** Writes the flags as "above|alarm" and answers the length. IS_ANOMALY has no word here. */
size_t sql_words(uint32_t flags, char text[SQL_WORDS_SIZE]);

/** Where the aligned part begins of memory that is SQL_ALIGNMENT bytes larger than what is needed; NULL stays NULL. */
void *sql_align(void *memory);

/** The memory as sql_align() got it, to give back. */
void *sql_unalign(void *aligned);

#endif
