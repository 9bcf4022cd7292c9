/* Sub-resources that nobody can set here: they answer what AWS says of a bucket where they were
 * never set. Their PUTs are NotImplemented, unless they ask for what holds anyway. */
#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_headers.h"
#include "emulators/s3/s3_model.h"
#include "emulators/s3/s3_service.h"

static enum status unset(struct call *c, const struct aws_error *error)
{
    enum status st = s3_check_bucket(c);
    if (st == ST_OK && error) {
        st = call_fail(c, error, NULL);
        call_fail_field(c, "BucketName", c->bucket);
    }
    return call_status(c, st);
}

/* GET that answers the error of a missing setting. */
#define GET_UNSET(name, error)                                                          \
    enum status s3_get_##name(struct call *c, const struct s3_get_##name##_request *in, \
                              struct s3_get_##name##_response *ret_out)                 \
    {                                                                                   \
        (void)in;                                                                       \
        (void)ret_out;                                                                  \
        return unset(c, &(error));                                                      \
    }
/* GET that answers an empty element. */
#define GET_EMPTY(name)                                                                 \
    enum status s3_get_##name(struct call *c, const struct s3_get_##name##_request *in, \
                              struct s3_get_##name##_response *ret_out)                 \
    {                                                                                   \
        (void)in;                                                                       \
        (void)ret_out;                                                                  \
        return unset(c, NULL);                                                          \
    }
/* Listing that has no entries. */
#define LIST_EMPTY(name)                                                                  \
    enum status s3_list_##name(struct call *c, const struct s3_list_##name##_request *in, \
                               struct s3_list_##name##_response *ret_out)                 \
    {                                                                                     \
        (void)in;                                                                         \
        ret_out->IsTruncated = OPT_BOOL(false);                                           \
        return unset(c, NULL);                                                            \
    }
/* DELETE of what isn't there succeeds. */
#define DELETE_UNSET(name)                                                                    \
    enum status s3_delete_##name(struct call *c, const struct s3_delete_##name##_request *in, \
                                 void *ret_out)                                               \
    {                                                                                         \
        (void)in;                                                                             \
        (void)ret_out;                                                                        \
        return unset(c, NULL);                                                                \
    }

GET_UNSET(bucket_cors, s3_NoSuchCORSConfiguration)
GET_UNSET(bucket_website, s3_NoSuchWebsiteConfiguration)
GET_UNSET(bucket_lifecycle_configuration, s3_NoSuchLifecycleConfiguration)
GET_UNSET(bucket_replication, s3_ReplicationConfigurationNotFoundError)
GET_UNSET(object_lock_configuration, s3_ObjectLockConfigurationNotFoundError)
GET_UNSET(bucket_analytics_configuration, s3_NoSuchConfiguration)
GET_UNSET(bucket_inventory_configuration, s3_NoSuchConfiguration)
GET_UNSET(bucket_metrics_configuration, s3_NoSuchConfiguration)
GET_UNSET(bucket_intelligent_tiering_configuration, s3_NoSuchConfiguration)
GET_EMPTY(bucket_versioning)
GET_EMPTY(bucket_accelerate_configuration)
GET_EMPTY(bucket_logging)
LIST_EMPTY(bucket_analytics_configurations)
LIST_EMPTY(bucket_inventory_configurations)
LIST_EMPTY(bucket_metrics_configurations)
LIST_EMPTY(bucket_intelligent_tiering_configurations)
DELETE_UNSET(bucket_cors)
DELETE_UNSET(bucket_website)
DELETE_UNSET(bucket_lifecycle)
DELETE_UNSET(bucket_replication)

enum status s3_get_bucket_request_payment(struct call *c,
                                          const struct s3_get_bucket_request_payment_request *in,
                                          struct s3_get_bucket_request_payment_response *ret_out)
{
    (void)in;
    ret_out->Payer = STR("BucketOwner");
    return unset(c, NULL);
}

enum status s3_put_bucket_request_payment(struct call *c,
                                          const struct s3_put_bucket_request_payment_request *in,
                                          void *ret_out)
{
    (void)ret_out;
    const struct s3_request_payment_configuration *conf = in->RequestPaymentConfiguration;
    if (!conf) {
        return call_fail(c, &s3_MalformedXML, NULL);
    }
    if (!str_eqz(conf->Payer, "BucketOwner")) {
        return call_fail(c, &s3_NotImplemented,
                         "Requester Pays is not implemented; nobody pays here.");
    }
    return unset(c, NULL);
}

