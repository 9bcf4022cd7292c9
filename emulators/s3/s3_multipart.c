/* Multipart uploads: beginning, parts, aborting. Parts stay in tmp/ until the upload ends. */
#include "emulators/s3/s3_multipart.h"

#include "emulators/s3/s3_copy_source.h"
#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_headers.h"
#include "emulators/s3/s3_join.h"
#include "emulators/s3/s3_model.h"
#include "emulators/s3/s3_range.h"
#include "emulators/s3/s3_write.h"
#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/core.h"

enum s3_alg s3_upload_alg(const struct s3_upload_row *upload)
{
    return upload->alg == S3_ALG_NONE ? S3_ALG_CRC64NVME : upload->alg;
}

enum status s3_need_upload(struct call *c, struct str id, struct s3_upload_row *ret)
{
    enum status st =
        s3_store_upload(c->db, c->arena, c->bucket, c->key, str_set(id) ? id : STR(""), ret);
    if (st == ST_NOT_FOUND) {
        st = call_fail(c, &s3_NoSuchUpload, NULL);
        call_fail_field(c, "UploadId", id);
    }
    return st;
}

enum status s3_check_part_number(struct call *c, const struct opt_i64 *number)
{
    if (!number->set || number->v < 1 || number->v > S3_PARTS_MAX) {
        return s3_fail_argument(c, "partNumber",
                                arena_printf(c->arena, "%lld", (long long)number->v),
                                "Part number must be an integer between 1 and 10000, inclusive");
    }
    return ST_OK;
}

static enum status check_algorithm(struct call *c, const struct s3_upload_row *upload,
                                   const struct s3_integrity *want)
{
    if (upload->alg == S3_ALG_NONE || want->alg == S3_ALG_NONE || want->alg == upload->alg) {
        return ST_OK;
    }
    char expected[16], actual[16];
    snprintf(expected, sizeof(expected), "%s",
             s3_alg_info(upload->alg)->header + strlen("x-amz-checksum-"));
    snprintf(actual, sizeof(actual), "%s",
             s3_alg_info(want->alg)->header + strlen("x-amz-checksum-"));
    return call_fail(c, &s3_InvalidRequest,
                     "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum "
                     "Type: %s",
                     expected, actual);
}

enum status s3_part_algorithm(struct call *c, struct str upload_id, const struct s3_integrity *want,
                              enum s3_alg *ret_alg)
{
    struct s3_upload_row upload;
    enum status st = s3_need_upload(c, upload_id, &upload);
    if (st == ST_OK) {
        st = check_algorithm(c, &upload, want);
        *ret_alg = s3_upload_alg(&upload);
    }
    return st;
}

