/* What a role may do: inline policies and attached managed ones. Stored, not enforced. */
#include "emulators/iam/iam_check.h"
#include "server/base/digest.h"

static enum status need_role(struct call *c, struct str name)
{
    struct iam_role role;
    return iam_find_role(c, name, &role);
}

enum status iam_put_role_policy(struct call *c, const struct iam_put_role_policy_request *in,
                                void *ret_out)
{
    (void)ret_out;
    enum status st = iam_check_name(c, "policyName", in->PolicyName);
    st = st == ST_OK ? iam_check_document(c, in->PolicyDocument) : st;
    st = st == ST_OK ? need_role(c, in->RoleName) : st;
    st = st == ST_OK ? iam_store_put_inline(c->db, c->caller.account, in->RoleName, in->PolicyName,
                                            in->PolicyDocument)
                     : st;
    return call_status(c, st);
}

static enum status no_inline(struct call *c, struct str name)
{
    return call_fail(c, &iam_NoSuchEntityException,
                     "The role policy with name %.*s cannot be found.", STR_ARG(name));
}

enum status iam_get_role_policy(struct call *c, const struct iam_get_role_policy_request *in,
                                struct iam_get_role_policy_response *ret_out)
{
    struct str document;
    enum status st = need_role(c, in->RoleName);
    st = st == ST_OK ? iam_store_inline(c->db, c->arena, c->caller.account, in->RoleName,
                                        in->PolicyName, &document)
                     : st;
    if (st == ST_OK) {
        ret_out->RoleName = in->RoleName;
        ret_out->PolicyName = in->PolicyName;
        ret_out->PolicyDocument = url_encode(c->arena, document, false);
    }
    return st == ST_NOT_FOUND ? no_inline(c, in->PolicyName) : call_status(c, st);
}

enum status iam_list_role_policies(struct call *c, const struct iam_list_role_policies_request *in,
                                   struct iam_list_role_policies_response *ret_out)
{
    struct iam_page page = iam_page_in(STR_NONE, in->Marker, in->MaxItems);
    enum status st = need_role(c, in->RoleName);
    st = st == ST_OK ? iam_store_inlines(c->db, c->arena, c->caller.account, in->RoleName, &page,
                                         &ret_out->PolicyNames)
                     : st;
    if (st == ST_OK && iam_page_cut(&page, &ret_out->PolicyNames.n, &ret_out->IsTruncated)) {
        ret_out->Marker = ret_out->PolicyNames.v[ret_out->PolicyNames.n - 1];
    }
    return call_status(c, st);
}

enum status iam_delete_role_policy(struct call *c, const struct iam_delete_role_policy_request *in,
                                   void *ret_out)
{
    (void)ret_out;
    enum status st = need_role(c, in->RoleName);
    st = st == ST_OK
             ? iam_store_delete_inline(c->db, c->caller.account, in->RoleName, in->PolicyName)
             : st;
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
    enum status st = need_role(c, in->RoleName);
    if (st == ST_OK && !is_aws_managed(in->PolicyArn)) {
        struct iam_policy policy;
        struct str document;
        st = iam_store_policy(c->db, c->arena, in->PolicyArn, &policy, &document);
        if (st == ST_NOT_FOUND) {
            return call_fail(c, &iam_NoSuchEntityException,
                             "Policy %.*s does not exist or is not attachable.",
                             STR_ARG(in->PolicyArn));
        }
    }
    st = st == ST_OK ? iam_store_attach(c->db, c->caller.account, in->RoleName, in->PolicyArn) : st;
    return call_status(c, st);
}

enum status iam_detach_role_policy(struct call *c, const struct iam_detach_role_policy_request *in,
                                   void *ret_out)
{
    (void)ret_out;
    enum status st = need_role(c, in->RoleName);
    st = st == ST_OK ? iam_store_detach(c->db, c->caller.account, in->RoleName, in->PolicyArn) : st;
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
    struct iam_page page = iam_page_in(STR_NONE, in->Marker, in->MaxItems);
    enum status st = need_role(c, in->RoleName);
    st = st == ST_OK ? iam_store_attached(c->db, c->arena, c->caller.account, in->RoleName, &page,
                                          &ret_out->AttachedPolicies)
                     : st;
    if (st == ST_OK && iam_page_cut(&page, &ret_out->AttachedPolicies.n, &ret_out->IsTruncated)) {
        ret_out->Marker = ret_out->AttachedPolicies.v[ret_out->AttachedPolicies.n - 1].PolicyArn;
    }
    return call_status(c, st);
}
