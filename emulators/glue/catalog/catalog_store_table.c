/* Tables, their archived versions and their partition indexes. */
#include "emulators/glue/catalog/catalog_store.h"
#include "server/base/buf.h"
#include "server/base/mem.h"
#include "server/wire/codec.h"
#include "server/wire/doc.h"

#define INDEX_KEYS_MAX (64u << 10)
#define KEY_SEPARATOR '\n'

/* account, region, database, table: as in every WHERE of this file. */
#define KEY_BINDS(a, key)                                                                     \
    bs((key)->owner.account), bs((key)->owner.region), bs(arena_lower((a), (key)->database)), \
        bs(arena_lower((a), (key)->table))
#define KEY_WHERE " WHERE account=? AND region=? AND db=? AND name=?"

static const struct op *get_table_op(void)
{
    return op_find(glue_ops, GLUE_N_OPS, STR("GetTable"));
}

static enum status table_text(struct arena *a, struct glue_table *t, struct str *ret)
{
    t->Name = arena_lower(a, t->Name);
    t->DatabaseName = arena_lower(a, t->DatabaseName);
    struct glue_get_table_response doc = { .Table = t };
    return doc_write(get_table_op(), a, &doc, ret);
}

static enum status table_read(struct arena *a, struct str text, struct glue_table **ret)
{
    void *doc;
    enum status st = doc_read(get_table_op(), a, text, &doc);
    if (st == ST_OK) {
        *ret = ((struct glue_get_table_response *)doc)->Table;
    }
    return st;
}

static struct catalog_key key_of(const struct glue_owner *o, const struct glue_table *t)
{
    return (struct catalog_key){ *o, t->DatabaseName, t->Name };
}

enum status catalog_add_table(struct db *db, struct arena *a, const struct glue_owner *o,
                              struct glue_table *t)
{
    struct str text;
    t->VersionId = STR("0");
    enum status st = catalog_has_database(db, a, o, t->DatabaseName);
    st = st == ST_OK ? table_text(a, t, &text) : st;
    return st != ST_OK ? st
                       : db_exec(db, "INSERT INTO glue_table VALUES(?,?,?,?,?)", bs(o->account),
                                 bs(o->region), bs(t->DatabaseName), bs(t->Name), bs(text));
}

enum status catalog_table(struct db *db, struct arena *a, const struct catalog_key *key,
                          struct glue_table **ret)
{
    struct str text;
    enum status st =
        db_get_str(db, a, &text, "SELECT doc FROM glue_table" KEY_WHERE, KEY_BINDS(a, key));
    return st == ST_OK ? table_read(a, text, ret) : st;
}

enum status catalog_set_table(struct db *db, struct arena *a, const struct glue_owner *o,
                              struct glue_table *t, bool archive)
{
    struct catalog_key key = key_of(o, t);
    struct str old_text, text;
    struct glue_table *old = NULL;
    int64_t version = 0;
    enum status st =
        db_get_str(db, a, &old_text, "SELECT doc FROM glue_table" KEY_WHERE, KEY_BINDS(a, &key));
    st = st == ST_OK ? table_read(a, old_text, &old) : st;
    st = st == ST_OK ? str_i64(old->VersionId, &version) : st;
    if (st == ST_OK && archive) {
        st = db_exec(db, "INSERT OR REPLACE INTO glue_table_version VALUES(?,?,?,?,?,?)",
                     KEY_BINDS(a, &key), bi(version), bs(old_text));
    }
    t->VersionId = arena_i64(a, version + 1);
    st = st == ST_OK ? table_text(a, t, &text) : st;
    return st != ST_OK
               ? st
               : db_exec(db, "UPDATE glue_table SET doc=?" KEY_WHERE, bs(text), KEY_BINDS(a, &key));
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
                              bs(database->owner.account), bs(database->owner.region),
                              bs(arena_lower(a, database->database)),
                              bs(str_set(page.after) ? page.after : STR("")));
    while (st == ST_OK && (int64_t)ret->n <= page.limit && rows_next(&q)) {
        if (filter && !filter->keep(filter->arg, rows_view(&q, 0))) {
            continue;
        }
        struct glue_table *t = NULL;
        st = table_read(a, rows_str(&q, a, 1), &t);
        if (st == ST_OK && t) {
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = *t;
        }
    }
    enum status end = rows_end(&q);
    return st != ST_OK ? st : end;
}

enum status catalog_delete_table(struct db *db, struct arena *a, const struct catalog_key *key)
{
    static const char *const inside[] = {
        "DELETE FROM glue_partition" KEY_WHERE,
        "DELETE FROM glue_partition_index" KEY_WHERE,
        "DELETE FROM glue_table_version" KEY_WHERE,
        "DELETE FROM glue_table" KEY_WHERE,
    };
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < ARRAY_LEN(inside); i++) {
        st = db_exec(db, inside[i], KEY_BINDS(a, key));
    }
    return st == ST_OK && db_changes(db) == 0 ? ST_NOT_FOUND : st; /* of the last statement */
}

/* --- versions ----------------------------------------------------------------------------------
 */
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
        struct glue_table *t = NULL;
        st = table_read(a, rows_str(&q, a, 0), &t);
        if (st == ST_OK && t) {
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
    struct str text;
    enum status st =
        db_get_str(db, a, &text, "SELECT doc FROM glue_table_version" KEY_WHERE " AND version=?",
                   KEY_BINDS(a, key), bi(version));
    return st == ST_OK ? table_read(a, text, ret) : st;
}

/* --- partition indexes -------------------------------------------------------------------------
 */
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

static struct catalog_index index_row(struct rows *q, struct arena *a)
{
    struct catalog_index index = { .label = rows_str(q, a, 0) };
    struct str rest = rows_str(q, a, 1), name;
    while (str_next(&rest, KEY_SEPARATOR, &name)) {
        ARENA_GROW(a, index.keys, index.n_keys);
        index.keys[index.n_keys++] = name;
    }
    return index;
}

enum status catalog_indexes(struct db *db, struct arena *a, const struct catalog_key *key,
                            struct catalog_index **ret, size_t *ret_n)
{
    struct rows q;
    *ret = NULL;
    *ret_n = 0;
    if (db_query(db, &q, "SELECT label, keys FROM glue_partition_index" KEY_WHERE " ORDER BY label",
                 KEY_BINDS(a, key)) == ST_OK) {
        while (rows_next(&q)) {
            ARENA_GROW(a, *ret, *ret_n);
            (*ret)[(*ret_n)++] = index_row(&q, a);
        }
    }
    return rows_end(&q);
}

enum status catalog_delete_index(struct db *db, struct arena *a, const struct catalog_key *key,
                                 struct str label)
{
    enum status st = db_exec(db, "DELETE FROM glue_partition_index" KEY_WHERE " AND label=?",
                             KEY_BINDS(a, key), bs(label));
    return st == ST_OK && db_changes(db) == 0 ? ST_NOT_FOUND : st;
}
