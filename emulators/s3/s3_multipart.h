/* What the files about multipart uploads share. */
#ifndef CISTERN_S3_MULTIPART_H
#define CISTERN_S3_MULTIPART_H

#include "emulators/s3/s3_integrity.h"
#include "emulators/s3/s3_service.h"

/* The upload of the call's bucket and key; NoSuchUpload. */
enum status s3_need_upload(struct call *c, struct str id, struct s3_upload_row *ret) MUST_CHECK;
/* Before a part's bytes arrive: the upload exists, and its algorithm fits what the client says it
 * will send; *ret_alg: the one to compute for the part. HTTP thread. */
enum status s3_part_algorithm(struct call *c, struct str upload_id, const struct s3_integrity *want,
                              enum s3_alg *ret_alg) MUST_CHECK;
/* The algorithm of the parts' checksums: the upload's, or CRC64NVME when the client named none. */
enum s3_alg s3_upload_alg(const struct s3_upload_row *upload);
/* 1 … 10000. */
enum status s3_check_part_number(struct call *c, const struct opt_i64 *number) MUST_CHECK;
/* The call's streamed body as a staged file (an empty one when nothing was sent). Core thread. The
 * call keeps it until c->body.staged is set to false. */
enum status s3_take_body(struct call *c, struct blob_ref *ret) MUST_CHECK;
/* Writes a part's row and gives up the file of the part that it replaces. Core thread. */
enum status s3_write_part(struct s3 *s3, struct arena *a, struct str upload_id,
                          struct s3_part_row *part) MUST_CHECK;
/* Deletes an upload with the files of its parts. Core thread. */
enum status s3_drop_upload(struct s3 *s3, struct arena *a, struct str upload_id) MUST_CHECK;

/* Sets the member for this algorithm in any generated struct that has the Checksum… members. */
#define S3_SET_CHECKSUM(out, algorithm, value)  \
    do {                                        \
        switch (algorithm) {                    \
        case S3_ALG_CRC32:                      \
            (out)->ChecksumCRC32 = (value);     \
            break;                              \
        case S3_ALG_CRC32C:                     \
            (out)->ChecksumCRC32C = (value);    \
            break;                              \
        case S3_ALG_CRC64NVME:                  \
            (out)->ChecksumCRC64NVME = (value); \
            break;                              \
        case S3_ALG_SHA1:                       \
            (out)->ChecksumSHA1 = (value);      \
            break;                              \
        case S3_ALG_SHA256:                     \
            (out)->ChecksumSHA256 = (value);    \
            break;                              \
        case S3_ALG_SHA512:                     \
            (out)->ChecksumSHA512 = (value);    \
            break;                              \
        case S3_ALG_MD5:                        \
            (out)->ChecksumMD5 = (value);       \
            break;                              \
        default:                                \
            break;                              \
        }                                       \
    } while (0)

#endif
