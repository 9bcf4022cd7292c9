#include "emulators/dms/dms_store.h"
#include "server/store/db_read.h"

#define SELECT_TASK                                                                          \
    "SELECT id,arn,account,region,ident,instance_arn,source_arn,target_arn,type,mappings,"   \
    "settings,task_data,cdc_start,cdc_start_ms,cdc_stop,created_ms,server_id,state,surface," \
    "message,stop_reason,fresh_ms,start_ms,stop_ms,load_start_ms,load_end_ms,ck_file,"       \
    "ck_pos,checkpoints FROM dms_task "

static void read_position(struct rows *q, int col, struct mysql_position *ret)
{
    *ret = (struct mysql_position){ 0 };
    struct str file = rows_view(q, col);
    if (file.n > 0 && mysql_position_set(ret, file, (uint64_t)rows_i64(q, col + 1)) != ST_OK) {
        *ret = (struct mysql_position){ 0 }; /* only ever written by us: cannot be */
    }
}

static enum status read_task(struct rows *q, struct arena *a, void *ret)
{
    struct dms_task_row *t = ret;
    *t = (struct dms_task_row){
        .id = rows_i64(q, 0),
        .arn = rows_str(q, a, 1),
        .account = rows_str(q, a, 2),
        .region = rows_str(q, a, 3),
        .ident = rows_str(q, a, 4),
        .instance_arn = rows_str(q, a, 5),
        .source_arn = rows_str(q, a, 6),
        .target_arn = rows_str(q, a, 7),
        .type = rows_str(q, a, 8),
        .mappings = rows_str(q, a, 9),
        .settings = rows_str(q, a, 10),
        .task_data = rows_str(q, a, 11),
        .cdc_start = rows_str(q, a, 12),
        .cdc_start_ms = rows_i64(q, 13),
        .cdc_stop = rows_str(q, a, 14),
        .created_ms = rows_i64(q, 15),
        .server_id = rows_i64(q, 16),
        .state = rows_str(q, a, 17),
        .surface = rows_str(q, a, 18),
        .message = rows_str(q, a, 19),
        .stop_reason = rows_str(q, a, 20),
        .fresh_ms = rows_i64(q, 21),
        .start_ms = rows_i64(q, 22),
        .stop_ms = rows_i64(q, 23),
        .load_start_ms = rows_i64(q, 24),
        .load_end_ms = rows_i64(q, 25),
        .checkpoints = rows_i64(q, 28),
    };
    read_position(q, 26, &t->checkpoint);
    return ST_OK;
}

enum status dms_store_task_add(struct db *db, struct dms_task_row *t)
{
    enum status st = db_exec(
        db,
        "INSERT INTO dms_task(arn,account,region,ident,instance_arn,source_arn,target_arn,type,"
        "mappings,settings,task_data,cdc_start,cdc_start_ms,cdc_stop,created_ms,server_id,state,"
        "surface,fresh_ms,start_ms,stop_ms,load_start_ms,load_end_ms) "
        "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,0,0,0,0,0)",
        bs(t->arn), bs(t->account), bs(t->region), bs(t->ident), bs(t->instance_arn),
        bs(t->source_arn), bs(t->target_arn), bs(t->type), bs(t->mappings), bs(t->settings),
        bs(t->task_data), bs(t->cdc_start), bi(t->cdc_start_ms), bs(t->cdc_stop), bi(t->created_ms),
        bi(t->server_id), bs(t->state), bs(t->surface));
    if (st == ST_OK) {
        t->id = db_last_rowid(db);
    }
    return st;
}

