#include "emulators/glue/trigger/trigger_store.h"

#include "server/store/db_read.h"

/* --- triggers --------------------------------------------------------------------------------- */
static const struct documents triggers = {
    { glue_ops, GLUE_N_OPS, "GetTrigger", "Trigger" },
    .add = "INSERT INTO glue_trigger(account, region, name, type, state, workflow, doc)"
           " VALUES(?,?,?,?,?,?,?)",
    .set = "UPDATE glue_trigger SET doc=?, state=? WHERE account=? AND region=? AND name=?",
    DOCUMENTS_READ("glue_trigger", DOCUMENTS_OWNED, "name"),
};

enum status glue_store_add_trigger(struct db *db, struct arena *a, const struct glue_owner *o,
                                   struct glue_trigger *t)
{
    return documents_add(db, a, &triggers,
                         DOCUMENT_KEY(OWNER(o), bs(t->Name), bs(t->Type), bs(t->State),
                                      bs_or_empty(t->WorkflowName)),
                         t);
}

enum status glue_store_trigger(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct str name, struct glue_trigger **ret)
{
    return documents_get(db, a, &triggers, DOCUMENT_NAMED(o, name), ret);
}

enum status glue_store_set_trigger(struct db *db, struct arena *a, const struct glue_owner *o,
                                   struct glue_trigger *t)
{
    return documents_set(db, a, &triggers, DOCUMENT_KEY(bs(t->State), OWNER(o), bs(t->Name)), t);
}

enum status glue_store_delete_trigger(struct db *db, const struct glue_owner *o, struct str name)
{
    return documents_remove(db, &triggers, DOCUMENT_NAMED(o, name));
}

enum status glue_store_triggers(struct db *db, struct arena *a, const struct glue_owner *o,
                                struct str workflow, struct glue_trigger_list *ret)
{
    struct rows q;
    status_ignore(db_query(db, &q,
                           "SELECT doc FROM glue_trigger WHERE account=?1 AND region=?2"
                           " AND (?3 IS NULL OR workflow=?3) ORDER BY name",
                           OWNER(o), bs(workflow))); /* documents_rows tells */
    return documents_rows(&q, a, &triggers.form, ret);
}

enum status glue_store_trigger_due(struct db *db, const struct glue_owner *o, struct str name,
                                   int64_t *ret)
{
    return db_get_i64(db, ret,
                      "SELECT coalesce(due, 0) FROM glue_trigger"
                      " WHERE account=? AND region=? AND name=?",
                      OWNER(o), bs(name));
}

enum status glue_store_set_trigger_due(struct db *db, const struct glue_owner *o, struct str name,
                                       int64_t row)
{
    return db_exec(db, "UPDATE glue_trigger SET due=? WHERE account=? AND region=? AND name=?",
                   row ? bi(row) : bn(), OWNER(o), bs(name));
}

enum status glue_store_planned_triggers(struct db *db, struct arena *a,
                                        struct glue_trigger_key **ret, size_t *ret_n)
{
    return db_read(db, ALL_TEXTS(a, ret, ret_n),
                   "SELECT account, region, name FROM glue_trigger"
                   " WHERE type='SCHEDULED' AND state='ACTIVATED'");
}

/* --- chains ----------------------------------------------------------------------------------- */
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
                bs(n->chain.id), OWNER(&n->chain.owner), bs(n->chain.workflow), bs(n->trigger),
                bi(n->crawler), bs(n->name), bs(n->run), bs(n->state), bs(n->why), bi(n->began_ms),
                n->ended_ms ? bi(n->ended_ms) : bn());
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

static enum status read_node(struct rows *q, struct arena *a, void *ret)
{
    *(struct glue_chain_node *)ret = (struct glue_chain_node){
        .number = rows_i64(q, 0),
        .chain = { rows_str(q, a, 1), { rows_str(q, a, 2), rows_str(q, a, 3) }, rows_str(q, a, 4) },
        .trigger = rows_str(q, a, 5),
        .crawler = rows_i64(q, 6) != 0,
        .name = rows_str(q, a, 7),
        .run = rows_str(q, a, 8),
        .state = rows_str(q, a, 9),
        .why = rows_str(q, a, 10),
        .began_ms = rows_i64(q, 11),
        .ended_ms = rows_i64(q, 12),
    };
    return ST_OK;
}

enum status glue_store_nodes(struct db *db, struct arena *a, struct str chain,
                             struct glue_chain_nodes *ret)
{
    return db_read(db, ALL_ROWS(a, read_node, &ret->v, &ret->n),
                   "SELECT " NODE_COLUMNS " FROM glue_chain_node WHERE chain=? ORDER BY number",
                   bs(chain));
}

enum status glue_store_nodes_of_run(struct db *db, struct arena *a, struct str run,
                                    struct glue_chain_nodes *ret)
{
    return db_read(db, ALL_ROWS(a, read_node, &ret->v, &ret->n),
                   "SELECT " NODE_COLUMNS " FROM glue_chain_node WHERE run=? ORDER BY number",
                   bs(run));
}

enum status glue_store_nodes_of_crawler(struct db *db, struct arena *a, const struct glue_owner *o,
                                        struct str crawler, struct glue_chain_nodes *ret)
{
    return db_read(db, ALL_ROWS(a, read_node, &ret->v, &ret->n),
                   "SELECT " NODE_COLUMNS " FROM glue_chain_node WHERE state='" GLUE_NODE_RUNNING
                   "' AND account=? AND region=? AND name=? AND crawler=1 ORDER BY number",
                   OWNER(o), bs(crawler));
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
