/* Bookmarks of jobs: what their scripts saved, every version of it. Core thread; strings live in
 * the arena given. */
#ifndef CISTERN_GLUE_BOOKMARK_STORE_H
#define CISTERN_GLUE_BOOKMARK_STORE_H

#include "emulators/glue/glue_store.h"

#define GLUE_BOOKMARK_SCHEMA_SQL                                             \
    "CREATE TABLE IF NOT EXISTS glue_bookmark("                              \
    " account TEXT NOT NULL, region TEXT NOT NULL, job TEXT NOT NULL,"       \
    " version INTEGER NOT NULL, run_id TEXT NOT NULL, run INTEGER NOT NULL," \
    " attempt INTEGER NOT NULL, previous TEXT, state TEXT NOT NULL,"         \
    " PRIMARY KEY(account, region, job, version)) WITHOUT ROWID;"

#define GLUE_BOOKMARK_VERSIONS_MAX 100 /* older ones are forgotten */

/* The newest version, or the newest that this run saved (absent: any). ST_NOT_FOUND. */
enum status glue_store_bookmark(struct db *db, struct arena *a, const struct glue_owner *o,
                                struct str job, struct str run_id,
                                struct glue_job_bookmark_entry *ret) MUST_CHECK;
/* A new version, saved by this run. */
enum status glue_store_save_bookmark(struct db *db, struct arena *a, const struct glue_run_row *run,
                                     struct str state) MUST_CHECK;
/* Forgets the versions after this one (0: all). */
enum status glue_store_rewind_bookmark(struct db *db, const struct glue_owner *o, struct str job,
                                       int64_t version) MUST_CHECK;

#endif
