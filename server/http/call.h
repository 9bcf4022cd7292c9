/* One request on its way through the server: what a handler sees.
 *
 * Life: the HTTP thread makes it, reads headers, verifies the signature, finds the operation,
 * receives the body and decodes the input. OP_READ operations then run right there with a
 * read-only database; all others run on the core thread inside the pass's transaction, in a mark of
 * their own (a failing handler leaves no trace), and are answered after the commit. */
#ifndef CISTERN_HTTP_CALL_H
#define CISTERN_HTTP_CALL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/buf.h"
#include "server/base/digest.h"
#include "server/base/str.h"
#include "server/service.h"
#include "server/store/blob.h"

struct core;
struct db;
struct call_reply;
struct http_exchange;

/* Limits by name. */
#define HTTP_BODY_MAX (16u << 20)          /* in-memory request bodies */
#define HTTP_BIG_BODY_MAX (96u << 20)      /* OP_BIG_IN: a 50 MB zip in base64 inside JSON */
#define HTTP_HEADERS_MAX (24u << 10)
#define CALL_ARENA_MAX (256u << 20)

/* Who calls. */
struct caller {
    struct str access_key; /* absent: anonymous */
    struct str account;    /* 12 digits; the default account when nothing selects another */
    struct str region;     /* from the credential scope, else the default */
    struct str arn;        /* of the principal when we issued the key, else absent */
    struct str user_id;
    bool verified;         /* the signature was checked and is right */
};

/* The request body. */
struct call_body {
    struct str bytes;     /* in memory, decoded from aws-chunked; absent for OP_STREAM_IN */
    bool staged;          /* OP_STREAM_IN: the bytes are in `ref`; whoever takes them sets it false */
    struct blob_ref ref;
    int64_t size;         /* decoded bytes */
    unsigned want;        /* set by service->prepare: 1u << DIGEST_MD5 | … */
    unsigned char digest[DIGEST_KINDS][DIGEST_MAX]; /* those wanted, valid when the handler runs */
};

struct call {
    struct core *core;
    const struct service *service;
    void *state; /* the service's */
    const struct op *op;
    struct arena *arena;
    struct db *db; /* core's, or this thread's read-only one for OP_READ and prepare */

    struct caller caller;
    enum protocol protocol;
    struct str request_id;
    struct str host_id;   /* S3's x-amz-id-2 */
    struct str source_ip; /* of the peer */
    struct str method;
    struct str path;  /* raw, as sent, without the query */
    struct str query; /* raw, without '?' */
    struct str host;  /* Host header */
    /* S3 addressing, filled by the router from path or virtual host; decoded. Absent elsewhere. */
    struct str bucket;
    struct str key;
    int64_t received_ms;

    struct call_body body;
    void *in;  /* decoded input struct of op->in, in the arena */
    void *out; /* zeroed output struct of op->out */

    struct call_reply *reply;   /* filled through the functions below */
    struct http_exchange *http; /* transport; NULL in tests */
};

/* --- request ----------------------------------------------------------------------------------- */
/* Header (case-insensitive; trailers of aws-chunked bodies count), absent when not sent. */
struct str call_header_named(const struct call *c, struct str name);
static inline struct str call_header(const struct call *c, const char *name)
{
    return call_header_named(c, str_z(name)); /* the length of a literal is known here */
}
/* Walks all headers: start with *it = 0. */
bool call_each_header(const struct call *c, size_t *it, struct str *ret_name, struct str *ret_value);
/* For forms whose fields stand for headers (S3's browser uploads): forgets the request's own
 * headers; adds one. Handlers; name and value must live as long as the call. */
void call_forget_headers(struct call *c);
void call_add_header(struct call *c, struct str name, struct str value);
/* Query parameter, decoded: true when the key is there (`?k` and `?k=` give an empty value). */
bool call_query(const struct call *c, const char *name, struct str *ret_value);
/* "arn:aws:<service>:<region>:<account>:<resource>" with the caller's region and account. */
struct str call_arn(const struct call *c, const char *service, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* --- answer ------------------------------------------------------------------------------------ */
/* Records the client's error and returns ST_AWS: `return call_fail(c, &x, "Job %.*s not found.", …)`.
 * A NULL fmt takes the error's own text. */
enum status call_fail(struct call *c, const struct aws_error *error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Extra element of the error document (S3: BucketName, Key, ArgumentName…). */
void call_fail_field(struct call *c, const char *name, struct str value);
/* Handler's end for a status that is nobody's fault: ST_OK and ST_AWS pass, ST_NOMEM becomes 503,
 * everything else 500 with the reason in the log. */
enum status call_status(struct call *c, enum status st);
/* Response header; replaces one of the same name. Values are copied. */
void call_set_header(struct call *c, const char *name, struct str value);
void call_set_http_status(struct call *c, int http_status);
/* The body is [off, off + len) of fd; ownership of fd moves. HEAD answers need no fd: pass -1. */
void call_reply_file(struct call *c, int fd, int64_t off, int64_t len);
/* The body is these bytes (copied), whatever the output shape says. */
void call_reply_bytes(struct call *c, struct str content_type, struct str bytes);

/* For handlers that returned ST_PENDING: core thread, exactly once. `st` as a handler's return.
 * The answer leaves after the commit of the pass. The call is gone afterwards. */
void call_finish(struct call *c, enum status st);
/* A pending call whose client hung up: fn(arg) on the core thread; the call must still be finished. */
void call_on_abort(struct call *c, void (*fn)(void *arg), void *arg);

#endif
