/* Which service, protocol and operation name a request means; S3's bucket and key. Works from the
 * descriptors alone, knows no service by name. Any thread.
 *
 * First match wins: the credential's scope, X-Amz-Target, the CBOR path, a presigned scope,
 * unsigned forms by their Version, dated REST paths, the host, and S3 for the rest. */
#ifndef CISTERN_HTTP_ROUTE_H
#define CISTERN_HTTP_ROUTE_H

#include "server/http/headers.h"
#include "server/service.h"

/* What the signature, if any, says about the service. */
struct route_scope {
    struct str service; /* "glue"; absent: not signed with version 4 */
    bool s3v2;          /* signed with version 2: S3 */
};

struct route {
    const struct service *service; /* NULL: none of ours, `wanted` tells */
    struct str wanted;             /* the scope, host or target that named an unknown service */
    enum protocol protocol;
    struct str op_name;     /* json, cbor: from target or path; query: from the URL; else absent */
    bool form;              /* op_name (and without a service: the service) is in the form body */
    struct str bucket, key; /* decoded; S3 only */
    struct str path;        /* path-style: for matching operations by their URI */
};

/* Bytes are borrowed from the request or live in the arena. */
void route_find(const struct service *const *list, const struct http_request *r,
                const struct route_scope *scope, struct arena *a, struct route *ret);
/* After the body of a form has arrived: fills op_name, and the service of an unsigned one. */
void route_form(const struct service *const *list, const struct http_request *r, struct str body,
                struct arena *a, struct route *ret);
/* Bucket of a virtual host ("b.localhost", "b.s3.eu-west-1.…"), absent for path style. */
struct str route_host_bucket(struct str host, struct arena *a);
/* The host without port and brackets. */
struct str route_host_name(struct str host);

#endif
