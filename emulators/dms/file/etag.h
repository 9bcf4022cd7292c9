/* The ETag of a file while it is written. AWS doesn't say how DMS sends a file to S3, but for one
 * target it does: RedshiftSettings' FileTransferUploadStreams are those that upload a single .csv
 * file by multipart upload. So our files go as the transfer manager of the SDK for C++ sends them
 * by default: what isn't longer than 5 MiB in one go, all else in parts of that size. The ETag is
 * the MD5 of the parts' MD5s then, and they needn't be hashed one after another.
 * One thread at a time. */
#ifndef CISTERN_DMS_ETAG_H
#define CISTERN_DMS_ETAG_H

#include <stddef.h>
#include <stdint.h>

#include "server/base/status.h"

#define DMS_PART_BYTES (5u << 20)

struct dms_etag;

struct dms_etag *dms_etag_new(void) __attribute__((returns_nonnull));
/* NULL is fine. */
void dms_etag_free(struct dms_etag *e);
/* The next bytes of the file; they are in `fd` too, which can be read. ST_IO: it can't (logged). */
enum status dms_etag_add(struct dms_etag *e, int fd, const void *p, size_t n) MUST_CHECK;
/* The file ends here. *ret_part_bytes is 0 if it is put in one go; else all parts but the last have
 * so many bytes. */
enum status dms_etag_end(struct dms_etag *e, int fd, unsigned char ret_md5[16],
                         int64_t *ret_part_bytes) MUST_CHECK;

#endif
