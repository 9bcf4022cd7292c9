/* The first parts are hashed as they pass. Of a long file, the others are read back (from the page
 * cache, as they have just been written) in groups that are hashed side by side, a little with
 * every piece that is added: that takes a third of the time, also with the reading. */
#include "emulators/dms/file/etag.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/base/digest.h"
#include "server/base/log.h"
#include "server/base/md5_lanes.h"
#include "server/base/mem.h"

/* Files of changes are put as soon as they are complete: nothing of those that have the usual size
 * (32 MB) shall be left to do then. */
#define PASSING_PARTS 7
#define PASSING_BYTES ((uint64_t)PASSING_PARTS * DMS_PART_BYTES)
#define STRIDE ((size_t)16 << 10) /* what is read of every part of a group at a time */
#define HASTE 4                   /* bytes that are read back at most per byte that is added */
#define GROUP_MIN 4               /* fewer parts are quicker one after another */

_Static_assert(DMS_PART_BYTES % STRIDE == 0 && STRIDE % MD5_BLOCK == 0, "whole strides and blocks");

struct dms_etag {
    uint64_t bytes;     /* so far */
    uint64_t hashed;    /* of them, in whole parts, whose MD5s are in `whole` */
    struct digest *md5; /* of the part at `hashed`, while parts are hashed as they pass */
    struct digest *whole;

    /* the parts at `hashed` that are being read back */
    struct md5_lanes group; /* n = 0: none */
    unsigned char *strides; /* MD5_LANES of them; NULL: not needed yet */
};

struct dms_etag *dms_etag_new(void)
{
    struct dms_etag *e = xcalloc(1, sizeof(*e));
    e->md5 = digest_new(DIGEST_MD5);
    e->whole = digest_new(DIGEST_MD5);
    return e;
}

void dms_etag_free(struct dms_etag *e)
{
    if (e) {
        digest_free(e->md5);
        digest_free(e->whole);
        free(e->strides);
        free(e);
    }
}

/* The part at `hashed` is complete. */
static void part_done(struct dms_etag *e, const unsigned char *md5)
{
    digest_update(e->whole, md5, MD5_BYTES);
    e->hashed += DMS_PART_BYTES;
}

static enum status read_back(int fd, uint64_t from, unsigned char *p, size_t n)
{
    while (n > 0) {
        ssize_t r = pread(fd, p, n, (off_t)from);
        if (r < 0 && errno == EINTR) {
            continue;
        }
        if (r <= 0) {
            log_error("dms", "cannot read a staged file again: %s",
                      r < 0 ? strerrordesc_np(errno) : "it was cut off");
            return ST_IO;
        }
        from += (uint64_t)r;
        p += r;
        n -= (size_t)r;
    }
    return ST_OK;
}

/* --- groups ----------------------------------------------------------------------------------- */

static enum status next_stride(struct dms_etag *e, int fd)
{
    const unsigned char *p[MD5_LANES];
    for (size_t i = 0; i < e->group.n; i++) {
        unsigned char *stride = e->strides + i * STRIDE;
        uint64_t from = e->hashed + i * DMS_PART_BYTES + e->group.bytes;
        enum status st = read_back(fd, from, stride, STRIDE);
        if (st != ST_OK) {
            return st;
        }
        p[i] = stride;
    }
    md5_lanes_update(&e->group, p, STRIDE / MD5_BLOCK);
    if (e->group.bytes == DMS_PART_BYTES) {
        unsigned char md5[MD5_LANES][MD5_BYTES];
        size_t n = e->group.n;
        md5_lanes_final(&e->group, md5);
        for (size_t i = 0; i < n; i++) {
            part_done(e, md5[i]);
        }
        e->group.n = 0;
    }
    return ST_OK;
}

static enum status end_group(struct dms_etag *e, int fd)
{
    enum status st = ST_OK;
    while (st == ST_OK && e->group.n > 0) {
        st = next_stride(e, fd);
    }
    return st;
}

