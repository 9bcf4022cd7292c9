/* OpenSSL looks an algorithm up by name at every use unless it is handed a fetched one; the look-up
 * costs more than hashing a small message. So the four are fetched once, and every thread keeps one
 * context for the one-shot functions and the last freed computation of each kind. */
#include "server/base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/base/crc.h"
#include "server/base/mem.h"

#define EVP_KINDS ((unsigned)DIGEST_SHA512 + 1) /* the kinds before it are OpenSSL's */
enum { HMAC_BLOCK = 64 };                       /* of SHA-1 and SHA-256 */

struct digest {
    enum digest_kind kind;
    EVP_MD_CTX *ctx; /* NULL for the CRCs */
    uint64_t crc;
};

static EVP_MD *fetched[EVP_KINDS];
static pthread_once_t fetched_once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key;

/* What a thread keeps. */
struct kept {
    EVP_MD_CTX *one_shot;
    struct digest *idle[EVP_KINDS];
};

/* Every call here is one that can only fail when OpenSSL is broken or out of memory. */
static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr,
                "cistern: OpenSSL refused %s; is libcrypto installed with its default "
                "provider and not in FIPS mode?\n",
                what);
        abort();
    }
}

static void destroy(struct digest *d)
{
    if (d) {
        EVP_MD_CTX_free(d->ctx);
        free(d);
    }
}

static void kept_free(void *arg)
{
    struct kept *k = arg;
    for (unsigned i = 0; i < EVP_KINDS; i++) {
        destroy(k->idle[i]);
    }
    EVP_MD_CTX_free(k->one_shot);
    free(k);
}

static void fetch_all(void)
{
    static const char *const names[EVP_KINDS] = {
        [DIGEST_MD5] = "MD5",
        [DIGEST_SHA1] = "SHA1",
        [DIGEST_SHA256] = "SHA256",
        [DIGEST_SHA512] = "SHA512",
    };
    for (unsigned i = 0; i < EVP_KINDS; i++) {
        fetched[i] = EVP_MD_fetch(NULL, names[i], NULL);
        must(fetched[i] != NULL, names[i]);
    }
    must(pthread_key_create(&thread_key, kept_free) == 0, "a thread's context");
}

static const EVP_MD *digest_md(enum digest_kind kind)
{
    pthread_once(&fetched_once, fetch_all);
    return fetched[kind];
}

static struct kept *this_thread(void)
{
    pthread_once(&fetched_once, fetch_all);
    struct kept *k = pthread_getspecific(thread_key);
    if (!k) {
        k = xcalloc(1, sizeof(*k));
        k->one_shot = EVP_MD_CTX_new();
        must(k->one_shot && pthread_setspecific(thread_key, k) == 0, "a thread's context");
    }
    return k;
}

/* This thread's context for computations that end before the function returns. */
static EVP_MD_CTX *thread_ctx(void)
{
    return this_thread()->one_shot;
}

size_t digest_size(enum digest_kind kind)
{
    static const unsigned char sizes[DIGEST_KINDS] = {
        [DIGEST_MD5] = 16,  [DIGEST_SHA1] = 20,  [DIGEST_SHA256] = 32,   [DIGEST_SHA512] = 64,
        [DIGEST_CRC32] = 4, [DIGEST_CRC32C] = 4, [DIGEST_CRC64NVME] = 8,
    };
    return kind < DIGEST_KINDS ? sizes[kind] : 0;
}

static uint64_t crc_add(enum digest_kind kind, uint64_t crc, const void *p, size_t n)
{
    if (kind == DIGEST_CRC64NVME) {
        return crc_64nvme(crc, p, n);
    }
    return kind == DIGEST_CRC32C ? crc_32c((uint32_t)crc, p, n) : crc_32((uint32_t)crc, p, n);
}

static void put_be(unsigned char *out, uint64_t v, size_t n)
{
    for (size_t i = n; i-- > 0; v >>= 8) {
        out[i] = (unsigned char)v;
    }
}

static uint64_t get_be(const unsigned char *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        v = v << 8 | p[i];
    }
    return v;
}

