/* S3's additional checksums: the algorithms, and what a multipart object's checksum is made of.
 * Pure; any thread. Values are base64 of big-endian bytes, as they travel.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html */
#ifndef CISTERN_S3_CHECKSUM_H
#define CISTERN_S3_CHECKSUM_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/digest.h"
#include "server/base/str.h"

/* Stored in the database: never renumber. */
enum s3_alg {
    S3_ALG_NONE = 0,
    S3_ALG_CRC32 = 1,
    S3_ALG_CRC32C = 2,
    S3_ALG_CRC64NVME = 3,
    S3_ALG_SHA1 = 4,
    S3_ALG_SHA256 = 5,
    S3_ALG_SHA512 = 6,
    S3_ALG_MD5 = 7,
    S3_ALGS,
};

struct s3_alg_info {
    const char *name;   /* "CRC32", as in members and answers */
    const char *header; /* "x-amz-checksum-crc32" */
    enum digest_kind digest;
    bool full;      /* multipart checksums of type FULL_OBJECT are possible */
    bool composite; /* multipart checksums of type COMPOSITE are possible */
};

/* Of S3_ALG_CRC32 … S3_ALG_MD5. */
const struct s3_alg_info *s3_alg_info(enum s3_alg alg);
/* By name in any case; S3_ALG_NONE when unknown or not computed here (the XXHASH family). */
enum s3_alg s3_alg_find(struct str name);
/* The algorithm whose header this is (any case), or S3_ALG_NONE. */
enum s3_alg s3_alg_of_header(struct str header);

/* "COMPOSITE" or "FULL_OBJECT". */
struct str s3_checksum_type(bool composite);

/* One part of a multipart object. */
struct s3_part_sum {
    struct str value; /* base64 */
    uint64_t size;    /* bytes */
};
/* COMPOSITE: base64(alg(raw₁ ‖ raw₂ ‖ …)) and "-N". ST_INVALID: a value isn't one of `alg`. */
enum status s3_checksum_composite(struct arena *a, enum s3_alg alg, const struct s3_part_sum *parts,
                                  size_t n, struct str *ret) MUST_CHECK;
/* FULL_OBJECT: the CRC of the concatenated parts from theirs. ST_INVALID: as above, or no CRC. */
enum status s3_checksum_full(struct arena *a, enum s3_alg alg, const struct s3_part_sum *parts,
                             size_t n, struct str *ret) MUST_CHECK;
/* hex(md5(md5₁ ‖ md5₂ ‖ …)) and "-N" from the parts' hexadecimal MD5s. ST_INVALID: bad input. */
enum status s3_etag_multipart(struct arena *a, const struct str *md5_hex, size_t n,
                              struct str *ret) MUST_CHECK;

#endif
