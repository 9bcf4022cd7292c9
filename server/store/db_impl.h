/* Inside of the door: shared by db.c, db_cache.c and db_rows.c only. */
#ifndef CISTERN_STORE_DB_IMPL_H
#define CISTERN_STORE_DB_IMPL_H

#include <sqlite3.h>
#include <stdbool.h>

#include "server/base/list.h"
#include "server/base/map.h"
#include "server/store/db.h"

/* Statements kept prepared per handle; beyond it the longest unused one goes. */
#define DB_CACHE_MAX 256

/* A prepared statement, kept in the cache or made for one use. */
struct db_stmt {
    sqlite3_stmt *h;
    struct link lru; /* in db->lru, oldest first; only when cached */
    bool cached;
    bool in_use; /* between db_query and rows_end */
    int n_params;
};

#define DB_BY_ADDRESS 256 /* a power of two */

struct db {
    sqlite3 *h;
    struct map cache; /* SQL text → struct db_stmt */
    /* The same statements by the address of the text, which nearly always is a literal: a guess
     * that is compared with the text before it counts. */
    struct db_stmt *by_address[DB_BY_ADDRESS];
    struct link lru;
    enum db_mode mode;
    bool lost; /* SQLite rolled the transaction back by itself; all fails until db_rollback() */
    bool in_hook;
    void (*first_use)(void *arg);
    void *first_use_arg;
    char error[256];
};

/* Finds or prepares; marks it in use. Give it back with db_stmt_done. */
enum status db_stmt_get(struct db *db, const char *sql, struct db_stmt **ret) MUST_CHECK;
/* Resets, forgets the bound values, keeps or finalizes. NULL is fine. */
void db_stmt_done(struct db_stmt *s);
void db_cache_fini(struct db *db);

/* Records and logs what SQLite says about `rc` for `sql`; the status for the caller. */
enum status db_fail(struct db *db, int rc, const char *sql);
/* Opens the core's transaction when this is the first statement outside one; ST_DB when the handle
 * waits for its rollback. */
enum status db_enter(struct db *db) MUST_CHECK;

#endif