/* What the client wants for checksums: none, or an algorithm with a type that goes with it. */
static enum status read_algorithm(struct call *c, struct s3_upload_row *row)
{
    struct str named = call_header(c, "x-amz-checksum-algorithm");
    struct str type = call_header(c, "x-amz-checksum-type");
    bool composite = str_ieqz(type, "COMPOSITE");
    if (str_empty(named)) {
        return str_empty(type) ? ST_OK
                               : call_fail(c, &s3_InvalidRequest,
                                           "The x-amz-checksum-type header can only be used with "
                                           "the x-amz-checksum-algorithm header.");
    }
    row->alg = s3_alg_find(named);
    if (row->alg == S3_ALG_NONE) {
        return call_fail(c, &s3_InvalidRequest,
                         "Checksum algorithm provided is unsupported. Please try again with any of "
                         "the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
    }
    if (!str_empty(type) && !composite && !str_ieqz(type, "FULL_OBJECT")) {
        return call_fail(c, &s3_InvalidRequest, "Value for x-amz-checksum-type header is invalid.");
    }
    const struct s3_alg_info *info = s3_alg_info(row->alg);
    row->composite = str_empty(type) ? info->composite : composite;
    if (row->composite ? !info->composite : !info->full) {
        struct str word = s3_checksum_type(row->composite);
        return call_fail(c, &s3_InvalidRequest,
                         "The %.*s checksum type cannot be used with the %s checksum algorithm.",
                         STR_ARG(word), s3_alg_info(row->alg)->header + strlen("x-amz-checksum-"));
    }
    return ST_OK;
}

/* 128 characters that need no escaping in a URL. */
static struct str new_upload_id(struct arena *a)
{
    return arena_printf(a, "%.*s.%.*s", STR_ARG(id_hex(a, 64)), STR_ARG(id_hex(a, 63)));
}

enum status s3_create_multipart_upload(struct call *c,
                                       const struct s3_create_multipart_upload_request *in,
                                       struct s3_create_multipart_upload_response *ret_out)
{
    (void)in;
    struct s3_object_row *old = NULL;
    struct s3_upload_row row = { .bucket = c->bucket, .key = c->key };
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = s3_check_key(c);
    }
    if (st == ST_OK) {
        st = s3_headers_read(c, &row.head);
    }
    if (st == ST_OK) {
        st = read_algorithm(c, &row);
    }
    if (st == ST_OK) {
        st = s3_write_current(call_s3(c), c->arena, c->bucket, c->key, &old);
    }
    if (st == ST_OK) {
        row.id = new_upload_id(c->arena);
        row.created_ms = clock_now_ms();
        row.before_id = old ? old->ref.id : 0;
        st = s3_store_add_upload(c->db, &row);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    ret_out->Bucket = c->bucket;
    ret_out->Key = c->key;
    ret_out->UploadId = row.id;
    ret_out->ServerSideEncryption = STR("AES256");
    if (row.alg != S3_ALG_NONE) {
        ret_out->ChecksumAlgorithm = str_z(s3_alg_info(row.alg)->name);
        ret_out->ChecksumType = s3_checksum_type(row.composite);
    }
    return ST_OK;
}

enum status s3_write_part(struct s3 *s3, struct arena *a, struct str upload_id,
                          struct s3_part_row *part)
{
    struct s3_part_row old;
    struct db *db = core_db(s3->core);
    enum status st = s3_store_part(db, a, upload_id, part->number, &old);
    if (st == ST_OK) {
        st = blob_intend_removal(s3->core, &old.ref, STR_NONE);
    } else if (st == ST_NOT_FOUND) {
        st = ST_OK;
    }
    part->modified_ms = clock_now_ms();
    if (st == ST_OK) {
        st = s3_store_put_part(db, upload_id, part);
    }
    return st == ST_OK ? blob_intend_staged(s3->core, &part->ref) : st;
}

enum status s3_upload_part(struct call *c, const struct s3_upload_part_request *in,
                           struct s3_upload_part_response *ret_out)
{
    (void)ret_out;
    struct s3_upload_row upload;
    struct s3_integrity want;
    struct s3_part_row part = { .number = in->PartNumber.v };
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = s3_check_part_number(c, &in->PartNumber);
    }
    if (st == ST_OK) {
        st = s3_need_upload(c, in->UploadId, &upload);
    }
    if (st == ST_OK) {
        st = s3_integrity_read(c, &want);
    }
    if (st == ST_OK) {
        st = check_algorithm(c, &upload, &want);
    }
    if (st == ST_OK) {
        st = s3_integrity_check(c, &want);
    }
    if (st == ST_OK) {
        st = s3_take_body(c, &part.ref);
    }
    if (st == ST_OK) {
        part.etag = hex_encode(c->arena, c->body.digest[DIGEST_MD5], 16);
        part.checksum = s3_body_checksum(c, s3_upload_alg(&upload));
        st = s3_write_part(call_s3(c), c->arena, upload.id, &part);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    c->body.staged = false;
    call_set_header(c, "ETag", s3_quoted(c->arena, part.etag));
    call_set_header(c, "x-amz-server-side-encryption", STR("AES256"));
    enum s3_alg told = want.alg != S3_ALG_NONE ? want.alg : upload.alg;
    if (told != S3_ALG_NONE) {
        call_set_header(c, s3_alg_info(told)->header, s3_body_checksum(c, told));
    }
    return ST_OK;
}

enum status s3_drop_upload(struct s3 *s3, struct arena *a, struct str upload_id)
{
    struct s3_part_rows parts;
    struct db *db = core_db(s3->core);
    enum status st = s3_store_parts(db, a, upload_id, 0, S3_PARTS_MAX, &parts);
    for (size_t i = 0; st == ST_OK && i < parts.n; i++) {
        st = blob_intend_removal(s3->core, &parts.v[i].ref, STR_NONE);
    }
    return st == ST_OK ? s3_store_drop_upload(db, upload_id) : st;
}

enum status s3_abort_multipart_upload(struct call *c,
                                      const struct s3_abort_multipart_upload_request *in,
                                      struct s3_abort_multipart_upload_response *ret_out)
{
    (void)ret_out;
    struct s3_upload_row upload;
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = s3_need_upload(c, in->UploadId, &upload);
    }
    if (st == ST_OK) {
        st = s3_drop_upload(call_s3(c), c->arena, upload.id);
    }
    return call_status(c, st);
}

