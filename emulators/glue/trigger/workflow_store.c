#include "emulators/glue/trigger/workflow_store.h"

#include "server/store/db_read.h"

/* --- workflows -------------------------------------------------------------------------------- */
static const struct documents workflows = {
    { glue_ops, GLUE_N_OPS, "GetWorkflow", "Workflow" },
    DOCUMENTS_BY_NAME("glue_workflow"),
};

enum status glue_store_add_workflow(struct db *db, struct arena *a, const struct glue_owner *o,
                                    struct glue_workflow *w)
{
    return documents_add(db, a, &workflows, DOCUMENT_NAMED(o, w->Name), w);
}

enum status glue_store_workflow(struct db *db, struct arena *a, const struct glue_owner *o,
                                struct str name, struct glue_workflow **ret)
{
    return documents_get(db, a, &workflows, DOCUMENT_NAMED(o, name), ret);
}

enum status glue_store_set_workflow(struct db *db, struct arena *a, const struct glue_owner *o,
                                    struct glue_workflow *w)
{
    return documents_set(db, a, &workflows, DOCUMENT_NAMED(o, w->Name), w);
}

enum status glue_store_delete_workflow(struct db *db, const struct glue_owner *o, struct str name)
{
    static const char *const all[] = {
        "DELETE FROM glue_chain_fired WHERE chain IN (SELECT id FROM glue_workflow_run"
        " WHERE account=? AND region=? AND workflow=?)",
        "DELETE FROM glue_chain_node WHERE chain IN (SELECT id FROM glue_workflow_run"
        " WHERE account=? AND region=? AND workflow=?)",
        "DELETE FROM glue_workflow_run WHERE account=? AND region=? AND workflow=?",
        "DELETE FROM glue_workflow_event WHERE account=? AND region=? AND workflow=?",
        "DELETE FROM glue_workflow WHERE account=? AND region=? AND name=?",
        NULL,
    };
    return db_change_all(db, all, OWNER(o), bs(name));
}

enum status glue_store_workflow_names(struct db *db, struct arena *a, const struct glue_owner *o,
                                      struct str after, int64_t limit,
                                      struct glue_workflow_names *ret)
{
    return db_read(db, ALL_TEXTS(a, &ret->v, &ret->n),
                   "SELECT name FROM glue_workflow WHERE account=? AND region=? AND name>?"
                   " ORDER BY name LIMIT ?",
                   OWNER(o), bs_or_empty(after), bi(limit + 1));
}

/* --- runs ------------------------------------------------------------------------------------- */
static const struct documents runs = {
    { glue_ops, GLUE_N_OPS, "GetWorkflowRun", "Run" },
    .add = "INSERT INTO glue_workflow_run(id, account, region, workflow, status, doc)"
           " VALUES(?,?,?,?,?,?)",
    .set = "UPDATE glue_workflow_run SET doc=?, status=? WHERE id=?",
    .get = "SELECT doc FROM glue_workflow_run WHERE id=? AND account=? AND region=? AND workflow=?",
};

enum status glue_store_add_workflow_run(struct db *db, struct arena *a, const struct glue_owner *o,
                                        struct glue_workflow_run *run)
{
    return documents_add(
        db, a, &runs,
        DOCUMENT_KEY(bs(run->WorkflowRunId), OWNER(o), bs(run->Name), bs(run->Status)), run);
}

enum status glue_store_workflow_run(struct db *db, struct arena *a, const struct glue_owner *o,
                                    struct str workflow, struct str id,
                                    struct glue_workflow_run **ret)
{
    return documents_get(db, a, &runs, DOCUMENT_KEY(bs(id), OWNER(o), bs(workflow)), ret);
}

enum status glue_store_set_workflow_run(struct db *db, struct arena *a,
                                        struct glue_workflow_run *run)
{
    enum status st =
        documents_set(db, a, &runs, DOCUMENT_KEY(bs(run->Status), bs(run->WorkflowRunId)), run);
    return st == ST_NOT_FOUND ? ST_OK : st; /* gone with its workflow */
}

enum status glue_store_workflow_runs(struct db *db, struct arena *a, const struct glue_owner *o,
                                     const struct glue_run_query *query,
                                     struct glue_workflow_runs *ret, int64_t *ret_last)
{
    struct rows q;
    *ret = (struct glue_workflow_runs){ 0, ARENA_NEW(a, struct glue_workflow_run) };
    *ret_last = 0;
    enum status st = db_query(db, &q,
                              "SELECT doc, number FROM glue_workflow_run WHERE account=?"
                              " AND region=? AND workflow=? AND number<? ORDER BY number DESC"
                              " LIMIT ?",
                              OWNER(o), bs(query->job), bi(query->before), bi(query->limit + 1));
    while (st == ST_OK && rows_next(&q)) {
        *ret_last = (int64_t)ret->n < query->limit ? rows_i64(&q, 1) : *ret_last;
        st = documents_append(a, &runs.form, rows_str(&q, a, 0), ret);
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
                      OWNER(o), bs(workflow));
}
