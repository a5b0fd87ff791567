/* SPDX-License-Identifier: MIT
 * sql.h - what extensions of databases share: options in one text, and the flags of a verdict in words.
 */
#ifndef COMMON_SQL_H
#define COMMON_SQL_H

#include <anomaly.h>

enum { SQL_WORDS_SIZE = 400 }; /* bytes that the words of any flags fit in, with their NUL */

/** Makes a configuration from "kind=percentile window=1h": options of libanomaly with blanks between; without a kind
 *  it is zscore. Answers what anomaly_config_set() answers; `error` names the option. */
int sql_configure(const char *text, size_t length, anomaly_config *config, anomaly_error *error);

/** Writes the flags as "above|alarm" and answers the length. IS_ANOMALY has no word here. */
size_t sql_words(uint32_t flags, char text[SQL_WORDS_SIZE]);

#endif