/* Parts that are complete and wait for being read back. */
static uint64_t whole_parts(const struct dms_etag *e)
{
    return (e->bytes - e->hashed) / DMS_PART_BYTES;
}

/* Goes on with reading back, as far as `budget` bytes. */
static enum status catch_up(struct dms_etag *e, int fd, uint64_t budget)
{
    enum status st = ST_OK;
    for (uint64_t done = 0; st == ST_OK && done < budget; done += MD5_LANES * STRIDE) {
        if (e->group.n == 0 && whole_parts(e) >= MD5_LANES) {
            md5_lanes_init(&e->group, MD5_LANES);
        }
        if (e->group.n == 0) {
            break;
        }
        st = next_stride(e, fd);
    }
    return st;
}

/* --- one after another ------------------------------------------------------------------------ */

static void close_part(struct dms_etag *e)
{
    unsigned char md5[DIGEST_MAX];
    digest_final(e->md5, md5);
    part_done(e, md5);
}

/* Hashes what belongs to the first parts; returns how much that is. A part that is full stays open
 * until the next one begins: it may be the only one. */
static size_t hash_passing(struct dms_etag *e, const unsigned char *p, size_t n)
{
    size_t done = 0;
    while (done < n && e->hashed < PASSING_BYTES) {
        size_t room = (size_t)(e->hashed + DMS_PART_BYTES - e->bytes);
        size_t step = n - done < room ? n - done : room;
        if (step == 0) {
            close_part(e);
        }
        digest_update(e->md5, p + done, step);
        e->bytes += step;
        done += step;
    }
    return done;
}

static enum status hash_rest(struct dms_etag *e, int fd)
{
    while (e->hashed < e->bytes) {
        uint64_t end =
            e->hashed + DMS_PART_BYTES < e->bytes ? e->hashed + DMS_PART_BYTES : e->bytes;
        for (uint64_t at = e->hashed; at < end; at += STRIDE) {
            size_t n = end - at < STRIDE ? (size_t)(end - at) : STRIDE;
            enum status st = read_back(fd, at, e->strides, n);
            if (st != ST_OK) {
                return st;
            }
            digest_update(e->md5, e->strides, n);
        }
        close_part(e);
    }
    return ST_OK;
}

/* --- the file --------------------------------------------------------------------------------- */

enum status dms_etag_add(struct dms_etag *e, int fd, const void *p, size_t n)
{
    e->bytes += n - hash_passing(e, p, n);
    if (e->bytes <= PASSING_BYTES) {
        return ST_OK;
    }
    e->strides = e->strides ? e->strides : xmalloc(MD5_LANES * STRIDE);
    return catch_up(e, fd, HASTE * (uint64_t)n);
}

static enum status hash_remaining(struct dms_etag *e, int fd)
{
    if (e->bytes <= PASSING_BYTES) {
        close_part(e);
        return ST_OK;
    }
    enum status st = end_group(e, fd);
    for (uint64_t n; st == ST_OK && (n = whole_parts(e)) >= GROUP_MIN;) {
        md5_lanes_init(&e->group, n < MD5_LANES ? (size_t)n : MD5_LANES);
        st = end_group(e, fd);
    }
    return st == ST_OK ? hash_rest(e, fd) : st;
}

enum status dms_etag_end(struct dms_etag *e, int fd, unsigned char ret_md5[16],
                         int64_t *ret_part_bytes)
{
    unsigned char md5[DIGEST_MAX];
    enum status st = ST_OK;
    if (e->bytes <= DMS_PART_BYTES) {
        digest_final(e->md5, md5);
        *ret_part_bytes = 0;
    } else {
        st = hash_remaining(e, fd);
        digest_final(e->whole, md5);
        *ret_part_bytes = DMS_PART_BYTES;
    }
    memcpy(ret_md5, md5, MD5_BYTES);
    return st;
}