enum status s3_put_bucket_logging(struct call *c, const struct s3_put_bucket_logging_request *in,
                                  void *ret_out)
{
    (void)ret_out;
    if (in->BucketLoggingStatus && in->BucketLoggingStatus->LoggingEnabled) {
        return call_fail(c, &s3_NotImplemented,
                         "Server access logs are not written, so logging cannot be enabled.");
    }
    return unset(c, NULL);
}

enum status s3_put_bucket_versioning(struct call *c,
                                     const struct s3_put_bucket_versioning_request *in,
                                     void *ret_out)
{
    (void)in;
    (void)ret_out;
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = call_fail(c, &s3_NotImplemented,
                       "Object versions are not implemented: a bucket keeps the current object "
                       "only, so versioning can be neither enabled nor suspended.");
    }
    return call_status(c, st);
}

static enum status no_lock(struct call *c, struct str version)
{
    struct s3_object_row row;
    enum status st = s3_need_object(c, version, &row);
    if (st == ST_OK) {
        st = call_fail(c, &s3_InvalidRequest, "Bucket is missing Object Lock Configuration");
    }
    return call_status(c, st);
}

enum status s3_get_object_retention(struct call *c,
                                    const struct s3_get_object_retention_request *in,
                                    struct s3_get_object_retention_response *ret_out)
{
    (void)ret_out;
    return no_lock(c, in->VersionId);
}

enum status s3_get_object_legal_hold(struct call *c,
                                     const struct s3_get_object_legal_hold_request *in,
                                     struct s3_get_object_legal_hold_response *ret_out)
{
    (void)ret_out;
    return no_lock(c, in->VersionId);
}

/* --- ACLs: the owner has full control, and nobody else can get any ---------------------------- */

static enum status fill_acl(struct call *c, struct s3_owner **ret_owner, struct s3_grants *ret)
{
    struct s3_bucket_row bucket;
    enum status st = s3_need_bucket(c, &bucket);
    if (st != ST_OK) {
        return st;
    }
    struct s3_owner *owner = ARENA_NEW(c->arena, struct s3_owner);
    struct s3_grant *grant = ARENA_NEW(c->arena, struct s3_grant);
    owner->ID = s3_owner_id(c->arena, bucket.account);
    grant->Grantee = ARENA_NEW(c->arena, struct s3_grantee);
    grant->Grantee->ID = owner->ID;
    grant->Grantee->Type = STR("CanonicalUser");
    grant->Permission = STR("FULL_CONTROL");
    *ret_owner = owner;
    *ret = (struct s3_grants){ 1, grant };
    return ST_OK;
}

enum status s3_get_bucket_acl(struct call *c, const struct s3_get_bucket_acl_request *in,
                              struct s3_get_bucket_acl_response *ret_out)
{
    (void)in;
    return call_status(c, fill_acl(c, &ret_out->Owner, &ret_out->Grants));
}

enum status s3_get_object_acl(struct call *c, const struct s3_get_object_acl_request *in,
                              struct s3_get_object_acl_response *ret_out)
{
    struct s3_object_row row;
    enum status st = s3_need_object(c, in->VersionId, &row);
    if (st == ST_OK) {
        st = fill_acl(c, &ret_out->Owner, &ret_out->Grants);
    }
    return call_status(c, st);
}

/* Grants that say no more than what holds: the owner's full control. */
static enum status check_policy_document(struct call *c, const struct s3_access_control_policy *acl)
{
    struct s3_bucket_row bucket;
    enum status st = s3_need_bucket(c, &bucket);
    struct str owner = st == ST_OK ? s3_owner_id(c->arena, bucket.account) : STR_NONE;
    for (size_t i = 0; acl && st == ST_OK && i < acl->Grants.n; i++) {
        const struct s3_grant *g = &acl->Grants.v[i];
        if (!g->Grantee || !str_eq(g->Grantee->ID, owner) ||
            !str_eqz(g->Permission, "FULL_CONTROL")) {
            st = call_fail(c, &s3_AccessControlListNotSupported, NULL);
        }
    }
    return st;
}

enum status s3_put_bucket_acl(struct call *c, const struct s3_put_bucket_acl_request *in,
                              void *ret_out)
{
    (void)ret_out;
    enum status st = s3_acl_headers_check(c);
    if (st == ST_OK) {
        st = check_policy_document(c, in->AccessControlPolicy);
    }
    return call_status(c, st);
}

enum status s3_put_object_acl(struct call *c, const struct s3_put_object_acl_request *in,
                              struct s3_put_object_acl_response *ret_out)
{
    (void)ret_out;
    struct s3_object_row row;
    enum status st = s3_need_object(c, in->VersionId, &row);
    if (st == ST_OK) {
        st = s3_acl_headers_check(c);
    }
    if (st == ST_OK) {
        st = check_policy_document(c, in->AccessControlPolicy);
    }
    return call_status(c, st);
}
