#include "emulators/dms/file/file.h"

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>
#include <zlib.h>

#include "emulators/dms/file/etag.h"
#include "server/base/log.h"
#include "server/base/mem.h"

#define GZIP_CHUNK (64u << 10)
#define GZIP_LEVEL 6

void dms_file_init(struct dms_file *f, struct blobs *blobs, bool gzip)
{
    *f = (struct dms_file){ .blobs = blobs, .gzip = gzip, .fd = -1 };
    buf_init(&f->pending, DMS_FILE_PENDING_MAX);
}

/* Waits for the spool: the staged file is this thread's again. */
static enum status settle(struct dms_file *f)
{
    if (f->spooled) {
        dms_spool_wait(f->spool);
        f->spooled = false;
    }
    return (enum status)atomic_load_explicit(&f->failed, memory_order_relaxed);
}

/* Back to empty; the staged file is somebody else's or gone. */
static void forget(struct dms_file *f)
{
    if (f->z) {
        deflateEnd(f->z);
        free(f->z);
    }
    dms_etag_free(f->etag);
    f->etag = NULL;
    f->z = NULL;
    f->fd = -1;
    f->spilled = 0;
    atomic_store_explicit(&f->failed, ST_OK, memory_order_relaxed);
    if (f->pending.cap > 4 * DMS_FILE_SPILL || f->pending.failed) {
        buf_fini(&f->pending);
        buf_init(&f->pending, DMS_FILE_PENDING_MAX);
    } else {
        buf_clear(&f->pending);
    }
}

void dms_file_discard(struct dms_file *f)
{
    status_ignore(settle(f));
    if (f->fd >= 0) {
        blob_discard(f->blobs, f->fd, f->id);
    }
    forget(f);
    buf_fini(&f->pending);
    buf_init(&f->pending, DMS_FILE_PENDING_MAX);
}

static enum status open_file(struct dms_file *f)
{
    enum status st = blob_stage(f->blobs, &f->fd, &f->id);
    if (st != ST_OK) {
        f->fd = -1;
        return st;
    }
    f->etag = dms_etag_new();
    if (f->gzip) {
        z_stream *z = xcalloc(1, sizeof(*z));
        /* 16: a gzip header, which zlib writes without name and with time 0 */
        if (deflateInit2(z, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
            free(z);
            return ST_IO;
        }
        f->z = z;
    }
    return ST_OK;
}

static enum status write_all(struct dms_file *f, const void *p, size_t n)
{
    const char *at = p;
    for (size_t left = n; left > 0;) {
        ssize_t w = write(f->fd, at, left);
        if (w < 0) {
            if (errno == EINTR) {
                continue;
            }
            log_error("dms", "cannot write a staged file: %s", strerrordesc_np(errno));
            return ST_IO;
        }
        at += w;
        left -= (size_t)w;
    }
    return dms_etag_add(f->etag, f->fd, p, n);
}

static enum status compress_out(struct dms_file *f, const char *p, size_t n, int flush)
{
    z_stream *z = f->z;
    CLEANUP(free_ptr) unsigned char *out = xmalloc(GZIP_CHUNK);
    int rc = Z_OK;
    do {
        size_t step = n > (1u << 30) ? (1u << 30) : n;
        z->next_in = (unsigned char *)(uintptr_t)p;
        z->avail_in = (unsigned)step;
        p += step;
        n -= step;
        do {
            z->next_out = out;
            z->avail_out = GZIP_CHUNK;
            rc = deflate(z, n == 0 ? flush : Z_NO_FLUSH);
            if (rc == Z_STREAM_ERROR) {
                return ST_IO;
            }
            enum status st = write_all(f, out, GZIP_CHUNK - z->avail_out);
            if (st != ST_OK) {
                return st;
            }
        } while (z->avail_out == 0);
    } while (n > 0);
    return flush != Z_FINISH || rc == Z_STREAM_END ? ST_OK : ST_IO;
}

static enum status write_out(struct dms_file *f, struct str bytes, int flush)
{
    if (f->fd < 0) {
        enum status st = open_file(f);
        if (st != ST_OK) {
            return st;
        }
    }
    return f->gzip ? compress_out(f, bytes.p, bytes.n, flush) : write_all(f, bytes.p, bytes.n);
}

/* On the spool's thread. After a failure the rest is dropped. */
static void write_spooled(void *arg, struct str bytes)
{
    struct dms_file *f = arg;
    if (atomic_load_explicit(&f->failed, memory_order_relaxed) == ST_OK) {
        atomic_store_explicit(&f->failed, (int)write_out(f, bytes, Z_NO_FLUSH),
                              memory_order_relaxed);
    }
}

enum status dms_file_spill(struct dms_file *f)
{
    if (!buf_ok(&f->pending)) {
        return ST_NOMEM;
    }
    if (f->pending.n < DMS_FILE_SPILL) {
        return ST_OK;
    }
    f->spilled += f->pending.n;
    if (f->spool) {
        f->spooled = true;
        dms_spool_push(f->spool, write_spooled, f, &f->pending);
        return (enum status)atomic_load_explicit(&f->failed, memory_order_relaxed);
    }
    enum status st = write_out(f, buf_str(&f->pending), Z_NO_FLUSH);
    buf_clear(&f->pending);
    return st;
}

enum status dms_file_finish(struct dms_file *f, struct dms_piece *ret)
{
    enum status st = settle(f);
    if (st == ST_OK) {
        st = buf_ok(&f->pending) ? write_out(f, buf_str(&f->pending), Z_FINISH) : ST_NOMEM;
    }
    if (st == ST_OK) {
        st = dms_etag_end(f->etag, f->fd, ret->md5, &ret->part_bytes);
    }
    if (st == ST_OK) {
        st = blob_stage_end(f->blobs, f->fd, f->id, &ret->ref);
        f->fd = -1; /* closed by blob_stage_end, whatever it returns */
    }
    if (st != ST_OK) {
        dms_file_discard(f);
        return st;
    }
    forget(f);
    return ST_OK;
}

void dms_piece_discard(struct blobs *blobs, const struct dms_piece *p)
{
    blob_discard(blobs, -1, p->ref.id);
}
