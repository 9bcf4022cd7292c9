/* Partitions. The values are the row's key, so that a listing can choose without reading the
 * documents: each value is followed by 0x1f, and bytes that would be mistaken for it are written as
 * two (0x1e and a digit). */
#include "emulators/glue/catalog/catalog_store.h"

#define VALUE_END '\x1f'
#define ESCAPE '\x1e'

/* account, region, database, table: as in every WHERE of this file. */
#define TABLE_BINDS(a, key) \
    OWNER(&(key)->owner), bs(arena_lower((a), (key)->database)), bs(arena_lower((a), (key)->table))
#define TABLE_SCOPE DOCUMENTS_OWNED "db=? AND name=? AND "
/* The same with the partition's values. */
#define PARTITION_KEY(a, key, values) \
    DOCUMENT_KEY(TABLE_BINDS(a, key), bs(catalog_partition_token((a), (values))))

/* --- values as a key -------------------------------------------------------------------------- */
struct str catalog_partition_token(struct arena *a, const struct glue_value_string_list *values)
{
    size_t size = 0;
    for (size_t i = 0; i < values->n; i++) {
        size += 2 * values->v[i].n + 1;
    }
    char *out = arena_alloc(a, size + 1);
    size_t n = 0;
    for (size_t i = 0; i < values->n; i++) {
        struct str v = values->v[i];
        for (size_t k = 0; k < v.n; k++) {
            bool plain = v.p[k] != VALUE_END && v.p[k] != ESCAPE && v.p[k] != '\0';
            if (!plain) {
                out[n++] = ESCAPE;
            }
            out[n++] = (char)(plain ? v.p[k] : v.p[k] == '\0' ? '0' : v.p[k] == ESCAPE ? '1' : '2');
        }
        out[n++] = VALUE_END;
    }
    return (struct str){ out, n };
}

static struct str unescape(struct arena *a, struct str s)
{
    if (str_find(s, ESCAPE, 0) < 0) {
        return s;
    }
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ESCAPE && i + 1 < s.n) {
            i++;
            c = (char)(s.p[i] == '0' ? '\0' : s.p[i] == '1' ? ESCAPE : VALUE_END);
        }
        out[n++] = c;
    }
    return (struct str){ out, n };
}

static struct glue_value_string_list values_of(struct arena *a, struct str key)
{
    struct glue_value_string_list values = { 0, ARENA_NEW(a, struct str) };
    struct str rest = key, item;
    while (str_next(&rest, VALUE_END, &item)) {
        ARENA_GROW(a, values.v, values.n);
        values.v[values.n++] = unescape(a, item);
    }
    return values;
}

/* --- rows ------------------------------------------------------------------------------------- */
static const struct documents partitions = {
    { glue_ops, GLUE_N_OPS, "GetPartition", "Partition" },
    .add = "INSERT INTO glue_partition VALUES(?,?,?,?,?,?)",
    .set = "UPDATE glue_partition SET doc=?, key=?"
           " WHERE account=? AND region=? AND db=? AND name=? AND key=?",
    DOCUMENTS_READ("glue_partition", TABLE_SCOPE, "key"),
};

static void set_key(struct arena *a, const struct catalog_key *key, struct glue_partition *p)
{
    p->DatabaseName = arena_lower(a, key->database);
    p->TableName = arena_lower(a, key->table);
}

enum status catalog_add_partition(struct db *db, struct arena *a, const struct catalog_key *key,
                                  struct glue_partition *p)
{
    set_key(a, key, p);
    return documents_add(db, a, &partitions, PARTITION_KEY(a, key, &p->Values), p);
}

enum status catalog_partition(struct db *db, struct arena *a, const struct catalog_key *key,
                              const struct glue_value_string_list *values,
                              struct glue_partition **ret)
{
    return documents_get(db, a, &partitions, PARTITION_KEY(a, key, values), ret);
}

enum status catalog_set_partition(struct db *db, struct arena *a, const struct catalog_key *key,
                                  const struct glue_value_string_list *values,
                                  struct glue_partition *p)
{
    set_key(a, key, p);
    return documents_set(db, a, &partitions,
                         DOCUMENT_KEY(bs(catalog_partition_token(a, &p->Values)),
                                      TABLE_BINDS(a, key), bs(catalog_partition_token(a, values))),
                         p);
}

enum status catalog_delete_partition(struct db *db, struct arena *a, const struct catalog_key *key,
                                     const struct glue_value_string_list *values)
{
    return documents_remove(db, &partitions, PARTITION_KEY(a, key, values));
}

/* One row of a listing; the filter decides by the values alone. */
static enum status list_row(struct rows *q, struct arena *a,
                            const struct catalog_value_filter *filter,
                            struct glue_partition_list *ret)
{
    if (filter) {
        bool wanted = false;
        struct glue_value_string_list values = values_of(a, rows_str(q, a, 0));
        enum status st = filter->keep(filter->arg, &values, &wanted);
        if (st != ST_OK || !wanted) {
            return st;
        }
    }
    return documents_append(a, &partitions.form, rows_str(q, a, 1), ret);
}

enum status catalog_partitions(struct db *db, struct arena *a, const struct catalog_key *key,
                               struct catalog_page page, const struct catalog_value_filter *filter,
                               struct glue_partition_list *ret)
{
    struct rows q;
    *ret = (struct glue_partition_list){ 0, ARENA_NEW(a, struct glue_partition) };
    enum status st = db_query(
        db, &q, "SELECT key, doc FROM glue_partition WHERE " TABLE_SCOPE "key>? ORDER BY key",
        TABLE_BINDS(a, key), bs_or_empty(page.after));
    while (st == ST_OK && (int64_t)ret->n <= page.limit && rows_next(&q)) {
        st = list_row(&q, a, filter, ret);
    }
    enum status end = rows_end(&q);
    return st != ST_OK ? st : end;
}
