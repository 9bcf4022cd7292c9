#include "emulators/glue/crawler/crawler_store.h"

#include "server/store/db_read.h"

/* --- crawlers --------------------------------------------------------------------------------- */
static const struct documents crawlers = {
    { glue_ops, GLUE_N_OPS, "GetCrawler", "Crawler" },
    .add = "INSERT INTO glue_crawler VALUES(?,?,?,?,?,?,?,?)",
    .set = "UPDATE glue_crawler SET doc=?, state=?, crawl=?, started_ms=?, schedule=?"
           " WHERE account=? AND region=? AND name=?",
};

#define CRAWLER_NAME(row) OWNER(&(row)->owner), bs((row)->crawler->Name)
#define CRAWLER_STATE(row) \
    bs((row)->crawler->State), bs((row)->crawl), bi((row)->started_ms), bi((row)->schedule)

enum status crawler_store_add(struct db *db, struct arena *a, const struct crawler_row *row)
{
    return documents_add(db, a, &crawlers, DOCUMENT_KEY(CRAWLER_NAME(row), CRAWLER_STATE(row)),
                         row->crawler);
}

enum status crawler_store_set(struct db *db, struct arena *a, const struct crawler_row *row)
{
    return documents_set(db, a, &crawlers, DOCUMENT_KEY(CRAWLER_STATE(row), CRAWLER_NAME(row)),
                         row->crawler);
}

#define SELECT_CRAWLER \
    "SELECT account, region, crawl, started_ms, schedule, state, doc FROM glue_crawler"

static enum status read_crawler(struct rows *q, struct arena *a, void *ret)
{
    struct crawler_row *row = ret;
    *row = (struct crawler_row){ .owner = { rows_str(q, a, 0), rows_str(q, a, 1) },
                                 .crawl = rows_str(q, a, 2),
                                 .started_ms = rows_i64(q, 3),
                                 .schedule = rows_i64(q, 4) };
    enum status st = doc_form_read(&crawlers.form, a, rows_str(q, a, 6), &row->crawler);
    if (st == ST_OK) {
        row->crawler->State = rows_str(q, a, 5);
    }
    return st;
}

enum status crawler_store_find(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct str name, struct crawler_row *ret)
{
    return db_read(db, ONE_ROW(a, read_crawler, ret),
                   SELECT_CRAWLER " WHERE account=? AND region=? AND name=?", OWNER(o), bs(name));
}

enum status crawler_store_page(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct str after, int64_t limit, struct crawler_rows *ret)
{
    return db_read(db, ALL_ROWS(a, read_crawler, &ret->v, &ret->n),
                   SELECT_CRAWLER " WHERE account=? AND region=? AND name>? ORDER BY name LIMIT ?",
                   OWNER(o), bs_or_empty(after), bi(limit));
}

enum status crawler_store_alive(struct db *db, struct arena *a, struct crawler_rows *ret)
{
    return db_read(db, ALL_ROWS(a, read_crawler, &ret->v, &ret->n),
                   SELECT_CRAWLER " WHERE state<>'READY' OR schedule<>0");
}

enum status crawler_store_delete(struct db *db, const struct glue_owner *o, struct str name)
{
    static const char *const all[] = {
        "DELETE FROM glue_crawl WHERE account=? AND region=? AND crawler=?",
        "DELETE FROM glue_crawler WHERE account=? AND region=? AND name=?",
        NULL,
    };
    return db_change_all(db, all, OWNER(o), bs(name));
}

/* --- crawls ----------------------------------------------------------------------------------- */
enum status crawler_store_add_crawl(struct db *db, const struct glue_owner *o, struct str crawler,
                                    const struct crawl_row *row)
{
    enum status st = db_exec(db,
                             "INSERT INTO glue_crawl(id, account, region, crawler, state, start_ms)"
                             " VALUES(?,?,?,?,?,?)",
                             bs(row->id), OWNER(o), bs(crawler), bs(row->state), bi(row->start_ms));
    return st != ST_OK
               ? st
               : db_exec(
                     db,
                     "DELETE FROM glue_crawl WHERE account=?1 AND region=?2 AND crawler=?3"
                     " AND number<=(SELECT number FROM glue_crawl WHERE account=?1 AND region=?2"
                     " AND crawler=?3 ORDER BY number DESC LIMIT 1 OFFSET ?4)",
                     OWNER(o), bs(crawler), bi(CRAWLER_HISTORY_MAX));
}

enum status crawler_store_end_crawl(struct db *db, const struct crawl_row *row)
{
    return db_exec(db,
                   "UPDATE glue_crawl SET state=?, end_ms=?, error=?, summary=?, added=?,"
                   " updated=?, deleted=? WHERE id=?",
                   bs(row->state), bi(row->end_ms), bs(row->error), bs(row->summary),
                   bi(row->added), bi(row->updated), bi(row->deleted), bs(row->id));
}

static enum status read_crawl(struct rows *q, struct arena *a, void *ret)
{
    *(struct crawl_row *)ret = (struct crawl_row){ .number = rows_i64(q, 0),
                                                   .id = rows_str(q, a, 1),
                                                   .state = rows_str(q, a, 2),
                                                   .start_ms = rows_i64(q, 3),
                                                   .end_ms = rows_i64(q, 4),
                                                   .error = rows_str(q, a, 5),
                                                   .summary = rows_str(q, a, 6),
                                                   .added = rows_i64(q, 7),
                                                   .updated = rows_i64(q, 8),
                                                   .deleted = rows_i64(q, 9) };
    return ST_OK;
}

enum status crawler_store_crawls(struct db *db, struct arena *a, const struct glue_owner *o,
                                 struct str crawler, struct crawl_rows *ret)
{
    return db_read(db, ALL_ROWS(a, read_crawl, &ret->v, &ret->n),
                   "SELECT number, id, state, start_ms, end_ms, error, summary, added, updated,"
                   " deleted FROM glue_crawl WHERE account=? AND region=? AND crawler=?"
                   " ORDER BY number DESC",
                   OWNER(o), bs(crawler));
}

/* --- classifiers ------------------------------------------------------------------------------ */
static const struct documents classifiers = {
    { glue_ops, GLUE_N_OPS, "GetClassifier", "Classifier" },
    DOCUMENTS_BY_NAME("glue_classifier"),
};

enum status crawler_store_add_classifier(struct db *db, struct arena *a, const struct glue_owner *o,
                                         struct str name, struct glue_classifier *c)
{
    return documents_add(db, a, &classifiers, DOCUMENT_NAMED(o, name), c);
}

enum status crawler_store_set_classifier(struct db *db, struct arena *a, const struct glue_owner *o,
                                         struct str name, struct glue_classifier *c)
{
    return documents_set(db, a, &classifiers, DOCUMENT_NAMED(o, name), c);
}

enum status crawler_store_classifier(struct db *db, struct arena *a, const struct glue_owner *o,
                                     struct str name, struct glue_classifier **ret)
{
    return documents_get(db, a, &classifiers, DOCUMENT_NAMED(o, name), ret);
}

enum status crawler_store_classifiers(struct db *db, struct arena *a, const struct glue_owner *o,
                                      struct str after, int64_t limit,
                                      struct glue_classifier_list *ret)
{
    return documents_list(db, a, &classifiers, DOCUMENT_PAGE(o, after, limit), ret);
}

enum status crawler_store_delete_classifier(struct db *db, const struct glue_owner *o,
                                            struct str name)
{
    return documents_remove(db, &classifiers, DOCUMENT_NAMED(o, name));
}
