/* CompleteMultipartUpload: the list is checked against the parts, a worker joins their bytes, and
 * the core publishes the object if the upload and its preconditions still hold. */
#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_headers.h"
#include "emulators/s3/s3_join.h"
#include "emulators/s3/s3_model.h"
#include "emulators/s3/s3_multipart.h"
#include "emulators/s3/s3_range.h"
#include "emulators/s3/s3_write.h"
#include "server/core.h"

struct completion {
    struct call *c;
    struct s3_upload_row upload;
    struct s3_write_cond cond;
    struct s3_object_row target;
    struct s3_part_row *parts; /* those listed, in order */
    size_t n;
    struct s3_join join;
    struct s3_complete_multipart_upload_response *out;
};

static enum status fail_part(struct completion *m, const struct s3_completed_part *listed)
{
    struct call *c = m->c;
    enum status st = call_fail(c, &s3_InvalidPart, NULL);
    call_fail_field(c, "UploadId", m->upload.id);
    call_fail_field(c, "PartNumber",
                    arena_printf(c->arena, "%lld", (long long)listed->PartNumber.v));
    call_fail_field(c, "ETag", s3_etag_bare(listed->ETag));
    return st;
}

static struct str listed_checksum(const struct s3_completed_part *p, enum s3_alg alg)
{
    switch (alg) {
    case S3_ALG_CRC32:
        return p->ChecksumCRC32;
    case S3_ALG_CRC32C:
        return p->ChecksumCRC32C;
    case S3_ALG_CRC64NVME:
        return p->ChecksumCRC64NVME;
    case S3_ALG_SHA1:
        return p->ChecksumSHA1;
    case S3_ALG_SHA256:
        return p->ChecksumSHA256;
    case S3_ALG_SHA512:
        return p->ChecksumSHA512;
    case S3_ALG_MD5:
        return p->ChecksumMD5;
    default:
        return STR_NONE;
    }
}

static enum status check_listed(struct completion *m, const struct s3_completed_part *listed,
                                const struct s3_part_row *part)
{
    enum s3_alg alg = m->upload.alg;
    struct str sum = listed_checksum(listed, s3_upload_alg(&m->upload));
    if (!str_eq(s3_etag_bare(listed->ETag), part->etag)) {
        return fail_part(m, listed);
    }
    if (str_set(sum) && !str_eq(str_trim(sum), part->checksum)) {
        return fail_part(m, listed);
    }
    if (!str_set(sum) && alg != S3_ALG_NONE && m->upload.composite) {
        return call_fail(m->c, &s3_InvalidRequest,
                         "The upload was created using a %s checksum. The complete request must "
                         "include the checksum for each part. It was missing for part %lld in the "
                         "request.",
                         s3_alg_info(alg)->header + strlen("x-amz-checksum-"),
                         (long long)part->number);
    }
    return ST_OK;
}

static enum status check_order(struct completion *m, const struct s3_completed_part_list *list)
{
    struct call *c = m->c;
    for (size_t i = 0; i < list->n; i++) {
        if (!list->v[i].PartNumber.set || !str_set(list->v[i].ETag)) {
            return call_fail(c, &s3_MalformedXML, NULL);
        }
        if (i > 0 && list->v[i].PartNumber.v <= list->v[i - 1].PartNumber.v) {
            enum status st = call_fail(c, &s3_InvalidPartOrder, NULL);
            call_fail_field(c, "UploadId", m->upload.id);
            return st;
        }
    }
    return ST_OK;
}

/* Both lists rise, so one walk finds every listed part among the uploaded ones. */
static enum status select_parts(struct completion *m, const struct s3_completed_part_list *list)
{
    struct call *c = m->c;
    struct s3_part_rows all;
    size_t k = 0;
    enum status st = s3_store_parts(c->db, c->arena, m->upload.id, 0, S3_PARTS_MAX, &all);
    m->parts = ARENA_ARRAY(c->arena, struct s3_part_row, list->n);
    for (size_t i = 0; i < list->n && st == ST_OK; i++) {
        const struct s3_completed_part *listed = &list->v[i];
        while (k < all.n && all.v[k].number < listed->PartNumber.v) {
            k++;
        }
        if (k == all.n || all.v[k].number != listed->PartNumber.v) {
            return fail_part(m, listed);
        }
        st = check_listed(m, listed, &all.v[k]);
        m->parts[m->n++] = all.v[k];
    }
    return st;
}

