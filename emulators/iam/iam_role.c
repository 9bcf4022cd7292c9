/* Roles: CreateRole and its kin. Documents go out percent-encoded, as AWS does. */
#include "emulators/iam/iam_check.h"
#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/base/id.h"

/* AWS: AROA and 17 characters. */
static struct str role_id(struct arena *a)
{
    struct str tail = id_base32(a, 17);
    return arena_printf(a, "AROA%.*s", STR_ARG(tail));
}

/* As the client sees it. */
static struct iam_role *shown(struct call *c, const struct iam_role *role, bool with_tags)
{
    struct iam_role *r = ARENA_NEW(c->arena, struct iam_role);
    *r = *role;
    r->AssumeRolePolicyDocument = url_encode(c->arena, role->AssumeRolePolicyDocument, false);
    if (with_tags) {
        status_ignore(iam_store_role_tags(c->db, c->arena, c->caller.account, role->RoleName,
                                          &r->Tags)); /* logged; the role is there all the same */
        if (r->Tags.n == 0) {
            r->Tags.v = NULL;
        }
    }
    return r;
}

enum status iam_create_role(struct call *c, const struct iam_create_role_request *in,
                            struct iam_create_role_response *ret_out)
{
    struct str path;
    enum status st = iam_check_name(c, "roleName", in->RoleName);
    st = st == ST_OK ? iam_check_path(c, in->Path, &path) : st;
    st = st == ST_OK ? iam_check_document(c, in->AssumeRolePolicyDocument) : st;
    if (st != ST_OK) {
        return st;
    }
    struct iam_role role = {
        .Path = path,
        .RoleName = in->RoleName,
        .RoleId = role_id(c->arena),
        .Arn = arena_printf(c->arena, "arn:aws:iam::%.*s:role%.*s%.*s", STR_ARG(c->caller.account),
                            STR_ARG(path), STR_ARG(in->RoleName)),
        .CreateDate = OPT_TIME(clock_now_ms() / 1000 * 1000),
        .AssumeRolePolicyDocument = in->AssumeRolePolicyDocument,
        .Description = in->Description,
        .MaxSessionDuration = in->MaxSessionDuration.set ? in->MaxSessionDuration : OPT_I64(3600),
    };
    if (str_set(in->PermissionsBoundary)) {
        role.PermissionsBoundary = ARENA_NEW(c->arena, struct iam_attached_permissions_boundary);
        role.PermissionsBoundary->PermissionsBoundaryType = STR("Policy");
        role.PermissionsBoundary->PermissionsBoundaryArn = in->PermissionsBoundary;
    }
    st = iam_store_add_role(c->db, c->caller.account, &role);
    if (st == ST_EXISTS) {
        return call_fail(c, &iam_EntityAlreadyExistsException,
                         "Role with name %.*s already exists.", STR_ARG(in->RoleName));
    }
    if (st == ST_OK) {
        st = iam_store_tag_role(c->db, c->caller.account, in->RoleName, &in->Tags);
    }
    ret_out->Role = shown(c, &role, true);
    return call_status(c, st);
}

enum status iam_get_role(struct call *c, const struct iam_get_role_request *in,
                         struct iam_get_role_response *ret_out)
{
    struct iam_role role;
    enum status st = iam_find_role(c, in->RoleName, &role);
    if (st == ST_OK) {
        ret_out->Role = shown(c, &role, true);
    }
    return st;
}

enum status iam_list_roles(struct call *c, const struct iam_list_roles_request *in,
                           struct iam_list_roles_response *ret_out)
{
    struct iam_page page = iam_page_in(in->PathPrefix, in->Marker, in->MaxItems);
    enum status st = iam_store_roles(c->db, c->arena, c->caller.account, &page, &ret_out->Roles);
    if (st == ST_OK && iam_page_cut(&page, &ret_out->Roles.n, &ret_out->IsTruncated)) {
        ret_out->Marker = ret_out->Roles.v[ret_out->Roles.n - 1].RoleName;
    }
    if (st == ST_OK) {
        for (size_t i = 0; i < ret_out->Roles.n; i++) {
            ret_out->Roles.v[i] = *shown(c, &ret_out->Roles.v[i], false);
        }
    }
    return call_status(c, st);
}

