/* PutObject, and what PutObject and UploadPart decide before their bytes arrive. */
#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_headers.h"
#include "emulators/s3/s3_integrity.h"
#include "emulators/s3/s3_model.h"
#include "emulators/s3/s3_multipart.h"
#include "emulators/s3/s3_write.h"
#include "server/core.h"

static enum status check_length(struct call *c)
{
    struct str header = call_header(c, "x-amz-decoded-content-length");
    int64_t length = 0;
    if (!str_set(header)) {
        header = call_header(c, "content-length");
    }
    if (str_set(header) && str_i64(header, &length) == ST_OK && length > S3_PUT_MAX) {
        enum status st = call_fail(c, &s3_EntityTooLarge, NULL);
        call_fail_field(c, "ProposedSize", header);
        call_fail_field(c, "MaxSizeAllowed", arena_printf(c->arena, "%lld", (long long)S3_PUT_MAX));
        return st;
    }
    return ST_OK;
}

static enum status check_part(struct call *c)
{
    struct str text = STR_NONE;
    struct opt_i64 number = { 0, false };
    if (!call_query(c, "uploadId", &text)) {
        return ST_OK;
    }
    if (call_query(c, "partNumber", &text)) {
        number.set = str_i64(text, &number.v) == ST_OK;
    }
    return s3_check_part_number(c, &number);
}

/* Refuses early what would be refused anyway, and says which digests the receiver shall compute. */
enum status s3_prepare(struct call *c)
{
    struct s3_integrity want;
    struct str upload_id = STR_NONE;
    if (c->op == &s3_post_object_op) {
        return s3_post_prepare(c);
    }
    bool part = call_query(c, "uploadId", &upload_id);
    enum s3_alg alg = S3_ALG_CRC64NVME;
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = s3_check_key(c);
    }
    if (st == ST_OK) {
        st = check_part(c);
    }
    if (st == ST_OK) {
        st = check_length(c);
    }
    if (st == ST_OK) {
        st = s3_integrity_read(c, &want);
    }
    if (st == ST_OK && !part) {
        struct s3_headers unused;
        st = s3_headers_read(c, &unused);
    }
    if (st == ST_OK && part) {
        st = s3_part_algorithm(c, upload_id, &want, &alg);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    c->body.want = 1u << DIGEST_MD5;
    if (want.alg != S3_ALG_NONE) {
        c->body.want |= 1u << s3_alg_info(want.alg)->digest;
    }
    if (want.alg == S3_ALG_NONE || part) {
        c->body.want |= 1u << s3_alg_info(alg)->digest;
    }
    return ST_OK;
}

enum status s3_take_body(struct call *c, struct blob_ref *ret)
{
    if (!c->body.staged) {
        int fd = -1;
        int64_t id = 0;
        struct blobs *blobs = core_blobs(c->core);
        enum status st = blob_stage(blobs, &fd, &id);
        if (st == ST_OK) {
            st = blob_stage_end(blobs, fd, id, &c->body.ref);
        }
        if (st != ST_OK) {
            return st;
        }
        c->body.staged = true;
    }
    if (c->body.ref.size > S3_PUT_MAX) {
        return call_fail(c, &s3_EntityTooLarge, NULL);
    }
    *ret = c->body.ref;
    return ST_OK;
}

static enum status fill_row(struct call *c, struct s3_object_row *row)
{
    struct s3_integrity want;
    *row = (struct s3_object_row){ .bucket = c->bucket, .key = c->key };
    enum status st = s3_integrity_read(c, &want);
    if (st == ST_OK) {
        st = s3_integrity_check(c, &want);
    }
    if (st == ST_OK) {
        st = s3_headers_read(c, &row->head);
    }
    if (st == ST_OK) {
        st = s3_take_body(c, &row->ref);
    }
    if (st == ST_OK) {
        row->etag = hex_encode(c->arena, c->body.digest[DIGEST_MD5], 16);
        row->alg = want.alg == S3_ALG_NONE ? S3_ALG_CRC64NVME : want.alg;
        row->checksum = s3_body_checksum(c, row->alg);
    }
    return st;
}

enum status s3_put_object(struct call *c, const struct s3_put_object_request *in,
                          struct s3_put_object_response *ret_out)
{
    (void)in;
    (void)ret_out;
    struct s3_bucket_row bucket;
    struct s3_object_row row, *old = NULL;
    struct s3_write_cond cond;
    enum status st = s3_need_bucket(c, &bucket);
    if (st == ST_OK) {
        st = s3_check_key(c);
    }
    if (st == ST_OK) {
        st = s3_write_cond_read(c, &cond);
    }
    if (st == ST_OK) {
        st = fill_row(c, &row);
    }
    if (st == ST_OK) {
        st = s3_write_current(call_s3(c), c->arena, c->bucket, c->key, &old);
    }
    if (st == ST_OK) {
        st = s3_write_cond_check(c, &cond, old, -1);
    }
    if (st == ST_OK) {
        struct s3_cause cause = s3_cause_of(c);
        struct s3_write write = { &row, old, "s3:ObjectCreated:Put" };
        st = s3_write_object(call_s3(c), c->arena, &bucket, &write, &cause);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    c->body.staged = false;
    call_set_header(c, "ETag", s3_quoted(c->arena, row.etag));
    call_set_header(c, "x-amz-server-side-encryption", STR("AES256"));
    s3_checksum_reply(c, row.alg, row.checksum, false);
    return ST_OK;
}
