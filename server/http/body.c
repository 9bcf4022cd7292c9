#include "server/http/body.h"

#include <errno.h>
#include <unistd.h>
#include <zlib.h>

#include "server/http/call.h"

void body_init(struct http_body *b, struct arena *a)
{
    *b = (struct http_body){ .arena = a, .fd = -1, .declared = -1 };
}

static void discard(struct http_body *b)
{
    if (b->staged) {
        blob_discard(b->blobs, b->fd, b->staged_id);
        b->staged = false;
        b->fd = -1;
    }
}

static void free_digests(struct http_body *b)
{
    for (size_t i = 0; i < DIGEST_KINDS; i++) {
        if (b->digest[i]) {
            digest_free(b->digest[i]);
            b->digest[i] = NULL;
        }
    }
}

void body_fini(struct http_body *b)
{
    discard(b);
    free_digests(b);
    aws_chunked_free(b->chunked);
    b->chunked = NULL;
    buf_fini(&b->bytes);
}

void body_to_memory(struct http_body *b, size_t max, int64_t expected)
{
    b->mode = BODY_MEMORY;
    b->max = max;
    buf_init(&b->bytes, max);
    if (expected > 0 && expected <= 1 << 20) {
        (void)buf_reserve(&b->bytes,
                          (size_t)expected); /* spares growing; nobody is believed more */
    }
}

enum status body_to_file(struct http_body *b, struct blobs *blobs, unsigned want)
{
    enum status st = blob_stage(blobs, &b->fd, &b->staged_id);
    if (st != ST_OK) {
        b->error_number = errno;
        return st;
    }
    b->mode = BODY_FILE;
    b->blobs = blobs;
    b->staged = true;
    b->want = want;
    for (unsigned i = 0; i < DIGEST_KINDS; i++) {
        if (want & (1u << i)) {
            b->digest[i] = digest_new((enum digest_kind)i);
        }
    }
    return ST_OK;
}

static void spoil(struct http_body *b, enum body_fault fault)
{
    if (b->fault == BODY_OK) {
        b->fault = fault;
    }
    body_drop(b);
}

void body_drop(struct http_body *b)
{
    discard(b);
    buf_fini(&b->bytes);
    b->mode = BODY_DRAIN;
}

static bool write_all(struct http_body *b, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t put = write(b->fd, p, n);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            b->error_number = put < 0 ? errno : ENOSPC;
            return false;
        }
        p += put;
        n -= (size_t)put;
    }
    return true;
}

/* Data without frames. */
static enum status take(void *arg, const char *p, size_t n)
{
    struct http_body *b = arg;
    b->decoded += (int64_t)n;
    if (b->declared >= 0 && b->decoded > b->declared) {
        spoil(b, BODY_LENGTH);
        return ST_INVALID;
    }
    if (b->mode == BODY_MEMORY) {
        buf_add(&b->bytes, p, n);
        if (!buf_ok(&b->bytes)) {
            spoil(b, BODY_TOO_LARGE);
            return ST_NOMEM;
        }
        return ST_OK;
    }
    if (b->mode == BODY_FILE) {
        for (size_t i = 0; i < DIGEST_KINDS; i++) {
            if (b->digest[i]) {
                digest_update(b->digest[i], p, n);
            }
        }
        if (!write_all(b, p, n)) {
            spoil(b, BODY_IO);
            return ST_IO;
        }
    }
    return ST_OK;
}

void body_dechunk(struct http_body *b, const struct aws_chunked_options *options, int64_t declared)
{
    b->chunked = aws_chunked_new(b->arena, options, take, b);
    b->declared = declared;
}

void body_feed(struct http_body *b, const char *p, size_t n)
{
    b->received += (int64_t)n;
    if (b->mode == BODY_DRAIN) {
        return;
    }
    if (!b->chunked) {
        status_ignore(take(b, p, n)); /* the fault is remembered in b */
    } else if (aws_chunked_feed(b->chunked, p, n) != ST_OK) {
        spoil(b, BODY_CHUNKED);
    }
}

static enum status check_end(struct http_body *b)
{
    if (b->fault == BODY_OK && b->chunked && aws_chunked_end(b->chunked) != ST_OK) {
        spoil(b, BODY_CHUNKED);
    }
    if (b->fault == BODY_OK && b->declared >= 0 && b->decoded != b->declared) {
        spoil(b, BODY_LENGTH);
    }
    return b->fault == BODY_OK ? ST_OK : ST_INVALID;
}

enum status body_end(struct http_body *b, struct call_body *ret)
{
    if (check_end(b) != ST_OK) {
        return ST_INVALID;
    }
    ret->size = b->decoded;
    if (b->mode == BODY_MEMORY) {
        ret->bytes = b->bytes.n > 0 ? buf_str(&b->bytes) : STR("");
        return ST_OK;
    }
    if (b->mode == BODY_FILE) {
        for (size_t i = 0; i < DIGEST_KINDS; i++) {
            if (b->digest[i]) {
                digest_final(b->digest[i], ret->digest[i]);
            }
        }
        int fd = b->fd;
        b->fd = -1; /* blob_stage_end closes it, also when it fails */
        if (blob_stage_end(b->blobs, fd, b->staged_id, &ret->ref) != ST_OK) {
            b->error_number = errno;
            spoil(b, BODY_IO);
            return ST_INVALID;
        }
        b->staged = false;
        ret->staged = true;
    }
    return ST_OK;
}

enum status body_gunzip(struct http_body *b, size_t max, struct str *ret)
{
    z_stream z = { 0 };
    if (inflateInit2(&z, 15 + 16) != Z_OK) {
        spoil(b, BODY_GZIP);
        return ST_INVALID;
    }
    struct buf out = BUF_INIT(max);
    z.next_in = (unsigned char *)b->bytes.p;
    z.avail_in = (unsigned)b->bytes.n;
    int rc = Z_OK;
    while (rc == Z_OK) {
        char piece[16384];
        z.next_out = (unsigned char *)piece;
        z.avail_out = sizeof(piece);
        rc = inflate(&z, Z_NO_FLUSH);
        buf_add(&out, piece, sizeof(piece) - z.avail_out);
        if (!buf_ok(&out)) {
            break;
        }
    }
    (void)inflateEnd(&z); /* only frees */
    bool fits = buf_ok(&out);
    if (rc != Z_STREAM_END || !fits) {
        buf_fini(&out);
        spoil(b, fits ? BODY_GZIP : BODY_TOO_LARGE);
        return ST_INVALID;
    }
    buf_fini(&b->bytes);
    b->bytes = out;
    *ret = out.n > 0 ? buf_str(&b->bytes) : STR("");
    return ST_OK;
}

const struct http_headers *body_trailers(const struct http_body *b)
{
    return b->chunked ? aws_chunked_trailers(b->chunked) : NULL;
}
