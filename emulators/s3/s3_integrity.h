/* Checks that bytes arrived as sent: Content-MD5, x-amz-checksum-… as header or trailer. */
#ifndef CISTERN_S3_INTEGRITY_H
#define CISTERN_S3_INTEGRITY_H

#include "emulators/s3/s3_checksum.h"
#include "server/http/call.h"

struct s3_integrity {
    struct str md5;   /* 16 bytes, absent: not sent */
    enum s3_alg alg;  /* of the header or the announced trailer, NONE: neither */
    struct str value; /* base64 as sent; absent: not (yet) there */
};
/* Reads and checks the headers. Before the body has arrived a trailer has no value yet. */
enum status s3_integrity_read(struct call *c, struct s3_integrity *ret) MUST_CHECK;
/* Compares with the digests of the staged body. BadDigest. */
enum status s3_integrity_check(struct call *c, const struct s3_integrity *want) MUST_CHECK;
/* The same for a body in memory; `required`: one of the two must have been sent. */
enum status s3_integrity_check_bytes(struct call *c, bool required) MUST_CHECK;
/* base64 of the staged body's digest; it must have been wanted. */
struct str s3_body_checksum(struct call *c, enum s3_alg alg);

#endif
