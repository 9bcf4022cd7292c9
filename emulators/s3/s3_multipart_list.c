/* ListParts and ListMultipartUploads. */
#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_headers.h"
#include "emulators/s3/s3_model.h"
#include "emulators/s3/s3_multipart.h"
#include "emulators/s3/s3_page.h"

static struct s3_owner *make_owner(struct call *c, struct str account)
{
    struct s3_owner *owner = ARENA_NEW(c->arena, struct s3_owner);
    owner->ID = s3_owner_id(c->arena, account);
    return owner;
}

static struct s3_initiator *make_initiator(struct call *c, struct str account)
{
    struct s3_initiator *who = ARENA_NEW(c->arena, struct s3_initiator);
    who->ID = s3_owner_id(c->arena, account);
    who->DisplayName = account;
    return who;
}

static struct s3_part part_of(struct call *c, enum s3_alg alg, const struct s3_part_row *row)
{
    struct s3_part p = {
        .PartNumber = OPT_I64(row->number),
        .LastModified = OPT_TIME(row->modified_ms - row->modified_ms % 1000),
        .ETag = s3_quoted(c->arena, row->etag),
        .Size = OPT_I64(row->ref.size),
    };
    S3_SET_CHECKSUM(&p, alg, row->checksum);
    return p;
}

static void fill_parts(struct call *c, const struct s3_upload_row *upload,
                       const struct s3_part_rows *rows, struct s3_parts *ret)
{
    ret->v = rows->n > 0 ? ARENA_ARRAY(c->arena, struct s3_part, rows->n) : NULL;
    for (size_t i = 0; i < rows->n; i++) {
        ret->v[ret->n++] = part_of(c, upload->alg, &rows->v[i]);
    }
}

