/* Crawlers, their crawls and classifiers: the only SQL of this folder. Crawlers and classifiers are
 * kept as the JSON text that their Get operations answer. Strings live in the arena given; reading
 * functions work with any handle. */
#ifndef CISTERN_GLUE_CRAWLER_STORE_H
#define CISTERN_GLUE_CRAWLER_STORE_H

#include <stdint.h>

#include "emulators/glue/glue_store.h"

/* Older crawls of a crawler are forgotten; AWS does so after 12 months. */
#define CRAWLER_HISTORY_MAX 1000

#define GLUE_CRAWLER_SCHEMA_SQL                                                            \
    "CREATE TABLE IF NOT EXISTS glue_crawler("                                             \
    " account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,"                    \
    " state TEXT NOT NULL, crawl TEXT, started_ms INTEGER NOT NULL,"                       \
    " schedule INTEGER NOT NULL, doc TEXT NOT NULL,"                                       \
    " PRIMARY KEY(account, region, name)) WITHOUT ROWID;"                                  \
    "CREATE TABLE IF NOT EXISTS glue_crawl("                                               \
    " number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"                  \
    " account TEXT NOT NULL, region TEXT NOT NULL, crawler TEXT NOT NULL,"                 \
    " state TEXT NOT NULL, start_ms INTEGER NOT NULL, end_ms INTEGER, error TEXT,"         \
    " summary TEXT, added INTEGER, updated INTEGER, deleted INTEGER);"                     \
    "CREATE INDEX IF NOT EXISTS glue_crawl_crawler"                                        \
    " ON glue_crawl(account, region, crawler, number);"                                    \
    "CREATE TABLE IF NOT EXISTS glue_classifier("                                          \
    " account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, doc TEXT NOT NULL," \
    " PRIMARY KEY(account, region, name)) WITHOUT ROWID;"

/* A crawler as it is kept. */
struct crawler_row {
    struct glue_owner owner;
    struct glue_crawler *crawler; /* what the API shows; State included */
    struct str crawl;             /* id of the crawl under way, else absent */
    int64_t started_ms;           /* of that */
    int64_t schedule;             /* outbox row of the next scheduled crawl; 0: none */
};

struct crawler_rows {
    struct crawler_row *v;
    size_t n;
};

/* ST_EXISTS: the name is taken. */
enum status crawler_store_add(struct db *db, struct arena *a,
                              const struct crawler_row *row) MUST_CHECK;
/* ST_NOT_FOUND. */
enum status crawler_store_find(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct str name, struct crawler_row *ret) MUST_CHECK;
/* Writes all of an existing row. ST_NOT_FOUND: it was deleted. */
enum status crawler_store_set(struct db *db, struct arena *a,
                              const struct crawler_row *row) MUST_CHECK;
/* In order of names after `after` (absent: all), at most `limit`. */
enum status crawler_store_page(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct str after, int64_t limit,
                               struct crawler_rows *ret) MUST_CHECK;
/* Of every owner: those that aren't READY, or have a schedule. */
enum status crawler_store_alive(struct db *db, struct arena *a,
                                struct crawler_rows *ret) MUST_CHECK;
/* With its history. ST_NOT_FOUND. */
enum status crawler_store_delete(struct db *db, const struct glue_owner *o,
                                 struct str name) MUST_CHECK;

/* --- crawls ----------------------------------------------------------------------------------- */
struct crawl_row {
    int64_t number;
    struct str id, state; /* RUNNING, COMPLETED, FAILED, STOPPED */
    int64_t start_ms, end_ms;
    struct str error, summary;
    int64_t added, updated, deleted; /* tables */
};
struct crawl_rows {
    struct crawl_row *v;
    size_t n;
};
enum status crawler_store_add_crawl(struct db *db, const struct glue_owner *o, struct str crawler,
                                    const struct crawl_row *row) MUST_CHECK;
/* By id; start_ms stays. */
enum status crawler_store_end_crawl(struct db *db, const struct crawl_row *row) MUST_CHECK;
/* All that are kept of the crawler (CRAWLER_HISTORY_MAX), newest first. */
enum status crawler_store_crawls(struct db *db, struct arena *a, const struct glue_owner *o,
                                 struct str crawler, struct crawl_rows *ret) MUST_CHECK;

/* --- classifiers ------------------------------------------------------------------------------ */
/* ST_EXISTS. */
enum status crawler_store_add_classifier(struct db *db, struct arena *a, const struct glue_owner *o,
                                         struct str name, struct glue_classifier *c) MUST_CHECK;
/* ST_NOT_FOUND. */
enum status crawler_store_set_classifier(struct db *db, struct arena *a, const struct glue_owner *o,
                                         struct str name, struct glue_classifier *c) MUST_CHECK;
/* ST_NOT_FOUND. */
enum status crawler_store_classifier(struct db *db, struct arena *a, const struct glue_owner *o,
                                     struct str name, struct glue_classifier **ret) MUST_CHECK;
enum status crawler_store_classifiers(struct db *db, struct arena *a, const struct glue_owner *o,
                                      struct str after, int64_t limit,
                                      struct glue_classifier_list *ret) MUST_CHECK;
/* ST_NOT_FOUND. */
enum status crawler_store_delete_classifier(struct db *db, const struct glue_owner *o,
                                            struct str name) MUST_CHECK;

#endif
