/* Databases and connections: one document per name. */
#include "emulators/glue/catalog/catalog_store.h"

/* --- databases -------------------------------------------------------------------------------- */
static const struct documents databases = {
    { glue_ops, GLUE_N_OPS, "GetDatabase", "Database" },
    DOCUMENTS_BY_NAME("glue_database"),
};

enum status catalog_add_database(struct db *db, struct arena *a, const struct glue_owner *o,
                                 struct glue_database *d)
{
    d->Name = arena_lower(a, d->Name);
    return documents_add(db, a, &databases, DOCUMENT_NAMED(o, d->Name), d);
}

enum status catalog_database(struct db *db, struct arena *a, const struct glue_owner *o,
                             struct str name, struct glue_database **ret)
{
    return documents_get(db, a, &databases, DOCUMENT_NAMED(o, arena_lower(a, name)), ret);
}

enum status catalog_has_database(struct db *db, struct arena *a, const struct glue_owner *o,
                                 struct str name)
{
    return documents_has(db, &databases, DOCUMENT_NAMED(o, arena_lower(a, name)));
}

enum status catalog_set_database(struct db *db, struct arena *a, const struct glue_owner *o,
                                 struct glue_database *d)
{
    d->Name = arena_lower(a, d->Name);
    return documents_set(db, a, &databases, DOCUMENT_NAMED(o, d->Name), d);
}

enum status catalog_databases(struct db *db, struct arena *a, const struct glue_owner *o,
                              struct catalog_page page, struct glue_database_list *ret)
{
    return documents_list(db, a, &databases, DOCUMENT_PAGE(o, page.after, page.limit + 1), ret);
}

enum status catalog_delete_database(struct db *db, struct arena *a, const struct glue_owner *o,
                                    struct str name)
{
    static const char *const all[] = {
        "DELETE FROM glue_partition WHERE account=? AND region=? AND db=?",
        "DELETE FROM glue_partition_index WHERE account=? AND region=? AND db=?",
        "DELETE FROM glue_table_version WHERE account=? AND region=? AND db=?",
        "DELETE FROM glue_table WHERE account=? AND region=? AND db=?",
        "DELETE FROM glue_database WHERE account=? AND region=? AND name=?",
        NULL,
    };
    return db_change_all(db, all, OWNER(o), bs(arena_lower(a, name)));
}

/* --- connections ------------------------------------------------------------------------------ */
static const struct documents connections = {
    { glue_ops, GLUE_N_OPS, "GetConnection", "Connection" },
    DOCUMENTS_BY_NAME("glue_connection"),
};

enum status catalog_add_connection(struct db *db, struct arena *a, const struct glue_owner *o,
                                   struct glue_connection *connection)
{
    return documents_add(db, a, &connections, DOCUMENT_NAMED(o, connection->Name), connection);
}

enum status catalog_connection(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct str name, struct glue_connection **ret)
{
    return documents_get(db, a, &connections, DOCUMENT_NAMED(o, name), ret);
}

enum status catalog_set_connection(struct db *db, struct arena *a, const struct glue_owner *o,
                                   struct glue_connection *connection)
{
    return documents_set(db, a, &connections, DOCUMENT_NAMED(o, connection->Name), connection);
}

enum status catalog_connections(struct db *db, struct arena *a, const struct glue_owner *o,
                                struct catalog_page page, struct glue_connection_list *ret)
{
    return documents_list(db, a, &connections, DOCUMENT_PAGE(o, page.after, page.limit + 1), ret);
}

enum status catalog_delete_connection(struct db *db, const struct glue_owner *o, struct str name)
{
    return documents_remove(db, &connections, DOCUMENT_NAMED(o, name));
}
