/* Checksums, digests and text encodings of bytes. The only place that sees OpenSSL. Any thread;
 * a `struct digest` belongs to one thread at a time. */
#ifndef CISTERN_BASE_DIGEST_H
#define CISTERN_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/buf.h"

enum digest_kind {
    DIGEST_MD5,
    DIGEST_SHA1,
    DIGEST_SHA256,
    DIGEST_SHA512,
    DIGEST_CRC32,     /* zlib's */
    DIGEST_CRC32C,    /* Castagnoli */
    DIGEST_CRC64NVME, /* reflected 0x9A6C9329AC4BC9B5, all-ones in and out */
    DIGEST_KINDS,
};
#define DIGEST_MAX 64

/* Bytes of a result: 16, 20, 32, 64, 4, 4, 8. CRC results are big-endian, as S3 prints them. */
size_t digest_size(enum digest_kind kind);

struct digest; /* a running computation */
struct digest *digest_new(enum digest_kind kind) __attribute__((returns_nonnull));
void digest_free(struct digest *d);
void digest_update(struct digest *d, const void *p, size_t n);
/* Writes digest_size() bytes and resets the computation. */
void digest_final(struct digest *d, unsigned char out[DIGEST_MAX]);
/* One shot. */
void digest_bytes(enum digest_kind kind, const void *p, size_t n, unsigned char out[DIGEST_MAX]);

/* CRC of A‖B from the CRCs (big-endian bytes, in place in `a`) and B's length: FULL_OBJECT
 * checksums of multipart uploads. Kinds CRC32, CRC32C, CRC64NVME only. */
void digest_crc_combine(enum digest_kind kind, unsigned char *a, const unsigned char *b,
                        uint64_t b_bytes);

/* HMAC-SHA256 (32 bytes) and HMAC-SHA1 (20 bytes). */
void hmac_sha256(struct str key, struct str msg, unsigned char out[32]);
void hmac_sha1(struct str key, struct str msg, unsigned char out[20]);
/* Constant time. */
bool digest_equal(const void *a, const void *b, size_t n);

struct str hex_encode(struct arena *a, const void *p, size_t n); /* lower case */
enum status hex_decode(struct arena *a, struct str s, struct str *ret) MUST_CHECK;
struct str base64_encode(struct arena *a, const void *p, size_t n);
void base64_add(struct buf *b, const void *p, size_t n);
/* Strict on alphabet, padding optional, white space skipped. */
enum status base64_decode(struct arena *a, struct str s, struct str *ret) MUST_CHECK;

/* RFC 3986: keeps A-Z a-z 0-9 - _ . ~ (and '/' when keep_slash). */
struct str url_encode(struct arena *a, struct str s, bool keep_slash);
/* %XX once; '+' becomes a blank only when plus_is_blank. Broken escapes stay as they are. */
struct str url_decode(struct arena *a, struct str s, bool plus_is_blank);

#endif
