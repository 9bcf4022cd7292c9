/* Databases and connections: one document per name. */
#include "emulators/glue/catalog/catalog_store.h"

#include "server/wire/codec.h"
#include "server/wire/doc.h"

static const struct op *op_of(const char *name)
{
    return op_find(glue_ops, GLUE_N_OPS, str_z(name));
}

/* ST_NOT_FOUND when the last statement changed nothing. */
static enum status changed(struct db *db, enum status st)
{
    return st == ST_OK && db_changes(db) == 0 ? ST_NOT_FOUND : st;
}

static struct str after_of(struct catalog_page page)
{
    return str_set(page.after) ? page.after : STR("");
}

/* --- databases ---------------------------------------------------------------------------------
 */
static enum status database_text(struct arena *a, struct glue_database *d, struct str *ret)
{
    d->Name = arena_lower(a, d->Name);
    struct glue_get_database_response doc = { .Database = d };
    return doc_write(op_of("GetDatabase"), a, &doc, ret);
}

static enum status database_read(struct arena *a, struct str text, struct glue_database **ret)
{
    void *doc;
    enum status st = doc_read(op_of("GetDatabase"), a, text, &doc);
    if (st == ST_OK) {
        *ret = ((struct glue_get_database_response *)doc)->Database;
    }
    return st;
}

enum status catalog_add_database(struct db *db, struct arena *a, const struct glue_owner *o,
                                 struct glue_database *d)
{
    struct str text;
    enum status st = database_text(a, d, &text);
    return st != ST_OK ? st
                       : db_exec(db, "INSERT INTO glue_database VALUES(?,?,?,?)", bs(o->account),
                                 bs(o->region), bs(d->Name), bs(text));
}

enum status catalog_database(struct db *db, struct arena *a, const struct glue_owner *o,
                             struct str name, struct glue_database **ret)
{
    struct str text;
    enum status st = db_get_str(
        db, a, &text, "SELECT doc FROM glue_database WHERE account=? AND region=? AND name=?",
        bs(o->account), bs(o->region), bs(arena_lower(a, name)));
    return st == ST_OK ? database_read(a, text, ret) : st;
}

enum status catalog_has_database(struct db *db, struct arena *a, const struct glue_owner *o,
                                 struct str name)
{
    int64_t one;
    return db_get_i64(db, &one,
                      "SELECT 1 FROM glue_database WHERE account=? AND region=? AND name=?",
                      bs(o->account), bs(o->region), bs(arena_lower(a, name)));
}

enum status catalog_set_database(struct db *db, struct arena *a, const struct glue_owner *o,
                                 struct glue_database *d)
{
    struct str text;
    enum status st = database_text(a, d, &text);
    st = st == ST_OK ? db_exec(db,
                               "UPDATE glue_database SET doc=? WHERE account=? AND region=?"
                               " AND name=?",
                               bs(text), bs(o->account), bs(o->region), bs(d->Name))
                     : st;
    return changed(db, st);
}

enum status catalog_databases(struct db *db, struct arena *a, const struct glue_owner *o,
                              struct catalog_page page, struct glue_database_list *ret)
{
    struct rows q;
    *ret = (struct glue_database_list){ 0, ARENA_NEW(a, struct glue_database) };
    enum status st =
        db_query(db, &q,
                 "SELECT doc FROM glue_database WHERE account=? AND region=?"
                 " AND name>? ORDER BY name LIMIT ?",
                 bs(o->account), bs(o->region), bs(after_of(page)), bi(page.limit + 1));
    while (st == ST_OK && rows_next(&q)) {
        struct glue_database *d = NULL;
        st = database_read(a, rows_str(&q, a, 0), &d);
        if (st == ST_OK && d) {
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = *d;
        }
    }
    enum status end = rows_end(&q);
    return st != ST_OK ? st : end;
}

enum status catalog_delete_database(struct db *db, struct arena *a, const struct glue_owner *o,
                                    struct str name)
{
    static const char *const inside[] = {
        "DELETE FROM glue_partition WHERE account=? AND region=? AND db=?",
        "DELETE FROM glue_partition_index WHERE account=? AND region=? AND db=?",
        "DELETE FROM glue_table_version WHERE account=? AND region=? AND db=?",
        "DELETE FROM glue_table WHERE account=? AND region=? AND db=?",
        "DELETE FROM glue_database WHERE account=? AND region=? AND name=?",
    };
    struct str folded = arena_lower(a, name);
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < sizeof(inside) / sizeof(inside[0]); i++) {
        st = db_exec(db, inside[i], bs(o->account), bs(o->region), bs(folded));
    }
    return changed(db, st); /* of the last statement */
}

/* --- connections -------------------------------------------------------------------------------
 */
static enum status connection_text(struct arena *a, struct glue_connection *connection,
                                   struct str *ret)
{
    struct glue_get_connection_response doc = { .Connection = connection };
    return doc_write(op_of("GetConnection"), a, &doc, ret);
}

static enum status connection_read(struct arena *a, struct str text, struct glue_connection **ret)
{
    void *doc;
    enum status st = doc_read(op_of("GetConnection"), a, text, &doc);
    if (st == ST_OK) {
        *ret = ((struct glue_get_connection_response *)doc)->Connection;
    }
    return st;
}

enum status catalog_add_connection(struct db *db, struct arena *a, const struct glue_owner *o,
                                   struct glue_connection *connection)
{
    struct str text;
    enum status st = connection_text(a, connection, &text);
    return st != ST_OK ? st
                       : db_exec(db, "INSERT INTO glue_connection VALUES(?,?,?,?)", bs(o->account),
                                 bs(o->region), bs(connection->Name), bs(text));
}

enum status catalog_connection(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct str name, struct glue_connection **ret)
{
    struct str text;
    enum status st = db_get_str(
        db, a, &text, "SELECT doc FROM glue_connection WHERE account=? AND region=? AND name=?",
        bs(o->account), bs(o->region), bs(name));
    return st == ST_OK ? connection_read(a, text, ret) : st;
}

enum status catalog_set_connection(struct db *db, struct arena *a, const struct glue_owner *o,
                                   struct glue_connection *connection)
{
    struct str text;
    enum status st = connection_text(a, connection, &text);
    st = st == ST_OK ? db_exec(db,
                               "UPDATE glue_connection SET doc=? WHERE account=? AND region=?"
                               " AND name=?",
                               bs(text), bs(o->account), bs(o->region), bs(connection->Name))
                     : st;
    return changed(db, st);
}

enum status catalog_connections(struct db *db, struct arena *a, const struct glue_owner *o,
                                struct catalog_page page, struct glue_connection_list *ret)
{
    struct rows q;
    *ret = (struct glue_connection_list){ 0, ARENA_NEW(a, struct glue_connection) };
    enum status st =
        db_query(db, &q,
                 "SELECT doc FROM glue_connection WHERE account=? AND region=?"
                 " AND name>? ORDER BY name LIMIT ?",
                 bs(o->account), bs(o->region), bs(after_of(page)), bi(page.limit + 1));
    while (st == ST_OK && rows_next(&q)) {
        struct glue_connection *connection = NULL;
        st = connection_read(a, rows_str(&q, a, 0), &connection);
        if (st == ST_OK && connection) {
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = *connection;
        }
    }
    enum status end = rows_end(&q);
    return st != ST_OK ? st : end;
}

enum status catalog_delete_connection(struct db *db, const struct glue_owner *o, struct str name)
{
    return changed(db, db_exec(db,
                               "DELETE FROM glue_connection WHERE account=? AND region=?"
                               " AND name=?",
                               bs(o->account), bs(o->region), bs(name)));
}