enum status dms_store_task_update(struct db *db, const struct dms_task_row *t)
{
    enum status st = db_exec(db,
                             "INSERT OR IGNORE INTO dms_remap(task) SELECT id FROM dms_task "
                             "WHERE id=? AND fresh_ms>0 AND mappings<>?",
                             bi(t->id), bs(t->mappings));
    if (st != ST_OK) {
        return st;
    }
    return db_exec(db,
                   "UPDATE dms_task SET ident=?,type=?,mappings=?,settings=?,task_data=?,"
                   "cdc_start=?,cdc_start_ms=?,cdc_stop=?,state=?,surface=?,message=?,"
                   "stop_reason=?,fresh_ms=?,start_ms=?,stop_ms=?,load_start_ms=?,load_end_ms=? "
                   "WHERE id=?",
                   bs(t->ident), bs(t->type), bs(t->mappings), bs(t->settings), bs(t->task_data),
                   bs(t->cdc_start), bi(t->cdc_start_ms), bs(t->cdc_stop), bs(t->state),
                   bs(t->surface), bs(t->message), bs(t->stop_reason), bi(t->fresh_ms),
                   bi(t->start_ms), bi(t->stop_ms), bi(t->load_start_ms), bi(t->load_end_ms),
                   bi(t->id));
}

enum status dms_store_task_move(struct db *db, const struct dms_task_row *t)
{
    return db_exec(db, "UPDATE dms_task SET instance_arn=?,source_arn=?,target_arn=? WHERE id=?",
                   bs(t->instance_arn), bs(t->source_arn), bs(t->target_arn), bi(t->id));
}

enum status dms_store_task_delete(struct db *db, const struct dms_task_row *t)
{
    static const char *const all[] = {
        "DELETE FROM dms_sequence WHERE task=?",
        "DELETE FROM dms_tag WHERE arn=(SELECT arn FROM dms_task WHERE id=?)",
        "DELETE FROM dms_task WHERE id=?",
        NULL,
    };
    enum status st = dms_store_table_clear(db, t->id);
    return st == ST_OK ? db_change_all(db, all, bi(t->id)) : st;
}

enum status dms_store_task_get(struct db *db, struct arena *a, struct str arn,
                               struct dms_task_row *ret)
{
    return db_read(db, ONE_ROW(a, read_task, ret), SELECT_TASK "WHERE arn=?", bs(arn));
}

enum status dms_store_task_by_id(struct db *db, struct arena *a, int64_t id,
                                 struct dms_task_row *ret)
{
    return db_read(db, ONE_ROW(a, read_task, ret), SELECT_TASK "WHERE id=?", bi(id));
}

enum status dms_store_task_list(struct db *db, struct arena *a, struct str account,
                                struct str region, struct dms_task_row **ret, size_t *ret_n)
{
    return db_read(db, ALL_ROWS(a, read_task, ret, ret_n),
                   SELECT_TASK "WHERE ?1 IS NULL OR (account=?1 AND region=?2) ORDER BY id",
                   bs(account), bs(region));
}

enum status dms_store_task_users(struct db *db, struct str arn, int64_t *ret)
{
    return db_get_i64(db, ret,
                      "SELECT count(*) FROM dms_task WHERE instance_arn=?1 OR source_arn=?1 OR "
                      "target_arn=?1",
                      bs(arn));
}

enum status dms_store_task_checkpoint(struct db *db, int64_t id, const struct mysql_position *at)
{
    return db_exec(db,
                   "UPDATE dms_task SET ck_file=?, ck_pos=?, checkpoints=checkpoints+1 WHERE id=?",
                   bz(at->file), bi((int64_t)at->pos), bi(id));
}

enum status dms_store_sequence_put(struct db *db, int64_t task, int64_t time_s)
{
    return db_exec(db,
                   "INSERT INTO dms_sequence(task,time_s) VALUES(?,?) ON CONFLICT(task) DO UPDATE "
                   "SET time_s=max(time_s,excluded.time_s)",
                   bi(task), bi(time_s));
}

enum status dms_store_sequence_get(struct db *db, int64_t task, int64_t *ret)
{
    *ret = 0;
    enum status st = db_get_i64(db, ret, "SELECT time_s FROM dms_sequence WHERE task=?", bi(task));
    return st == ST_NOT_FOUND ? ST_OK : st;
}

enum status dms_store_xa_start_put(struct db *db, int64_t task, const struct mysql_position *at)
{
    return db_exec(db, "INSERT OR REPLACE INTO dms_xa_start(task,file,pos) VALUES(?,?,?)", bi(task),
                   bz(at->file), bi((int64_t)at->pos));
}

