/* Copying bytes off the core thread: pieces of existing files become one new staged file, hashed on
 * the way when asked. For CopyObject, UploadPartCopy and CompleteMultipartUpload. */
#ifndef CISTERN_S3_JOIN_H
#define CISTERN_S3_JOIN_H

#include <stdint.h>

#include "emulators/s3/s3_service.h"
#include "server/base/digest.h"

struct s3_join_piece {
    int fd; /* owned by the job, -1: `ref` lies in tmp/ and is opened by the worker */
    struct blob_ref ref;
    int64_t off, len;
};

/* In the call's arena; filled by the starter, then the worker's until `done` runs on the core
 * thread. */
struct s3_join {
    struct s3 *s3;
    struct s3_join_piece *pieces;
    size_t n;
    unsigned want; /* 1u << DIGEST_MD5 | … */
    void (*done)(struct s3_join *join, void *arg);
    void *arg;
    /* result */
    enum status st;      /* ST_NOT_FOUND: a piece is gone */
    struct blob_ref ref; /* of the new file, `done` owns it when st is ST_OK */
    unsigned char digest[DIGEST_KINDS][DIGEST_MAX];
};
/* Core thread. `done` is called exactly once, later. */
void s3_join_start(struct s3_join *join);
/* Throws the result away. */
void s3_join_discard(struct s3_join *join);

#endif
