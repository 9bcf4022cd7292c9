/* Managed policies of the account. One version each (v1): CreatePolicyVersion isn't implemented. */
#include "emulators/iam/iam_check.h"
#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/base/id.h"

static enum status find_policy(struct call *c, struct str arn, struct iam_policy *ret,
                               struct str *ret_document)
{
    enum status st = iam_store_policy(c->db, c->arena, arn, ret, ret_document);
    if (st == ST_NOT_FOUND && str_starts(arn, STR("arn:aws:iam::aws:policy/"))) {
        return call_fail(c, &iam_NoSuchEntityException,
                         "Policy %.*s is one of AWS's own: it can be attached here, but its text "
                         "isn't part of this emulator.",
                         STR_ARG(arn));
    }
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &iam_NoSuchEntityException, "Policy %.*s was not found.", STR_ARG(arn));
    }
    return call_status(c, st);
}

enum status iam_create_policy(struct call *c, const struct iam_create_policy_request *in,
                              struct iam_create_policy_response *ret_out)
{
    struct str path;
    enum status st = iam_check_name(c, "policyName", in->PolicyName);
    st = st == ST_OK ? iam_check_path(c, in->Path, &path) : st;
    st = st == ST_OK ? iam_check_document(c, in->PolicyDocument) : st;
    if (st != ST_OK) {
        return st;
    }
    struct str tail = id_base32(c->arena, 17);
    struct iam_policy *p = ARENA_NEW(c->arena, struct iam_policy);
    *p = (struct iam_policy){
        .PolicyName = in->PolicyName,
        .PolicyId = arena_printf(c->arena, "ANPA%.*s", STR_ARG(tail)),
        .Arn = arena_printf(c->arena, "arn:aws:iam::%.*s:policy%.*s%.*s",
                            STR_ARG(c->caller.account), STR_ARG(path), STR_ARG(in->PolicyName)),
        .Path = path,
        .Description = in->Description,
        .DefaultVersionId = STR("v1"),
        .AttachmentCount = OPT_I64(0),
        .PermissionsBoundaryUsageCount = OPT_I64(0),
        .IsAttachable = OPT_BOOL(true),
        .CreateDate = OPT_TIME(clock_now_ms() / 1000 * 1000),
    };
    p->UpdateDate = p->CreateDate;
    st = iam_store_add_policy(c->db, c->caller.account, p, in->PolicyDocument);
    if (st == ST_EXISTS) {
        return call_fail(c, &iam_EntityAlreadyExistsException,
                         "A policy called %.*s already exists. Duplicate names are not allowed.",
                         STR_ARG(in->PolicyName));
    }
    ret_out->Policy = p;
    return call_status(c, st);
}

enum status iam_get_policy(struct call *c, const struct iam_get_policy_request *in,
                           struct iam_get_policy_response *ret_out)
{
    struct str document;
    ret_out->Policy = ARENA_NEW(c->arena, struct iam_policy);
    return find_policy(c, in->PolicyArn, ret_out->Policy, &document);
}

static struct iam_policy_version version_of(const struct iam_policy *p)
{
    return (struct iam_policy_version){ .VersionId = STR("v1"),
                                        .IsDefaultVersion = OPT_BOOL(true),
                                        .CreateDate = p->CreateDate };
}

enum status iam_get_policy_version(struct call *c, const struct iam_get_policy_version_request *in,
                                   struct iam_get_policy_version_response *ret_out)
{
    struct iam_policy policy;
    struct str document;
    enum status st = find_policy(c, in->PolicyArn, &policy, &document);
    if (st != ST_OK) {
        return st;
    }
    if (!str_eqz(in->VersionId, "v1")) {
        return call_fail(c, &iam_NoSuchEntityException,
                         "Policy %.*s version %.*s does not exist or is not attachable.",
                         STR_ARG(in->PolicyArn), STR_ARG(in->VersionId));
    }
    ret_out->PolicyVersion = ARENA_NEW(c->arena, struct iam_policy_version);
    *ret_out->PolicyVersion = version_of(&policy);
    ret_out->PolicyVersion->Document = url_encode(c->arena, document, false);
    return ST_OK;
}

enum status iam_list_policy_versions(struct call *c,
                                     const struct iam_list_policy_versions_request *in,
                                     struct iam_list_policy_versions_response *ret_out)
{
    struct iam_policy policy;
    struct str document;
    enum status st = find_policy(c, in->PolicyArn, &policy, &document);
    if (st == ST_OK) {
        ret_out->Versions.n = 1;
        ret_out->Versions.v = ARENA_NEW(c->arena, struct iam_policy_version);
        ret_out->Versions.v[0] = version_of(&policy);
        ret_out->IsTruncated = OPT_BOOL(false);
    }
    return st;
}

enum status iam_list_policies(struct call *c, const struct iam_list_policies_request *in,
                              struct iam_list_policies_response *ret_out)
{
    struct iam_page page = iam_page_in(in->PathPrefix, in->Marker, in->MaxItems);
    ret_out->IsTruncated = OPT_BOOL(false);
    if (str_eqz(in->Scope, "AWS")) {
        return call_fail(c, &iam_ServiceNotSupportedException,
                         "AWS's own policies aren't listed by this emulator; Scope=Local lists "
                         "the account's.");
    }
    enum status st =
        iam_store_policies(c->db, c->arena, c->caller.account, &page, &ret_out->Policies);
    if (st == ST_OK && iam_page_cut(&page, &ret_out->Policies.n, &ret_out->IsTruncated)) {
        ret_out->Marker = ret_out->Policies.v[ret_out->Policies.n - 1].PolicyName;
    }
    return call_status(c, st);
}

enum status iam_delete_policy(struct call *c, const struct iam_delete_policy_request *in,
                              void *ret_out)
{
    (void)ret_out;
    struct iam_policy policy;
    struct str document;
    enum status st = find_policy(c, in->PolicyArn, &policy, &document);
    if (st != ST_OK) {
        return st;
    }
    if (policy.AttachmentCount.v > 0) {
        return call_fail(c, &iam_DeleteConflictException,
                         "Cannot delete a policy attached to entities.");
    }
    return call_status(c, iam_store_delete_policy(c->db, in->PolicyArn));
}
