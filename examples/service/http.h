/* SPDX-License-Identifier: MIT
 * http.h - /metrics for Prometheus and /healthz, by libevent's HTTP server.
 */
#ifndef SERVICE_HTTP_H
#define SERVICE_HTTP_H

#include "service.h"

/** Serves what s->web accepts, which belongs to s->http then. False if there is no memory. */
bool http_start(service *s);

#endif
