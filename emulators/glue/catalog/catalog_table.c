/* Tables of the Data Catalog: the definitions; catalog_version.c has their history. */
#include "emulators/glue/catalog/catalog_common.h"
#include "emulators/glue/catalog/catalog_pattern.h"
#include "server/base/clock.h"

#define TABLES_PAGE 100

/* --- input ------------------------------------------------------------------------------------ */
static enum status check_columns(struct call *c, const char *member,
                                 const struct glue_column_list *columns)
{
    for (size_t i = 0; i < columns->n; i++) {
        enum status st = catalog_check_name(c, member, columns->v[i].Name);
        st = st == ST_OK ? catalog_check_text(c, member, columns->v[i].Comment, CATALOG_NAME_MAX)
                         : st;
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

static enum status check_input(struct call *c, const struct glue_table_input *in)
{
    if (!in) {
        return call_fail(c, &glue_InvalidInputException, "TableInput is missing.");
    }
    enum status st = catalog_check_name(c, "tableInput.name", in->Name);
    st = st == ST_OK ? catalog_check_text(c, "tableInput.description", in->Description,
                                          CATALOG_DESCRIPTION_MAX)
                     : st;
    st = st == ST_OK ? check_columns(c, "tableInput.partitionKeys.member.name", &in->PartitionKeys)
                     : st;
    if (st == ST_OK && in->StorageDescriptor) {
        st = check_columns(c, "tableInput.storageDescriptor.columns.member.name",
                           &in->StorageDescriptor->Columns);
    }
    if (st == ST_OK && in->Retention.set && in->Retention.v < 0) {
        return call_fail(c, &glue_InvalidInputException, "Retention must not be negative.");
    }
    const struct catalog_missing missing[] = {
        { "TargetTable (a resource link)", in->TargetTable != NULL },
        { "ViewDefinition (a multi-dialect view)", in->ViewDefinition != NULL },
        { "StorageDescriptor.SchemaReference (the schema registry)",
          in->StorageDescriptor && in->StorageDescriptor->SchemaReference },
        { NULL, false },
    };
    return st == ST_OK ? catalog_refuse_missing(c, missing) : st;
}

void catalog_fill_storage(struct arena *a, struct glue_storage_descriptor *s)
{
    if (!s) {
        return;
    }
    if (!s->Columns.v) {
        s->Columns.v = ARENA_NEW(a, struct glue_column);
    }
    if (!s->SortColumns.v) {
        s->SortColumns.v = ARENA_NEW(a, struct glue_order);
    }
    if (!s->Compressed.set) {
        s->Compressed = OPT_BOOL(false);
    }
    if (!s->NumberOfBuckets.set) {
        s->NumberOfBuckets = OPT_I64(0);
    }
    if (!s->StoredAsSubDirectories.set) {
        s->StoredAsSubDirectories = OPT_BOOL(false);
    }
}

struct glue_table *catalog_table_from(struct arena *a, const struct glue_table_input *in,
                                      const struct catalog_key *key, const struct glue_table *old,
                                      int64_t now_ms)
{
    struct glue_table *t = ARENA_NEW(a, struct glue_table);
    *t = (struct glue_table){
        .Name = in->Name,
        .DatabaseName = key->database,
        .Description = in->Description,
        .Owner = in->Owner,
        .CreateTime = old ? old->CreateTime : OPT_TIME(now_ms),
        .UpdateTime = OPT_TIME(now_ms),
        .LastAccessTime = in->LastAccessTime,
        .LastAnalyzedTime = in->LastAnalyzedTime,
        .Retention = in->Retention.set ? in->Retention : OPT_I64(0),
        .StorageDescriptor = in->StorageDescriptor,
        .PartitionKeys = in->PartitionKeys,
        .ViewOriginalText = in->ViewOriginalText,
        .ViewExpandedText = in->ViewExpandedText,
        .TableType = in->TableType,
        .Parameters = in->Parameters,
        .CreatedBy = old ? old->CreatedBy : STR_NONE,
        .IsRegisteredWithLakeFormation = OPT_BOOL(false),
        .IsMultiDialectView = OPT_BOOL(false),
        .CatalogId = key->owner.account,
    };
    if (!t->PartitionKeys.v) {
        t->PartitionKeys.v = ARENA_NEW(a, struct glue_column);
    }
    catalog_fill_storage(a, t->StorageDescriptor);
    return t;
}

/* --- create, update, delete ------------------------------------------------------------------- */
enum status glue_create_table(struct call *c, const struct glue_create_table_request *in,
                              void *ret_out)
{
    (void)ret_out;
    struct catalog_key key;
    const struct catalog_missing missing[] = {
        { "OpenTableFormatInput", in->OpenTableFormatInput != NULL },
        { "TransactionId (governed tables)", str_set(in->TransactionId) },
        { NULL, false },
    };
    enum status st = catalog_refuse_missing(c, missing);
    st = st == ST_OK ? check_input(c, in->TableInput) : st;
    st = st == ST_OK
             ? catalog_key_of(c, in->CatalogId, in->DatabaseName, in->TableInput->Name, &key)
             : st;
    st = st == ST_OK ? catalog_require_database(c, &key) : st;
    if (st != ST_OK) {
        return st;
    }
    struct glue_table *t = catalog_table_from(c->arena, in->TableInput, &key, NULL, clock_now_ms());
    t->CreatedBy = catalog_caller(c);
    st = catalog_add_table(c->db, c->arena, &key.owner, t);
    if (st == ST_EXISTS) {
        return call_fail(c, &glue_AlreadyExistsException, "Table already exists.");
    }
    for (size_t i = 0; st == ST_OK && i < in->PartitionIndexes.n; i++) {
        st = catalog_create_index(c, &key, t, &in->PartitionIndexes.v[i]);
    }
    return call_status(c, st);
}

/* VersionId is a guard: the update goes through only if the table still is at that version. */
enum status glue_update_table(struct call *c, const struct glue_update_table_request *in,
                              void *ret_out)
{
    (void)ret_out;
    struct catalog_key key;
    struct glue_table *old;
    const struct catalog_missing missing[] = {
        { "UpdateOpenTableFormatInput", in->UpdateOpenTableFormatInput != NULL },
        { "ViewUpdateAction (a multi-dialect view)", str_set(in->ViewUpdateAction) },
        { "TransactionId (governed tables)", str_set(in->TransactionId) },
        { NULL, false },
    };
    enum status st = catalog_refuse_missing(c, missing);
    st = st == ST_OK ? check_input(c, in->TableInput) : st;
    st = st == ST_OK ? catalog_open_table(c, in->CatalogId, in->DatabaseName, in->TableInput->Name,
                                          &key, &old)
                     : st;
    if (st != ST_OK) {
        return st;
    }
    if (str_set(in->VersionId) && !str_eq(in->VersionId, old->VersionId)) {
        return call_fail(c, &glue_ConcurrentModificationException,
                         "Update table failed due to concurrent modifications: the table is at "
                         "version %.*s, not %.*s.",
                         STR_ARG(old->VersionId), STR_ARG(in->VersionId));
    }
    struct glue_table *t = catalog_table_from(c->arena, in->TableInput, &key, old, clock_now_ms());
    return call_status(c, catalog_set_table(c->db, c->arena, &key.owner, t, !in->SkipArchive.v));
}

enum status glue_delete_table(struct call *c, const struct glue_delete_table_request *in,
                              void *ret_out)
{
    (void)ret_out;
    struct catalog_key key;
    struct glue_table *old;
    enum status st = catalog_open_table(c, in->CatalogId, in->DatabaseName, in->Name, &key, &old);
    return st == ST_OK ? call_status(c, catalog_delete_table(c->db, c->arena, &key)) : st;
}

enum status glue_batch_delete_table(struct call *c,
                                    const struct glue_batch_delete_table_request *in,
                                    struct glue_batch_delete_table_response *ret_out)
{
    struct catalog_key key;
    struct glue_table_errors *errors = &ret_out->Errors;
    enum status st = catalog_key_of(c, in->CatalogId, in->DatabaseName, STR_NONE, &key);
    st = st == ST_OK ? catalog_check_count(c, "tablesToDelete", in->TablesToDelete.n,
                                           CATALOG_BATCH_CREATE_MAX)
                     : st;
    st = st == ST_OK ? catalog_require_database(c, &key) : st;
    errors->v = ARENA_NEW(c->arena, struct glue_table_error);
    for (size_t i = 0; st == ST_OK && i < in->TablesToDelete.n; i++) {
        key.table = in->TablesToDelete.v[i];
        st = catalog_delete_table(c->db, c->arena, &key);
        if (st == ST_NOT_FOUND) {
            struct catalog_problem p;
            status_ignore(catalog_refuse(c->arena, &p, &glue_EntityNotFoundException,
                                         "Table %.*s not found.", STR_ARG(key.table)));
            ARENA_GROW(c->arena, errors->v, errors->n);
            errors->v[errors->n++] =
                (struct glue_table_error){ key.table, catalog_error_detail(c->arena, &p) };
            st = ST_OK;
        }
    }
    return call_status(c, st);
}

/* --- read ------------------------------------------------------------------------------------- */
enum status glue_get_table(struct call *c, const struct glue_get_table_request *in,
                           struct glue_get_table_response *ret_out)
{
    struct catalog_key key;
    const struct catalog_missing missing[] = {
        { "QueryAsOfTime (governed tables)", in->QueryAsOfTime.set },
        { "TransactionId (governed tables)", str_set(in->TransactionId) },
        { NULL, false },
    };
    enum status st = catalog_refuse_missing(c, missing);
    st = st == ST_OK ? catalog_key_of(c, in->CatalogId, in->DatabaseName, in->Name, &key) : st;
    if (st != ST_OK) {
        return st;
    }
    st = catalog_table(c->db, c->arena, &key, &ret_out->Table);
    if (st == ST_NOT_FOUND) {
        st = catalog_require_database(c, &key);
        /* AWS's own words for this one operation. */
        return st != ST_OK ? st : call_fail(c, &glue_EntityNotFoundException, "Entity Not Found");
    }
    return call_status(c, st);
}

static bool name_fits(void *arg, struct str name)
{
    return catalog_pattern_fits(arg, name);
}

/* Only the attributes that were asked for. */
static void reduce(struct glue_table *t, const struct glue_table_attributes_list *wanted)
{
    bool name = false, type = false;
    for (size_t i = 0; i < wanted->n; i++) {
        name = name || str_eqz(wanted->v[i], "NAME");
        type = type || str_eqz(wanted->v[i], "TABLE_TYPE");
    }
    *t = (struct glue_table){ .Name = name ? t->Name : STR_NONE,
                              .TableType = type ? t->TableType : STR_NONE,
                              .DatabaseName = t->DatabaseName,
                              .CatalogId = t->CatalogId };
}

enum status glue_get_tables(struct call *c, const struct glue_get_tables_request *in,
                            struct glue_get_tables_response *ret_out)
{
    struct catalog_key key;
    struct catalog_page page;
    struct catalog_pattern *pattern = NULL;
    struct glue_table_list *out = &ret_out->TableList;
    const struct catalog_missing missing[] = {
        { "QueryAsOfTime (governed tables)", in->QueryAsOfTime.set },
        { "TransactionId (governed tables)", str_set(in->TransactionId) },
        { NULL, false },
    };
    enum status st = catalog_refuse_missing(c, missing);
    st = st == ST_OK ? catalog_key_of(c, in->CatalogId, in->DatabaseName, STR_NONE, &key) : st;
    st = st == ST_OK ? catalog_require_database(c, &key) : st;
    st = st == ST_OK ? catalog_page_of(c, in->NextToken, in->MaxResults, TABLES_PAGE, &page) : st;
    if (st == ST_OK && !str_empty(in->Expression)) {
        struct str why;
        if (catalog_pattern_read(c->arena, in->Expression, &pattern, &why) != ST_OK) {
            return call_fail(c, &glue_InvalidInputException, "Expression: %.*s", STR_ARG(why));
        }
    }
    const struct catalog_name_filter filter = { name_fits, pattern };
    st = st == ST_OK ? catalog_tables(c->db, c->arena, &key, page, pattern ? &filter : NULL, out)
                     : st;
    if (st == ST_OK && (int64_t)out->n > page.limit) {
        out->n = (size_t)page.limit;
        ret_out->NextToken = catalog_token(c->arena, out->v[out->n - 1].Name);
    }
    for (size_t i = 0; in->AttributesToGet.n && i < out->n; i++) {
        reduce(&out->v[i], &in->AttributesToGet);
    }
    return call_status(c, st);
}
