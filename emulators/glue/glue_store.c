#include "emulators/glue/glue_store.h"

#include "emulators/glue/catalog/catalog_store.h"
#include "emulators/glue/crawler/crawler_store.h"
#include "emulators/glue/glue_bookmark_store.h"
#include "emulators/glue/glue_ledger.h"
#include "emulators/glue/glue_security.h"
#include "emulators/glue/trigger/trigger_store.h"
#include "emulators/glue/trigger/workflow_store.h"
#include "server/wire/codec.h"
#include "server/wire/doc.h"

const char glue_schema_sql[] =
    "CREATE TABLE IF NOT EXISTS glue_job("
    " account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, doc TEXT NOT NULL,"
    " PRIMARY KEY(account, region, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS glue_run("
    " number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL,"
    " region TEXT NOT NULL, job TEXT NOT NULL, state TEXT NOT NULL, doc TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS glue_run_job ON glue_run(account, region, job, number);"
    "CREATE INDEX IF NOT EXISTS glue_run_state ON glue_run(state, account, region, job);"
    "CREATE TABLE IF NOT EXISTS glue_tag("
    " arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY(arn, key))"
    " WITHOUT ROWID;" GLUE_LEDGER_SCHEMA_SQL GLUE_CATALOG_SCHEMA_SQL GLUE_CRAWLER_SCHEMA_SQL
        GLUE_BOOKMARK_SCHEMA_SQL GLUE_SECURITY_SCHEMA_SQL GLUE_TRIGGER_SCHEMA_SQL
            GLUE_WORKFLOW_SCHEMA_SQL;

static const struct op *op_of(const char *name)
{
    return op_find(glue_ops, GLUE_N_OPS, str_z(name));
}

/* --- jobs --------------------------------------------------------------------------------------
 */
static enum status job_text(struct arena *a, struct glue_job *job, struct str *ret)
{
    struct glue_get_job_response doc = { .Job = job };
    return doc_write(op_of("GetJob"), a, &doc, ret);
}

enum status glue_store_add_job(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct glue_job *job)
{
    struct str text;
    enum status st = job_text(a, job, &text);
    return st != ST_OK ? st
                       : db_exec(db, "INSERT INTO glue_job VALUES(?,?,?,?)", bs(o->account),
                                 bs(o->region), bs(job->Name), bs(text));
}

enum status glue_store_job(struct db *db, struct arena *a, const struct glue_owner *o,
                           struct str name, struct glue_job **ret)
{
    struct str text;
    void *doc;
    enum status st =
        db_get_str(db, a, &text, "SELECT doc FROM glue_job WHERE account=? AND region=? AND name=?",
                   bs(o->account), bs(o->region), bs(name));
    st = st == ST_OK ? doc_read(op_of("GetJob"), a, text, &doc) : st;
    if (st == ST_OK) {
        *ret = ((struct glue_get_job_response *)doc)->Job;
    }
    return st;
}

enum status glue_store_update_job(struct db *db, struct arena *a, const struct glue_owner *o,
                                  struct glue_job *job)
{
    struct str text;
    enum status st = job_text(a, job, &text);
    return st != ST_OK
               ? st
               : db_exec(db, "UPDATE glue_job SET doc=? WHERE account=? AND region=? AND name=?",
                         bs(text), bs(o->account), bs(o->region), bs(job->Name));
}

