/* Buckets themselves. */
#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_headers.h"
#include "emulators/s3/s3_integrity.h"
#include "emulators/s3/s3_known.h"
#include "emulators/s3/s3_model.h"
#include "emulators/s3/s3_multipart.h"
#include "emulators/s3/s3_name.h"
#include "emulators/s3/s3_page.h"
#include "emulators/s3/s3_pairs.h"
#include "emulators/s3/s3_tagging.h"
#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/core.h"

#define BUCKETS_PAGE_MAX 10000

static struct str bucket_arn(struct arena *a, struct str name)
{
    return arena_printf(a, "arn:aws:s3:::%.*s", STR_ARG(name));
}

enum status s3_list_buckets(struct call *c, const struct s3_list_buckets_request *in,
                            struct s3_list_buckets_response *ret_out)
{
    struct s3_bucket_row *rows = NULL;
    size_t n = 0;
    int64_t max = in->MaxBuckets.set ? in->MaxBuckets.v : BUCKETS_PAGE_MAX;
    bool prefix = false;
    struct s3_bucket_filter filter = { .account = c->caller.account,
                                       .region = in->BucketRegion,
                                       .prefix = in->Prefix };
    if (max < 1 || max > BUCKETS_PAGE_MAX) {
        return s3_fail_argument(c, "max-buckets", arena_printf(c->arena, "%lld", (long long)max),
                                "Argument max-buckets must be an integer between 1 and 10000");
    }
    if (str_set(in->ContinuationToken) &&
        s3_token_decode(c->arena, in->ContinuationToken, &filter.after, &prefix) != ST_OK) {
        return s3_fail_argument(c, "continuation-token", in->ContinuationToken,
                                "The continuation token provided is incorrect");
    }
    filter.limit = (size_t)max + 1;
    enum status st = s3_store_buckets(c->db, c->arena, &filter, &rows, &n);
    if (st != ST_OK) {
        return call_status(c, st);
    }
    if (n > (size_t)max) {
        n = (size_t)max;
        ret_out->ContinuationToken = s3_token_encode(c->arena, rows[n - 1].name, false);
    }
    /* Region and ARN are told to those who page; old clients expect the short form. */
    bool paged = in->MaxBuckets.set || str_set(in->BucketRegion) || str_set(in->Prefix) ||
                 str_set(in->ContinuationToken);
    ret_out->Prefix = in->Prefix;
    ret_out->Owner = ARENA_NEW(c->arena, struct s3_owner);
    ret_out->Owner->ID = s3_owner_id(c->arena, c->caller.account);
    ret_out->Buckets.v = ARENA_ARRAY(c->arena, struct s3_bucket, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct s3_bucket *b = &ret_out->Buckets.v[ret_out->Buckets.n++];
        b->Name = rows[i].name;
        b->CreationDate = OPT_TIME(rows[i].created_ms - rows[i].created_ms % 1000);
        b->BucketArn = bucket_arn(c->arena, rows[i].name);
        b->BucketRegion = paged ? rows[i].region : STR_NONE;
    }
    return ST_OK;
}

static enum status check_name(struct call *c)
{
    if (s3_bucket_name_ok(c->bucket)) {
        return ST_OK;
    }
    enum status st = call_fail(c, &s3_InvalidBucketName, NULL);
    call_fail_field(c, "BucketName", c->bucket);
    return st;
}

static enum status check_location(struct call *c, const struct s3_create_bucket_configuration *conf)
{
    struct str asked = conf ? conf->LocationConstraint : STR_NONE;
    struct str here = c->caller.region;
    bool classic = str_eqz(here, "us-east-1");
    if (conf && (conf->Location || conf->Bucket)) {
        return call_fail(
            c, &s3_NotImplemented,
            "Directory buckets are not implemented; ask for a general purpose bucket.");
    }
    if (str_set(asked) && (str_eqz(asked, "us-east-1") || !s3_region_ok(asked))) {
        enum status st = call_fail(c, &s3_InvalidLocationConstraint, NULL);
        call_fail_field(c, "LocationConstraint", asked);
        return st;
    }
    bool old_name = str_eqz(asked, "EU") && str_eqz(here, "eu-west-1");
    if (old_name || (classic && !str_set(asked)) || str_eq(asked, here)) {
        return ST_OK;
    }
    if (!str_set(asked)) {
        return call_fail(c, &s3_IllegalLocationConstraintException, NULL);
    }
    return call_fail(c, &s3_IllegalLocationConstraintException,
                     "The %.*s location constraint is incompatible for the region specific "
                     "endpoint this request was sent to.",
                     STR_ARG(asked));
}

static enum status check_features(struct call *c, const struct s3_create_bucket_request *in)
{
    struct str owner = in->ObjectOwnership;
    if (in->ObjectLockEnabledForBucket.set && in->ObjectLockEnabledForBucket.v) {
        return s3_fail_header(c, "x-amz-bucket-object-lock-enabled",
                              "Object Lock is not implemented.");
    }
    if (str_set(owner) && !str_eqz(owner, "BucketOwnerEnforced") &&
        !str_eqz(owner, "BucketOwnerPreferred") && !str_eqz(owner, "ObjectWriter")) {
        return s3_fail_argument(c, "x-amz-object-ownership", owner,
                                "Invalid x-amz-object-ownership header");
    }
    return s3_acl_headers_check(c);
}

