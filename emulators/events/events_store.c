#include "emulators/events/events_store.h"

#include "server/wire/codec.h"
#include "server/wire/doc.h"

#define RULE_COLUMNS \
    "id, account, region, bus, name, state, pattern, schedule, description, role, due_row"

const char events_schema_sql[] =
    "CREATE TABLE IF NOT EXISTS events_bus("
    " account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, description TEXT,"
    " created_ms INTEGER NOT NULL, PRIMARY KEY(account, region, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS events_rule("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, region TEXT NOT NULL,"
    " bus TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, pattern TEXT, schedule TEXT,"
    " description TEXT, role TEXT, due_row INTEGER NOT NULL,"
    " UNIQUE(account, region, bus, name));"
    "CREATE TABLE IF NOT EXISTS events_target("
    " rule INTEGER NOT NULL, id TEXT NOT NULL, arn TEXT NOT NULL, doc TEXT NOT NULL,"
    " PRIMARY KEY(rule, id)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS events_tag("
    " arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY(arn, key)) WITHOUT ROWID;";

/* --- buses ---------------------------------------------------------------------------------------
 */
static void read_bus(struct rows *q, struct arena *a, struct events_bus_row *ret)
{
    *ret = (struct events_bus_row){ rows_str(q, a, 0), rows_str(q, a, 1), rows_i64(q, 2) };
}

enum status events_store_bus(struct db *db, struct arena *a, const struct events_key *key,
                             struct events_bus_row *ret)
{
    struct rows q;
    bool found = false;
    if (db_query(db, &q,
                 "SELECT name, description, created_ms FROM events_bus"
                 " WHERE account=? AND region=? AND name=?",
                 bs(key->account), bs(key->region), bs(key->bus)) == ST_OK &&
        rows_next(&q)) {
        read_bus(&q, a, ret);
        found = true;
    }
    enum status st = rows_end(&q);
    return st == ST_OK && !found ? ST_NOT_FOUND : st;
}

enum status events_store_add_bus(struct db *db, const struct events_key *key,
                                 const struct events_bus_row *bus)
{
    return db_exec(db, "INSERT INTO events_bus VALUES(?,?,?,?,?)", bs(key->account),
                   bs(key->region), bs(bus->name), bs(bus->description), bi(bus->created_ms));
}

enum status events_store_delete_bus(struct db *db, const struct events_key *key)
{
    return db_exec(db, "DELETE FROM events_bus WHERE account=? AND region=? AND name=?",
                   bs(key->account), bs(key->region), bs(key->bus));
}

enum status events_store_buses(struct db *db, struct arena *a, const struct events_key *key,
                               const struct events_page *page, struct events_bus_row **ret,
                               size_t *ret_n)
{
    struct rows q;
    *ret = NULL;
    *ret_n = 0;
    if (db_query(db, &q,
                 "SELECT name, description, created_ms FROM events_bus"
                 " WHERE account=?1 AND region=?2 AND name>?3"
                 " AND (?4 IS NULL OR substr(name, 1, length(?4))=?4) ORDER BY name LIMIT ?5",
                 bs(key->account), bs(key->region), bs(page->after), bs(page->prefix),
                 bi(page->limit)) == ST_OK) {
        while (rows_next(&q)) {
            ARENA_GROW(a, *ret, *ret_n);
            read_bus(&q, a, &(*ret)[(*ret_n)++]);
        }
    }
    return rows_end(&q);
}

/* --- rules ---------------------------------------------------------------------------------------
 */
static void read_rule(struct rows *q, struct arena *a, struct events_rule_row *ret)
{
    *ret = (struct events_rule_row){
        .id = rows_i64(q, 0),
        .key = { rows_str(q, a, 1), rows_str(q, a, 2), rows_str(q, a, 3) },
        .name = rows_str(q, a, 4),
        .state = rows_str(q, a, 5),
        .pattern = rows_str(q, a, 6),
        .schedule = rows_str(q, a, 7),
        .description = rows_str(q, a, 8),
        .role = rows_str(q, a, 9),
        .due_row = rows_i64(q, 10),
    };
}

/* Ends the query. */
static enum status read_one(struct rows *q, struct arena *a, struct events_rule_row *ret)
{
    bool found = rows_next(q);
    if (found) {
        read_rule(q, a, ret);
    }
    enum status st = rows_end(q);
    return st == ST_OK && !found ? ST_NOT_FOUND : st;
}