static enum status check_sizes(struct completion *m, const struct opt_i64 *expected)
{
    struct call *c = m->c;
    int64_t total = 0;
    for (size_t i = 0; i < m->n; i++) {
        const struct s3_part_row *p = &m->parts[i];
        total += p->ref.size;
        if (i + 1 < m->n && p->ref.size < S3_PART_MIN) {
            enum status st = call_fail(c, &s3_EntityTooSmall, NULL);
            call_fail_field(c, "ETag", p->etag);
            call_fail_field(c, "MinSizeAllowed",
                            arena_printf(c->arena, "%lld", (long long)S3_PART_MIN));
            call_fail_field(c, "PartNumber", arena_printf(c->arena, "%lld", (long long)p->number));
            call_fail_field(c, "ProposedSize",
                            arena_printf(c->arena, "%lld", (long long)p->ref.size));
            return st;
        }
    }
    if (expected->set && expected->v != total) {
        return call_fail(
            c, &s3_InvalidRequest,
            "The provided 'x-amz-mp-object-size' header value %lld does not match what "
            "was computed: %lld",
            (long long)expected->v, (long long)total);
    }
    return ST_OK;
}

/* ETag and checksum of the whole from those of the parts. */
static enum status compose(struct completion *m)
{
    struct arena *a = m->c->arena;
    struct s3_object_row *to = &m->target;
    struct str *md5 = ARENA_ARRAY(a, struct str, m->n);
    struct s3_part_sums sums = { ARENA_ARRAY(a, struct s3_part_sum, m->n), m->n };
    for (size_t i = 0; i < m->n; i++) {
        md5[i] = m->parts[i].etag;
        sums.v[i] = (struct s3_part_sum){ m->parts[i].checksum, (uint64_t)m->parts[i].ref.size };
    }
    to->alg = s3_upload_alg(&m->upload);
    to->composite = m->upload.composite;
    enum status st = s3_etag_multipart(a, md5, m->n, &to->etag);
    if (st == ST_OK) {
        st = to->composite ? s3_checksum_composite(a, to->alg, sums.v, sums.n, &to->checksum)
                           : s3_checksum_full(a, to->alg, sums.v, sums.n, &to->checksum);
    }
    to->parts = s3_parts_encode(a, sums);
    return st;
}

/* x-amz-checksum-type and a checksum of the whole object, if the client gave them. */
static enum status check_whole(struct completion *m,
                               const struct s3_complete_multipart_upload_request *in)
{
    struct call *c = m->c;
    struct s3_integrity want;
    struct str type = s3_checksum_type(m->target.composite);
    if (!str_empty(in->ChecksumType) && !str_eq(in->ChecksumType, type)) {
        return call_fail(c, &s3_InvalidRequest,
                         "The upload was created using the %.*s checksum mode. The complete "
                         "request must use the same checksum mode.",
                         STR_ARG(type));
    }
    if (m->target.composite) {
        struct str given = call_header(c, s3_alg_info(m->target.alg)->header);
        return !str_set(given) || str_eq(given, m->target.checksum)
                   ? ST_OK
                   : call_fail(c, &s3_BadDigest,
                               "The %s you specified did not match the calculated checksum.",
                               s3_alg_info(m->target.alg)->name);
    }
    enum status st = s3_integrity_read(c, &want);
    if (st == ST_OK && want.alg == m->target.alg && str_set(want.value) &&
        !str_eq(want.value, m->target.checksum)) {
        st = call_fail(c, &s3_BadDigest,
                       "The %s you specified did not match the calculated checksum.",
                       s3_alg_info(want.alg)->name);
    }
    return st;
}

static enum status publish(struct completion *m)
{
    struct call *c = m->c;
    struct s3_bucket_row bucket;
    struct s3_upload_row still;
    struct s3_object_row *old = NULL;
    enum status st = s3_need_bucket(c, &bucket);
    if (st == ST_OK) {
        st = s3_need_upload(c, m->upload.id, &still);
    }
    if (st == ST_OK) {
        st = s3_write_current(call_s3(c), c->arena, c->bucket, c->key, &old);
    }
    if (st == ST_OK) {
        st = s3_write_cond_check(c, &m->cond, old, m->upload.before_id);
    }
    if (st == ST_OK) {
        struct s3_cause cause = s3_cause_of(c);
        struct s3_write write = { &m->target, old, "s3:ObjectCreated:CompleteMultipartUpload" };
        st = s3_write_object(call_s3(c), c->arena, &bucket, &write, &cause);
    }
    return st == ST_OK ? s3_drop_upload(call_s3(c), c->arena, m->upload.id) : st;
}

