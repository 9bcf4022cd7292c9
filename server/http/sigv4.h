/* AWS Signature Version 4: header and presigned form, the chain of signed chunks, POST policies.
 * Pure functions over borrowed request text; no clock, no policy about who may do what (auth.c).
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html */
#ifndef CISTERN_HTTP_SIGV4_H
#define CISTERN_HTTP_SIGV4_H

#include <stdbool.h>
#include <stdint.h>

#include "server/http/headers.h"

#define SIGV4_EXPIRES_MAX_S 604800 /* a presigned URL lives a week at most */
#define SIGV4_KEY_BYTES 32

struct sigv4 {
    bool query;      /* presigned */
    bool asymmetric; /* AWS4-ECDSA-P256-SHA256 (SigV4a): parsed for its scope, cannot be verified */
    struct str access_key;
    struct str date, region, service; /* credential scope; no region when asymmetric */
    struct str signed_headers;        /* "host;x-amz-date" */
    struct str signature;             /* hex as sent */
    struct str time;                  /* "20261120T070809Z" */
    int64_t time_ms;
    int64_t expires_s;       /* presigned only */
    struct str payload_hash; /* as the client states it; absent: SHA-256 of the body is meant */
    struct str session_token;
};

/* Why a signature could not be read. */
struct sig_problem {
    bool query;       /* in the query parameters, else in the header */
    const char *text; /* constant sentence for the client */
};

/* Has the request SigV4 in its Authorization header or its query? Cheap. */
bool sigv4_present(const struct http_request *r);
/* ST_INVALID: malformed, *ret_problem says how; *ret still holds what could be read (the service
 * above all, so that the error can be sent in its protocol). */
enum status sigv4_parse(const struct http_request *r, struct arena *a, struct sigv4 *ret,
                        struct sig_problem *ret_problem) MUST_CHECK;

/* The texts that were signed, as S3 shows them to a client whose signature is wrong. */
struct sig_text {
    struct str canonical; /* absent for version 2 */
    struct str to_sign;
};
/* Is the signature right for this secret? `body_hash` (hex) counts when s->payload_hash is absent.
 * `ret_text` may be NULL. */
bool sigv4_verify(const struct http_request *r, const struct sigv4 *s, struct str secret,
                  struct str body_hash, struct arena *a, struct sig_text *ret_text);
/* The first x-amz-* header that was not signed, or absent. */
struct str sigv4_unsigned_header(const struct http_request *r, const struct sigv4 *s);

/* The derived signing key; a small cache per thread makes repeats cheap. */
void sigv4_key(struct str secret, struct str date, struct str region, struct str service,
               unsigned char out[SIGV4_KEY_BYTES]);
/* "20261120/us-east-1/s3/aws4_request" */
struct str sigv4_scope(struct arena *a, const struct sigv4 *s);
/* Splits "AK/date/region/service/aws4_request" (a POST form's x-amz-credential too). */
enum status sigv4_credential(struct str credential, struct sigv4 *ret) MUST_CHECK;
/* Signature of a POST form: over the base64 text of its policy. */
bool sigv4_policy_verify(const struct sigv4 *s, struct str secret, struct str policy_base64,
                         struct str signature_hex, struct arena *a);
/* Hex HMAC-SHA256 under a signing key, compared in constant time. */
bool sigv4_hmac_is(const unsigned char key[SIGV4_KEY_BYTES], struct str text, struct str hex,
                   struct arena *a);

#endif
