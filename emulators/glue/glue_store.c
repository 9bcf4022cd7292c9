#include "emulators/glue/glue_store.h"

#include "emulators/glue/catalog/catalog_store.h"
#include "emulators/glue/crawler/crawler_store.h"
#include "emulators/glue/glue_bookmark_store.h"
#include "emulators/glue/glue_ledger.h"
#include "emulators/glue/glue_security.h"
#include "emulators/glue/trigger/trigger_store.h"
#include "emulators/glue/trigger/workflow_store.h"

const char glue_schema_sql[] =
    "CREATE TABLE IF NOT EXISTS glue_job("
    " account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, doc TEXT NOT NULL,"
    " PRIMARY KEY(account, region, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS glue_run("
    " number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL,"
    " region TEXT NOT NULL, job TEXT NOT NULL, state TEXT NOT NULL, doc TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS glue_run_job ON glue_run(account, region, job, number);"
    "CREATE INDEX IF NOT EXISTS glue_run_state ON glue_run(state, account, region, "
    "job);" TAGS_SCHEMA("glue_tag") GLUE_LEDGER_SCHEMA_SQL GLUE_CATALOG_SCHEMA_SQL
        GLUE_CRAWLER_SCHEMA_SQL GLUE_BOOKMARK_SCHEMA_SQL GLUE_SECURITY_SCHEMA_SQL
            GLUE_TRIGGER_SCHEMA_SQL GLUE_WORKFLOW_SCHEMA_SQL;

/* --- jobs ------------------------------------------------------------------------------------- */
static const struct documents jobs = {
    { glue_ops, GLUE_N_OPS, "GetJob", "Job" },
    DOCUMENTS_BY_NAME("glue_job"),
};

enum status glue_store_add_job(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct glue_job *job)
{
    return documents_add(db, a, &jobs, DOCUMENT_NAMED(o, job->Name), job);
}

enum status glue_store_job(struct db *db, struct arena *a, const struct glue_owner *o,
                           struct str name, struct glue_job **ret)
{
    return documents_get(db, a, &jobs, DOCUMENT_NAMED(o, name), ret);
}

enum status glue_store_update_job(struct db *db, struct arena *a, const struct glue_owner *o,
                                  struct glue_job *job)
{
    return documents_set(db, a, &jobs, DOCUMENT_NAMED(o, job->Name), job);
}

enum status glue_store_job_names(struct db *db, struct arena *a, const struct glue_owner *o,
                                 struct str after, int64_t limit, struct glue_job_name_list *ret)
{
    return db_read(db, ALL_TEXTS(a, &ret->v, &ret->n),
                   "SELECT name FROM glue_job WHERE account=? AND region=? AND name>?"
                   " ORDER BY name LIMIT ?",
                   OWNER(o), bs_or_empty(after), bi(limit + 1));
}

enum status glue_store_delete_job(struct db *db, const struct glue_owner *o, struct str name)
{
    static const char *const all[] = {
        "DELETE FROM glue_run WHERE account=? AND region=? AND job=?",
        "DELETE FROM glue_job WHERE account=? AND region=? AND name=?",
        NULL,
    };
    return db_change_all(db, all, OWNER(o), bs(name));
}

/* --- runs ------------------------------------------------------------------------------------- */
static const struct documents runs = {
    { glue_ops, GLUE_N_OPS, "GetJobRun", "JobRun" },
    .add = "INSERT INTO glue_run(id, account, region, job, state, doc) VALUES(?,?,?,?,?,?)",
    .set = "UPDATE glue_run SET doc=?, state=? WHERE id=?",
};

enum status glue_store_add_run(struct db *db, struct arena *a, const struct glue_owner *o,
                               const struct glue_job_run *run)
{
    return documents_add(
        db, a, &runs, DOCUMENT_KEY(bs(run->Id), OWNER(o), bs(run->JobName), bs(run->JobRunState)),
        run);
}

enum status glue_store_update_run(struct db *db, struct arena *a, const struct glue_job_run *run)
{
    enum status st =
        documents_set(db, a, &runs, DOCUMENT_KEY(bs(run->JobRunState), bs(run->Id)), run);
    return st == ST_NOT_FOUND ? ST_OK : st; /* gone with its job */
}

#define SELECT_RUN "SELECT number, account, region, doc FROM glue_run"

static enum status run_row(struct rows *q, struct arena *a, void *ret)
{
    struct glue_run_row *row = ret;
    *row = (struct glue_run_row){ rows_i64(q, 0), { rows_str(q, a, 1), rows_str(q, a, 2) }, NULL };
    return doc_form_read(&runs.form, a, rows_str(q, a, 3), &row->run);
}

enum status glue_store_run(struct db *db, struct arena *a, struct str id, struct glue_run_row *ret)
{
    return db_read(db, ONE_ROW(a, run_row, ret), SELECT_RUN " WHERE id=?", bs(id));
}

enum status glue_store_runs(struct db *db, struct arena *a, const struct glue_owner *o,
                            const struct glue_run_query *query, struct glue_run_rows *ret)
{
    return db_read(db, ALL_ROWS(a, run_row, &ret->v, &ret->n),
                   SELECT_RUN " WHERE account=? AND region=? AND job=? AND number<?"
                              " ORDER BY number DESC LIMIT ?",
                   OWNER(o), bs(query->job), bi(query->before), bi(query->limit + 1));
}

enum status glue_store_runs_in(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct str job, const char *state, struct glue_run_rows *ret)
{
    const struct db_into *into = ALL_ROWS(a, run_row, &ret->v, &ret->n);
    return str_set(job) ? db_read(db, into,
                                  SELECT_RUN " WHERE state=? AND account=? AND region=? AND job=?"
                                             " ORDER BY number",
                                  bz(state), OWNER(o), bs(job))
                        : db_read(db, into, SELECT_RUN " WHERE state=? ORDER BY number", bz(state));
}

enum status glue_store_active_runs(struct db *db, const struct glue_owner *o, struct str job,
                                   int64_t *ret)
{
    return db_get_i64(db, ret,
                      "SELECT count(*) FROM glue_run WHERE state IN ('STARTING','RUNNING',"
                      "'STOPPING') AND account=? AND region=? AND job=?",
                      OWNER(o), bs(job));
}

const struct tags glue_tags = TAGS_TABLE("glue_tag");
