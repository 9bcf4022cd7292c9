/* Bucket settings that are kept and shown, but not enforced: policy, encryption, Block Public
 * Access, ownership controls. A new bucket has AWS's defaults since 2023; a deleted setting is
 * recorded as GONE, because it answers otherwise than one that was never touched. */
#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_integrity.h"
#include "emulators/s3/s3_model.h"
#include "emulators/s3/s3_service.h"
#include "server/wire/json.h"

#define POLICY_MAX 20480 /* bytes */
#define GONE STR("-")

/* Absent text: never touched. */
static enum status read_setting(struct call *c, const char *kind, struct str *ret)
{
    *ret = STR_NONE;
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = s3_store_setting(c->db, c->arena, c->bucket, kind, ret);
        st = st == ST_NOT_FOUND ? ST_OK : st;
    }
    return st;
}

static enum status write_setting(struct call *c, const char *kind, struct str value)
{
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = s3_integrity_check_bytes(c, false);
    }
    if (st == ST_OK) {
        st = s3_store_set_setting(c->db, c->bucket, kind, value);
    }
    return call_status(c, st);
}

static enum status fail_unset(struct call *c, const struct aws_error *error)
{
    enum status st = call_fail(c, error, NULL);
    call_fail_field(c, "BucketName", c->bucket);
    return st;
}

/* --- policy ----------------------------------------------------------------------------------- */

enum status s3_get_bucket_policy(struct call *c, const struct s3_get_bucket_policy_request *in,
                                 struct s3_get_bucket_policy_response *ret_out)
{
    (void)in;
    (void)ret_out;
    struct str text = STR_NONE;
    enum status st = read_setting(c, "policy", &text);
    if (st == ST_OK && !str_set(text)) {
        st = fail_unset(c, &s3_NoSuchBucketPolicy);
    }
    if (st == ST_OK) {
        call_reply_bytes(c, STR("application/json"), text);
    }
    return call_status(c, st);
}

/* A Principal "*" or {"AWS": "*"} in an Allow without Condition. */
static bool statement_public(const struct json_value *statement)
{
    const struct json_value *who = json_get(statement, "Principal");
    if (!str_eqz(json_get_str(statement, "Effect"), "Allow") || json_get(statement, "Condition") ||
        !who) {
        return false;
    }
    return (who->kind == JSON_STRING && str_eqz(who->str, "*")) ||
           str_eqz(json_get_str(who, "AWS"), "*");
}

enum status s3_get_bucket_policy_status(struct call *c,
                                        const struct s3_get_bucket_policy_status_request *in,
                                        struct s3_get_bucket_policy_status_response *ret_out)
{
    (void)in;
    struct str text = STR_NONE, why = STR_NONE;
    struct json_value *policy = NULL;
    enum status st = read_setting(c, "policy", &text);
    if (st == ST_OK && !str_set(text)) {
        st = fail_unset(c, &s3_NoSuchBucketPolicy);
    }
    if (st == ST_OK) {
        st = json_parse(c->arena, text, &policy, &why);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    bool is_public = false;
    const struct json_value *list = json_get(policy, "Statement");
    if (list && list->kind == JSON_OBJECT) {
        is_public = statement_public(list);
    } else if (list && list->kind == JSON_ARRAY) {
        for (const struct json_value *s = list->first; s; s = s->next) {
            is_public = is_public || statement_public(s);
        }
    }
    ret_out->PolicyStatus = ARENA_NEW(c->arena, struct s3_policy_status);
    ret_out->PolicyStatus->IsPublic = OPT_BOOL(is_public);
    return ST_OK;
}

static enum status check_policy(struct call *c, struct str text)
{
    struct json_value *policy = NULL;
    struct str why = STR_NONE;
    if (str_empty(text)) {
        return call_fail(c, &s3_MissingRequestBodyError, NULL);
    }
    if (text.n > POLICY_MAX) {
        return call_fail(c, &s3_MalformedPolicy,
                         "Policy exceeds the maximum allowed size of %d bytes.", POLICY_MAX);
    }
    if (text.p[0] != '{' || json_parse(c->arena, text, &policy, &why) != ST_OK) {
        return call_fail(c, &s3_MalformedPolicy, NULL);
    }
    if (!json_get(policy, "Statement")) {
        return call_fail(c, &s3_MalformedPolicy, "Missing required field Statement");
    }
    return ST_OK;
}

enum status s3_put_bucket_policy(struct call *c, const struct s3_put_bucket_policy_request *in,
                                 void *ret_out)
{
    (void)ret_out;
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = check_policy(c, in->Policy);
    }
    if (st == ST_OK) {
        st = write_setting(c, "policy", in->Policy);
    }
    if (st == ST_OK) {
        call_set_http_status(c, 204);
    }
    return call_status(c, st);
}

enum status s3_delete_bucket_policy(struct call *c,
                                    const struct s3_delete_bucket_policy_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = s3_store_drop_setting(c->db, c->bucket, "policy");
    }
    return call_status(c, st);
}

/* --- encryption: only AES256, kept as the BucketKeyEnabled flag ------------------------------- */

enum status s3_get_bucket_encryption(struct call *c,
                                     const struct s3_get_bucket_encryption_request *in,
                                     struct s3_get_bucket_encryption_response *ret_out)
{
    (void)in;
    struct str text = STR_NONE;
    enum status st = read_setting(c, "encryption", &text);
    if (st != ST_OK) {
        return call_status(c, st);
    }
    struct s3_server_side_encryption_rule *rule =
        ARENA_NEW(c->arena, struct s3_server_side_encryption_rule);
    rule->ApplyServerSideEncryptionByDefault =
        ARENA_NEW(c->arena, struct s3_server_side_encryption_by_default);
    rule->ApplyServerSideEncryptionByDefault->SSEAlgorithm = STR("AES256");
    rule->BucketKeyEnabled = OPT_BOOL(str_eqz(text, "1"));
    ret_out->ServerSideEncryptionConfiguration =
        ARENA_NEW(c->arena, struct s3_server_side_encryption_configuration);
    ret_out->ServerSideEncryptionConfiguration->Rules =
        (struct s3_server_side_encryption_rules){ 1, rule };
    return ST_OK;
}