static enum status read_all(struct rows *q, struct arena *a, struct events_rule_row **ret,
                            size_t *ret_n)
{
    *ret = NULL;
    *ret_n = 0;
    while (rows_next(q)) {
        ARENA_GROW(a, *ret, *ret_n);
        read_rule(q, a, &(*ret)[(*ret_n)++]);
    }
    return rows_end(q);
}

enum status events_store_rule(struct db *db, struct arena *a, const struct events_key *key,
                              struct str name, struct events_rule_row *ret)
{
    struct rows q;
    status_ignore(db_query(db, &q, /* rows_end tells */
                           "SELECT " RULE_COLUMNS " FROM events_rule"
                           " WHERE account=? AND region=? AND bus=? AND name=?",
                           bs(key->account), bs(key->region), bs(key->bus), bs(name)));
    return read_one(&q, a, ret);
}

enum status events_store_rule_by_id(struct db *db, struct arena *a, int64_t id,
                                    struct events_rule_row *ret)
{
    struct rows q;
    status_ignore(db_query(db, &q, "SELECT " RULE_COLUMNS " FROM events_rule WHERE id=?",
                           bi(id))); /* rows_end tells */
    return read_one(&q, a, ret);
}

enum status events_store_put_rule(struct db *db, struct events_rule_row *row)
{
    enum status st = db_exec(
        db,
        "INSERT INTO events_rule(id, account, region, bus, name, state, pattern, schedule,"
        " description, role, due_row) VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET"
        " state=excluded.state, pattern=excluded.pattern, schedule=excluded.schedule,"
        " description=excluded.description, role=excluded.role, due_row=excluded.due_row",
        row->id ? bi(row->id) : bn(), bs(row->key.account), bs(row->key.region), bs(row->key.bus),
        bs(row->name), bs(row->state), bs(row->pattern), bs(row->schedule), bs(row->description),
        bs(row->role), bi(row->due_row));
    if (st == ST_OK && row->id == 0) {
        row->id = db_last_rowid(db);
    }
    return st;
}

enum status events_store_set_due(struct db *db, int64_t rule, int64_t due_row)
{
    return db_exec(db, "UPDATE events_rule SET due_row=? WHERE id=?", bi(due_row), bi(rule));
}

enum status events_store_delete_rule(struct db *db, int64_t rule)
{
    enum status st = db_exec(db, "DELETE FROM events_target WHERE rule=?", bi(rule));
    return st == ST_OK ? db_exec(db, "DELETE FROM events_rule WHERE id=?", bi(rule)) : st;
}

enum status events_store_count_rules(struct db *db, const struct events_key *key, int64_t *ret)
{
    return db_get_i64(db, ret,
                      "SELECT count(*) FROM events_rule WHERE account=? AND region=? AND bus=?",
                      bs(key->account), bs(key->region), bs(key->bus));
}

enum status events_store_rules(struct db *db, struct arena *a, const struct events_key *key,
                               const struct events_page *page, struct events_rule_row **ret,
                               size_t *ret_n)
{
    struct rows q;
    status_ignore(db_query(db, &q, /* rows_end tells */
                           "SELECT " RULE_COLUMNS " FROM events_rule"
                           " WHERE account=?1 AND region=?2 AND bus=?3 AND name>?4"
                           " AND (?5 IS NULL OR substr(name, 1, length(?5))=?5)"
                           " ORDER BY name LIMIT ?6",
                           bs(key->account), bs(key->region), bs(key->bus), bs(page->after),
                           bs(page->prefix), bi(page->limit)));
    return read_all(&q, a, ret, ret_n);
}

enum status events_store_listeners(struct db *db, struct arena *a, const struct events_key *key,
                                   struct events_rule_row **ret, size_t *ret_n)
{
    struct rows q;
    status_ignore(db_query(db, &q, /* rows_end tells */
                           "SELECT " RULE_COLUMNS " FROM events_rule"
                           " WHERE account=? AND region=? AND bus=? AND state<>'DISABLED'"
                           " AND pattern IS NOT NULL ORDER BY name",
                           bs(key->account), bs(key->region), bs(key->bus)));
    return read_all(&q, a, ret, ret_n);
}

enum status events_store_scheduled(struct db *db, struct arena *a, struct events_rule_row **ret,
                                   size_t *ret_n)
{
    struct rows q;
    status_ignore(db_query(db, &q, /* rows_end tells */
                           "SELECT " RULE_COLUMNS
                           " FROM events_rule WHERE schedule IS NOT NULL ORDER BY id"));
    return read_all(&q, a, ret, ret_n);
}

