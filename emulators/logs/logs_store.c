#include "emulators/logs/logs_store.h"

#include "server/store/db_read.h"

const char logs_schema_sql[] =
    "CREATE TABLE IF NOT EXISTS logs_group("
    " id INTEGER PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, retention_days INTEGER NOT NULL DEFAULT 0,"
    " UNIQUE(account, region, name));"
    "CREATE TABLE IF NOT EXISTS logs_tag("
    " group_id INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY(group_id, key)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS logs_stream("
    " id INTEGER PRIMARY KEY, group_id INTEGER NOT NULL, name TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, first_ms INTEGER NOT NULL DEFAULT 0,"
    " last_ms INTEGER NOT NULL DEFAULT 0, ingested_ms INTEGER NOT NULL DEFAULT 0,"
    " bytes INTEGER NOT NULL DEFAULT 0, UNIQUE(group_id, name));"
    "CREATE TABLE IF NOT EXISTS logs_event("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, group_id INTEGER NOT NULL, stream_id INTEGER NOT NULL,"
    " time_ms INTEGER NOT NULL, ingested_ms INTEGER NOT NULL, message TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS logs_event_stream ON logs_event(stream_id, time_ms, id);"
    "CREATE INDEX IF NOT EXISTS logs_event_group ON logs_event(group_id, time_ms, id);";

/* --- groups ----------------------------------------------------------------------------------- */
enum status logs_store_add_group(struct db *db, const struct logs_owner *o, struct str name,
                                 int64_t now_ms, int64_t *ret_id)
{
    enum status st =
        db_exec(db, "INSERT INTO logs_group(account, region, name, created_ms) VALUES(?,?,?,?)",
                bs(o->account), bs(o->region), bs(name), bi(now_ms));
    if (st == ST_OK) {
        *ret_id = db_last_rowid(db);
    }
    return st;
}

#define GROUP_COLUMNS                       \
    "id, name, created_ms, retention_days," \
    " (SELECT coalesce(sum(bytes), 0) FROM logs_stream s WHERE s.group_id = logs_group.id)"

static enum status group_row(struct rows *q, struct arena *a, void *ret)
{
    *(struct logs_group_row *)ret =
        (struct logs_group_row){ rows_i64(q, 0), rows_str(q, a, 1), rows_i64(q, 2), rows_i64(q, 3),
                                 rows_i64(q, 4) };
    return ST_OK;
}

enum status logs_store_group(struct db *db, struct arena *a, const struct logs_owner *o,
                             struct str name, struct logs_group_row *ret)
{
    return db_read(db, ONE_ROW(a, group_row, ret),
                   "SELECT id, name, created_ms, retention_days, 0 FROM logs_group"
                   " WHERE account=? AND region=? AND name=?",
                   bs(o->account), bs(o->region), bs(name));
}

enum status logs_store_groups(struct db *db, struct arena *a, const struct logs_owner *o,
                              const struct logs_group_query *g, struct logs_group_row **ret,
                              size_t *ret_n)
{
    return db_read(db, ALL_ROWS(a, group_row, ret, ret_n),
                   "SELECT " GROUP_COLUMNS " FROM logs_group WHERE account=? AND region=?"
                   " AND name>?3 AND substr(name,1,length(?4))=?4"
                   " AND (?5='' OR instr(lower(name),lower(?5))>0) ORDER BY name LIMIT ?6",
                   bs(o->account), bs(o->region), bs_or_empty(g->after), bs_or_empty(g->prefix),
                   bs_or_empty(g->contains), bi(g->limit + 1));
}

enum status logs_store_set_retention(struct db *db, int64_t group, int64_t days)
{
    return db_exec(db, "UPDATE logs_group SET retention_days=? WHERE id=?", bi(days), bi(group));
}

enum status logs_store_delete_group(struct db *db, int64_t group)
{
    enum status st = db_exec(db, "DELETE FROM logs_event WHERE group_id=?", bi(group));
    st = st == ST_OK ? db_exec(db, "DELETE FROM logs_stream WHERE group_id=?", bi(group)) : st;
    st = st == ST_OK ? db_exec(db, "DELETE FROM logs_tag WHERE group_id=?", bi(group)) : st;
    return st == ST_OK ? db_exec(db, "DELETE FROM logs_group WHERE id=?", bi(group)) : st;
}

enum status logs_store_set_tag(struct db *db, int64_t group, struct str key, struct str value)
{
    return db_exec(db, "INSERT OR REPLACE INTO logs_tag VALUES(?,?,?)", bi(group), bs(key),
                   bs(value));
}

enum status logs_store_delete_tag(struct db *db, int64_t group, struct str key)
{
    return db_exec(db, "DELETE FROM logs_tag WHERE group_id=? AND key=?", bi(group), bs(key));
}

enum status logs_store_tags(struct db *db, struct arena *a, int64_t group, struct logs_tags *ret)
{
    return db_read(db, ALL_TEXTS(a, &ret->v, &ret->n),
                   "SELECT key, value FROM logs_tag WHERE group_id=? ORDER BY key", bi(group));
}

/* --- streams ---------------------------------------------------------------------------------- */
enum status logs_store_add_stream(struct db *db, int64_t group, struct str name, int64_t now_ms,
                                  int64_t *ret_id)
{
    enum status st =
        db_exec(db, "INSERT INTO logs_stream(group_id, name, created_ms) VALUES(?,?,?)", bi(group),
                bs(name), bi(now_ms));
    if (st == ST_OK) {
        *ret_id = db_last_rowid(db);
    }
    return st;
}

