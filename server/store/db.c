/* Handles, transactions and errors; statements are in db_rows.c. */
#include "server/store/db.h"

#include <limits.h>
#include <pthread.h>

#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/store/db_impl.h"

#define DB_BUSY_MS 5000
/* Our process owns the file (the data folder is locked, too): locks between its handles and the
 * index of the write-ahead log stay in its memory, which spares four system calls per query. */
#define DB_VFS "unix-excl"
/* What one handle may cache. Readers don't map the file: SQLite drops the mapping at every commit
 * of the writer, and making it anew costs more than reading the few pages of a look-up. */
#define DB_WRITE_PRAGMAS                                                         \
    "PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON;" \
    "PRAGMA journal_size_limit=16777216; PRAGMA wal_autocheckpoint=2000;"
/* A new file has nothing to lose yet: without syncing and without a journal file (deleting one
 * takes milliseconds on some disks). Never for a file with content: it would leave WAL on the way.
 */
#define DB_NEW_PRAGMAS "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY;"
#define DB_READ_PRAGMAS "PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY; PRAGMA query_only=ON;"

/* --- errors ----------------------------------------------------------------------------------- */

static enum status status_of(int rc)
{
    switch (rc) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return ST_EXISTS;
    default:
        break;
    }
    switch (rc & 0xff) {
    case SQLITE_OK:
        return ST_OK;
    case SQLITE_CONSTRAINT:
        return ST_INVALID;
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
        return ST_NOMEM;
    default:
        return ST_DB;
    }
}

enum status db_fail(struct db *db, int rc, const char *sql)
{
    enum status st = status_of(rc);
    const char *why = sqlite3_errstr(rc);
    if (sqlite3_extended_errcode(db->h) == rc) {
        why = sqlite3_errmsg(db->h);
    }
    snprintf(db->error, sizeof(db->error), "%s", why);
    if (st == ST_EXISTS || st == ST_INVALID) {
        log_debug("db", "%s: %s", db->error, sql);
    } else {
        log_error("db", "%s (code %d): %s", db->error, rc, sql);
    }
    return st;
}

const char *db_error(const struct db *db)
{
    return db->error;
}

/* --- handles ---------------------------------------------------------------------------------- */

static void configure_library(void)
{
    /* Each handle stays on one thread, and nobody reads the global statistics. */
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_initialize();
}

static const char *sync_pragma(enum db_mode mode)
{
    switch (mode) {
    case DB_WRITE_DURABLE:
        return "PRAGMA synchronous=FULL";
    case DB_WRITE_SCRATCH:
        return "PRAGMA synchronous=OFF";
    case DB_WRITE:
    case DB_READ:
        break;
    }
    return "PRAGMA synchronous=NORMAL";
}

static enum status run_script(struct db *db, const char *sql)
{
    int rc = sqlite3_exec(db->h, sql, NULL, NULL, NULL);
    if (rc == SQLITE_OK) {
        return ST_OK;
    }
    return db_fail(db, rc == SQLITE_ERROR ? sqlite3_extended_errcode(db->h) : rc, sql);
}

static enum status configure_writer(struct db *db, enum db_mode mode)
{
    int64_t pages;
    enum status st = db_get_i64(db, &pages, "PRAGMA page_count");
    if (st == ST_OK && pages == 0) {
        st = run_script(db, DB_NEW_PRAGMAS);
    }
    if (st == ST_OK) {
        st = run_script(db, "PRAGMA journal_mode=WAL");
    }
    if (st == ST_OK) {
        st = run_script(db, DB_WRITE_PRAGMAS);
    }
    return st == ST_OK ? run_script(db, sync_pragma(mode)) : st;
}

enum status db_open(const char *path, enum db_mode mode, struct db **ret)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure_library);

    struct db *db = xcalloc(1, sizeof(*db));
    db->mode = mode;
    map_init(&db->cache);
    list_init(&db->lru);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                SQLITE_OPEN_EXRESCODE;
    if (mode != DB_READ) {
        flags |= SQLITE_OPEN_CREATE;
    }
    int rc = sqlite3_open_v2(path, &db->h, flags, DB_VFS);
    enum status st = rc == SQLITE_OK ? ST_OK : ST_DB;
    if (st != ST_OK) {
        log_error("db", "cannot open %s: %s", path, db->h ? sqlite3_errmsg(db->h) : "no memory");
    }
    if (st == ST_OK) {
        sqlite3_busy_timeout(db->h, DB_BUSY_MS);
        st = mode == DB_READ ? run_script(db, DB_READ_PRAGMAS) : configure_writer(db, mode);
    }
    if (st != ST_OK) {
        db_close(db);
        return st;
    }
    *ret = db;
    return ST_OK;
}