static enum status read_xa_start(struct rows *q, struct arena *a, void *ret)
{
    (void)a;
    read_position(q, 0, ret);
    return ST_OK;
}

enum status dms_store_xa_start_get(struct db *db, int64_t task, struct mysql_position *ret)
{
    return db_read(db, ONE_ROW(NULL, read_xa_start, ret),
                   "SELECT file,pos FROM dms_xa_start WHERE task=?", bi(task));
}

enum status dms_store_task_load_times(struct db *db, int64_t id, int64_t start_ms, int64_t end_ms)
{
    return db_exec(db, "UPDATE dms_task SET load_start_ms=?, load_end_ms=? WHERE id=?",
                   bi(start_ms), bi(end_ms), bi(id));
}

/* --- tables ----------------------------------------------------------------------------------- */

/* What was left out, in a table of its own: most tables leave nothing out. */
static enum status put_left(struct db *db, int64_t task, const struct dms_table_row *t)
{
    const struct dms_table_counts *c = &t->counts;
    if (c->left_inserts + c->left_updates + c->left_deletes + c->left_ddls + c->load_errors == 0) {
        return db_exec(db, "DELETE FROM dms_table_left WHERE task=? AND schema=? AND name=?",
                       bi(task), bs(t->schema), bs(t->name));
    }
    return db_exec(db,
                   "INSERT OR REPLACE INTO dms_table_left(task,schema,name,inserts,updates,deletes,"
                   "ddls,load_errors) VALUES(?,?,?,?,?,?,?,?)",
                   bi(task), bs(t->schema), bs(t->name), bi(c->left_inserts), bi(c->left_updates),
                   bi(c->left_deletes), bi(c->left_ddls), bi(c->load_errors));
}

static enum status put_table(struct db *db, int64_t task, const struct dms_table_row *t)
{
    const struct dms_table_counts *c = &t->counts;
    return db_exec(
        db,
        "INSERT INTO dms_table(task,schema,name,state,load_order,from_file,from_pos,from_skip,"
        "last_name_ms,columns,message,inserts,updates,deletes,ddls,load_rows,load_start_ms,"
        "load_end_ms,updated_ms,reloads) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
        "ON CONFLICT(task,schema,name) DO UPDATE SET state=excluded.state,"
        "load_order=excluded.load_order,from_file=excluded.from_file,from_pos=excluded.from_pos,"
        "from_skip=excluded.from_skip,last_name_ms=excluded.last_name_ms,"
        "columns=coalesce(excluded.columns,columns),message=excluded.message,"
        "inserts=excluded.inserts,updates=excluded.updates,deletes=excluded.deletes,"
        "ddls=excluded.ddls,load_rows=excluded.load_rows,load_start_ms=excluded.load_start_ms,"
        "load_end_ms=excluded.load_end_ms,updated_ms=excluded.updated_ms,"
        "reloads=excluded.reloads",
        bi(task), bs(t->schema), bs(t->name), bs(t->state), bi(t->load_order), bz(t->from.file),
        bi((int64_t)t->from.pos), bi(t->from_skip), bi(t->last_name_ms), bs(t->columns),
        bs(t->message), bi(c->inserts), bi(c->updates), bi(c->deletes), bi(c->ddls),
        bi(c->load_rows), bi(c->load_start_ms), bi(c->load_end_ms), bi(c->updated_ms),
        bi(c->reloads));
}

enum status dms_store_table_put(struct db *db, int64_t task, const struct dms_table_row *t)
{
    enum status st = put_table(db, task, t);
    return st == ST_OK ? put_left(db, task, t) : st;
}