#define STREAM_COLUMNS "id, name, created_ms, first_ms, last_ms, ingested_ms, bytes"

static enum status stream_row(struct rows *q, struct arena *a, void *ret)
{
    *(struct logs_stream_row *)ret =
        (struct logs_stream_row){ rows_i64(q, 0), rows_str(q, a, 1), rows_i64(q, 2), rows_i64(q, 3),
                                  rows_i64(q, 4), rows_i64(q, 5),    rows_i64(q, 6) };
    return ST_OK;
}

enum status logs_store_stream(struct db *db, struct arena *a, int64_t group, struct str name,
                              struct logs_stream_row *ret)
{
    return db_read(db, ONE_ROW(a, stream_row, ret),
                   "SELECT " STREAM_COLUMNS " FROM logs_stream WHERE group_id=? AND name=?",
                   bi(group), bs(name));
}

enum status logs_store_streams(struct db *db, struct arena *a, int64_t group,
                               const struct logs_stream_query *s, struct logs_stream_row **ret,
                               size_t *ret_n)
{
    /* One literal per order: statements are cached by their text. */
#define STREAMS(order)                                                                             \
    "SELECT " STREAM_COLUMNS " FROM logs_stream WHERE group_id=? AND substr(name,1,length(?2))=?2" \
    " ORDER BY " order " LIMIT ?3 OFFSET ?4"
    static const char *const sql[2][2] = { { STREAMS("name"), STREAMS("name DESC") },
                                           { STREAMS("last_ms, id"),
                                             STREAMS("last_ms DESC, id DESC") } };
    return db_read(db, ALL_ROWS(a, stream_row, ret, ret_n), sql[s->by_time][s->descending],
                   bi(group), bs_or_empty(s->prefix), bi(s->limit + 1), bi(s->offset));
}

enum status logs_store_delete_stream(struct db *db, int64_t stream)
{
    enum status st = db_exec(db, "DELETE FROM logs_event WHERE stream_id=?", bi(stream));
    return st == ST_OK ? db_exec(db, "DELETE FROM logs_stream WHERE id=?", bi(stream)) : st;
}

/* --- events ----------------------------------------------------------------------------------- */
#define EVENT_OVERHEAD 26 /* bytes that the service counts for each event beside its text */

enum status logs_store_add_event(struct db *db, int64_t group, int64_t stream, int64_t time_ms,
                                 int64_t now_ms, struct str message)
{
    enum status st = db_exec(db,
                             "INSERT INTO logs_event(group_id, stream_id, time_ms, ingested_ms,"
                             " message) VALUES(?,?,?,?,?)",
                             bi(group), bi(stream), bi(time_ms), bi(now_ms), bs(message));
    if (st != ST_OK) {
        return st;
    }
    return db_exec(db,
                   "UPDATE logs_stream SET last_ms=max(last_ms,?1), ingested_ms=?2,"
                   " first_ms=CASE first_ms WHEN 0 THEN ?1 ELSE min(first_ms,?1) END,"
                   " bytes=bytes+?3 WHERE id=?4",
                   bi(time_ms), bi(now_ms), bi((int64_t)message.n + EVENT_OVERHEAD), bi(stream));
}

static enum status event_row(struct rows *q, struct arena *a, void *ret)
{
    *(struct logs_event_row *)ret = (struct logs_event_row){
        { rows_i64(q, 0), rows_i64(q, 1) }, rows_i64(q, 2), rows_str(q, a, 3), rows_str(q, a, 4)
    };
    return ST_OK;
}

enum status logs_store_events(struct db *db, struct arena *a, const struct logs_event_query *e,
                              struct logs_event_row **ret, size_t *ret_n)
{
#define EVENTS(where, compare, order)                                                \
    "SELECT e.time_ms, e.id, e.ingested_ms, s.name, e.message FROM logs_event e"     \
    " JOIN logs_stream s ON s.id = e.stream_id WHERE " where                         \
    " AND e.time_ms>=?2 AND e.time_ms<?3 AND (e.time_ms, e.id) " compare " (?4, ?5)" \
    " ORDER BY e.time_ms " order ", e.id " order " LIMIT ?6"
    static const char *const sql[2][2] = {
        { EVENTS("e.group_id=?1", ">", "ASC"), EVENTS("e.group_id=?1", "<", "DESC") },
        { EVENTS("e.stream_id=?1", ">", "ASC"), EVENTS("e.stream_id=?1", "<", "DESC") },
    };
    return db_read(db, ALL_ROWS(a, event_row, ret, ret_n), sql[e->stream != 0][e->descending],
                   bi(e->stream ? e->stream : e->group), bi(e->start_ms), bi(e->end_ms),
                   bi(e->from.time_ms), bi(e->from.id), bi(e->limit));
}

enum status logs_store_expire(struct db *db, const struct logs_group_row *group, int64_t now_ms)
{
    if (group->retention_days == 0) {
        return ST_OK;
    }
    return db_exec(db, "DELETE FROM logs_event WHERE group_id=? AND time_ms<?", bi(group->id),
                   bi(now_ms - group->retention_days * 24 * 3600 * 1000));
}
