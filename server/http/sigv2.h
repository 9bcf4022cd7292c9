/* S3's Signature Version 2: `Authorization: AWS AK:sig`, and the presigned form that boto3 and the
 * aws CLI version 1 still make by default.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html */
#ifndef CISTERN_HTTP_SIGV2_H
#define CISTERN_HTTP_SIGV2_H

#include <stdbool.h>
#include <stdint.h>

#include "server/http/headers.h"
#include "server/http/sigv4.h"

struct sigv2 {
    bool query;
    struct str access_key;
    struct str signature; /* base64 */
    struct str date;      /* what stands in the date line: Date header or Expires */
    int64_t time_ms;      /* header form */
    int64_t expires_s;    /* presigned: epoch seconds */
    struct str session_token;
};

bool sigv2_present(const struct http_request *r);
enum status sigv2_parse(const struct http_request *r, struct arena *a, struct sigv2 *ret,
                        struct sig_problem *ret_problem) MUST_CHECK;
/* `bucket`: of a virtual-host request, else absent. */
bool sigv2_verify(const struct http_request *r, const struct sigv2 *s, struct str bucket,
                  struct str secret, struct arena *a, struct sig_text *ret_text);
/* POST form: HMAC-SHA1 of the policy's base64 text, in base64. */
bool sigv2_policy_verify(struct str secret, struct str policy_base64, struct str signature,
                         struct arena *a);

#endif
