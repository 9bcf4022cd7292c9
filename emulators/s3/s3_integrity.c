#include "emulators/s3/s3_integrity.h"

#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_service.h"

#define CHECKSUM_PREFIX "x-amz-checksum-"

static enum status read_md5(struct call *c, struct str *ret)
{
    struct str header = call_header(c, "content-md5");
    if (!str_set(header)) {
        return ST_OK;
    }
    if (base64_decode(c->arena, header, ret) != ST_OK || ret->n != 16) {
        enum status st = call_fail(c, &s3_InvalidDigest, NULL);
        call_fail_field(c, "Content-MD5", header);
        return st;
    }
    return ST_OK;
}

/* Names that begin like a checksum's but carry no value. */
static bool names_a_value(struct str name)
{
    struct str head = str_sub(name, 0, sizeof(CHECKSUM_PREFIX) - 1);
    return str_ieqz(head, CHECKSUM_PREFIX) && !str_ieqz(name, "x-amz-checksum-mode") &&
           !str_ieqz(name, "x-amz-checksum-type") && !str_ieqz(name, "x-amz-checksum-algorithm");
}

static enum status refuse_family(struct call *c, struct str name)
{
    struct str tail = str_sub(name, sizeof(CHECKSUM_PREFIX) - 1, name.n);
    if (tail.n >= 6 && str_ieqz(str_sub(tail, 0, 6), "xxhash")) {
        return s3_fail_header(c, arena_cstr(c->arena, name),
                              "Checksums of the XXHASH family are not implemented; use CRC32, "
                              "CRC32C, CRC64NVME, SHA1 or SHA256.");
    }
    return call_fail(c, &s3_InvalidRequest,
                     "The algorithm type you specified in x-amz-checksum- header is invalid.");
}

static enum status take_header(struct call *c, struct str name, struct str value,
                               struct s3_integrity *ret)
{
    enum s3_alg alg = s3_alg_of_header(name);
    struct str raw = STR_NONE;
    if (alg == S3_ALG_NONE) {
        return refuse_family(c, name);
    }
    if (str_set(ret->value)) {
        return call_fail(c, &s3_InvalidRequest,
                         "Expecting a single x-amz-checksum- header. Multiple checksum Types are "
                         "not allowed.");
    }
    value = str_trim(value);
    if (base64_decode(c->arena, value, &raw) != ST_OK ||
        raw.n != digest_size(s3_alg_info(alg)->digest)) {
        return call_fail(c, &s3_InvalidRequest, "Value for %s header is invalid.",
                         s3_alg_info(alg)->header);
    }
    ret->alg = alg;
    ret->value = base64_encode(c->arena, raw.p, raw.n);
    return ST_OK;
}

static enum status check_announcement(struct call *c, struct s3_integrity *ret)
{
    struct str trailer = str_trim(call_header(c, "x-amz-trailer"));
    if (ret->alg == S3_ALG_NONE && !str_empty(trailer)) {
        ret->alg = s3_alg_of_header(trailer);
        if (ret->alg == S3_ALG_NONE && names_a_value(trailer)) {
            return refuse_family(c, trailer);
        }
    }
    struct str named = call_header(c, "x-amz-sdk-checksum-algorithm");
    if (str_empty(named)) {
        return ST_OK;
    }
    if (ret->alg == S3_ALG_NONE) {
        /* A client that sends Content-MD5 instead names its algorithm all the same. */
        return str_set(ret->md5) ? ST_OK
                                 : call_fail(c, &s3_InvalidRequest,
                                             "x-amz-sdk-checksum-algorithm specified, but no "
                                             "corresponding x-amz-checksum-* or x-amz-trailer "
                                             "headers were found.");
    }
    if (s3_alg_find(named) != ret->alg) {
        return call_fail(c, &s3_InvalidRequest,
                         "Value for x-amz-sdk-checksum-algorithm header is invalid.");
    }
    return ST_OK;
}

enum status s3_integrity_read(struct call *c, struct s3_integrity *ret)
{
    *ret = (struct s3_integrity){ .alg = S3_ALG_NONE };
    enum status st = read_md5(c, &ret->md5);
    size_t it = 0;
    struct str name = STR_NONE, value = STR_NONE;
    while (st == ST_OK && call_each_header(c, &it, &name, &value)) {
        if (names_a_value(name)) {
            st = take_header(c, name, value, ret);
        }
    }
    return st == ST_OK ? check_announcement(c, ret) : st;
}

static enum status fail_checksum(struct call *c, enum s3_alg alg)
{
    return call_fail(c, &s3_BadDigest,
                     "The %s you specified did not match the calculated checksum.",
                     s3_alg_info(alg)->name);
}

static enum status compare_md5(struct call *c, struct str want, const unsigned char *have)
{
    if (!str_set(want) || memcmp(want.p, have, 16) == 0) {
        return ST_OK;
    }
    enum status st = call_fail(c, &s3_BadDigest, NULL);
    call_fail_field(c, "ExpectedDigest", base64_encode(c->arena, want.p, want.n));
    call_fail_field(c, "CalculatedDigest", base64_encode(c->arena, have, 16));
    return st;
}

enum status s3_integrity_check(struct call *c, const struct s3_integrity *want)
{
    enum status st = compare_md5(c, want->md5, c->body.digest[DIGEST_MD5]);
    if (st != ST_OK || want->alg == S3_ALG_NONE) {
        return st;
    }
    if (!str_set(want->value)) {
        return call_fail(c, &s3_InvalidRequest,
                         "The trailer %s that was announced by x-amz-trailer did not arrive.",
                         s3_alg_info(want->alg)->header);
    }
    if (!str_eq(want->value, s3_body_checksum(c, want->alg))) {
        return fail_checksum(c, want->alg);
    }
    return ST_OK;
}

struct str s3_body_checksum(struct call *c, enum s3_alg alg)
{
    enum digest_kind kind = s3_alg_info(alg)->digest;
    return base64_encode(c->arena, c->body.digest[kind], digest_size(kind));
}

enum status s3_integrity_check_bytes(struct call *c, bool required)
{
    struct s3_integrity want;
    unsigned char out[DIGEST_MAX];
    enum status st = s3_integrity_read(c, &want);
    if (st != ST_OK) {
        return st;
    }
    if (required && !str_set(want.md5) && want.alg == S3_ALG_NONE) {
        return call_fail(c, &s3_InvalidRequest,
                         "Missing required header for this request: Content-MD5 OR "
                         "x-amz-checksum-*");
    }
    if (str_set(want.md5)) {
        digest_bytes(DIGEST_MD5, c->body.bytes.p, c->body.bytes.n, out);
        st = compare_md5(c, want.md5, out);
    }
    if (st == ST_OK && str_set(want.value)) {
        enum digest_kind kind = s3_alg_info(want.alg)->digest;
        digest_bytes(kind, c->body.bytes.p, c->body.bytes.n, out);
        if (!str_eq(want.value, base64_encode(c->arena, out, digest_size(kind)))) {
            st = fail_checksum(c, want.alg);
        }
    }
    return st;
}