static void fill_answer(struct completion *m)
{
    struct call *c = m->c;
    struct s3_complete_multipart_upload_response *out = m->out;
    struct str where = core_endpoint(c->core);
    out->Location = arena_printf(c->arena, "%.*s/%.*s/%.*s", STR_ARG(where), STR_ARG(c->bucket),
                                 STR_ARG(url_encode(c->arena, c->key, true)));
    out->Bucket = c->bucket;
    out->Key = c->key;
    out->ETag = s3_quoted(c->arena, m->target.etag);
    out->ChecksumType = s3_checksum_type(m->target.composite);
    out->ServerSideEncryption = STR("AES256");
    S3_SET_CHECKSUM(out, m->target.alg, m->target.checksum);
}

static void joined(struct s3_join *join, void *arg)
{
    struct completion *m = arg;
    struct call *c = m->c;
    struct core_mark mark;
    if (join->st != ST_OK) {
        /* A part that went away meanwhile: the upload was aborted, completed or overwritten. */
        struct s3_upload_row gone;
        enum status why =
            join->st == ST_NOT_FOUND ? s3_need_upload(c, m->upload.id, &gone) : join->st;
        call_finish(c, call_status(c, why == ST_OK ? call_fail(c, &s3_InvalidPart, NULL) : why));
        return;
    }
    m->target.ref = join->ref;
    enum status st = core_mark(c->core, &mark);
    if (st == ST_OK) {
        st = core_mark_end(c->core, mark, publish(m));
    }
    if (st == ST_OK) {
        fill_answer(m);
    } else {
        s3_join_discard(join);
    }
    call_finish(c, call_status(c, st));
}

static void start_join(struct completion *m)
{
    struct s3_join_piece *pieces = ARENA_ARRAY(m->c->arena, struct s3_join_piece, m->n);
    for (size_t i = 0; i < m->n; i++) {
        pieces[i] =
            (struct s3_join_piece){ .fd = -1, .ref = m->parts[i].ref, .len = m->parts[i].ref.size };
    }
    m->join = (struct s3_join){ .s3 = call_s3(m->c), .pieces = pieces, .n = m->n };
    m->join.done = joined;
    m->join.arg = m;
    s3_join_start(&m->join);
}

static enum status check_request(struct completion *m,
                                 const struct s3_complete_multipart_upload_request *in)
{
    struct call *c = m->c;
    struct s3_object_row *old = NULL;
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = s3_need_upload(c, in->UploadId, &m->upload);
    }
    if (st == ST_OK) {
        st = s3_write_cond_read(c, &m->cond);
    }
    if (st == ST_OK && (!in->MultipartUpload || in->MultipartUpload->Parts.n == 0)) {
        st = call_fail(c, &s3_InvalidRequest, "You must specify at least one part");
    }
    if (st == ST_OK) {
        st = check_order(m, &in->MultipartUpload->Parts);
    }
    if (st == ST_OK) {
        st = select_parts(m, &in->MultipartUpload->Parts);
    }
    if (st == ST_OK) {
        st = check_sizes(m, &in->MpuObjectSize);
    }
    if (st == ST_OK) {
        st = compose(m);
    }
    if (st == ST_OK) {
        st = check_whole(m, in);
    }
    if (st == ST_OK) {
        st = s3_write_current(call_s3(c), c->arena, c->bucket, c->key, &old);
    }
    return st == ST_OK ? s3_write_cond_check(c, &m->cond, old, m->upload.before_id) : st;
}

enum status s3_complete_multipart_upload(struct call *c,
                                         const struct s3_complete_multipart_upload_request *in,
                                         struct s3_complete_multipart_upload_response *ret_out)
{
    struct completion *m = ARENA_NEW(c->arena, struct completion);
    m->c = c;
    m->out = ret_out;
    enum status st = check_request(m, in);
    if (st != ST_OK) {
        return call_status(c, st);
    }
    m->target.bucket = c->bucket;
    m->target.key = c->key;
    m->target.head = m->upload.head;
    start_join(m);
    return ST_PENDING;
}
