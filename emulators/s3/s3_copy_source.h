/* The source of CopyObject and UploadPartCopy. Core thread. */
#ifndef CISTERN_S3_COPY_SOURCE_H
#define CISTERN_S3_COPY_SOURCE_H

#include "emulators/s3/s3_service.h"

/* Reads x-amz-copy-source, finds the object and checks the x-amz-copy-source-if-… conditions and
 * the owner that the client expects. */
enum status s3_copy_source(struct call *c, struct s3_object_row *ret) MUST_CHECK;
/* Opens its bytes; the caller owns the fd. */
enum status s3_copy_source_open(struct call *c, const struct s3_object_row *source,
                                int *ret_fd) MUST_CHECK;

#endif
