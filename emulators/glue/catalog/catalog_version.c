/* Versions of a table: the current one is the table itself, older ones were kept by UpdateTable. */
#include "emulators/glue/catalog/catalog_common.h"

#define VERSIONS_PAGE 100

static enum status bad_version(struct call *c, struct str id)
{
    return call_fail(c, &glue_EntityNotFoundException, "Table version %.*s not found.",
                     STR_ARG(id));
}

enum status glue_get_table_version(struct call *c, const struct glue_get_table_version_request *in,
                                   struct glue_get_table_version_response *ret_out)
{
    struct catalog_key key;
    struct glue_table *t;
    int64_t number;
    enum status st = catalog_open_table(c, CATALOG_TABLE_OF(in), &key, &t);
    if (st != ST_OK) {
        return st;
    }
    if (str_set(in->VersionId) && !str_eq(in->VersionId, t->VersionId)) {
        if (str_i64(in->VersionId, &number) != ST_OK) {
            return call_fail(c, &glue_InvalidInputException, "VersionId '%.*s' isn't a number.",
                             STR_ARG(in->VersionId));
        }
        st = catalog_table_version(c->db, c->arena, &key, number, &t);
        if (st == ST_NOT_FOUND) {
            return bad_version(c, in->VersionId);
        }
    }
    if (st == ST_OK) {
        ret_out->TableVersion = ARENA_NEW(c->arena, struct glue_table_version);
        *ret_out->TableVersion = (struct glue_table_version){ t, t->VersionId };
    }
    return call_status(c, st);
}

/* Newest first. The page's `after` is the number of the last version given. */
enum status glue_get_table_versions(struct call *c,
                                    const struct glue_get_table_versions_request *in,
                                    struct glue_get_table_versions_response *ret_out)
{
    struct catalog_key key;
    struct glue_table *t;
    struct catalog_page page;
    struct glue_get_table_versions_list *out = &ret_out->TableVersions, archived;
    int64_t before = INT64_MAX;
    enum status st = catalog_open_table(c, CATALOG_TABLE_OF(in), &key, &t);
    st = st == ST_OK ? catalog_page_of(c, in->NextToken, in->MaxResults, VERSIONS_PAGE, &page) : st;
    if (st != ST_OK) {
        return st;
    }
    if (str_set(page.after) && str_i64(page.after, &before) != ST_OK) {
        return call_fail(c, &glue_InvalidInputException,
                         "NextToken isn't one that an earlier answer gave.");
    }
    st = catalog_table_versions(c->db, c->arena, &key, before, page.limit, &archived);
    out->v = ARENA_ARRAY(c->arena, struct glue_table_version, archived.n + 1);
    if (!str_set(page.after)) {
        out->v[out->n++] = (struct glue_table_version){ t, t->VersionId };
    }
    for (size_t i = 0; st == ST_OK && i < archived.n; i++) {
        out->v[out->n++] = archived.v[i];
    }
    if (st == ST_OK && (int64_t)out->n > page.limit) {
        out->n = (size_t)page.limit;
        ret_out->NextToken = catalog_token(c->arena, out->v[out->n - 1].VersionId);
    }
    return call_status(c, st);
}
