#include "emulators/glue/glue_bookmark_store.h"

enum status glue_store_bookmark(struct db *db, struct arena *a, const struct glue_owner *o,
                                struct str job, struct str run_id,
                                struct glue_job_bookmark_entry *ret)
{
    struct rows q;
    if (db_query(db, &q,
                 "SELECT version, run_id, run, attempt, previous, state FROM glue_bookmark"
                 " WHERE account=?1 AND region=?2 AND job=?3 AND (?4 IS NULL OR run_id=?4)"
                 " ORDER BY version DESC LIMIT 1",
                 OWNER(o), bs(job), bs(run_id)) == ST_OK &&
        rows_first(&q)) {
        *ret = (struct glue_job_bookmark_entry){
            .JobName = job,
            .Version = OPT_I64(rows_i64(&q, 0)),
            .RunId = rows_str(&q, a, 1),
            .Run = OPT_I64(rows_i64(&q, 2)),
            .Attempt = OPT_I64(rows_i64(&q, 3)),
            .PreviousRunId = rows_str(&q, a, 4),
            .JobBookmark = rows_str(&q, a, 5),
        };
    }
    return rows_end(&q);
}

/* Id of the run that saved before this one, absent when there is none. */
static struct str previous_run(const struct glue_job_bookmark_entry *last, struct str run_id)
{
    return str_eq(last->RunId, run_id) ? last->PreviousRunId : last->RunId;
}

enum status glue_store_save_bookmark(struct db *db, struct arena *a, const struct glue_run_row *run,
                                     struct str state)
{
    const struct glue_owner *o = &run->owner;
    struct str job = run->run->JobName;
    struct glue_job_bookmark_entry last = { 0 };
    int64_t number = 0;
    enum status st = glue_store_bookmark(db, a, o, job, STR_NONE, &last);
    st = st == ST_NOT_FOUND ? ST_OK : st;
    st = st == ST_OK ? db_get_i64(db, &number,
                                  "SELECT count(*) FROM glue_run"
                                  " WHERE account=? AND region=? AND job=? AND number<=?",
                                  OWNER(o), bs(job), bi(run->number))
                     : st;
    int64_t version = last.Version.v + 1;
    st = st == ST_OK
             ? db_exec(db, "INSERT INTO glue_bookmark VALUES(?,?,?,?,?,?,?,?,?)", bs(o->account),
                       bs(o->region), bs(job), bi(version), bs(run->run->Id), bi(number),
                       bi(run->run->Attempt.v), bs(previous_run(&last, run->run->Id)), bs(state))
             : st;
    return st == ST_OK ? db_exec(db,
                                 "DELETE FROM glue_bookmark"
                                 " WHERE account=? AND region=? AND job=? AND version<=?",
                                 OWNER(o), bs(job), bi(version - GLUE_BOOKMARK_VERSIONS_MAX))
                       : st;
}

enum status glue_store_rewind_bookmark(struct db *db, const struct glue_owner *o, struct str job,
                                       int64_t version)
{
    return db_exec(db,
                   "DELETE FROM glue_bookmark WHERE account=? AND region=? AND job=? AND version>?",
                   OWNER(o), bs(job), bi(version));
}