enum status glue_store_job_names(struct db *db, struct arena *a, const struct glue_owner *o,
                                 struct str after, int64_t limit, struct glue_job_name_list *ret)
{
    struct rows q;
    *ret = (struct glue_job_name_list){ 0 };
    if (db_query(db, &q,
                 "SELECT name FROM glue_job WHERE account=? AND region=? AND name>?"
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

enum status glue_store_delete_job(struct db *db, const struct glue_owner *o, struct str name)
{
    enum status st = db_exec(db, "DELETE FROM glue_run WHERE account=? AND region=? AND job=?",
                             bs(o->account), bs(o->region), bs(name));
    st = st == ST_OK ? db_exec(db, "DELETE FROM glue_job WHERE account=? AND region=? AND name=?",
                               bs(o->account), bs(o->region), bs(name))
                     : st;
    return st == ST_OK && db_changes(db) == 0 ? ST_NOT_FOUND : st;
}

/* --- runs --------------------------------------------------------------------------------------
 */
static enum status run_text(struct arena *a, const struct glue_job_run *run, struct str *ret)
{
    struct glue_job_run copy = *run;
    struct glue_get_job_run_response doc = { .JobRun = &copy };
    return doc_write(op_of("GetJobRun"), a, &doc, ret);
}

enum status glue_store_add_run(struct db *db, struct arena *a, const struct glue_owner *o,
                               const struct glue_job_run *run)
{
    struct str text;
    enum status st = run_text(a, run, &text);
    return st != ST_OK ? st
                       : db_exec(db,
                                 "INSERT INTO glue_run(id, account, region, job, state, doc)"
                                 " VALUES(?,?,?,?,?,?)",
                                 bs(run->Id), bs(o->account), bs(o->region), bs(run->JobName),
                                 bs(run->JobRunState), bs(text));
}

enum status glue_store_update_run(struct db *db, struct arena *a, const struct glue_job_run *run)
{
    struct str text;
    enum status st = run_text(a, run, &text);
    return st != ST_OK ? st
                       : db_exec(db, "UPDATE glue_run SET state=?, doc=? WHERE id=?",
                                 bs(run->JobRunState), bs(text), bs(run->Id));
}

#define RUN_COLUMNS "number, account, region, doc"

static enum status run_row(struct rows *q, struct arena *a, struct glue_run_row *ret)
{
    void *doc;
    *ret = (struct glue_run_row){ rows_i64(q, 0), { rows_str(q, a, 1), rows_str(q, a, 2) }, NULL };
    enum status st = doc_read(op_of("GetJobRun"), a, rows_str(q, a, 3), &doc);
    if (st == ST_OK) {
        ret->run = ((struct glue_get_job_run_response *)doc)->JobRun;
    }
    return st;
}

/* All rows of a query that db_query() started. */
static enum status run_rows(struct rows *q, struct arena *a, struct glue_run_rows *ret)
{
    enum status st = ST_OK;
    *ret = (struct glue_run_rows){ 0 };
    while (st == ST_OK && rows_next(q)) {
        ARENA_GROW(a, ret->v, ret->n);
        st = run_row(q, a, &ret->v[ret->n++]);
    }
    enum status end = rows_end(q);
    return st != ST_OK ? st : end;
}

enum status glue_store_run(struct db *db, struct arena *a, struct str id, struct glue_run_row *ret)
{
    struct rows q;
    struct glue_run_rows rows;
    enum status st = db_query(db, &q, "SELECT " RUN_COLUMNS " FROM glue_run WHERE id=?", bs(id));
    enum status end = run_rows(&q, a, &rows);
    st = st != ST_OK ? st : end;
    if (st == ST_OK && rows.n == 0) {
        return ST_NOT_FOUND;
    }
    if (st == ST_OK) {
        *ret = rows.v[0];
    }
    return st;
}

enum status glue_store_runs(struct db *db, struct arena *a, const struct glue_owner *o,
                            const struct glue_run_query *query, struct glue_run_rows *ret)
{
    struct rows q;
    enum status st = db_query(db, &q,
                              "SELECT " RUN_COLUMNS " FROM glue_run WHERE account=? AND region=?"
                              " AND job=? AND number<? ORDER BY number DESC LIMIT ?",
                              bs(o->account), bs(o->region), bs(query->job), bi(query->before),
                              bi(query->limit + 1));
    enum status end = run_rows(&q, a, ret);
    return st != ST_OK ? st : end;
}

enum status glue_store_runs_in(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct str job, const char *state, struct glue_run_rows *ret)
{
    struct rows q;
    enum status st;
    if (str_set(job)) {
        st = db_query(db, &q,
                      "SELECT " RUN_COLUMNS " FROM glue_run WHERE state=? AND account=?"
                      " AND region=? AND job=? ORDER BY number",
                      bz(state), bs(o->account), bs(o->region), bs(job));
    } else {
        st = db_query(db, &q, "SELECT " RUN_COLUMNS " FROM glue_run WHERE state=? ORDER BY number",
                      bz(state));
    }
    enum status end = run_rows(&q, a, ret);
    return st != ST_OK ? st : end;
}

enum status glue_store_active_runs(struct db *db, const struct glue_owner *o, struct str job,
                                   int64_t *ret)
{
    return db_get_i64(db, ret,
                      "SELECT count(*) FROM glue_run WHERE state IN ('STARTING','RUNNING',"
                      "'STOPPING') AND account=? AND region=? AND job=?",
                      bs(o->account), bs(o->region), bs(job));
}

/* --- tags --------------------------------------------------------------------------------------
 */
enum status glue_store_set_tag(struct db *db, struct str arn, struct str key, struct str value)
{
    return db_exec(db, "INSERT OR REPLACE INTO glue_tag VALUES(?,?,?)", bs(arn), bs(key),
                   bs(value));
}

enum status glue_store_delete_tag(struct db *db, struct str arn, struct str key)
{
    return db_exec(db, "DELETE FROM glue_tag WHERE arn=? AND key=?", bs(arn), bs(key));
}

enum status glue_store_delete_tags(struct db *db, struct str arn)
{
    return db_exec(db, "DELETE FROM glue_tag WHERE arn=?", bs(arn));
}

enum status glue_store_tags(struct db *db, struct arena *a, struct str arn,
                            struct glue_tags_map *ret)
{
    struct rows q;
    *ret = (struct glue_tags_map){ 0, ARENA_NEW(a, struct glue_tags_map_entry) };
    if (db_query(db, &q, "SELECT key, value FROM glue_tag WHERE arn=? ORDER BY key", bs(arn)) ==
        ST_OK) {
        while (rows_next(&q)) {
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] =
                (struct glue_tags_map_entry){ rows_str(&q, a, 0), rows_str(&q, a, 1) };
        }
    }
    return rows_end(&q);
}
