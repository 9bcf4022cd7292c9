/* From packets to events: header, checksum, and the three ways in which servers compress. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/mysql/binlog_parts.h"

#define CHECKSUM 4u

/* Fields of a TRANSACTION_PAYLOAD event. */
enum payload_field { PAYLOAD_END = 0, PAYLOAD_SIZE = 1, PAYLOAD_METHOD = 2, PAYLOAD_UNPACKED = 3 };
#define PAYLOAD_ZSTD 0u
#define PAYLOAD_NONE 255u

enum status binlog_corrupt(const struct mysql_binlog *b, const struct event *e, const char *why,
                           struct mysql_err *err)
{
    return mysql_err_set(err, ST_INVALID, MYSQL_ERR_CORRUPT,
                         "The binary log of %s is damaged at %s:%llu (event type %u): %s.",
                         mysql_conn_host_text(b->conn), b->at.file, (unsigned long long)b->at.pos,
                         e ? (unsigned)e->type : 0, why);
}

enum status binlog_refuse(const struct mysql_binlog *b, enum mysql_err_kind kind, const char *why,
                          struct mysql_err *err)
{
    return mysql_err_set(err, ST_INVALID, kind, "The binary log of %s at %s:%llu: %s",
                         mysql_conn_host_text(b->conn), b->at.file, (unsigned long long)b->at.pos,
                         why);
}

/* The first event of a file has a checksum whatever follows, if its server knows checksums. */
static bool has_checksum(const struct mysql_binlog *b, uint8_t type)
{
    return type != EVENT_FORMAT && b->checksums;
}

static bool checksum_ok(const uint8_t *p, size_t n)
{
    unsigned char sum[DIGEST_MAX];
    digest_bytes(DIGEST_CRC32, p, n - CHECKSUM, sum);
    return be_bytes(sum, CHECKSUM) == le_bytes(p + n - CHECKSUM, CHECKSUM);
}

enum status binlog_split(struct mysql_binlog *b, const uint8_t *p, size_t n, bool inner,
                         struct event *ret, struct mysql_err *err)
{
    struct rd r = { p, p + n, false };
    ret->stamp = (uint32_t)rd_le(&r, 4);
    ret->type = (uint8_t)rd_le(&r, 1);
    rd_le(&r, 4); /* the server that wrote it */
    ret->size = (uint32_t)rd_le(&r, 4);
    ret->next = (uint32_t)rd_le(&r, 4);
    ret->flags = (uint16_t)rd_le(&r, 2);
    ret->inner = inner;
    if (r.bad || ret->size != n) {
        return binlog_corrupt(b, ret, "its length is wrong", err);
    }
    if (!inner && has_checksum(b, ret->type)) {
        if (n < EVENT_HEADER + CHECKSUM) {
            return binlog_corrupt(b, ret, "it is too short for a checksum", err);
        }
        if (!b->options.trust_bytes && !(ret->flags & EVENT_FLAG_ARTIFICIAL) &&
            !checksum_ok(p, n)) {
            return binlog_corrupt(b, ret, "its checksum is wrong", err);
        }
        r.end -= CHECKSUM;
    }
    ret->body = r;
    return ST_OK;
}

/* --- MariaDB: rows or statement deflated, behind 0x80 | method << 4 | size of the length ------ */

enum status binlog_inflate(struct mysql_binlog *b, struct rd *in, struct mysql_err *err)
{
    uint64_t head = rd_le(in, 1);
    size_t length_n = head & 7;
    size_t size = (size_t)rd_be(in, length_n);
    if (in->bad || !(head & 0x80) || (head & 0x70) || length_n == 0 || length_n > 4) {
        return binlog_corrupt(b, NULL, "a compressed event has an unknown header", err);
    }
    if (size > b->options.max_event_bytes || size / 1100 > rd_left(in)) {
        return mysql_err_set(err, ST_NOMEM, MYSQL_ERR_LIMIT,
                             "A compressed event at %s:%llu claims %zu bytes, more than our limit.",
                             b->at.file, (unsigned long long)b->at.pos, size);
    }
    buf_clear(&b->unpacked);
    char *to = buf_reserve(&b->unpacked, size + 1);
    uLongf n = size;
    if (!to || uncompress((Bytef *)to, &n, in->p, rd_left(in)) != Z_OK || n != size) {
        return binlog_corrupt(b, NULL, "a compressed event does not unpack", err);
    }
    buf_commit(&b->unpacked, size);
    return ST_OK;
}

/* --- MySQL: a whole transaction in one event -------------------------------------------------- */

