/* SPDX-License-Identifier: MIT
 * listen.h - sockets to listen on.
 */
#ifndef SERVICE_LISTEN_H
#define SERVICE_LISTEN_H

#include <stdbool.h>

/** A listening TCP socket at "address:port", numbers only; says where in the log, under the name `what`. -1 after
 *  having said why not. */
int listen_tcp(const char *address, const char *what);

/** A listening Unix socket. One that a dead process has left there is replaced. -1 after having said why not. */
int listen_unix(const char *path);

/** Lowers the limit of descriptors to what `connections` clients need, or raises it. */
bool listen_limit_descriptors(unsigned long long connections);

#endif
