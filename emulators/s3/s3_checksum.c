#include "emulators/s3/s3_checksum.h"

#include "server/base/mem.h"

static const struct s3_alg_info algs[S3_ALGS] = {
    [S3_ALG_CRC32] = { "CRC32", "x-amz-checksum-crc32", DIGEST_CRC32, true, true },
    [S3_ALG_CRC32C] = { "CRC32C", "x-amz-checksum-crc32c", DIGEST_CRC32C, true, true },
    [S3_ALG_CRC64NVME] = { "CRC64NVME", "x-amz-checksum-crc64nvme", DIGEST_CRC64NVME, true, false },
    [S3_ALG_SHA1] = { "SHA1", "x-amz-checksum-sha1", DIGEST_SHA1, false, true },
    [S3_ALG_SHA256] = { "SHA256", "x-amz-checksum-sha256", DIGEST_SHA256, false, true },
    [S3_ALG_SHA512] = { "SHA512", "x-amz-checksum-sha512", DIGEST_SHA512, false, true },
    [S3_ALG_MD5] = { "MD5", "x-amz-checksum-md5", DIGEST_MD5, false, true },
};

const struct s3_alg_info *s3_alg_info(enum s3_alg alg)
{
    return &algs[alg];
}

enum s3_alg s3_alg_find(struct str name)
{
    for (int i = 1; i < S3_ALGS; i++) {
        if (str_ieqz(name, algs[i].name)) {
            return (enum s3_alg)i;
        }
    }
    return S3_ALG_NONE;
}

enum s3_alg s3_alg_of_header(struct str header)
{
    for (int i = 1; i < S3_ALGS; i++) {
        if (str_ieqz(header, algs[i].header)) {
            return (enum s3_alg)i;
        }
    }
    return S3_ALG_NONE;
}

struct str s3_checksum_type(bool composite)
{
    return composite ? STR("COMPOSITE") : STR("FULL_OBJECT");
}

static enum status raw_value(struct arena *a, enum s3_alg alg, struct str value, struct str *ret)
{
    enum status st = base64_decode(a, value, ret);
    if (st == ST_OK && ret->n != digest_size(algs[alg].digest)) {
        st = ST_INVALID;
    }
    return st;
}

enum status s3_checksum_composite(struct arena *a, enum s3_alg alg, const struct s3_part_sum *parts,
                                  size_t n, struct str *ret)
{
    if (alg == S3_ALG_NONE) {
        return ST_INVALID;
    }
    struct digest *d = digest_new(algs[alg].digest);
    enum status st = ST_OK;
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        struct str raw = STR_NONE;
        st = raw_value(a, alg, parts[i].value, &raw);
        if (st == ST_OK) {
            digest_update(d, raw.p, raw.n);
        }
    }
    unsigned char out[DIGEST_MAX];
    digest_final(d, out);
    digest_free(d);
    if (st == ST_OK) {
        struct str text = base64_encode(a, out, digest_size(algs[alg].digest));
        *ret = arena_printf(a, "%.*s-%zu", STR_ARG(text), n);
    }
    return st;
}

enum status s3_checksum_full(struct arena *a, enum s3_alg alg, const struct s3_part_sum *parts,
                             size_t n, struct str *ret)
{
    if (alg == S3_ALG_NONE || !algs[alg].full || n == 0) {
        return ST_INVALID;
    }
    size_t size = digest_size(algs[alg].digest);
    unsigned char sum[DIGEST_MAX];
    for (size_t i = 0; i < n; i++) {
        struct str raw = STR_NONE;
        enum status st = raw_value(a, alg, parts[i].value, &raw);
        if (st != ST_OK) {
            return st;
        }
        if (i == 0) {
            memcpy(sum, raw.p, size);
        } else {
            digest_crc_combine(algs[alg].digest, sum, (const unsigned char *)raw.p, parts[i].size);
        }
    }
    *ret = base64_encode(a, sum, size);
    return ST_OK;
}

enum status s3_etag_multipart(struct arena *a, const struct str *md5_hex, size_t n, struct str *ret)
{
    struct digest *d = digest_new(DIGEST_MD5);
    enum status st = ST_OK;
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        struct str raw = STR_NONE;
        st = hex_decode(a, md5_hex[i], &raw);
        if (st == ST_OK && raw.n != 16) {
            st = ST_INVALID;
        }
        if (st == ST_OK) {
            digest_update(d, raw.p, raw.n);
        }
    }
    unsigned char out[DIGEST_MAX];
    digest_final(d, out);
    digest_free(d);
    if (st == ST_OK) {
        struct str hex = hex_encode(a, out, 16);
        *ret = arena_printf(a, "%.*s-%zu", STR_ARG(hex), n);
    }
    return st;
}