enum status iam_update_role(struct call *c, const struct iam_update_role_request *in, void *ret_out)
{
    (void)ret_out;
    struct iam_role role;
    enum status st = iam_find_role(c, in->RoleName, &role);
    if (st != ST_OK) {
        return st;
    }
    role.Description = str_set(in->Description) ? in->Description : role.Description;
    role.MaxSessionDuration =
        in->MaxSessionDuration.set ? in->MaxSessionDuration : role.MaxSessionDuration;
    return call_status(c, iam_store_update_role(c->db, c->caller.account, &role));
}

enum status iam_update_assume_role_policy(struct call *c,
                                          const struct iam_update_assume_role_policy_request *in,
                                          void *ret_out)
{
    (void)ret_out;
    struct iam_role role;
    enum status st = iam_check_document(c, in->PolicyDocument);
    st = st == ST_OK ? iam_find_role(c, in->RoleName, &role) : st;
    if (st != ST_OK) {
        return st;
    }
    role.AssumeRolePolicyDocument = in->PolicyDocument;
    return call_status(c, iam_store_update_role(c->db, c->caller.account, &role));
}

enum status iam_delete_role(struct call *c, const struct iam_delete_role_request *in, void *ret_out)
{
    (void)ret_out;
    struct iam_role role;
    int64_t policies = 0;
    enum status st = iam_find_role(c, in->RoleName, &role);
    if (st != ST_OK) {
        return st;
    }
    st = iam_store_role_policy_count(c->db, c->caller.account, in->RoleName, &policies);
    if (st == ST_OK && policies > 0) {
        return call_fail(c, &iam_DeleteConflictException,
                         "Cannot delete entity, must detach all policies first.");
    }
    if (st == ST_OK) {
        st = iam_store_delete_role(c->db, c->caller.account, in->RoleName);
    }
    return call_status(c, st);
}

/* --- tags ------------------------------------------------------------------------------------- */
enum status iam_tag_role(struct call *c, const struct iam_tag_role_request *in, void *ret_out)
{
    (void)ret_out;
    struct iam_role role;
    enum status st = iam_find_role(c, in->RoleName, &role);
    if (st != ST_OK) {
        return st;
    }
    return call_status(c, iam_store_tag_role(c->db, c->caller.account, in->RoleName, &in->Tags));
}

enum status iam_untag_role(struct call *c, const struct iam_untag_role_request *in, void *ret_out)
{
    (void)ret_out;
    struct iam_role role;
    enum status st = iam_find_role(c, in->RoleName, &role);
    if (st != ST_OK) {
        return st;
    }
    for (size_t i = 0; i < in->TagKeys.n && st == ST_OK; i++) {
        st = iam_store_untag_role(c->db, c->caller.account, in->RoleName, in->TagKeys.v[i]);
    }
    return call_status(c, st);
}

enum status iam_list_role_tags(struct call *c, const struct iam_list_role_tags_request *in,
                               struct iam_list_role_tags_response *ret_out)
{
    struct iam_role role;
    enum status st = iam_find_role(c, in->RoleName, &role);
    if (st != ST_OK) {
        return st;
    }
    ret_out->IsTruncated = OPT_BOOL(false);
    return call_status(
        c, iam_store_role_tags(c->db, c->arena, c->caller.account, in->RoleName, &ret_out->Tags));
}

enum status
iam_list_instance_profiles_for_role(struct call *c,
                                    const struct iam_list_instance_profiles_for_role_request *in,
                                    struct iam_list_instance_profiles_for_role_response *ret_out)
{
    struct iam_role role;
    enum status st = iam_find_role(c, in->RoleName, &role);
    if (st == ST_OK) {
        ret_out->InstanceProfiles.v = ARENA_NEW(c->arena, struct iam_instance_profile);
        ret_out->IsTruncated = OPT_BOOL(false);
    }
    return st;
}