struct digest *digest_new(enum digest_kind kind)
{
    struct digest **idle = (unsigned)kind < EVP_KINDS ? &this_thread()->idle[kind] : NULL;
    struct digest *d = idle ? *idle : NULL;
    if (d) {
        *idle = NULL;
    } else {
        d = xcalloc(1, sizeof(*d));
        d->kind = kind;
        d->ctx = idle ? EVP_MD_CTX_new() : NULL;
    }
    if (idle) {
        must(d->ctx && EVP_DigestInit_ex2(d->ctx, digest_md(kind), NULL), "a new digest");
    }
    return d;
}

void digest_free(struct digest *d)
{
    if (d && d->ctx) {
        struct digest **idle = &this_thread()->idle[d->kind];
        struct digest *before = *idle;
        *idle = d;
        d = before;
    }
    destroy(d);
}

void digest_update(struct digest *d, const void *p, size_t n)
{
    if (n == 0) {
        return;
    }
    if (d->ctx) {
        must(EVP_DigestUpdate(d->ctx, p, n), "more bytes");
    } else {
        d->crc = crc_add(d->kind, d->crc, p, n);
    }
}

void digest_final(struct digest *d, unsigned char out[DIGEST_MAX])
{
    if (d->ctx) {
        must(EVP_DigestFinal_ex(d->ctx, out, NULL), "the result");
        must(EVP_DigestInit_ex2(d->ctx, digest_md(d->kind), NULL), "a new digest");
    } else {
        put_be(out, d->crc, digest_size(d->kind));
        d->crc = 0;
    }
}

void digest_bytes(enum digest_kind kind, const void *p, size_t n, unsigned char out[DIGEST_MAX])
{
    if ((unsigned)kind >= EVP_KINDS) {
        put_be(out, n > 0 ? crc_add(kind, 0, p, n) : 0, digest_size(kind));
        return;
    }
    EVP_MD_CTX *ctx = thread_ctx();
    must(EVP_DigestInit_ex2(ctx, digest_md(kind), NULL) &&
             (n == 0 || EVP_DigestUpdate(ctx, p, n)) && EVP_DigestFinal_ex(ctx, out, NULL),
         "a digest");
}

void digest_crc_combine(enum digest_kind kind, unsigned char *a, const unsigned char *b,
                        uint64_t b_bytes)
{
    uint64_t poly = kind == DIGEST_CRC64NVME ? CRC_POLY_64NVME
                    : kind == DIGEST_CRC32C  ? CRC_POLY_32C
                                             : CRC_POLY_32;
    size_t n = digest_size(kind);
    put_be(a, crc_combine(poly, (unsigned)n * 8, get_be(a, n), get_be(b, n), b_bytes), n);
}

/* One half of RFC 2104: the digest of (key block xor pad) and the message. */
static void hmac_half(const EVP_MD *md, const unsigned char key[HMAC_BLOCK], unsigned char pad,
                      struct str msg, unsigned char *out)
{
    unsigned char block[HMAC_BLOCK];
    for (size_t i = 0; i < HMAC_BLOCK; i++) {
        block[i] = key[i] ^ pad;
    }
    EVP_MD_CTX *ctx = thread_ctx();
    must(EVP_DigestInit_ex2(ctx, md, NULL) && EVP_DigestUpdate(ctx, block, HMAC_BLOCK) &&
             (msg.n == 0 || EVP_DigestUpdate(ctx, msg.p, msg.n)) &&
             EVP_DigestFinal_ex(ctx, out, NULL),
         "an HMAC");
    OPENSSL_cleanse(block, sizeof(block));
}

static void hmac(enum digest_kind kind, struct str key, struct str msg, unsigned char *out)
{
    unsigned char block[HMAC_BLOCK] = { 0 };
    unsigned char inner[DIGEST_MAX];
    if (key.n > HMAC_BLOCK) {
        digest_bytes(kind, key.p, key.n, inner);
        memcpy(block, inner, digest_size(kind));
    } else if (key.n > 0) {
        memcpy(block, key.p, key.n);
    }
    const EVP_MD *md = digest_md(kind);
    hmac_half(md, block, 0x36, msg, inner);
    hmac_half(md, block, 0x5c, (struct str){ (char *)inner, digest_size(kind) }, out);
    OPENSSL_cleanse(block, sizeof(block));
}

void hmac_sha256(struct str key, struct str msg, unsigned char out[32])
{
    hmac(DIGEST_SHA256, key, msg, out);
}

void hmac_sha1(struct str key, struct str msg, unsigned char out[20])
{
    hmac(DIGEST_SHA1, key, msg, out);
}

bool digest_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}
