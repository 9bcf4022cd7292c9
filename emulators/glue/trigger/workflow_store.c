#include "emulators/glue/trigger/workflow_store.h"

#include "server/wire/codec.h"
#include "server/wire/doc.h"

static const struct op *op_of(const char *name)
{
    return op_find(glue_ops, GLUE_N_OPS, str_z(name));
}

/* --- workflows ---------------------------------------------------------------------------------
 */
static enum status workflow_text(struct arena *a, struct glue_workflow *w, struct str *ret)
{
    struct glue_get_workflow_response doc = { .Workflow = w };
    return doc_write(op_of("GetWorkflow"), a, &doc, ret);
}

enum status glue_store_add_workflow(struct db *db, struct arena *a, const struct glue_owner *o,
                                    struct glue_workflow *w)
{
    struct str text;
    enum status st = workflow_text(a, w, &text);
    return st != ST_OK ? st
                       : db_exec(db, "INSERT INTO glue_workflow VALUES(?,?,?,?)", bs(o->account),
                                 bs(o->region), bs(w->Name), bs(text));
}

enum status glue_store_workflow(struct db *db, struct arena *a, const struct glue_owner *o,
                                struct str name, struct glue_workflow **ret)
{
    struct str text;
    void *doc;
    enum status st = db_get_str(
        db, a, &text, "SELECT doc FROM glue_workflow WHERE account=? AND region=? AND name=?",
        bs(o->account), bs(o->region), bs(name));
    st = st == ST_OK ? doc_read(op_of("GetWorkflow"), a, text, &doc) : st;
    if (st == ST_OK) {
        *ret = ((struct glue_get_workflow_response *)doc)->Workflow;
    }
    return st;
}

enum status glue_store_set_workflow(struct db *db, struct arena *a, const struct glue_owner *o,
                                    struct glue_workflow *w)
{
    struct str text;
    enum status st = workflow_text(a, w, &text);
    return st != ST_OK
               ? st
               : db_exec(db,
                         "UPDATE glue_workflow SET doc=? WHERE account=? AND region=? AND name=?",
                         bs(text), bs(o->account), bs(o->region), bs(w->Name));
}

enum status glue_store_delete_workflow(struct db *db, const struct glue_owner *o, struct str name)
{
    static const char *const statements[] = {
        "DELETE FROM glue_chain_fired WHERE chain IN (SELECT id FROM glue_workflow_run"
        " WHERE account=? AND region=? AND workflow=?)",
        "DELETE FROM glue_chain_node WHERE chain IN (SELECT id FROM glue_workflow_run"
        " WHERE account=? AND region=? AND workflow=?)",
        "DELETE FROM glue_workflow_run WHERE account=? AND region=? AND workflow=?",
        "DELETE FROM glue_workflow WHERE account=? AND region=? AND name=?",
    };
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < sizeof(statements) / sizeof(statements[0]); i++) {
        st = db_exec(db, statements[i], bs(o->account), bs(o->region), bs(name));
    }
    return st == ST_OK && db_changes(db) == 0 ? ST_NOT_FOUND : st;
}

enum status glue_store_workflow_names(struct db *db, struct arena *a, const struct glue_owner *o,
                                      struct str after, int64_t limit,
                                      struct glue_workflow_names *ret)
{
    struct rows q;
    *ret = (struct glue_workflow_names){ 0, ARENA_NEW(a, struct str) };
    if (db_query(db, &q,
                 "SELECT name FROM glue_workflow WHERE account=? AND region=? AND name>?"
                 " ORDER BY name LIMIT ?",
                 bs(o->account), bs(o->region), bs(str_set(after) ? after : STR("")),
                 bi(limit + 1)) == ST_OK) {
        while (rows_next(&q)) {
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = rows_str(&q, a, 0);
        }
    }
    return rows_end(&q);
}

/* --- runs --------------------------------------------------------------------------------------
 */
static enum status run_text(struct arena *a, struct glue_workflow_run *run, struct str *ret)
{
    struct glue_get_workflow_run_response doc = { .Run = run };
    return doc_write(op_of("GetWorkflowRun"), a, &doc, ret);
}

static enum status read_run(struct arena *a, struct str text, struct glue_workflow_run **ret)
{
    void *doc;
    enum status st = doc_read(op_of("GetWorkflowRun"), a, text, &doc);
    if (st == ST_OK) {
        *ret = ((struct glue_get_workflow_run_response *)doc)->Run;
    }
    return st;
}

enum status glue_store_add_workflow_run(struct db *db, struct arena *a, const struct glue_owner *o,
                                        struct glue_workflow_run *run)
{
    struct str text;
    enum status st = run_text(a, run, &text);
    return st != ST_OK ? st
                       : db_exec(db,
                                 "INSERT INTO glue_workflow_run(id, account, region, workflow,"
                                 " status, doc) VALUES(?,?,?,?,?,?)",
                                 bs(run->WorkflowRunId), bs(o->account), bs(o->region),
                                 bs(run->Name), bs(run->Status), bs(text));
}

enum status glue_store_workflow_run(struct db *db, struct arena *a, const struct glue_owner *o,
                                    struct str workflow, struct str id,
                                    struct glue_workflow_run **ret)
{
    struct str text;
    enum status st = db_get_str(db, a, &text,
                                "SELECT doc FROM glue_workflow_run"
                                " WHERE id=? AND account=? AND region=? AND workflow=?",
                                bs(id), bs(o->account), bs(o->region), bs(workflow));
    return st == ST_OK ? read_run(a, text, ret) : st;
}

enum status glue_store_set_workflow_run(struct db *db, struct arena *a,
                                        struct glue_workflow_run *run)
{
    struct str text;
    enum status st = run_text(a, run, &text);
    return st != ST_OK ? st
                       : db_exec(db, "UPDATE glue_workflow_run SET status=?, doc=? WHERE id=?",
                                 bs(run->Status), bs(text), bs(run->WorkflowRunId));
}

enum status glue_store_workflow_runs(struct db *db, struct arena *a, const struct glue_owner *o,
                                     const struct glue_run_query *query,
                                     struct glue_workflow_runs *ret, int64_t *ret_last)
{
    struct rows q;
    enum status st = ST_OK;
    *ret = (struct glue_workflow_runs){ 0, ARENA_NEW(a, struct glue_workflow_run) };
    *ret_last = 0;
    if (db_query(db, &q,
                 "SELECT number, doc FROM glue_workflow_run WHERE account=? AND region=?"
                 " AND workflow=? AND number<? ORDER BY number DESC LIMIT ?",
                 bs(o->account), bs(o->region), bs(query->job), bi(query->before),
                 bi(query->limit + 1)) == ST_OK) {
        while (st == ST_OK && rows_next(&q)) {
            struct glue_workflow_run *run;
            st = read_run(a, rows_str(&q, a, 1), &run);
            if (st == ST_OK) {
                ARENA_GROW(a, ret->v, ret->n);
                ret->v[ret->n++] = *run;
                *ret_last = (int64_t)ret->n <= query->limit ? rows_i64(&q, 0) : *ret_last;
            }
        }
    }
    enum status end = rows_end(&q);
    return st != ST_OK ? st : end;
}

enum status glue_store_active_workflow_runs(struct db *db, const struct glue_owner *o,
                                            struct str workflow, int64_t *ret)
{
    return db_get_i64(db, ret,
                      "SELECT count(*) FROM glue_workflow_run WHERE account=? AND region=?"
                      " AND workflow=? AND status IN ('RUNNING','STOPPING')",
                      bs(o->account), bs(o->region), bs(workflow));
}