/* --- UploadPartCopy --------------------------------------------------------------------------- */

struct part_copy {
    struct call *c;
    struct s3_object_row source;
    struct s3_upload_row upload;
    struct s3_part_row part;
    struct s3_join join;
    struct s3_join_piece piece;
    struct s3_upload_part_copy_response *out;
};

static enum status commit_part(struct part_copy *p)
{
    struct call *c = p->c;
    struct s3_upload_row still;
    enum status st = s3_need_upload(c, p->upload.id, &still);
    return st == ST_OK ? s3_write_part(call_s3(c), c->arena, still.id, &p->part) : st;
}

static void part_copied(struct s3_join *join, void *arg)
{
    struct part_copy *p = arg;
    struct call *c = p->c;
    struct core_mark mark;
    enum s3_alg alg = s3_upload_alg(&p->upload);
    if (join->st != ST_OK) {
        call_finish(c, call_status(c, join->st));
        return;
    }
    enum digest_kind kind = s3_alg_info(alg)->digest;
    p->part.ref = join->ref;
    p->part.etag = hex_encode(c->arena, join->digest[DIGEST_MD5], 16);
    p->part.checksum = base64_encode(c->arena, join->digest[kind], digest_size(kind));
    enum status st = core_mark(c->core, &mark);
    if (st == ST_OK) {
        st = core_mark_end(c->core, mark, commit_part(p));
    }
    if (st != ST_OK) {
        s3_join_discard(join);
        call_finish(c, call_status(c, st));
        return;
    }
    struct s3_copy_part_result *result = ARENA_NEW(c->arena, struct s3_copy_part_result);
    result->ETag = s3_quoted(c->arena, p->part.etag);
    result->LastModified = OPT_TIME(p->part.modified_ms);
    if (p->upload.alg != S3_ALG_NONE) {
        S3_SET_CHECKSUM(result, alg, p->part.checksum);
    }
    p->out->CopyPartResult = result;
    p->out->ServerSideEncryption = STR("AES256");
    call_finish(c, ST_OK);
}

static enum status choose_range(struct call *c, struct part_copy *p)
{
    struct str range = call_header(c, "x-amz-copy-source-range");
    p->piece.len = p->source.size;
    if (str_empty(range)) {
        return ST_OK;
    }
    switch (s3_copy_range_parse(range, p->source.size, &p->piece.off, &p->piece.len)) {
    case ST_OK:
        return ST_OK;
    case ST_CONFLICT:
        return s3_fail_argument(
            c, "x-amz-copy-source-range", range,
            arena_cstr(c->arena, arena_printf(c->arena,
                                              "Range specified is not valid for source "
                                              "object of size: %lld",
                                              (long long)p->source.size)));
    default:
        return s3_fail_argument(c, "x-amz-copy-source-range", range,
                                "The x-amz-copy-source-range value must be of the form "
                                "bytes=first-last where first and last are the zero-based offsets "
                                "of the first and last bytes to copy");
    }
}

enum status s3_upload_part_copy(struct call *c, const struct s3_upload_part_copy_request *in,
                                struct s3_upload_part_copy_response *ret_out)
{
    struct part_copy *p = ARENA_NEW(c->arena, struct part_copy);
    p->c = c;
    p->out = ret_out;
    p->part.number = in->PartNumber.v;
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = s3_check_part_number(c, &in->PartNumber);
    }
    if (st == ST_OK) {
        st = s3_need_upload(c, in->UploadId, &p->upload);
    }
    if (st == ST_OK) {
        st = s3_copy_source(c, &p->source);
    }
    if (st == ST_OK) {
        st = choose_range(c, p);
    }
    if (st == ST_OK && p->piece.len > S3_PUT_MAX) {
        st = call_fail(c, &s3_InvalidRequest,
                       "The specified copy range is larger than a part may be: %lld",
                       (long long)S3_PUT_MAX);
    }
    if (st == ST_OK) {
        st = s3_copy_source_open(c, &p->source, &p->piece.fd);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    p->join = (struct s3_join){
        .s3 = call_s3(c),
        .pieces = &p->piece,
        .n = 1,
        .want = 1u << DIGEST_MD5 | 1u << s3_alg_info(s3_upload_alg(&p->upload))->digest,
        .done = part_copied,
        .arg = p,
    };
    s3_join_start(&p->join);
    return ST_PENDING;
}
