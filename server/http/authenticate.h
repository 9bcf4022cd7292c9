/* Who sent the request, and may we believe it: policy on top of sigv4.c and sigv2.c.
 *
 * Lenient (default): keys that we issued must sign rightly; everybody else is taken at his word.
 * Strict: every signature is checked, unknown keys and anonymous callers are refused (except for
 * OP_NO_AUTH operations). A 12-digit key selects the account of that number; its secret is the
 * configured one. HTTP thread. */
#ifndef CISTERN_HTTP_AUTHENTICATE_H
#define CISTERN_HTTP_AUTHENTICATE_H

#include <stdbool.h>

#include "server/http/auth.h"
#include "server/http/sigv2.h"
#include "server/http/sigv4.h"
#include "server/service.h"

struct aws_chunked_options;
struct call;
struct http_exchange;

#define AUTH_SKEW_MAX_MS INT64_C(900000)

enum auth_kind { AUTH_NONE, AUTH_V4, AUTH_V2 };

struct http_auth {
    enum auth_kind kind;
    struct sigv4 v4;
    struct sigv2 v2;
    bool malformed;
    struct sig_problem problem;
    struct str secret;    /* absent: the key is unknown and the caller is believed */
    bool must_verify;     /* a wrong signature refuses the request */
    bool wants_body_hash; /* the signature covers a body hash that the client did not state */
    bool check_payload;   /* the stated hash must be the body's */
};

/* What can be refused. */
enum auth_fault {
    FAULT_MISSING,
    FAULT_HEADER,  /* malformed Authorization */
    FAULT_QUERY,   /* malformed X-Amz-… parameters */
    FAULT_KEY,     /* unknown access key */
    FAULT_TOKEN,   /* session token missing or not the key's */
    FAULT_EXPIRED, /* temporary credentials */
    FAULT_SIGNATURE,
    FAULT_SKEW,
    FAULT_URL_EXPIRED,
    FAULT_UNSIGNED, /* x-amz-* header that is not covered */
    FAULT_PAYLOAD,  /* body differs from the stated hash */
    FAULT_UNSUPPORTED,
    AUTH_FAULTS,
};
/* The error for it in this protocol. */
const struct aws_error *auth_error(enum auth_fault fault, enum protocol protocol);

/* Reads signature and scope; needs x->request. */
void auth_read(struct http_exchange *x);
/* Fills call->caller and checks what can be checked without the body. Needs the route. ST_AWS. */
enum status auth_check(struct http_exchange *x) MUST_CHECK;
/* Anonymous callers of this operation: needs x->call.op. ST_AWS. */
enum status auth_check_op(struct http_exchange *x) MUST_CHECK;
/* The rest, when the body is there: `body_sha256` (hex) of the bytes as sent. ST_AWS. */
enum status auth_check_body(struct http_exchange *x, struct str body_sha256) MUST_CHECK;
/* Seeds the chain of chunk signatures of this request. */
void auth_chunk_options(struct http_exchange *x, struct aws_chunked_options *ret);

#endif
