/* SPDX-License-Identifier: MIT
 * log.h - the service's own words, on standard error. What clients send, metrics and values, is never among them.
 */
#ifndef SERVICE_LOG_H
#define SERVICE_LOG_H

#include <stdbool.h>

#ifdef __GNUC__
#define LOG_FORMAT __attribute__((format(printf, 1, 2)))
#else
#define LOG_FORMAT
#endif

/** One line, in one write. */
void log_say(const char *format, ...) LOG_FORMAT;

/** The same; answers false, so that a caller can return it. */
bool log_wrong(const char *format, ...) LOG_FORMAT;

#endif
