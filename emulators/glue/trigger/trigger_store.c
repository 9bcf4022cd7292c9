#include "emulators/glue/trigger/trigger_store.h"

#include "server/wire/codec.h"
#include "server/wire/doc.h"

/* --- triggers ----------------------------------------------------------------------------------
 */
static const struct op *get_trigger(void)
{
    return op_find(glue_ops, GLUE_N_OPS, STR("GetTrigger"));
}

static enum status trigger_text(struct arena *a, struct glue_trigger *t, struct str *ret)
{
    struct glue_get_trigger_response doc = { .Trigger = t };
    return doc_write(get_trigger(), a, &doc, ret);
}

static enum status read_trigger(struct arena *a, struct str text, struct glue_trigger **ret)
{
    void *doc;
    enum status st = doc_read(get_trigger(), a, text, &doc);
    if (st == ST_OK) {
        *ret = ((struct glue_get_trigger_response *)doc)->Trigger;
    }
    return st;
}

static struct str workflow_of(const struct glue_trigger *t)
{
    return str_set(t->WorkflowName) ? t->WorkflowName : STR("");
}

enum status glue_store_add_trigger(struct db *db, struct arena *a, const struct glue_owner *o,
                                   struct glue_trigger *t)
{
    struct str text;
    enum status st = trigger_text(a, t, &text);
    return st != ST_OK ? st
                       : db_exec(db, "INSERT INTO glue_trigger VALUES(?,?,?,?,?,?,NULL,?)",
                                 bs(o->account), bs(o->region), bs(t->Name), bs(t->Type),
                                 bs(t->State), bs(workflow_of(t)), bs(text));
}

enum status glue_store_trigger(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct str name, struct glue_trigger **ret)
{
    struct str text;
    enum status st = db_get_str(
        db, a, &text, "SELECT doc FROM glue_trigger WHERE account=? AND region=? AND name=?",
        bs(o->account), bs(o->region), bs(name));
    return st == ST_OK ? read_trigger(a, text, ret) : st;
}

enum status glue_store_set_trigger(struct db *db, struct arena *a, const struct glue_owner *o,
                                   struct glue_trigger *t)
{
    struct str text;
    enum status st = trigger_text(a, t, &text);
    return st != ST_OK
               ? st
               : db_exec(db,
                         "UPDATE glue_trigger SET state=?, doc=?"
                         " WHERE account=? AND region=? AND name=?",
                         bs(t->State), bs(text), bs(o->account), bs(o->region), bs(t->Name));
}

enum status glue_store_delete_trigger(struct db *db, const struct glue_owner *o, struct str name)
{
    enum status st = db_exec(db, "DELETE FROM glue_trigger WHERE account=? AND region=? AND name=?",
                             bs(o->account), bs(o->region), bs(name));
    return st == ST_OK && db_changes(db) == 0 ? ST_NOT_FOUND : st;
}

enum status glue_store_triggers(struct db *db, struct arena *a, const struct glue_owner *o,
                                struct str workflow, struct glue_trigger_list *ret)
{
    struct rows q;
    enum status st = ST_OK;
    *ret = (struct glue_trigger_list){ 0, ARENA_NEW(a, struct glue_trigger) };
    if (db_query(db, &q,
                 "SELECT doc FROM glue_trigger WHERE account=?1 AND region=?2"
                 " AND (?3 IS NULL OR workflow=?3) ORDER BY name",
                 bs(o->account), bs(o->region), bs(workflow)) == ST_OK) {
        while (st == ST_OK && rows_next(&q)) {
            struct glue_trigger *t;
            st = read_trigger(a, rows_str(&q, a, 0), &t);
            if (st == ST_OK) {
                ARENA_GROW(a, ret->v, ret->n);
                ret->v[ret->n++] = *t;
            }
        }
    }
    enum status end = rows_end(&q);
    return st != ST_OK ? st : end;
}

enum status glue_store_trigger_due(struct db *db, const struct glue_owner *o, struct str name,
                                   int64_t *ret)
{
    return db_get_i64(db, ret,
                      "SELECT coalesce(due, 0) FROM glue_trigger"
                      " WHERE account=? AND region=? AND name=?",
                      bs(o->account), bs(o->region), bs(name));
}

enum status glue_store_set_trigger_due(struct db *db, const struct glue_owner *o, struct str name,
                                       int64_t row)
{
    return db_exec(db, "UPDATE glue_trigger SET due=? WHERE account=? AND region=? AND name=?",
                   row ? bi(row) : bn(), bs(o->account), bs(o->region), bs(name));
}