enum status s3_list_parts(struct call *c, const struct s3_list_parts_request *in,
                          struct s3_list_parts_response *ret_out)
{
    struct s3_bucket_row bucket;
    struct s3_upload_row upload;
    struct s3_part_rows rows;
    int64_t max = 0, marker = in->PartNumberMarker.set ? in->PartNumberMarker.v : 0;
    enum status st = s3_need_bucket(c, &bucket);
    if (st == ST_OK) {
        st = s3_page_size(c, "max-parts", &in->MaxParts, &max);
    }
    if (st == ST_OK && marker < 0) {
        st = s3_fail_argument(c, "part-number-marker",
                              arena_printf(c->arena, "%lld", (long long)marker),
                              "Argument part-number-marker must be an integer between 0 and "
                              "2147483647");
    }
    if (st == ST_OK) {
        st = s3_need_upload(c, in->UploadId, &upload);
    }
    if (st == ST_OK) {
        st = s3_store_parts(c->db, c->arena, upload.id, marker, (size_t)max + 1, &rows);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    bool more = rows.n > (size_t)max;
    rows.n = more ? (size_t)max : rows.n;
    ret_out->Bucket = c->bucket;
    ret_out->Key = c->key;
    ret_out->UploadId = upload.id;
    ret_out->PartNumberMarker = OPT_I64(marker);
    ret_out->NextPartNumberMarker = OPT_I64(rows.n > 0 ? rows.v[rows.n - 1].number : marker);
    ret_out->MaxParts = OPT_I64(max);
    ret_out->IsTruncated = OPT_BOOL(more && max > 0);
    ret_out->StorageClass = s3_storage_class(&upload.head);
    ret_out->Owner = make_owner(c, bucket.account);
    ret_out->Initiator = make_initiator(c, bucket.account);
    if (upload.alg != S3_ALG_NONE) {
        ret_out->ChecksumAlgorithm = str_z(s3_alg_info(upload.alg)->name);
        ret_out->ChecksumType = s3_checksum_type(upload.composite);
    }
    fill_parts(c, &upload, &rows, &ret_out->Parts);
    return ST_OK;
}

/* --- ListMultipartUploads --------------------------------------------------------------------- */

struct uploads {
    const struct s3_list_multipart_uploads_request *in;
    struct s3_list_multipart_uploads_response *out;
    struct s3_bucket_row bucket;
    bool url;
    int64_t max;
    struct s3_upload_from from; /* where the next batch begins */
    struct str last_key, last_id;
};

static struct str text_of(struct call *c, const struct uploads *u, struct str s)
{
    return s3_page_text(c->arena, s, u->url);
}

static void add_upload(struct call *c, struct uploads *u, const struct s3_upload_row *row)
{
    struct s3_multipart_upload *m = &u->out->Uploads.v[u->out->Uploads.n++];
    m->UploadId = row->id;
    m->Key = text_of(c, u, row->key);
    m->Initiated = OPT_TIME(row->created_ms - row->created_ms % 1000);
    m->StorageClass = s3_storage_class(&row->head);
    m->Owner = make_owner(c, u->bucket.account);
    m->Initiator = make_initiator(c, u->bucket.account);
    if (row->alg != S3_ALG_NONE) {
        m->ChecksumAlgorithm = str_z(s3_alg_info(row->alg)->name);
        m->ChecksumType = s3_checksum_type(row->composite);
    }
    u->last_key = row->key;
    u->last_id = row->id;
}

/* Takes one upload or its common prefix. ST_OK: go on; ST_CONFLICT: the page is full;
 * ST_NOT_FOUND: behind the prefix; ST_EXISTS: a prefix was taken, seek at u->from. */
static enum status take_upload(struct call *c, struct uploads *u, const struct s3_upload_row *row)
{
    struct s3_list_multipart_uploads_response *out = u->out;
    struct str prefix = u->in->Prefix;
    if (!str_starts(row->key, prefix)) {
        return str_cmp(row->key, prefix) < 0 ? ST_OK : ST_NOT_FOUND;
    }
    if ((int64_t)(out->Uploads.n + out->CommonPrefixes.n) >= u->max) {
        out->IsTruncated = OPT_BOOL(true);
        return ST_CONFLICT;
    }
    struct str common = s3_common_prefix_of(row->key, prefix, u->in->Delimiter);
    if (str_set(common)) {
        out->CommonPrefixes.v[out->CommonPrefixes.n++].Prefix = text_of(c, u, common);
        u->last_key = common;
        u->last_id = STR_NONE;
        u->from = (struct s3_upload_from){ s3_after_prefix(c->arena, common), STR_NONE };
        return str_set(u->from.key) ? ST_EXISTS : ST_NOT_FOUND;
    }
    add_upload(c, u, row);
    u->from = (struct s3_upload_from){ row->key, row->id };
    return ST_OK;
}

static enum status collect_uploads(struct call *c, struct uploads *u)
{
    struct s3_upload_rows rows;
    size_t limit = (size_t)u->max + 1;
    enum status step = ST_OK;
    do {
        enum status st = s3_store_uploads(c->db, c->arena, c->bucket, &u->from, limit, &rows);
        if (st != ST_OK) {
            return st;
        }
        step = ST_OK;
        for (size_t i = 0; i < rows.n && step == ST_OK; i++) {
            step = take_upload(c, u, &rows.v[i]);
        }
    } while (step == ST_EXISTS || (step == ST_OK && rows.n == limit));
    return ST_OK;
}

static void first_uploads(struct call *c, struct uploads *u)
{
    const struct s3_list_multipart_uploads_request *in = u->in;
    struct str passed = s3_common_prefix_of(in->KeyMarker, in->Prefix, in->Delimiter);
    u->from.key = str_set(in->Prefix) ? in->Prefix : STR("");
    if (str_empty(in->KeyMarker) || str_cmp(in->KeyMarker, u->from.key) < 0) {
        return;
    }
    if (str_set(passed)) {
        u->from.key = s3_after_prefix(c->arena, passed);
    } else if (!str_empty(in->UploadIdMarker)) {
        u->from = (struct s3_upload_from){ in->KeyMarker, in->UploadIdMarker };
    } else {
        /* The smallest key behind the marker. */
        u->from.key = arena_printf(c->arena, "%.*s%c", STR_ARG(in->KeyMarker), '\0');
    }
}

enum status s3_list_multipart_uploads(struct call *c,
                                      const struct s3_list_multipart_uploads_request *in,
                                      struct s3_list_multipart_uploads_response *ret_out)
{
    struct uploads u = { .in = in, .out = ret_out };
    enum status st = s3_need_bucket(c, &u.bucket);
    if (st == ST_OK) {
        st = s3_page_encoding(c, &u.url);
    }
    if (st == ST_OK) {
        st = s3_page_size(c, "max-uploads", &in->MaxUploads, &u.max);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    size_t room = (size_t)u.max + 1;
    ret_out->IsTruncated = OPT_BOOL(false);
    ret_out->Uploads.v = ARENA_ARRAY(c->arena, struct s3_multipart_upload, room);
    ret_out->CommonPrefixes.v = ARENA_ARRAY(c->arena, struct s3_common_prefix, room);
    first_uploads(c, &u);
    st = u.max > 0 ? collect_uploads(c, &u) : ST_OK;
    ret_out->Bucket = c->bucket;
    ret_out->KeyMarker = text_of(c, &u, str_set(in->KeyMarker) ? in->KeyMarker : STR(""));
    ret_out->UploadIdMarker = str_set(in->UploadIdMarker) ? in->UploadIdMarker : STR("");
    ret_out->Prefix = text_of(c, &u, in->Prefix);
    ret_out->Delimiter = text_of(c, &u, in->Delimiter);
    ret_out->MaxUploads = OPT_I64(u.max);
    ret_out->EncodingType = in->EncodingType;
    if (ret_out->IsTruncated.v) {
        ret_out->NextKeyMarker = text_of(c, &u, u.last_key);
        ret_out->NextUploadIdMarker = str_set(u.last_id) ? u.last_id : STR("");
    }
    return call_status(c, st);
}
