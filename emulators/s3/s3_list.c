/* ListObjects, ListObjectsV2, ListObjectVersions. */
#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_headers.h"
#include "emulators/s3/s3_model.h"
#include "emulators/s3/s3_page.h"
#include "emulators/s3/s3_service.h"

struct list_call {
    struct s3_bucket_row bucket;
    struct s3_page_query query;
    struct s3_page page;
    bool url; /* encoding-type=url */
};

static enum status begin(struct call *c, const struct opt_i64 *max_keys, struct str prefix,
                         struct str delimiter, struct list_call *ret)
{
    *ret = (struct list_call){ .url = false };
    enum status st = s3_need_bucket(c, &ret->bucket);
    if (st == ST_OK) {
        st = s3_page_encoding(c, &ret->url);
    }
    if (st == ST_OK) {
        st = s3_page_size(c, "max-keys", max_keys, &ret->query.max);
    }
    ret->query.bucket = c->bucket;
    ret->query.prefix = prefix;
    ret->query.delimiter = delimiter;
    return st;
}

static struct str text_of(struct call *c, const struct list_call *l, struct str s)
{
    return s3_page_text(c->arena, s, l->url);
}

static struct s3_owner *owner_of(struct call *c, const struct list_call *l)
{
    struct s3_owner *owner = ARENA_NEW(c->arena, struct s3_owner);
    owner->ID = s3_owner_id(c->arena, l->bucket.account);
    return owner;
}

static struct s3_checksum_algorithm_list algorithms(struct call *c, enum s3_alg alg)
{
    struct s3_checksum_algorithm_list list = { 0, NULL };
    if (alg != S3_ALG_NONE) {
        list.v = ARENA_NEW(c->arena, struct str);
        list.v[0] = str_z(s3_alg_info(alg)->name);
        list.n = 1;
    }
    return list;
}

/* Listings show whole seconds. */
static struct opt_time shown_time(int64_t ms)
{
    return OPT_TIME(ms - ms % 1000);
}

static struct s3_object_list contents(struct call *c, const struct list_call *l,
                                      struct s3_owner *owner)
{
    struct s3_object_list out = { 0, NULL };
    if (l->page.n_rows == 0) {
        return out;
    }
    out.v = ARENA_ARRAY(c->arena, struct s3_listed_object, l->page.n_rows);
    for (size_t i = 0; i < l->page.n_rows; i++) {
        const struct s3_object_row *row = &l->page.rows[i];
        struct s3_listed_object *o = &out.v[out.n++];
        o->Key = text_of(c, l, row->key);
        o->LastModified = shown_time(row->modified_ms);
        o->ETag = s3_quoted(c->arena, row->etag);
        o->ChecksumAlgorithm = algorithms(c, row->alg);
        o->ChecksumType = row->alg == S3_ALG_NONE ? STR_NONE : s3_checksum_type(row->composite);
        o->Size = OPT_I64(row->size);
        o->StorageClass = s3_storage_class(&row->head);
        o->Owner = owner;
    }
    return out;
}

static struct s3_common_prefix_list prefixes(struct call *c, const struct list_call *l)
{
    struct s3_common_prefix_list out = { 0, NULL };
    if (l->page.n_prefixes == 0) {
        return out;
    }
    out.v = ARENA_ARRAY(c->arena, struct s3_common_prefix, l->page.n_prefixes);
    for (size_t i = 0; i < l->page.n_prefixes; i++) {
        out.v[out.n++].Prefix = text_of(c, l, l->page.prefixes[i]);
    }
    return out;
}

static struct str not_absent(struct str s)
{
    return str_set(s) ? s : STR("");
}

/* An empty delimiter is none. */
static struct str shown_delimiter(struct call *c, const struct list_call *l)
{
    return str_empty(l->query.delimiter) ? STR_NONE : text_of(c, l, l->query.delimiter);
}

