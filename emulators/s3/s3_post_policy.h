/* The policy document of a browser's upload form: what the signer allows. Pure; any thread.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html */
#ifndef CISTERN_S3_POST_POLICY_H
#define CISTERN_S3_POST_POLICY_H

#include "emulators/s3/s3_form.h"

enum s3_policy_verdict {
    S3_POLICY_ALLOWS,
    S3_POLICY_INVALID, /* InvalidPolicyDocument */
    S3_POLICY_DENIES,  /* AccessDenied */
    S3_POLICY_TOO_SMALL,
    S3_POLICY_TOO_LARGE,
};
struct s3_policy_answer {
    struct str text; /* INVALID, DENIES: AWS's words */
    int64_t limit;   /* TOO_…: bytes */
};
struct s3_policy_case {
    struct str policy; /* base64 as sent */
    const struct s3_form *form;
    struct str bucket;
    struct str key; /* as it will be used */
    int64_t now_ms;
};
enum s3_policy_verdict s3_post_policy(struct arena *a, const struct s3_policy_case *in,
                                      struct s3_policy_answer *ret);

#endif
