/* SPDX-License-Identifier: MIT
 * http.c - /metrics for Prometheus and /healthz.
 */
#include "http.h"

#include <event2/buffer.h>
#include <event2/http.h>

enum { HEADERS_MOST = 8192, SECONDS_MOST = 5 };

static void answer(struct evhttp_request *request, const char *type, struct evbuffer *body)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
    evhttp_send_reply(request, HTTP_OK, "OK", body);
    evbuffer_free(body);
}

static void on_metrics(struct evhttp_request *request, void *ctx)
{
    struct evbuffer *body = evbuffer_new();
    if (body == NULL) {
        evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
        return;
    }
    metrics_write(ctx, body);
    answer(request, "text/plain; version=0.0.4; charset=utf-8", body);
}

static void on_health(struct evhttp_request *request, void *ctx)
{
    struct evbuffer *body = evbuffer_new();
    (void)ctx;
    if (body == NULL) {
        evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
        return;
    }
    evbuffer_add_printf(body, "ok\n");
    answer(request, "text/plain; charset=utf-8", body);
}

bool http_start(service *s)
{
    s->http = evhttp_new(s->base);
    if (s->http == NULL)
        return false;
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    evhttp_set_max_headers_size(s->http, HEADERS_MOST);
    evhttp_set_max_body_size(s->http, 0);
    evhttp_set_timeout(s->http, SECONDS_MOST);
    return evhttp_set_cb(s->http, "/metrics", on_metrics, s) == 0 && evhttp_set_cb(s->http, "/healthz", on_health, s) == 0 &&
           evhttp_bind_listener(s->http, s->web) != NULL;
}
