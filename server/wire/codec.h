/* The one door between bytes and typed structs: decodes the input of an operation, encodes its
 * output or an error, in the protocol of the request. No sockets, no database, no `struct call`:
 * the caller lends a view. Any thread; the tables are constant, everything else is the arena's.
 *
 *   struct wire_request r = { … };
 *   if (codec_decode(&r, &in, &fail) == ST_AWS) codec_encode_error(&r, &fail, &reply);
 *   else … handler(c, in, out) … codec_encode(&r, out, &reply); */
#ifndef CISTERN_WIRE_CODEC_H
#define CISTERN_WIRE_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "server/base/arena.h"
#include "server/base/buf.h"
#include "server/base/str.h"
#include "server/service.h"
#include "server/wire/shape.h"

/* Limits by name. */
#define CODEC_BODY_MAX (128u << 20) /* of an encoded answer */

/* An URI label that the router knows already, decoded (S3's Bucket and Key of a virtual host). */
struct wire_label {
    const char *name;
    struct str value;
};

/* What the codec sees of a request. Views are borrowed and must outlive the decoded input. */
struct wire_request {
    enum protocol protocol;
    const struct service *service; /* NULL when not found (errors only) */
    const struct op *op;           /* NULL when not found (errors only) */
    struct arena *arena;
    struct str method;
    struct str path;       /* raw */
    struct str query;      /* raw, without '?' */
    struct str body;       /* decoded from chunks and gzip; absent for OP_STREAM_IN */
    struct str request_id; /* goes into query and ec2 answers, and error documents */
    struct str host_id;    /* S3 error documents, else absent */
    bool query_mode;       /* x-amzn-query-mode: true */
    /* Labels found here are not looked for in the path. */
    const struct wire_label *labels;
    size_t n_labels;
    /* The headers; both may be NULL when there are none. `each` as call_each_header. */
    struct str (*header)(const void *arg, const char *name);
    bool (*each_header)(const void *arg, size_t *it, struct str *ret_name, struct str *ret_value);
    const void *arg;
};

/* Extra element of an error document. */
struct wire_extra {
    const char *name;
    struct str value;
};

/* What the client will be told. Texts live in the arena. */
struct wire_failure {
    const struct aws_error *error;
    struct str text; /* absent: the error's own */
    const struct wire_extra *extras;
    size_t n_extras;
};

struct wire_header {
    struct str name, value;
};

/* An answer. Strings live in the request's arena; the body is the caller's: wire_reply_fini. */
struct wire_reply {
    int http_status;
    struct str content_type;     /* absent: no body */
    struct wire_header *headers; /* without Content-Type and Content-Length */
    size_t n_headers;
    size_t headers_cap;
    struct buf body;
};

/* Makes the input struct of r->op (NULL for an operation without input) and checks it: grammar,
 * types, required members, integer ranges, listed enums. ST_AWS: *ret_failure is filled with the
 * error that AWS gives in this protocol and service. ST_NOMEM: the arena's limit was passed. */
enum status codec_decode(const struct wire_request *r, void **ret_in,
                         struct wire_failure *ret_failure) MUST_CHECK;

/* A zeroed output struct for the operation; NULL when it has no output. */
void *codec_new_out(const struct op *op, struct arena *a);

/* Renders the output struct (of op->out; NULL when it has none). *ret_reply is initialised here.
 * The query protocols put request_id into the body. ST_NOMEM: larger than CODEC_BODY_MAX. */
enum status codec_encode(const struct wire_request *r, const void *out,
                         struct wire_reply *ret_reply) MUST_CHECK;

/* Renders an error. Needs protocol, arena, request_id and method of `r`; service and op may be
 * NULL. Answers to HEAD have no body. Adds x-amzn-ErrorType and x-amzn-query-error where due. */
enum status codec_encode_error(const struct wire_request *r, const struct wire_failure *failure,
                               struct wire_reply *ret_reply) MUST_CHECK;

void wire_reply_fini(struct wire_reply *reply);

/* Content type of the protocol's documents ("application/x-amz-json-1.1"). */
const char *codec_content_type(enum protocol protocol);

/* "Action" of a query or ec2 request, from the URL and the form body (decoded, in the arena);
 * absent when there is none. `name` may ask for another parameter ("Version"). */
struct str codec_form_value(struct arena *a, struct str query, struct str body, const char *name);

/* Operation by name; NULL when unknown. `ops` is sorted by name. */
const struct op *op_find(const struct op *ops, size_t n, struct str name);
/* Operation of a REST request: method, path template, literal query keys ("?acl", also as
 * "acl="), and required query parameters must fit; the most specific one wins, `x-id` decides
 * between equals. Required headers are not looked at (S3's copy operations: service->route).
 * `path` and `query` are raw. NULL: none fits. */
const struct op *op_match_rest(const struct op *ops, size_t n, struct str method, struct str path,
                               struct str query);

/* Errors that the machine itself gives; codes differ by protocol where AWS's do. */
extern const struct aws_error wire_NotImplemented;        /* 501, every protocol */
extern const struct aws_error wire_InternalFailure;       /* 500 */
extern const struct aws_error wire_ServiceUnavailable;    /* 503 */
extern const struct aws_error wire_RequestEntityTooLarge; /* 413 */
extern const struct aws_error wire_UnknownOperation;      /* json, cbor: 404 in rest, else 400 */
extern const struct aws_error wire_InvalidAction;         /* query, ec2 */
extern const struct aws_error wire_MethodNotAllowed;      /* rest-xml: 405 */
/* Which of the three above fits this protocol. */
const struct aws_error *codec_unknown_op(enum protocol protocol);

#endif