struct payload {
    struct rd data;
    uint64_t method, unpacked;
};

static bool payload_fields(struct rd *r, struct payload *ret)
{
    *ret = (struct payload){ .method = PAYLOAD_NONE };
    uint64_t size = 0, field;
    while ((field = rd_lenenc(r)) != PAYLOAD_END && !r->bad) {
        struct str s = rd_str(r, (size_t)rd_lenenc(r));
        struct rd value = { (const uint8_t *)s.p, (const uint8_t *)s.p + s.n, false };
        if (field == PAYLOAD_SIZE) {
            size = rd_lenenc(&value);
        } else if (field == PAYLOAD_METHOD) {
            ret->method = rd_lenenc(&value);
        } else if (field == PAYLOAD_UNPACKED) {
            ret->unpacked = rd_lenenc(&value);
        }
    }
    const uint8_t *p = rd_take(r, (size_t)size);
    ret->data = (struct rd){ p, p ? p + size : p, false };
    return !r->bad;
}

struct unpacking {
    ZSTD_DStream *stream; /* NULL: the payload is not compressed */
    ZSTD_inBuffer in;
    struct rd plain;
};

/* Exactly n more unpacked bytes; false if there are not as many. */
static bool unpack(struct unpacking *u, void *to, size_t n)
{
    if (!u->stream) {
        const uint8_t *p = rd_take(&u->plain, n);
        if (p) {
            memcpy(to, p, n);
        }
        return p != NULL;
    }
    ZSTD_outBuffer out = { to, n, 0 };
    while (out.pos < n) {
        size_t before = out.pos, read = u->in.pos;
        size_t rc = ZSTD_decompressStream(u->stream, &out, &u->in);
        if (ZSTD_isError(rc) || (out.pos == before && u->in.pos == read)) {
            return false;
        }
    }
    return true;
}

static bool unpacked_all(const struct unpacking *u, uint64_t done, uint64_t total)
{
    return u->stream ? done >= total : rd_left(&u->plain) == 0;
}

static enum status payload_event(struct mysql_binlog *b, struct unpacking *u, uint64_t *done,
                                 struct mysql_err *err)
{
    buf_clear(&b->payload_event);
    char *to = buf_reserve(&b->payload_event, EVENT_HEADER);
    if (!to || !unpack(u, to, EVENT_HEADER)) {
        return binlog_corrupt(b, NULL, "a compressed transaction does not unpack", err);
    }
    buf_commit(&b->payload_event, EVENT_HEADER);
    size_t size = (size_t)le_bytes((const uint8_t *)to + 9, 4);
    if (size < EVENT_HEADER || size > b->options.max_event_bytes) {
        return binlog_corrupt(b, NULL, "a compressed transaction has an event of impossible size",
                              err);
    }
    to = buf_reserve(&b->payload_event, size - EVENT_HEADER + 1);
    if (!to || !unpack(u, to, size - EVENT_HEADER)) {
        return binlog_corrupt(b, NULL, "a compressed transaction does not unpack", err);
    }
    buf_commit(&b->payload_event, size - EVENT_HEADER);
    *done += size;
    struct event e;
    enum status st = binlog_split(b, (const uint8_t *)b->payload_event.p, size, true, &e, err);
    if (!st && e.type == EVENT_TRANSACTION_PAYLOAD) {
        st = binlog_corrupt(b, &e, "a compressed transaction within another", err);
    }
    return st ? st : binlog_event(b, &e, err);
}

enum status binlog_payload(struct mysql_binlog *b, struct event *e, struct mysql_err *err)
{
    struct payload p;
    if (!payload_fields(&e->body, &p)) {
        return binlog_corrupt(b, e, "its fields are malformed", err);
    }
    if (p.method != PAYLOAD_ZSTD && p.method != PAYLOAD_NONE) {
        return binlog_refuse(b, MYSQL_ERR_UNSUPPORTED,
                             "a transaction is compressed with a method that we do not know. SET "
                             "GLOBAL binlog_transaction_compression = OFF.",
                             err);
    }
    struct unpacking u = { .plain = p.data };
    if (p.method == PAYLOAD_ZSTD) {
        u.stream = ZSTD_createDStream();
        u.in = (ZSTD_inBuffer){ p.data.p, rd_left(&p.data), 0 };
    }
    enum status st = ST_OK;
    uint64_t done = 0;
    while (!st && !unpacked_all(&u, done, p.unpacked)) {
        st = payload_event(b, &u, &done, err);
    }
    ZSTD_freeDStream(u.stream);
    return st;
}