static enum status read_table(struct rows *q, struct arena *a, void *ret)
{
    struct dms_table_row *t = ret;
    *t = (struct dms_table_row){
        .schema = rows_str(q, a, 0),
        .name = rows_str(q, a, 1),
        .state = rows_str(q, a, 2),
        .load_order = rows_i64(q, 3),
        .from_skip = rows_i64(q, 6),
        .last_name_ms = rows_i64(q, 7),
        .columns = rows_str(q, a, 8),
        .message = rows_str(q, a, 9),
        .counts = { .inserts = rows_i64(q, 10),
                    .updates = rows_i64(q, 11),
                    .deletes = rows_i64(q, 12),
                    .ddls = rows_i64(q, 13),
                    .load_rows = rows_i64(q, 14),
                    .load_start_ms = rows_i64(q, 15),
                    .load_end_ms = rows_i64(q, 16),
                    .updated_ms = rows_i64(q, 17),
                    .reloads = rows_i64(q, 18),
                    .left_inserts = rows_i64(q, 19),
                    .left_updates = rows_i64(q, 20),
                    .left_deletes = rows_i64(q, 21),
                    .left_ddls = rows_i64(q, 22),
                    .load_errors = rows_i64(q, 23) },
    };
    read_position(q, 4, &t->from);
    return ST_OK;
}

enum status dms_store_table_list(struct db *db, struct arena *a, int64_t task, bool with_columns,
                                 struct dms_table_row **ret, size_t *ret_n)
{
    return db_read(db, ALL_ROWS(a, read_table, ret, ret_n),
                   "SELECT t.schema,t.name,CASE WHEN EXISTS(SELECT 1 FROM dms_reload r WHERE "
                   "r.task=t.task AND r.schema=t.schema AND r.name=t.name) THEN "
                   "'" DMS_STATE_RELOADING
                   "' ELSE state END,load_order,from_file,from_pos,from_skip,"
                   "last_name_ms,CASE WHEN ?2 THEN columns END,message,t.inserts,t.updates,"
                   "t.deletes,t.ddls,load_rows,load_start_ms,load_end_ms,updated_ms,reloads,"
                   "coalesce(l.inserts,0),coalesce(l.updates,0),coalesce(l.deletes,0),"
                   "coalesce(l.ddls,0),coalesce(l.load_errors,0) FROM dms_table t LEFT JOIN "
                   "dms_table_left l ON l.task=t.task AND l.schema=t.schema AND "
                   "l.name=t.name WHERE t.task=?1 ORDER BY t.schema,t.name",
                   bi(task), bi(with_columns));
}

enum status dms_store_reload_add(struct db *db, int64_t task, struct str schema, struct str name)
{
    return db_exec(db, "INSERT OR IGNORE INTO dms_reload(task,schema,name) VALUES(?,?,?)", bi(task),
                   bs(schema), bs(name));
}

enum status dms_store_reload_done(struct db *db, int64_t task, struct str schema, struct str name)
{
    return db_exec(db, "DELETE FROM dms_reload WHERE task=? AND schema=? AND name=?", bi(task),
                   bs(schema), bs(name));
}

bool dms_store_remap(struct db *db, int64_t task)
{
    int64_t one;
    return db_get_i64(db, &one, "SELECT 1 FROM dms_remap WHERE task=?", bi(task)) == ST_OK;
}

enum status dms_store_remap_done(struct db *db, int64_t task)
{
    return db_exec(db, "DELETE FROM dms_remap WHERE task=?", bi(task));
}

enum status dms_store_table_drop(struct db *db, int64_t task, struct str schema, struct str name)
{
    enum status st = dms_store_reload_done(db, task, schema, name);
    if (st == ST_OK) {
        st = db_exec(db, "DELETE FROM dms_table_left WHERE task=? AND schema=? AND name=?",
                     bi(task), bs(schema), bs(name));
    }
    return st == ST_OK ? db_exec(db, "DELETE FROM dms_table WHERE task=? AND schema=? AND name=?",
                                 bi(task), bs(schema), bs(name))
                       : st;
}

enum status dms_store_table_clear(struct db *db, int64_t task)
{
    static const char *const all[] = {
        "DELETE FROM dms_table WHERE task=?",
        "DELETE FROM dms_reload WHERE task=?",
        "DELETE FROM dms_remap WHERE task=?",
        "DELETE FROM dms_xa_start WHERE task=?",
        "DELETE FROM dms_table_left WHERE task=?",
        "UPDATE dms_task SET ck_file='', ck_pos=0, checkpoints=0 WHERE id=?",
        NULL,
    };
    return db_change_all(db, all, bi(task));
}
