/* SPDX-License-Identifier: MIT */
/* Option values as text, whatever the locale. */
#ifndef AN_BASE_TEXT_H
#define AN_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* A decimal number at the start of text, correctly rounded. Returns what follows it, NULL where there is none (or it
 * is longer than 64 digits). */
const char *an_text_to_double(const char *text, double *value);

/* The whole text as a whole number. 0 when it is not one. */
int an_text_to_count(const char *text, uint64_t *value);

/* The whole text as a time, "1.5h", of units ns us ms s m h d, not negative. 0 when it is not one. */
int an_text_to_ns(const char *text, int64_t *ns);

/* The shortest text that reads back to the same double; at most 32 bytes with the NUL. The value is finite. */
void an_double_to_text(double value, char *text);

/* How many letters have to be added, left out, changed or swapped with the next one to turn one word into the other,
 * whatever their case; SIZE_MAX for words longer than 32. */
size_t an_text_distance(const char *a, const char *b);

/* "5m"; at most 32 bytes. */
void an_ns_to_text(int64_t ns, char *text);

#endif