void db_close(struct db *db)
{
    if (!db) {
        return;
    }
    db_cache_fini(db);
    if (sqlite3_close(db->h) != SQLITE_OK) {
        log_error("db", "closed with a statement still open: %s", sqlite3_errmsg(db->h));
        sqlite3_close_v2(db->h);
    }
    free(db);
}

/* --- transactions ----------------------------------------------------------------------------- */

void db_on_first_use(struct db *db, void (*fn)(void *arg), void *arg)
{
    db->first_use = fn;
    db->first_use_arg = arg;
}

enum status db_enter(struct db *db)
{
    if (db->lost) {
        snprintf(db->error, sizeof(db->error), "the transaction was rolled back by a failure");
        return ST_DB;
    }
    if (!db->first_use || db->in_hook || !sqlite3_get_autocommit(db->h)) {
        return ST_OK;
    }
    db->in_hook = true;
    db->first_use(db->first_use_arg);
    db->in_hook = false;
    return sqlite3_get_autocommit(db->h) ? ST_DB : ST_OK;
}

/* BEGIN, COMMIT and savepoints go round the first-use hook. */
static enum status run_plain(struct db *db, const char *sql)
{
    struct db_stmt *s = NULL;
    enum status st = db_stmt_get(db, sql, &s);
    if (st != ST_OK) {
        return st;
    }
    int rc = sqlite3_step(s->h);
    st = rc == SQLITE_DONE ? ST_OK : db_fail(db, rc, sql);
    db_stmt_done(s);
    return st;
}

enum status db_begin(struct db *db)
{
    return run_plain(db, "BEGIN");
}

enum status db_commit(struct db *db)
{
    if (db->lost) {
        return ST_DB;
    }
    return run_plain(db, "COMMIT");
}

void db_rollback(struct db *db)
{
    db->lost = false;
    if (!sqlite3_get_autocommit(db->h)) {
        status_ignore(run_plain(db, "ROLLBACK")); /* logged; SQLite leaves the transaction anyway */
    }
}

bool db_in_transaction(struct db *db)
{
    return db->lost || !sqlite3_get_autocommit(db->h);
}

enum savepoint_verb { SAVEPOINT, RELEASE, ROLLBACK_TO };

static enum status savepoint_op(struct db *db, enum savepoint_verb verb, int depth)
{
    /* the depth of nearly all; literals are found in the cache by their address */
    static const char *const first[] = { "SAVEPOINT m1", "RELEASE m1", "ROLLBACK TO m1" };
    static const char *const names[] = { "SAVEPOINT", "RELEASE", "ROLLBACK TO" };
    if (depth == 1) {
        return run_plain(db, first[verb]);
    }
    char sql[64];
    snprintf(sql, sizeof(sql), "%s m%d", names[verb], depth);
    return run_plain(db, sql);
}

enum status db_savepoint(struct db *db, int depth)
{
    enum status st = db_enter(db);
    return st == ST_OK ? savepoint_op(db, SAVEPOINT, depth) : st;
}

enum status db_release(struct db *db, int depth)
{
    return db->lost ? ST_DB : savepoint_op(db, RELEASE, depth);
}

void db_rollback_to(struct db *db, int depth)
{
    if (db->lost) {
        return; /* everything is undone already */
    }
    if (savepoint_op(db, ROLLBACK_TO, depth) != ST_OK ||
        savepoint_op(db, RELEASE, depth) != ST_OK) {
        db->lost = true; /* what the mark held may still be there: give up the whole pass */
    }
}

/* --- scripts and counters --------------------------------------------------------------------- */

enum status db_script(struct db *db, const char *sql)
{
    enum status st = db_enter(db);
    return st == ST_OK ? run_script(db, sql) : st;
}

int64_t db_changes(struct db *db)
{
    return sqlite3_changes64(db->h);
}

int64_t db_total_changes(struct db *db)
{
    return sqlite3_total_changes64(db->h);
}

int64_t db_last_rowid(struct db *db)
{
    return sqlite3_last_insert_rowid(db->h);
}