enum status glue_store_planned_triggers(struct db *db, struct arena *a,
                                        struct glue_trigger_key **ret, size_t *ret_n)
{
    struct rows q;
    *ret = NULL;
    *ret_n = 0;
    if (db_query(db, &q,
                 "SELECT account, region, name FROM glue_trigger"
                 " WHERE type='SCHEDULED' AND state='ACTIVATED'") == ST_OK) {
        while (rows_next(&q)) {
            ARENA_GROW(a, *ret, *ret_n);
            (*ret)[(*ret_n)++] =
                (struct glue_trigger_key){ { rows_str(&q, a, 0), rows_str(&q, a, 1) },
                                           rows_str(&q, a, 2) };
        }
    }
    return rows_end(&q);
}

/* --- chains ------------------------------------------------------------------------------------
 */
#define NODE_COLUMNS                                                                         \
    "number, chain, account, region, workflow, by_trigger, crawler, name, run, state, why, " \
    "began_ms, ended_ms"

enum status glue_store_add_node(struct db *db, const struct glue_chain_node *n, int64_t *ret_number)
{
    enum status st =
        db_exec(db,
                "INSERT INTO glue_chain_node(chain, account, region, workflow, by_trigger,"
                " crawler, name, run, state, why, began_ms, ended_ms)"
                " VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
                bs(n->chain.id), bs(n->chain.owner.account), bs(n->chain.owner.region),
                bs(n->chain.workflow), bs(n->trigger), bi(n->crawler), bs(n->name), bs(n->run),
                bs(n->state), bs(n->why), bi(n->began_ms), n->ended_ms ? bi(n->ended_ms) : bn());
    if (st == ST_OK && ret_number) {
        *ret_number = db_last_rowid(db);
    }
    return st;
}

enum status glue_store_end_node(struct db *db, int64_t number, struct str state, struct str why,
                                int64_t now_ms)
{
    return db_exec(db, "UPDATE glue_chain_node SET state=?, why=?, ended_ms=? WHERE number=?",
                   bs(state), bs(why), bi(now_ms), bi(number));
}

/* All rows of a query that db_query() started. */
static enum status read_nodes(struct rows *q, struct arena *a, struct glue_chain_nodes *ret)
{
    *ret = (struct glue_chain_nodes){ 0 };
    while (rows_next(q)) {
        ARENA_GROW(a, ret->v, ret->n);
        ret->v[ret->n++] = (struct glue_chain_node){
            .number = rows_i64(q, 0),
            .chain = { rows_str(q, a, 1),
                       { rows_str(q, a, 2), rows_str(q, a, 3) },
                       rows_str(q, a, 4) },
            .trigger = rows_str(q, a, 5),
            .crawler = rows_i64(q, 6) != 0,
            .name = rows_str(q, a, 7),
            .run = rows_str(q, a, 8),
            .state = rows_str(q, a, 9),
            .why = rows_str(q, a, 10),
            .began_ms = rows_i64(q, 11),
            .ended_ms = rows_i64(q, 12),
        };
    }
    return rows_end(q);
}

enum status glue_store_nodes(struct db *db, struct arena *a, struct str chain,
                             struct glue_chain_nodes *ret)
{
    struct rows q;
    enum status st = db_query(
        db, &q, "SELECT " NODE_COLUMNS " FROM glue_chain_node WHERE chain=? ORDER BY number",
        bs(chain));
    enum status end = read_nodes(&q, a, ret);
    return st != ST_OK ? st : end;
}

enum status glue_store_nodes_of_run(struct db *db, struct arena *a, struct str run,
                                    struct glue_chain_nodes *ret)
{
    struct rows q;
    enum status st =
        db_query(db, &q, "SELECT " NODE_COLUMNS " FROM glue_chain_node WHERE run=? ORDER BY number",
                 bs(run));
    enum status end = read_nodes(&q, a, ret);
    return st != ST_OK ? st : end;
}

enum status glue_store_nodes_of_crawler(struct db *db, struct arena *a, const struct glue_owner *o,
                                        struct str crawler, struct glue_chain_nodes *ret)
{
    struct rows q;
    enum status st = db_query(db, &q,
                              "SELECT " NODE_COLUMNS " FROM glue_chain_node WHERE"
                              " state='" GLUE_NODE_RUNNING "' AND account=? AND region=?"
                              " AND name=? AND crawler=1 ORDER BY number",
                              bs(o->account), bs(o->region), bs(crawler));
    enum status end = read_nodes(&q, a, ret);
    return st != ST_OK ? st : end;
}

enum status glue_store_set_fired(struct db *db, struct str chain, struct str trigger)
{
    return db_exec(db, "INSERT INTO glue_chain_fired VALUES(?,?)", bs(chain), bs(trigger));
}

enum status glue_store_delete_chain(struct db *db, struct str chain)
{
    enum status st = db_exec(db, "DELETE FROM glue_chain_fired WHERE chain=?", bs(chain));
    return st == ST_OK ? db_exec(db, "DELETE FROM glue_chain_node WHERE chain=?", bs(chain)) : st;
}
