/* What a role may do: inline policies and attached managed ones. Stored, not enforced. */
#include "emulators/iam/iam_check.h"
#include "server/base/digest.h"

enum status iam_put_role_policy(struct call *c, const struct iam_put_role_policy_request *in,
                                void *ret_out)
{
    (void)ret_out;
    struct iam_role role;
    enum status st = iam_check_name(c, "policyName", in->PolicyName);
    st = st == ST_OK ? iam_check_document(c, in->PolicyDocument) : st;
    st = st == ST_OK ? iam_find_role(c, in->RoleName, &role) : st;
    if (st != ST_OK) {
        return st;
    }
    return call_status(c, iam_store_put_inline(c->db, c->caller.account, in->RoleName,
                                               in->PolicyName, in->PolicyDocument));
}

static enum status no_inline(struct call *c, struct str name)
{
    return call_fail(c, &iam_NoSuchEntityException,
                     "The role policy with name %.*s cannot be found.", STR_ARG(name));
}

enum status iam_get_role_policy(struct call *c, const struct iam_get_role_policy_request *in,
                                struct iam_get_role_policy_response *ret_out)
{
    struct iam_role role;
    struct str document;
    enum status st = iam_find_role(c, in->RoleName, &role);
    if (st != ST_OK) {
        return st;
    }
    st = iam_store_inline(c->db, c->arena, c->caller.account, in->RoleName, in->PolicyName,
                          &document);
    if (st == ST_NOT_FOUND) {
        return no_inline(c, in->PolicyName);
    }
    if (st == ST_OK) {
        ret_out->RoleName = in->RoleName;
        ret_out->PolicyName = in->PolicyName;
        ret_out->PolicyDocument = url_encode(c->arena, document, false);
    }
    return call_status(c, st);
}

enum status iam_list_role_policies(struct call *c, const struct iam_list_role_policies_request *in,
                                   struct iam_list_role_policies_response *ret_out)
{
    struct iam_role role;
    struct iam_page page = iam_page_in(STR_NONE, in->Marker, in->MaxItems);
    enum status st = iam_find_role(c, in->RoleName, &role);
    if (st != ST_OK) {
        return st;
    }
    st = iam_store_inlines(c->db, c->arena, c->caller.account, in->RoleName, &page,
                           &ret_out->PolicyNames);
    if (st == ST_OK && iam_page_cut(&page, &ret_out->PolicyNames.n, &ret_out->IsTruncated)) {
        ret_out->Marker = ret_out->PolicyNames.v[ret_out->PolicyNames.n - 1];
    }
    return call_status(c, st);
}

enum status iam_delete_role_policy(struct call *c, const struct iam_delete_role_policy_request *in,
                                   void *ret_out)
{
    (void)ret_out;
    struct iam_role role;
    enum status st = iam_find_role(c, in->RoleName, &role);
    if (st != ST_OK) {
        return st;
    }
    st = iam_store_delete_inline(c->db, c->caller.account, in->RoleName, in->PolicyName);
    return st == ST_NOT_FOUND ? no_inline(c, in->PolicyName) : call_status(c, st);
}

/* AWS's own policies exist by name alone: set-up scripts attach dozens of them. */
static bool is_aws_managed(struct str arn)
{
    return str_starts(arn, STR("arn:aws:iam::aws:policy/"));
}

enum status iam_attach_role_policy(struct call *c, const struct iam_attach_role_policy_request *in,
                                   void *ret_out)
{
    (void)ret_out;
    struct iam_role role;
    enum status st = iam_find_role(c, in->RoleName, &role);
    if (st != ST_OK) {
        return st;
    }
    if (!is_aws_managed(in->PolicyArn)) {
        struct iam_policy policy;
        struct str document;
        st = iam_store_policy(c->db, c->arena, in->PolicyArn, &policy, &document);
        if (st == ST_NOT_FOUND) {
            return call_fail(c, &iam_NoSuchEntityException,
                             "Policy %.*s does not exist or is not attachable.",
                             STR_ARG(in->PolicyArn));
        }
    }
    if (st == ST_OK) {
        st = iam_store_attach(c->db, c->caller.account, in->RoleName, in->PolicyArn);
    }
    return call_status(c, st);
}

enum status iam_detach_role_policy(struct call *c, const struct iam_detach_role_policy_request *in,
                                   void *ret_out)
{
    (void)ret_out;
    struct iam_role role;
    enum status st = iam_find_role(c, in->RoleName, &role);
    if (st != ST_OK) {
        return st;
    }
    st = iam_store_detach(c->db, c->caller.account, in->RoleName, in->PolicyArn);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &iam_NoSuchEntityException, "Policy %.*s was not found.",
                         STR_ARG(in->PolicyArn));
    }
    return call_status(c, st);
}

enum status
iam_list_attached_role_policies(struct call *c,
                                const struct iam_list_attached_role_policies_request *in,
                                struct iam_list_attached_role_policies_response *ret_out)
{
    struct iam_role role;
    struct iam_page page = iam_page_in(STR_NONE, in->Marker, in->MaxItems);
    enum status st = iam_find_role(c, in->RoleName, &role);
    if (st != ST_OK) {
        return st;
    }
    st = iam_store_attached(c->db, c->arena, c->caller.account, in->RoleName, &page,
                            &ret_out->AttachedPolicies);
    if (st == ST_OK && iam_page_cut(&page, &ret_out->AttachedPolicies.n, &ret_out->IsTruncated)) {
        ret_out->Marker = ret_out->AttachedPolicies.v[ret_out->AttachedPolicies.n - 1].PolicyArn;
    }
    return call_status(c, st);
}
