/* SPDX-License-Identifier: MIT
 * silence.h - tells the clients that ask for it (!silent) of metrics of which an event is overdue.
 */
#ifndef SERVICE_SILENCE_H
#define SERVICE_SILENCE_H

#include "connection.h"

/** Tells whether the service runs with the option silence. */
bool silence_is_watched(const service *s);

/** The client wants to hear of the metrics that are silent now, and of each that becomes so. */
void silence_begin(connection *c);

/** Counts the metrics that are silent now. Cost: a pass over all. */
uint64_t silence_count(const service *s);

/** Once a second: looks which metrics have become silent, if any client wants to hear of them. */
void silence_look(service *s);

#endif
