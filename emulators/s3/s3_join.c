#include "emulators/s3/s3_join.h"

#include <errno.h>

#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/loop.h"

#define JOIN_BLOCK (256u << 10)

struct sink {
    int fd;
    struct digest *digests[DIGEST_KINDS];
    bool hashing;
    char *block;
};

static enum status io_failed(const char *what)
{
    log_error("s3", "cannot %s while copying: %s", what, strerror(errno));
    return ST_IO;
}

static enum status write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno != EINTR) {
            return io_failed("write");
        }
        if (done > 0) {
            p += done;
            n -= (size_t)done;
        }
    }
    return ST_OK;
}

static enum status copy_block(struct sink *to, int from, int64_t off, size_t n)
{
    ssize_t got = pread(from, to->block, n, off);
    while (got < 0 && errno == EINTR) {
        got = pread(from, to->block, n, off);
    }
    if (got != (ssize_t)n) {
        errno = got < 0 ? errno : EIO;
        return io_failed("read");
    }
    for (int k = 0; k < DIGEST_KINDS; k++) {
        if (to->digests[k]) {
            digest_update(to->digests[k], to->block, n);
        }
    }
    return write_all(to->fd, to->block, n);
}

/* In the kernel where that works; returns how much is still to be copied by hand. */
static int64_t copy_in_kernel(int to, int from, int64_t *off, int64_t len)
{
    while (len > 0) {
        off_t at = *off;
        ssize_t n = copy_file_range(from, &at, to, NULL, (size_t)len, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        *off += n;
        len -= n;
    }
    return len;
}

static enum status copy_range(struct sink *to, int from, int64_t off, int64_t len)
{
    enum status st = ST_OK;
    if (!to->hashing) {
        len = copy_in_kernel(to->fd, from, &off, len);
    }
    while (len > 0 && st == ST_OK) {
        size_t n = len < (int64_t)JOIN_BLOCK ? (size_t)len : JOIN_BLOCK;
        st = copy_block(to, from, off, n);
        off += (int64_t)n;
        len -= (int64_t)n;
    }
    return st;
}

static enum status copy_pieces(struct s3_join *j, struct sink *to)
{
    struct blobs *blobs = core_blobs(j->s3->core);
    enum status st = ST_OK;
    for (size_t i = 0; i < j->n && st == ST_OK; i++) {
        struct s3_join_piece *p = &j->pieces[i];
        if (p->fd < 0) {
            st = blob_open(blobs, &p->ref, STR_NONE, &p->fd);
        }
        if (st == ST_OK) {
            st = copy_range(to, p->fd, p->off, p->len);
        }
        close_fd(&p->fd);
        p->fd = -1;
    }
    for (size_t i = 0; i < j->n; i++) {
        close_fd(&j->pieces[i].fd);
        j->pieces[i].fd = -1;
    }
    return st;
}

static void run(void *arg)
{
    struct s3_join *j = arg;
    struct blobs *blobs = core_blobs(j->s3->core);
    struct sink to = { .fd = -1 };
    int64_t id = 0;
    j->st = blob_stage(blobs, &to.fd, &id);
    if (j->st != ST_OK) {
        return;
    }
    to.block = xmalloc(JOIN_BLOCK);
    for (int k = 0; k < DIGEST_KINDS; k++) {
        if (j->want & (1u << k)) {
            to.digests[k] = digest_new((enum digest_kind)k);
            to.hashing = true;
        }
    }
    j->st = copy_pieces(j, &to);
    for (int k = 0; k < DIGEST_KINDS; k++) {
        if (to.digests[k]) {
            digest_final(to.digests[k], j->digest[k]);
            digest_free(to.digests[k]);
        }
    }
    free(to.block);
    if (j->st == ST_OK) {
        j->st = blob_stage_end(blobs, to.fd, id, &j->ref);
        to.fd = -1;
    }
    if (j->st != ST_OK) {
        blob_discard(blobs, to.fd, id);
    }
}

static void finished(void *arg)
{
    struct s3_join *j = arg;
    j->s3->copying--;
    j->done(j, j->arg);
}

void s3_join_start(struct s3_join *join)
{
    join->s3->copying++;
    work_start(core_loop(join->s3->core), run, finished, join);
}

void s3_join_discard(struct s3_join *join)
{
    blob_discard(core_blobs(join->s3->core), -1, join->ref.id);
}