enum status s3_list_objects(struct call *c, const struct s3_list_objects_request *in,
                            struct s3_list_objects_response *ret_out)
{
    struct list_call l;
    enum status st = begin(c, &in->MaxKeys, in->Prefix, in->Delimiter, &l);
    if (st == ST_OK) {
        l.query.after = str_empty(in->Marker) ? STR_NONE : in->Marker;
        l.query.skip_prefix = true;
        st = s3_page_collect(c->db, c->arena, &l.query, &l.page);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    ret_out->Name = c->bucket;
    ret_out->Prefix = text_of(c, &l, not_absent(in->Prefix));
    ret_out->Marker = text_of(c, &l, not_absent(in->Marker));
    ret_out->Delimiter = shown_delimiter(c, &l);
    ret_out->MaxKeys = OPT_I64(l.query.max);
    ret_out->EncodingType = in->EncodingType;
    ret_out->IsTruncated = OPT_BOOL(l.page.truncated);
    if (l.page.truncated && !str_empty(in->Delimiter)) {
        ret_out->NextMarker = text_of(c, &l, l.page.last);
    }
    ret_out->Contents = contents(c, &l, owner_of(c, &l));
    ret_out->CommonPrefixes = prefixes(c, &l);
    return ST_OK;
}

static enum status v2_start(struct call *c, const struct s3_list_objects_v2_request *in,
                            struct s3_page_query *q)
{
    struct str token = STR_NONE;
    if (!call_query(c, "continuation-token", &token)) {
        q->after = str_empty(in->StartAfter) ? STR_NONE : in->StartAfter;
        return ST_OK;
    }
    if (s3_token_decode(c->arena, token, &q->after, &q->skip_prefix) != ST_OK) {
        return s3_fail_argument(c, "continuation-token", token,
                                "The continuation token provided is incorrect");
    }
    return ST_OK;
}

enum status s3_list_objects_v2(struct call *c, const struct s3_list_objects_v2_request *in,
                               struct s3_list_objects_v2_response *ret_out)
{
    struct list_call l;
    enum status st = begin(c, &in->MaxKeys, in->Prefix, in->Delimiter, &l);
    if (st == ST_OK) {
        st = v2_start(c, in, &l.query);
    }
    if (st == ST_OK) {
        st = s3_page_collect(c->db, c->arena, &l.query, &l.page);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    bool owner = in->FetchOwner.set && in->FetchOwner.v;
    ret_out->Name = c->bucket;
    ret_out->Prefix = text_of(c, &l, not_absent(in->Prefix));
    ret_out->Delimiter = shown_delimiter(c, &l);
    ret_out->MaxKeys = OPT_I64(l.query.max);
    ret_out->EncodingType = in->EncodingType;
    ret_out->StartAfter = text_of(c, &l, in->StartAfter);
    ret_out->ContinuationToken = in->ContinuationToken;
    ret_out->KeyCount = OPT_I64(l.page.n_rows + l.page.n_prefixes);
    ret_out->IsTruncated = OPT_BOOL(l.page.truncated);
    if (l.page.truncated) {
        ret_out->NextContinuationToken =
            s3_token_encode(c->arena, l.page.last, l.page.last_is_prefix);
    }
    ret_out->Contents = contents(c, &l, owner ? owner_of(c, &l) : NULL);
    ret_out->CommonPrefixes = prefixes(c, &l);
    return ST_OK;
}

static struct s3_object_version_list versions(struct call *c, const struct list_call *l)
{
    struct s3_object_version_list out = { 0, NULL };
    if (l->page.n_rows == 0) {
        return out;
    }
    struct s3_owner *owner = owner_of(c, l);
    out.v = ARENA_ARRAY(c->arena, struct s3_object_version, l->page.n_rows);
    for (size_t i = 0; i < l->page.n_rows; i++) {
        const struct s3_object_row *row = &l->page.rows[i];
        struct s3_object_version *v = &out.v[out.n++];
        v->Key = text_of(c, l, row->key);
        v->VersionId = STR("null");
        v->IsLatest = OPT_BOOL(true);
        v->LastModified = shown_time(row->modified_ms);
        v->ETag = s3_quoted(c->arena, row->etag);
        v->ChecksumAlgorithm = algorithms(c, row->alg);
        v->ChecksumType = row->alg == S3_ALG_NONE ? STR_NONE : s3_checksum_type(row->composite);
        v->Size = OPT_I64(row->size);
        v->StorageClass = s3_storage_class(&row->head);
        v->Owner = owner;
    }
    return out;
}

enum status s3_list_object_versions(struct call *c,
                                    const struct s3_list_object_versions_request *in,
                                    struct s3_list_object_versions_response *ret_out)
{
    struct list_call l;
    enum status st = begin(c, &in->MaxKeys, in->Prefix, in->Delimiter, &l);
    if (st == ST_OK && str_set(in->VersionIdMarker) && !str_set(in->KeyMarker)) {
        st = s3_fail_argument(c, "version-id-marker", in->VersionIdMarker,
                              "A version-id marker cannot be specified without a key marker.");
    }
    if (st == ST_OK) {
        l.query.after = str_empty(in->KeyMarker) ? STR_NONE : in->KeyMarker;
        l.query.skip_prefix = true;
        st = s3_page_collect(c->db, c->arena, &l.query, &l.page);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    ret_out->Name = c->bucket;
    ret_out->Prefix = text_of(c, &l, not_absent(in->Prefix));
    ret_out->KeyMarker = text_of(c, &l, not_absent(in->KeyMarker));
    ret_out->VersionIdMarker = not_absent(in->VersionIdMarker);
    ret_out->Delimiter = shown_delimiter(c, &l);
    ret_out->MaxKeys = OPT_I64(l.query.max);
    ret_out->EncodingType = in->EncodingType;
    ret_out->IsTruncated = OPT_BOOL(l.page.truncated);
    if (l.page.truncated) {
        ret_out->NextKeyMarker = text_of(c, &l, l.page.last);
        ret_out->NextVersionIdMarker = l.page.last_is_prefix ? STR_NONE : STR("null");
    }
    ret_out->Versions = versions(c, &l);
    ret_out->CommonPrefixes = prefixes(c, &l);
    return ST_OK;
}