static enum status store_extras(struct call *c, const struct s3_create_bucket_request *in)
{
    struct str tags = STR_NONE;
    enum status st = ST_OK;
    if (in->CreateBucketConfiguration) {
        st = s3_tags_read(c, &in->CreateBucketConfiguration->Tags, S3_BUCKET_TAGS_MAX, &tags);
    }
    if (st == ST_OK && str_set(tags)) {
        st = s3_store_set_setting(c->db, c->bucket, "tagging", tags);
    }
    if (st == ST_OK && str_set(in->ObjectOwnership)) {
        st = s3_store_set_setting(c->db, c->bucket, "ownership", in->ObjectOwnership);
    }
    return st;
}

/* The same bucket again: us-east-1 shrugs, other regions complain. */
static enum status created_before(struct call *c, const struct s3_bucket_row *old)
{
    if (!str_eq(old->account, c->caller.account)) {
        return call_fail(c, &s3_BucketAlreadyExists, NULL);
    }
    if (str_eqz(old->region, "us-east-1") && str_eqz(c->caller.region, "us-east-1")) {
        return ST_OK;
    }
    enum status st = call_fail(c, &s3_BucketAlreadyOwnedByYou, NULL);
    call_fail_field(c, "BucketName", c->bucket);
    return st;
}

static enum status add_bucket(struct call *c, const struct s3_create_bucket_request *in)
{
    struct s3_bucket_row old;
    struct s3_bucket_row row = { .name = c->bucket,
                                 .account = c->caller.account,
                                 .region = c->caller.region,
                                 .created_ms = clock_now_ms() };
    enum status st = s3_store_bucket(c->db, c->arena, c->bucket, &old);
    if (st == ST_OK) {
        return created_before(c, &old);
    }
    if (st == ST_NOT_FOUND) {
        st = s3_store_add_bucket(c->db, &row);
        s3_buckets_will_change(c->core);
    }
    if (st == ST_OK) {
        st = store_extras(c, in);
    }
    return st == ST_OK ? s3_make_folder(call_s3(c), c->bucket) : st;
}

enum status s3_create_bucket(struct call *c, const struct s3_create_bucket_request *in,
                             struct s3_create_bucket_response *ret_out)
{
    enum status st = check_name(c);
    if (st == ST_OK) {
        st = check_location(c, in->CreateBucketConfiguration);
    }
    if (st == ST_OK) {
        st = check_features(c, in);
    }
    if (st == ST_OK) {
        st = s3_integrity_check_bytes(c, false);
    }
    if (st == ST_OK) {
        st = add_bucket(c, in);
    }
    if (st == ST_OK) {
        ret_out->Location = arena_printf(c->arena, "/%.*s", STR_ARG(c->bucket));
        ret_out->BucketArn = bucket_arn(c->arena, c->bucket);
    }
    return call_status(c, st);
}

enum status s3_head_bucket(struct call *c, const struct s3_head_bucket_request *in,
                           struct s3_head_bucket_response *ret_out)
{
    (void)in;
    struct s3_bucket_row row;
    enum status st = s3_need_bucket(c, &row);
    if (st == ST_OK) {
        ret_out->BucketRegion = row.region;
        ret_out->BucketArn = bucket_arn(c->arena, row.name);
        ret_out->AccessPointAlias = OPT_BOOL(false);
    }
    return call_status(c, st);
}

enum status s3_get_bucket_location(struct call *c, const struct s3_get_bucket_location_request *in,
                                   struct s3_get_bucket_location_response *ret_out)
{
    (void)in;
    struct s3_bucket_row row;
    enum status st = s3_need_bucket(c, &row);
    if (st == ST_OK && !str_eqz(row.region, "us-east-1")) {
        ret_out->LocationConstraint = row.region;
    }
    return call_status(c, st);
}

/* Uploads that were never completed don't keep a bucket. */
static enum status drop_uploads(struct call *c)
{
    enum status st = ST_OK;
    struct s3_upload_rows rows = { NULL, 1 };
    while (rows.n > 0 && st == ST_OK) {
        struct s3_upload_from from = { STR(""), STR_NONE };
        st = s3_store_uploads(c->db, c->arena, c->bucket, &from, S3_PAGE_MAX, &rows);
        for (size_t i = 0; i < rows.n && st == ST_OK; i++) {
            st = s3_drop_upload(call_s3(c), c->arena, rows.v[i].id);
        }
    }
    return st;
}

enum status s3_delete_bucket(struct call *c, const struct s3_delete_bucket_request *in,
                             void *ret_out)
{
    (void)in;
    (void)ret_out;
    bool empty = false;
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = s3_store_bucket_empty(c->db, c->bucket, &empty);
    }
    if (st == ST_OK && !empty) {
        st = call_fail(c, &s3_BucketNotEmpty, NULL);
        call_fail_field(c, "BucketName", c->bucket);
    }
    if (st == ST_OK) {
        st = drop_uploads(c);
    }
    if (st == ST_OK) {
        st = s3_store_drop_bucket(c->db, c->bucket);
        s3_buckets_will_change(c->core);
    }
    if (st == ST_OK) {
        st = blob_intend_top_removal(c->core, c->bucket);
    }
    return call_status(c, st);
}