enum status s3_put_bucket_encryption(struct call *c,
                                     const struct s3_put_bucket_encryption_request *in,
                                     void *ret_out)
{
    (void)ret_out;
    const struct s3_server_side_encryption_configuration *conf =
        in->ServerSideEncryptionConfiguration;
    if (!conf || conf->Rules.n != 1) {
        return call_fail(c, &s3_MalformedXML, NULL);
    }
    const struct s3_server_side_encryption_rule *rule = &conf->Rules.v[0];
    const struct s3_server_side_encryption_by_default *by =
        rule->ApplyServerSideEncryptionByDefault;
    if (by && !str_eqz(by->SSEAlgorithm, "AES256")) {
        return call_fail(c, &s3_NotImplemented,
                         "Encryption by %.*s is not implemented; only AES256 can be the default.",
                         STR_ARG(by->SSEAlgorithm));
    }
    bool key = rule->BucketKeyEnabled.set && rule->BucketKeyEnabled.v;
    return write_setting(c, "encryption", key ? STR("1") : STR("0"));
}

enum status s3_delete_bucket_encryption(struct call *c,
                                        const struct s3_delete_bucket_encryption_request *in,
                                        void *ret_out)
{
    (void)in;
    (void)ret_out;
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = s3_store_drop_setting(c->db, c->bucket, "encryption");
    }
    return call_status(c, st);
}

/* --- Block Public Access: four flags as '0' and '1' ------------------------------------------- */

static struct opt_bool flag_at(struct str text, size_t i)
{
    return OPT_BOOL(i < text.n && text.p[i] == '1');
}

enum status s3_get_public_access_block(struct call *c,
                                       const struct s3_get_public_access_block_request *in,
                                       struct s3_get_public_access_block_response *ret_out)
{
    (void)in;
    struct str text = STR_NONE;
    enum status st = read_setting(c, "public-access", &text);
    if (st == ST_OK && str_eq(text, GONE)) {
        st = fail_unset(c, &s3_NoSuchPublicAccessBlockConfiguration);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    text = str_set(text) ? text : STR("1111");
    struct s3_public_access_block_configuration *conf =
        ARENA_NEW(c->arena, struct s3_public_access_block_configuration);
    conf->BlockPublicAcls = flag_at(text, 0);
    conf->IgnorePublicAcls = flag_at(text, 1);
    conf->BlockPublicPolicy = flag_at(text, 2);
    conf->RestrictPublicBuckets = flag_at(text, 3);
    ret_out->PublicAccessBlockConfiguration = conf;
    return ST_OK;
}

enum status s3_put_public_access_block(struct call *c,
                                       const struct s3_put_public_access_block_request *in,
                                       void *ret_out)
{
    (void)ret_out;
    const struct s3_public_access_block_configuration *conf = in->PublicAccessBlockConfiguration;
    if (!conf) {
        return call_fail(c, &s3_MalformedXML, NULL);
    }
    struct str text =
        arena_printf(c->arena, "%d%d%d%d", conf->BlockPublicAcls.v, conf->IgnorePublicAcls.v,
                     conf->BlockPublicPolicy.v, conf->RestrictPublicBuckets.v);
    return write_setting(c, "public-access", text);
}

enum status s3_delete_public_access_block(struct call *c,
                                          const struct s3_delete_public_access_block_request *in,
                                          void *ret_out)
{
    (void)in;
    (void)ret_out;
    return write_setting(c, "public-access", GONE);
}

/* --- ownership controls ----------------------------------------------------------------------- */

enum status
s3_get_bucket_ownership_controls(struct call *c,
                                 const struct s3_get_bucket_ownership_controls_request *in,
                                 struct s3_get_bucket_ownership_controls_response *ret_out)
{
    (void)in;
    struct str text = STR_NONE;
    enum status st = read_setting(c, "ownership", &text);
    if (st == ST_OK && str_eq(text, GONE)) {
        st = fail_unset(c, &s3_OwnershipControlsNotFoundError);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    struct s3_ownership_controls_rule *rule =
        ARENA_NEW(c->arena, struct s3_ownership_controls_rule);
    rule->ObjectOwnership = str_set(text) ? text : STR("BucketOwnerEnforced");
    ret_out->OwnershipControls = ARENA_NEW(c->arena, struct s3_ownership_controls);
    ret_out->OwnershipControls->Rules = (struct s3_ownership_controls_rules){ 1, rule };
    return ST_OK;
}

enum status s3_put_bucket_ownership_controls(
    struct call *c, const struct s3_put_bucket_ownership_controls_request *in, void *ret_out)
{
    (void)ret_out;
    const struct s3_ownership_controls *conf = in->OwnershipControls;
    if (!conf || conf->Rules.n != 1) {
        return call_fail(c, &s3_MalformedXML, NULL);
    }
    struct str value = conf->Rules.v[0].ObjectOwnership;
    if (!str_eqz(value, "BucketOwnerEnforced") && !str_eqz(value, "BucketOwnerPreferred") &&
        !str_eqz(value, "ObjectWriter")) {
        return call_fail(c, &s3_MalformedXML, NULL);
    }
    return write_setting(c, "ownership", value);
}

enum status s3_delete_bucket_ownership_controls(
    struct call *c, const struct s3_delete_bucket_ownership_controls_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return write_setting(c, "ownership", GONE);
}
