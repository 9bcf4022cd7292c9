/* Events that wait for their batch to be full. */
#include "emulators/glue/trigger/workflow_store.h"

enum status glue_store_add_workflow_event(struct db *db, const struct glue_owner *o,
                                          struct str workflow, struct str event)
{
    return db_exec(db,
                   "INSERT INTO glue_workflow_event(account, region, workflow, event)"
                   " VALUES(?,?,?,?)",
                   OWNER(o), bs(workflow), bs(event));
}

enum status glue_store_workflow_events(struct db *db, struct arena *a, const struct glue_owner *o,
                                       struct str workflow, struct str *ret, int64_t *ret_n)
{
    struct rows q;
    *ret = STR("");
    *ret_n = 0;
    status_ignore(db_query(db, &q, /* rows_end tells */
                           "SELECT event FROM glue_workflow_event"
                           " WHERE account=? AND region=? AND workflow=? ORDER BY number",
                           OWNER(o), bs(workflow)));
    while (rows_next(&q)) {
        struct str id = rows_str(&q, a, 0);
        *ret = arena_printf(a, "%.*s%s%.*s", STR_ARG(*ret), *ret_n ? ", " : "", STR_ARG(id));
        ++*ret_n;
    }
    return rows_end(&q);
}

enum status glue_store_clear_workflow_events(struct db *db, const struct glue_owner *o,
                                             struct str workflow)
{
    return db_exec(db,
                   "DELETE FROM glue_workflow_event WHERE account=? AND region=? AND workflow=?",
                   OWNER(o), bs(workflow));
}
