/* Events in the database. */
#include "emulators/rds/rds_store.h"
#include "server/base/mem.h"
#include "server/store/db_read.h"

#define KEPT_MS ((int64_t)14 * 24 * 3600 * 1000)

enum status rds_store_add_event(struct db *db, const struct rds_owner *o, const struct rds_fact *f,
                                int64_t ms)
{
    enum status st = db_exec(db, "DELETE FROM rds_event WHERE ms<?", bi(ms - KEPT_MS));
    return st != ST_OK
               ? st
               : db_exec(db,
                         "INSERT INTO rds_event(account,region,type,source,arn,category,message,ms)"
                         " VALUES(?,?,?,?,?,?,?,?)",
                         OWNER(o), bz(f->type), bs(f->source), bs(f->arn), bz(f->category),
                         bs(f->message), bi(ms));
}

static enum status read_event(struct rows *q, struct arena *a, void *ret)
{
    struct str *category = ARENA_NEW(a, struct str);
    *category = rows_str(q, a, 3);
    *(struct rds_event *)ret = (struct rds_event){
        .SourceType = rows_str(q, a, 0),
        .SourceIdentifier = rows_str(q, a, 1),
        .SourceArn = rows_str(q, a, 2),
        .EventCategories = { 1, category },
        .Message = rows_str(q, a, 4),
        .Date = OPT_TIME(rows_i64(q, 5)),
    };
    return ST_OK;
}

enum status rds_store_events(struct db *db, struct arena *a, const struct rds_owner *o,
                             int64_t from_ms, int64_t to_ms, struct rds_event_list *ret)
{
    return db_read(db, ALL_ROWS(a, read_event, &ret->v, &ret->n),
                   "SELECT type,source,arn,category,message,ms FROM rds_event WHERE account=? AND "
                   "region=? AND ms BETWEEN ? AND ? ORDER BY id",
                   OWNER(o), bi(from_ms), bi(to_ms));
}
