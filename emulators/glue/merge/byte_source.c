#include "emulators/glue/merge/byte_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "server/base/mem.h"

#define GZ_IN_BYTES 65536u

struct gunzip {
    z_stream z;
    bool member_done; /* between two members */
    unsigned char in[GZ_IN_BYTES];
};

static enum status fail(struct byte_source *s, enum status st, const char *reason)
{
    s->reason = reason ? reason : "unknown error";
    return st;
}

static enum status read_file(struct byte_source *s, void *p, size_t n, size_t *ret_n)
{
    ssize_t got;
    do {
        got = read(s->fd, p, n);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return fail(s, ST_IO, strerrordesc_np(errno));
    }
    s->file_read += (uint64_t)got;
    *ret_n = (size_t)got;
    return ST_OK;
}

static enum status start_gzip(struct byte_source *s, bool must_gzip)
{
    unsigned char magic[2];
    ssize_t got = pread(s->fd, magic, sizeof magic, 0);
    if (got < 0) {
        return fail(s, ST_IO, strerrordesc_np(errno));
    }
    bool gzip = got == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
    if (!gzip) {
        return must_gzip ? fail(s, ST_INVALID, "it is not gzip-compressed as announced") : ST_OK;
    }
    s->gz = xcalloc(1, sizeof *s->gz);
    if (inflateInit2(&s->gz->z, 15 + 16) != Z_OK) {
        free(TAKE(s->gz));
        return fail(s, ST_NOMEM, "zlib has no memory");
    }
    return ST_OK;
}

enum status byte_source_open(struct byte_source *s, const char *path, bool must_gzip)
{
    *s = (struct byte_source){ .fd = open(path, O_RDONLY | O_CLOEXEC) };
    if (s->fd < 0) {
        return fail(s, ST_IO, strerrordesc_np(errno));
    }
    struct stat info;
    enum status st = ST_OK;
    if (fstat(s->fd, &info) != 0) {
        st = fail(s, ST_IO, strerrordesc_np(errno));
    } else if (!S_ISREG(info.st_mode)) {
        st = fail(s, ST_INVALID, "it is not a regular file");
    } else {
        s->file_bytes = (uint64_t)info.st_size;
        st = start_gzip(s, must_gzip);
    }
    if (st != ST_OK) {
        byte_source_close(s);
    }
    return st;
}

/* More compressed bytes; *ret_end when the file has ended between two members. */
static enum status refill(struct byte_source *s, bool *ret_end)
{
    struct gunzip *gz = s->gz;
    *ret_end = false;
    if (gz->z.avail_in == 0) {
        size_t got = 0;
        enum status st = read_file(s, gz->in, sizeof gz->in, &got);
        if (st != ST_OK) {
            return st;
        }
        gz->z.next_in = gz->in;
        gz->z.avail_in = (uInt)got;
        if (got == 0) {
            *ret_end = gz->member_done;
            return gz->member_done ? ST_OK : fail(s, ST_INVALID, "the gzip data is cut short");
        }
    }
    if (gz->member_done) {
        gz->member_done = false;
        if (inflateReset(&gz->z) != Z_OK) {
            return fail(s, ST_INVALID, "zlib refused to go on");
        }
    }
    return ST_OK;
}

static enum status read_gzip(struct byte_source *s, void *p, size_t n, size_t *ret_n)
{
    z_stream *z = &s->gz->z;
    z->next_out = p;
    z->avail_out = (uInt)n;
    while (z->avail_out == n) {
        bool end;
        enum status st = refill(s, &end);
        if (st != ST_OK || end) {
            return st;
        }
        int rc = inflate(z, Z_NO_FLUSH);
        if (rc == Z_STREAM_END) {
            s->gz->member_done = true;
        } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
            return fail(s, ST_INVALID, "the gzip data is damaged");
        }
    }
    *ret_n = n - z->avail_out;
    return ST_OK;
}

enum status byte_source_read(struct byte_source *s, void *p, size_t n, size_t *ret_n)
{
    *ret_n = 0;
    n = n < (1u << 30) ? n : 1u << 30;
    if (n == 0) {
        return ST_OK;
    }
    enum status st = s->gz ? read_gzip(s, p, n, ret_n) : read_file(s, p, n, ret_n);
    s->read += *ret_n;
    return st;
}

void byte_source_close(struct byte_source *s)
{
    if (s->gz) {
        inflateEnd(&s->gz->z);
        free(TAKE(s->gz));
    }
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
}
