/* One object being written: rows are collected in memory, spilled into a staged file in large
 * pieces, hashed and (for .gz) compressed on the way; by a thread of its own, where it is given
 * one. One thread at a time. */
#ifndef CISTERN_DMS_FILE_H
#define CISTERN_DMS_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "emulators/dms/file/spool.h"
#include "server/store/blob.h"

#define DMS_FILE_SPILL ((size_t)256 << 10) /* bytes kept in memory before they are written */
#define DMS_FILE_PENDING_MAX \
    (3u << 30) /* the longest row: two 1 GiB values in hexadecimal don't fit */

struct dms_etag;

struct dms_file {
    struct blobs *blobs;
    struct dms_spool *spool; /* may be set after dms_file_init(); NULL: the caller's thread writes.
                              * The file must not be moved while it has bytes */
    bool gzip;
    struct buf pending; /* append rows here, then call dms_file_spill() */
    uint64_t spilled;   /* uncompressed bytes that have left `pending` */
    bool spooled;       /* the spool's thread may be at work on what follows */
    _Atomic int failed; /* enum status of its writing */
    int fd;             /* of the staged file; -1: not yet */
    int64_t id;
    struct dms_etag *etag;
    void *z; /* z_stream */
};

/* A finished object, not yet put. */
struct dms_piece {
    struct blob_ref ref;
    unsigned char md5[16]; /* as struct s3_put has it */
    int64_t part_bytes;    /* likewise */
};

void dms_file_init(struct dms_file *f, struct blobs *blobs, bool gzip);
/* Throws away what was written; the file can be used again. Also frees: safe twice. */
void dms_file_discard(struct dms_file *f);

/* Uncompressed bytes so far. */
static inline uint64_t dms_file_bytes(const struct dms_file *f)
{
    return f->spilled + f->pending.n;
}
/* Writes `pending` out when it is large. ST_IO: the disk refused (a spool tells it with a later
 * call); ST_NOMEM: a row was too long. */
enum status dms_file_spill(struct dms_file *f) MUST_CHECK;
/* Ends the object; the file is empty again afterwards, also on failure. */
enum status dms_file_finish(struct dms_file *f, struct dms_piece *ret) MUST_CHECK;
/* For a piece that won't be put. */
void dms_piece_discard(struct blobs *blobs, const struct dms_piece *p);

#endif
