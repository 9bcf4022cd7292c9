/* Tables, their archived versions and their partition indexes. */
#include "emulators/glue/catalog/catalog_store.h"
#include "server/base/buf.h"
#include "server/store/db_read.h"

#define INDEX_KEYS_MAX (64u << 10)
#define KEY_SEPARATOR '\n'

/* account, region, database, table: as in every WHERE of this file. */
#define KEY_BINDS(a, key) \
    OWNER(&(key)->owner), bs(arena_lower((a), (key)->database)), bs(arena_lower((a), (key)->table))
#define KEY_SCOPE DOCUMENTS_OWNED "db=? AND "
#define KEY_WHERE " WHERE " KEY_SCOPE "name=?"

static const struct documents tables = {
    { glue_ops, GLUE_N_OPS, "GetTable", "Table" },
    DOCUMENTS_TABLE("glue_table", KEY_SCOPE, "name", "?,?,?,?,?"),
};
static const struct documents versions = {
    { glue_ops, GLUE_N_OPS, "GetTable", "Table" },
    DOCUMENTS_TABLE("glue_table_version", KEY_SCOPE "name=? AND ", "version", "?,?,?,?,?,?"),
};

static struct catalog_key key_of(struct arena *a, const struct glue_owner *o, struct glue_table *t)
{
    t->Name = arena_lower(a, t->Name);
    t->DatabaseName = arena_lower(a, t->DatabaseName);
    return (struct catalog_key){ *o, t->DatabaseName, t->Name };
}

enum status catalog_add_table(struct db *db, struct arena *a, const struct glue_owner *o,
                              struct glue_table *t)
{
    struct catalog_key key = key_of(a, o, t);
    t->VersionId = STR("0");
    enum status st = catalog_has_database(db, a, o, t->DatabaseName);
    return st == ST_OK ? documents_add(db, a, &tables, DOCUMENT_KEY(KEY_BINDS(a, &key)), t) : st;
}

enum status catalog_table(struct db *db, struct arena *a, const struct catalog_key *key,
                          struct glue_table **ret)
{
    return documents_get(db, a, &tables, DOCUMENT_KEY(KEY_BINDS(a, key)), ret);
}

enum status catalog_set_table(struct db *db, struct arena *a, const struct glue_owner *o,
                              struct glue_table *t, bool archive)
{
    struct catalog_key key = key_of(a, o, t);
    struct glue_table *old = NULL;
    int64_t version = 0;
    enum status st = catalog_table(db, a, &key, &old);
    st = st == ST_OK ? str_i64(old->VersionId, &version) : st;
    if (st == ST_OK && archive) {
        st = db_exec(db,
                     "INSERT OR REPLACE INTO glue_table_version(version, account, region, db, name,"
                     " doc) SELECT ?, account, region, db, name, doc FROM glue_table" KEY_WHERE,
                     bi(version), KEY_BINDS(a, &key));
    }
    t->VersionId = arena_i64(a, version + 1);
    return st == ST_OK ? documents_set(db, a, &tables, DOCUMENT_KEY(KEY_BINDS(a, &key)), t) : st;
}

enum status catalog_tables(struct db *db, struct arena *a, const struct catalog_key *database,
                           struct catalog_page page, const struct catalog_name_filter *filter,
                           struct glue_table_list *ret)
{
    struct rows q;
    *ret = (struct glue_table_list){ 0, ARENA_NEW(a, struct glue_table) };
    enum status st = db_query(db, &q,
                              "SELECT name, doc FROM glue_table WHERE account=? AND region=?"
                              " AND db=? AND name>? ORDER BY name",
                              OWNER(&database->owner), bs(arena_lower(a, database->database)),
                              bs_or_empty(page.after));
    while (st == ST_OK && (int64_t)ret->n <= page.limit && rows_next(&q)) {
        if (filter && !filter->keep(filter->arg, rows_view(&q, 0))) {
            continue;
        }
        st = documents_append(a, &tables.form, rows_str(&q, a, 1), ret);
    }
    enum status end = rows_end(&q);
    return st != ST_OK ? st : end;
}

enum status catalog_delete_table(struct db *db, struct arena *a, const struct catalog_key *key)
{
    static const char *const all[] = {
        "DELETE FROM glue_partition" KEY_WHERE,
        "DELETE FROM glue_partition_index" KEY_WHERE,
        "DELETE FROM glue_table_version" KEY_WHERE,
        "DELETE FROM glue_table" KEY_WHERE,
        NULL,
    };
    return db_change_all(db, all, KEY_BINDS(a, key));
}

/* --- versions --------------------------------------------------------------------------------- */
enum status catalog_table_versions(struct db *db, struct arena *a, const struct catalog_key *key,
                                   int64_t before, int64_t limit,
                                   struct glue_get_table_versions_list *ret)
{
    struct rows q;
    *ret = (struct glue_get_table_versions_list){ 0, ARENA_NEW(a, struct glue_table_version) };
    enum status st = db_query(db, &q,
                              "SELECT doc FROM glue_table_version" KEY_WHERE
                              " AND version<? ORDER BY version DESC LIMIT ?",
                              KEY_BINDS(a, key), bi(before), bi(limit + 1));
    while (st == ST_OK && rows_next(&q)) {
        struct glue_table *t;
        st = doc_form_read(&versions.form, a, rows_str(&q, a, 0), &t);
        if (st == ST_OK) {
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = (struct glue_table_version){ t, t->VersionId };
        }
    }
    enum status end = rows_end(&q);
    return st != ST_OK ? st : end;
}

enum status catalog_table_version(struct db *db, struct arena *a, const struct catalog_key *key,
                                  int64_t version, struct glue_table **ret)
{
    return documents_get(db, a, &versions, DOCUMENT_KEY(KEY_BINDS(a, key), bi(version)), ret);
}

/* --- partition indexes ------------------------------------------------------------------------ */
enum status catalog_add_index(struct db *db, struct arena *a, const struct catalog_key *key,
                              struct str label, const struct glue_key_list *keys)
{
    struct buf joined = BUF_INIT(INDEX_KEYS_MAX);
    for (size_t i = 0; i < keys->n; i++) {
        buf_str_add(&joined, keys->v[i]);
        buf_putc(&joined, KEY_SEPARATOR);
    }
    enum status st = buf_ok(&joined)
                         ? db_exec(db, "INSERT INTO glue_partition_index VALUES(?,?,?,?,?,?)",
                                   KEY_BINDS(a, key), bs(label), bs(buf_str(&joined)))
                         : ST_NOMEM;
    buf_fini(&joined);
    return st;
}

static enum status index_row(struct rows *q, struct arena *a, void *ret)
{
    struct catalog_index *index = ret;
    struct str rest = rows_str(q, a, 1), name;
    index->label = rows_str(q, a, 0);
    while (str_next(&rest, KEY_SEPARATOR, &name)) {
        ARENA_GROW(a, index->keys, index->n_keys);
        index->keys[index->n_keys++] = name;
    }
    return ST_OK;
}

enum status catalog_indexes(struct db *db, struct arena *a, const struct catalog_key *key,
                            struct catalog_index **ret, size_t *ret_n)
{
    return db_read(db, ALL_ROWS(a, index_row, ret, ret_n),
                   "SELECT label, keys FROM glue_partition_index" KEY_WHERE " ORDER BY label",
                   KEY_BINDS(a, key));
}

enum status catalog_delete_index(struct db *db, struct arena *a, const struct catalog_key *key,
                                 struct str label)
{
    return db_change(db, "DELETE FROM glue_partition_index" KEY_WHERE " AND label=?",
                     KEY_BINDS(a, key), bs(label));
}
