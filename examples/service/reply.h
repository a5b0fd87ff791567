/* SPDX-License-Identifier: MIT
 * reply.h - what the service says: one line, as text or as a JSON object, in the way the client speaks.
 */
#ifndef SERVICE_REPLY_H
#define SERVICE_REPLY_H

#include "anomaly.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REPLY_SIZE = 2048 }; /* more than the longest takes: a metric of 255 bytes, each escaped */

/** A line being written; `size` bytes of it are there. */
typedef struct reply {
    bool json;
    bool tail; /* a verdict has one: there is a budget of alarms */
    size_t size;
    char text[REPLY_SIZE];
} reply;

/** To an event. `number` counts the lines of the connection, or of its source. */
void reply_verdict(reply *r, uint64_t number, const anomaly_verdict *verdict);

/** To a line that was refused; number 0: the message belongs to no line. `message` is printable ASCII. */
void reply_error(reply *r, uint64_t number, const char *reason, const char *message);

/** `!word`, `!word number`. JSON: {"word": number or true}. */
void reply_word(reply *r, const char *word);
void reply_count(reply *r, const char *word, uint64_t number);

/** `!source NAME lines=N`: the line that comes next is number N + 1. */
void reply_source(reply *r, const char *name, uint64_t lines);

/** `!silent last=... usual=... overdue=... metric=NAME`: seconds; the name is the rest of the line. */
void reply_silence(reply *r, const char *metric, size_t size, const anomaly_silence *silence);

/** `!stats count=... mean=... ...` */
void reply_stats(reply *r, const anomaly_stats *stats);

#endif