enum status events_store_rules_of_target(struct db *db, struct arena *a,
                                         const struct events_key *key, struct str arn,
                                         const struct events_page *page,
                                         struct events_rule_row **ret, size_t *ret_n)
{
    struct rows q;
    status_ignore(db_query(db, &q, /* rows_end tells */
                           "SELECT " RULE_COLUMNS " FROM events_rule"
                           " WHERE account=? AND region=? AND bus=? AND name>?"
                           " AND EXISTS(SELECT 1 FROM events_target t"
                           " WHERE t.rule=events_rule.id AND t.arn=?) ORDER BY name LIMIT ?",
                           bs(key->account), bs(key->region), bs(key->bus), bs(page->after),
                           bs(arn), bi(page->limit)));
    return read_all(&q, a, ret, ret_n);
}

/* --- targets -------------------------------------------------------------------------------------
 */
/* Targets are kept as this operation shows them, each a list of one. */
static const struct op *list_op(void)
{
    return op_find(events_ops, EVENTS_N_OPS, STR("ListTargetsByRule"));
}

enum status events_store_put_target(struct db *db, struct arena *a, int64_t rule,
                                    const struct events_target *target)
{
    struct events_target one = *target;
    struct events_list_targets_by_rule_response doc = { .Targets = { 1, &one } };
    struct str text;
    enum status st = doc_write(list_op(), a, &doc, &text);
    return st == ST_OK ? db_exec(db, "INSERT OR REPLACE INTO events_target VALUES(?,?,?,?)",
                                 bi(rule), bs(target->Id), bs(target->Arn), bs(text))
                       : st;
}

enum status events_store_delete_target(struct db *db, int64_t rule, struct str id)
{
    enum status st =
        db_exec(db, "DELETE FROM events_target WHERE rule=? AND id=?", bi(rule), bs(id));
    return st == ST_OK && db_changes(db) == 0 ? ST_NOT_FOUND : st;
}

enum status events_store_targets(struct db *db, struct arena *a, int64_t rule,
                                 const struct events_page *page, struct events_target_list *ret)
{
    struct rows q;
    enum status read = ST_OK;
    *ret = (struct events_target_list){ 0, ARENA_NEW(a, struct events_target) };
    status_ignore(
        db_query(db, &q, /* rows_end tells */
                 "SELECT doc FROM events_target WHERE rule=? AND id>? ORDER BY id LIMIT ?",
                 bi(rule), bs(page->after), bi(page->limit)));
    while (read == ST_OK && rows_next(&q)) {
        void *doc = NULL;
        read = doc_read(list_op(), a, rows_str(&q, a, 0), &doc);
        const struct events_list_targets_by_rule_response *one = doc;
        if (read == ST_OK && one->Targets.n == 1) {
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = one->Targets.v[0];
        }
    }
    enum status st = rows_end(&q);
    return st == ST_OK ? read : st;
}

enum status events_store_count_targets(struct db *db, int64_t rule, int64_t *ret)
{
    return db_get_i64(db, ret, "SELECT count(*) FROM events_target WHERE rule=?", bi(rule));
}

/* --- tags ----------------------------------------------------------------------------------------
 */
enum status events_store_set_tag(struct db *db, struct str arn, struct str key, struct str value)
{
    return db_exec(db, "INSERT OR REPLACE INTO events_tag VALUES(?,?,?)", bs(arn), bs(key),
                   bs(value));
}

enum status events_store_delete_tag(struct db *db, struct str arn, struct str key)
{
    return db_exec(db, "DELETE FROM events_tag WHERE arn=? AND key=?", bs(arn), bs(key));
}

enum status events_store_delete_tags(struct db *db, struct str arn)
{
    return db_exec(db, "DELETE FROM events_tag WHERE arn=?", bs(arn));
}

enum status events_store_tags(struct db *db, struct arena *a, struct str arn,
                              struct events_tag_list *ret)
{
    struct rows q;
    *ret = (struct events_tag_list){ 0, ARENA_NEW(a, struct events_tag) };
    status_ignore(db_query(db, &q, "SELECT key, value FROM events_tag WHERE arn=? ORDER BY key",
                           bs(arn))); /* rows_end tells */
    while (rows_next(&q)) {
        ARENA_GROW(a, ret->v, ret->n);
        ret->v[ret->n++] = (struct events_tag){ rows_str(&q, a, 0), rows_str(&q, a, 1) };
    }
    return rows_end(&q);
}
