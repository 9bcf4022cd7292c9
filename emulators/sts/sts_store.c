#include "emulators/sts/sts_store.h"

#include "server/store/db_read.h"

const char sts_schema_sql[] =
    "CREATE TABLE IF NOT EXISTS sts_session("
    " access_key TEXT NOT NULL PRIMARY KEY, secret TEXT NOT NULL, token TEXT NOT NULL,"
    " account TEXT NOT NULL, arn TEXT NOT NULL, user_id TEXT NOT NULL,"
    " expires_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS sts_session_expires ON sts_session(expires_ms);";

#define KEPT_AFTER_END_MS (24LL * 3600 * 1000) /* so that ExpiredToken can be told from unknown */

enum status sts_store_add(struct db *db, struct str access_key, const struct credential *c,
                          int64_t now_ms)
{
    enum status st =
        db_exec(db, "DELETE FROM sts_session WHERE expires_ms<?", bi(now_ms - KEPT_AFTER_END_MS));
    if (st == ST_OK) {
        st = db_exec(db, "INSERT INTO sts_session VALUES(?,?,?,?,?,?,?)", bs(access_key),
                     bs(c->secret), bs(c->session_token), bs(c->account), bs(c->arn),
                     bs(c->user_id), bi(c->expires_ms));
    }
    return st;
}

static enum status read_session(struct rows *q, struct arena *a, void *ret)
{
    *(struct credential *)ret = (struct credential){
        .secret = rows_str(q, a, 0),
        .session_token = rows_str(q, a, 1),
        .account = rows_str(q, a, 2),
        .arn = rows_str(q, a, 3),
        .user_id = rows_str(q, a, 4),
        .expires_ms = rows_i64(q, 5),
    };
    return ST_OK;
}

enum status sts_store_find(struct db *db, struct arena *a, struct str access_key,
                           struct credential *ret)
{
    return db_read(db, ONE_ROW(a, read_session, ret),
                   "SELECT secret,token,account,arn,user_id,expires_ms FROM sts_session"
                   " WHERE access_key=?",
                   bs(access_key));
}
