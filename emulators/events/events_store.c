#include "emulators/events/events_store.h"

#include "server/documents.h"

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
    " PRIMARY KEY(rule, id)) WITHOUT ROWID;" TAGS_SCHEMA("events_tag");

/* The columns that say which bus. */
#define BUS(key) OWNER(key), bs((key)->bus)
#define OF_BUS " WHERE account=? AND region=? AND bus=?"

/* --- buses ------------------------------------------------------------------------------------ */
#define SELECT_BUS "SELECT name, description, created_ms FROM events_bus"

static enum status bus_row(struct rows *q, struct arena *a, void *ret)
{
    *(struct events_bus_row *)ret =
        (struct events_bus_row){ rows_str(q, a, 0), rows_str(q, a, 1), rows_i64(q, 2) };
    return ST_OK;
}

enum status events_store_bus(struct db *db, struct arena *a, const struct events_key *key,
                             struct events_bus_row *ret)
{
    return db_read(db, ONE_ROW(a, bus_row, ret),
                   SELECT_BUS " WHERE account=? AND region=? AND name=?", BUS(key));
}

enum status events_store_add_bus(struct db *db, const struct events_key *key,
                                 const struct events_bus_row *bus)
{
    return db_exec(db, "INSERT INTO events_bus VALUES(?,?,?,?,?)", OWNER(key), bs(bus->name),
                   bs(bus->description), bi(bus->created_ms));
}

enum status events_store_delete_bus(struct db *db, const struct events_key *key)
{
    return db_exec(db, "DELETE FROM events_bus WHERE account=? AND region=? AND name=?", BUS(key));
}

enum status events_store_buses(struct db *db, struct arena *a, const struct events_key *key,
                               const struct events_page *page, struct events_bus_row **ret,
                               size_t *ret_n)
{
    return db_read(db, ALL_ROWS(a, bus_row, ret, ret_n),
                   SELECT_BUS " WHERE account=? AND region=? AND name>?"
                              " AND (?4 IS NULL OR substr(name, 1, length(?4))=?4)"
                              " ORDER BY name LIMIT ?",
                   OWNER(key), bs(page->after), bs(page->prefix), bi(page->limit));
}

/* --- rules ------------------------------------------------------------------------------------ */
#define SELECT_RULE                                                                        \
    "SELECT id, account, region, bus, name, state, pattern, schedule, description, role, " \
    "due_row FROM events_rule"

static enum status rule_row(struct rows *q, struct arena *a, void *ret)
{
    *(struct events_rule_row *)ret = (struct events_rule_row){
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
    return ST_OK;
}

enum status events_store_rule(struct db *db, struct arena *a, const struct events_key *key,
                              struct str name, struct events_rule_row *ret)
{
    return db_read(db, ONE_ROW(a, rule_row, ret), SELECT_RULE OF_BUS " AND name=?", BUS(key),
                   bs(name));
}

enum status events_store_rule_by_id(struct db *db, struct arena *a, int64_t id,
                                    struct events_rule_row *ret)
{
    return db_read(db, ONE_ROW(a, rule_row, ret), SELECT_RULE " WHERE id=?", bi(id));
}

enum status events_store_put_rule(struct db *db, struct events_rule_row *row)
{
    enum status st = db_exec(
        db,
        "INSERT INTO events_rule(id, account, region, bus, name, state, pattern, schedule,"
        " description, role, due_row) VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET"
        " state=excluded.state, pattern=excluded.pattern, schedule=excluded.schedule,"
        " description=excluded.description, role=excluded.role, due_row=excluded.due_row",
        row->id ? bi(row->id) : bn(), BUS(&row->key), bs(row->name), bs(row->state),
        bs(row->pattern), bs(row->schedule), bs(row->description), bs(row->role), bi(row->due_row));
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
    return db_get_i64(db, ret, "SELECT count(*) FROM events_rule" OF_BUS, BUS(key));
}

enum status events_store_rules(struct db *db, struct arena *a, const struct events_key *key,
                               const struct events_page *page, struct events_rule_row **ret,
                               size_t *ret_n)
{
    return db_read(db, ALL_ROWS(a, rule_row, ret, ret_n),
                   SELECT_RULE OF_BUS " AND name>?"
                                      " AND (?5 IS NULL OR substr(name, 1, length(?5))=?5)"
                                      " ORDER BY name LIMIT ?",
                   BUS(key), bs(page->after), bs(page->prefix), bi(page->limit));
}

enum status events_store_listeners(struct db *db, struct arena *a, const struct events_key *key,
                                   struct events_rule_row **ret, size_t *ret_n)
{
    return db_read(db, ALL_ROWS(a, rule_row, ret, ret_n),
                   SELECT_RULE OF_BUS " AND state<>'DISABLED' AND pattern IS NOT NULL"
                                      " ORDER BY name",
                   BUS(key));
}

enum status events_store_scheduled(struct db *db, struct arena *a, struct events_rule_row **ret,
                                   size_t *ret_n)
{
    return db_read(db, ALL_ROWS(a, rule_row, ret, ret_n),
                   SELECT_RULE " WHERE schedule IS NOT NULL ORDER BY id");
}

enum status events_store_rules_of_target(struct db *db, struct arena *a,
                                         const struct events_key *key,
                                         const struct events_page *page,
                                         struct events_rule_row **ret, size_t *ret_n)
{
    return db_read(db, ALL_ROWS(a, rule_row, ret, ret_n),
                   SELECT_RULE OF_BUS " AND name>? AND EXISTS(SELECT 1 FROM events_target t"
                                      " WHERE t.rule=events_rule.id AND t.arn=?)"
                                      " ORDER BY name LIMIT ?",
                   BUS(key), bs(page->after), bs(page->target), bi(page->limit));
}

/* --- targets ---------------------------------------------------------------------------------- */
static const struct documents targets = {
    { events_ops, EVENTS_N_OPS, "ListTargetsByRule", "Targets" },
    .add = "INSERT OR REPLACE INTO events_target VALUES(?,?,?,?)",
    DOCUMENTS_READ("events_target", "rule=? AND ", "id"),
};

enum status events_store_put_target(struct db *db, struct arena *a, int64_t rule,
                                    const struct events_target *target)
{
    return documents_add(db, a, &targets, DOCUMENT_KEY(bi(rule), bs(target->Id), bs(target->Arn)),
                         target);
}

enum status events_store_delete_target(struct db *db, int64_t rule, struct str id)
{
    return documents_remove(db, &targets, DOCUMENT_KEY(bi(rule), bs(id)));
}

enum status events_store_targets(struct db *db, struct arena *a, int64_t rule,
                                 const struct events_page *page, struct events_target_list *ret)
{
    return documents_list(db, a, &targets, DOCUMENT_KEY(bi(rule), bs(page->after), bi(page->limit)),
                          ret);
}

enum status events_store_count_targets(struct db *db, int64_t rule, int64_t *ret)
{
    return db_get_i64(db, ret, "SELECT count(*) FROM events_target WHERE rule=?", bi(rule));
}

const struct tags events_tags = TAGS_TABLE("events_tag");
