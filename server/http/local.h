/* A private HTTP server on the core loop, 127.0.0.1 and a port of its own: Lambda's Runtime API,
 * one per function instance. Everything on the core thread; no signatures, no limits on how long a
 * request is kept open. */
#ifndef CISTERN_HTTP_LOCAL_H
#define CISTERN_HTTP_LOCAL_H

#include <stddef.h>

#include "server/base/arena.h"
#include "server/base/str.h"

struct loop;
struct local_http;

#define LOCAL_BODY_MAX ((6u << 20) + 1024) /* larger bodies are answered 413 */

/* One request, complete with its body. Strings are borrowed until it is replied to. */
struct local_request {
    struct str method;
    struct str path;     /* raw, without the query */
    struct str query;    /* raw, without '?' */
    struct str body;     /* never absent */
    struct arena *arena; /* the handler may use it; freed with the request */
    void *user;          /* the handler's */
};

struct local_header {
    const char *name;
    struct str value;
};

/* Must lead to exactly one local_http_reply(), now or at any later time. */
typedef void (*local_http_fn)(void *arg, struct local_request *req);

/* Listens. ST_IO: no socket to be had (logged). Free with local_http_free. */
enum status local_http_new(struct loop *loop, local_http_fn handler, void *arg,
                           struct local_http **ret, int *ret_port) MUST_CHECK;
/* Answers kept requests with 503, closes everything. Not from within the handler. NULL is fine. */
void local_http_free(struct local_http *h);

/* Header of the request (case-insensitive), absent when not sent. */
struct str local_request_header(const struct local_request *req, const char *name);
/* Sends the answer; headers and body are copied. `req` is gone afterwards. Works as well when the
 * client has hung up meanwhile. */
void local_http_reply(struct local_request *req, int status, const struct local_header *headers,
                      size_t n_headers, struct str body);

#endif
