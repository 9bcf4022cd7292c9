#include "server/store/db_impl.h"

#include "server/base/mem.h"

static void stmt_free(struct db_stmt *s)
{
    sqlite3_finalize(s->h);
    free(s);
}

/* Makes room: drops the statement that was not used for the longest time. */
static void evict_one(struct db *db)
{
    LIST_FOREACH(item, &db->lru)
    {
        struct db_stmt *s = CONTAINER_OF(item, struct db_stmt, lru);
        if (s->in_use) {
            continue;
        }
        list_remove(&s->lru);
        map_del(&db->cache, str_z(sqlite3_sql(s->h)));
        memset(db->by_address, 0, sizeof(db->by_address));
        stmt_free(s);
        return;
    }
}

static enum status prepare(struct db *db, const char *sql, bool keep, struct db_stmt **ret)
{
    sqlite3_stmt *h = NULL;
    const char *tail = NULL;
    int rc = sqlite3_prepare_v3(db->h, sql, -1, keep ? SQLITE_PREPARE_PERSISTENT : 0, &h, &tail);
    if (rc != SQLITE_OK) {
        return db_fail(db, rc, sql);
    }
    if (!h || (tail && *tail)) {
        sqlite3_finalize(h);
        return db_fail(db, SQLITE_MISUSE, sql); /* nothing, or more than one statement */
    }
    struct db_stmt *s = xcalloc(1, sizeof(*s));
    s->h = h;
    s->cached = keep;
    s->n_params = sqlite3_bind_parameter_count(h);
    *ret = s;
    return ST_OK;
}

static struct db_stmt **address_slot(struct db *db, const char *sql)
{
    uintptr_t at = (uintptr_t)sql;
    return &db->by_address[(at >> 3 ^ at >> 11) & (DB_BY_ADDRESS - 1)];
}

static struct db_stmt *find(struct db *db, const char *sql)
{
    struct db_stmt **slot = address_slot(db, sql);
    if (!*slot || strcmp(sqlite3_sql((*slot)->h), sql) != 0) {
        struct db_stmt *s = map_get(&db->cache, str_z(sql));
        *slot = s ? s : *slot;
        return s;
    }
    return *slot;
}

enum status db_stmt_get(struct db *db, const char *sql, struct db_stmt **ret)
{
    struct db_stmt *s = find(db, sql);
    if (s && !s->in_use) {
        list_remove(&s->lru);
        list_append(&db->lru, &s->lru);
        s->in_use = true;
        *ret = s;
        return ST_OK;
    }
    bool keep = !s; /* a cached one that is busy (nested loops): one more, for this use only */
    enum status st = prepare(db, sql, keep, &s);
    if (st != ST_OK) {
        return st;
    }
    if (keep) {
        if (db->cache.n >= DB_CACHE_MAX) {
            evict_one(db);
        }
        map_put(&db->cache, str_z(sql), s);
        list_append(&db->lru, &s->lru);
    }
    s->in_use = true;
    *ret = s;
    return ST_OK;
}

void db_stmt_done(struct db_stmt *s)
{
    if (!s) {
        return;
    }
    if (!s->cached) {
        stmt_free(s);
        return;
    }
    sqlite3_reset(s->h); /* its code repeats the step's, which was looked at */
    sqlite3_clear_bindings(s->h);
    s->in_use = false;
}

void db_cache_fini(struct db *db)
{
    size_t it = 0;
    struct str key;
    void *value;
    while (map_each(&db->cache, &it, &key, &value)) {
        stmt_free(value);
    }
    map_fini(&db->cache);
}
