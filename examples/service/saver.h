/* SPDX-License-Identifier: MIT
 * saver.h - saves the state from time to time, without making anybody wait: a forked child writes it.
 *
 * The child's memory is the parent's of the moment of the fork (copied by the kernel page by page, where the parent
 * goes on to write), so the pool and the numbers in the file belong together. A second thread would need locks, and
 * would save each key as it is at a moment of its own.
 */
#ifndef SERVICE_SAVER_H
#define SERVICE_SAVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct event;
struct service;

typedef struct saver {
    pid_t child; /* 0 = none */
    bool again;  /* asked for while the child was at it */
    double started;
    uint64_t saved_lines; /* how many lines had been received at the last save */
    struct event *timer, *reaped;
    int lock; /* -1 = none */
} saver;

/** With --state: locks the file, starts the timer. */
bool saver_start(struct service *s);

/** Saves as soon as may be; when it is done, conn_saved() tells the clients. */
void saver_request(struct service *s);

/** Saves now and waits for it: the last save. */
bool saver_finish(struct service *s);

void saver_free(struct service *s);

#endif
