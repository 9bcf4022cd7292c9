/* Databases of the Data Catalog. */
#include "emulators/glue/catalog/catalog_common.h"
#include "emulators/glue/glue_internal.h"
#include "server/base/clock.h"
#include "server/base/mem.h"

#define DATABASES_PAGE 100

/* What an account without Lake Formation rules gives to every new table. */
static const struct str everybody = STR_INIT("IAM_ALLOWED_PRINCIPALS");

static bool grants_to_others(const struct glue_principal_permissions_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct glue_data_lake_principal *p = list->v[i].Principal;
        if (p && !str_eq(p->DataLakePrincipalIdentifier, everybody)) {
            return true;
        }
    }
    return false;
}

struct glue_principal_permissions_list catalog_default_permissions(struct arena *a)
{
    struct glue_principal_permissions_list list = { 1, ARENA_NEW(
                                                           a, struct glue_principal_permissions) };
    list.v->Principal = ARENA_NEW(a, struct glue_data_lake_principal);
    list.v->Principal->DataLakePrincipalIdentifier = everybody;
    list.v->Permissions = (struct glue_permission_list){ 1, ARENA_NEW(a, struct str) };
    list.v->Permissions.v[0] = STR("ALL");
    return list;
}

static enum status check_input(struct call *c, const struct glue_database_input *in)
{
    enum status st = catalog_check_name(c, "databaseInput.name", in->Name);
    st = st == ST_OK ? catalog_check_text(c, "databaseInput.description", in->Description,
                                          CATALOG_DESCRIPTION_MAX)
                     : st;
    if (st != ST_OK) {
        return st;
    }
    const struct catalog_missing missing[] = {
        { "FederatedDatabase", in->FederatedDatabase != NULL },
        { "TargetDatabase (a resource link)", in->TargetDatabase != NULL },
        { "CreateTableDefaultPermissions for others than IAM_ALLOWED_PRINCIPALS (Lake Formation)",
          grants_to_others(&in->CreateTableDefaultPermissions) },
        { NULL, false },
    };
    return catalog_refuse_missing(c, missing);
}

static struct glue_database database_from(struct call *c, const struct glue_database_input *in,
                                          int64_t created_ms)
{
    return (struct glue_database){
        .Name = in->Name,
        .Description = in->Description,
        .LocationUri = in->LocationUri,
        .Parameters = in->Parameters,
        .CreateTime = OPT_TIME(created_ms),
        .CreateTableDefaultPermissions = in->CreateTableDefaultPermissions.v
                                             ? in->CreateTableDefaultPermissions
                                             : catalog_default_permissions(c->arena),
        .CatalogId = c->caller.account,
    };
}

/* The database, or the call failed. */
static enum status find(struct call *c, struct str catalog_id, struct str name,
                        struct glue_owner *ret_owner, struct glue_database **ret)
{
    enum status st = catalog_owner(c, catalog_id, ret_owner);
    if (st != ST_OK) {
        return st;
    }
    st = catalog_database(c->db, c->arena, ret_owner, name, ret);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException, "Database %.*s not found.",
                         STR_ARG(arena_lower(c->arena, name)));
    }
    return call_status(c, st);
}

enum status glue_create_database(struct call *c, const struct glue_create_database_request *in,
                                 void *ret_out)
{
    (void)ret_out;
    struct glue_owner owner;
    enum status st = catalog_owner(c, in->CatalogId, &owner);
    st = st == ST_OK ? check_input(c, in->DatabaseInput) : st;
    if (st != ST_OK) {
        return st;
    }
    struct glue_database d = database_from(c, in->DatabaseInput, clock_now_ms());
    st = catalog_add_database(c->db, c->arena, &owner, &d);
    if (st == ST_EXISTS) {
        return call_fail(c, &glue_AlreadyExistsException, "Database already exists.");
    }
    st = call_status(c, st);
    return st == ST_OK ? glue_tags_add(c, "database", d.Name, &in->Tags) : st;
}

enum status glue_get_database(struct call *c, const struct glue_get_database_request *in,
                              struct glue_get_database_response *ret_out)
{
    struct glue_owner owner;
    return find(c, in->CatalogId, in->Name, &owner, &ret_out->Database);
}

/* Only the attributes that were asked for. */
static void reduce(struct glue_database *d, const struct glue_database_attributes_list *wanted)
{
    bool name = false;
    for (size_t i = 0; i < wanted->n; i++) {
        name = name || str_eqz(wanted->v[i], "NAME");
    }
    *d = (struct glue_database){ .Name = name ? d->Name : STR_NONE, .CatalogId = d->CatalogId };
}

enum status glue_get_databases(struct call *c, const struct glue_get_databases_request *in,
                               struct glue_get_databases_response *ret_out)
{
    struct glue_owner owner;
    struct catalog_page page;
    struct glue_database_list *out = &ret_out->DatabaseList;
    enum status st = catalog_owner(c, in->CatalogId, &owner);
    st =
        st == ST_OK ? catalog_page_of(c, in->NextToken, in->MaxResults, DATABASES_PAGE, &page) : st;
    if (st != ST_OK) {
        return st;
    }
    if (str_eqz(in->ResourceShareType, "FOREIGN") || str_eqz(in->ResourceShareType, "FEDERATED")) {
        out->v = ARENA_NEW(c->arena, struct glue_database); /* nobody shares one with us */
        return ST_OK;
    }
    st = catalog_databases(c->db, c->arena, &owner, page, out);
    if (st == ST_OK && (int64_t)out->n > page.limit) {
        out->n = (size_t)page.limit;
        ret_out->NextToken = catalog_token(c->arena, out->v[out->n - 1].Name);
    }
    for (size_t i = 0; in->AttributesToGet.n && i < out->n; i++) {
        reduce(&out->v[i], &in->AttributesToGet);
    }
    return call_status(c, st);
}

/* The definition is replaced as a whole; a database keeps its name. */
enum status glue_update_database(struct call *c, const struct glue_update_database_request *in,
                                 void *ret_out)
{
    (void)ret_out;
    struct glue_owner owner;
    struct glue_database *old;
    enum status st = find(c, in->CatalogId, in->Name, &owner, &old);
    st = st == ST_OK ? check_input(c, in->DatabaseInput) : st;
    if (st != ST_OK) {
        return st;
    }
    if (!str_ieq(in->Name, in->DatabaseInput->Name)) {
        return call_fail(c, &glue_InvalidInputException,
                         "A database can't be renamed: Name is '%.*s', DatabaseInput.Name '%.*s'.",
                         STR_ARG(in->Name), STR_ARG(in->DatabaseInput->Name));
    }
    struct glue_database d = database_from(c, in->DatabaseInput, old->CreateTime.ms);
    return call_status(c, catalog_set_database(c->db, c->arena, &owner, &d));
}

enum status glue_delete_database(struct call *c, const struct glue_delete_database_request *in,
                                 void *ret_out)
{
    (void)ret_out;
    struct glue_owner owner;
    struct glue_database *old;
    enum status st = find(c, in->CatalogId, in->Name, &owner, &old);
    if (st != ST_OK) {
        return st;
    }
    st = call_status(c, catalog_delete_database(c->db, c->arena, &owner, old->Name));
    return st == ST_OK ? glue_tags_drop(c, "database", old->Name) : st;
}
