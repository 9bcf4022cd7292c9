#include "emulators/glue/crawler/crawler_store.h"

#include "server/wire/codec.h"
#include "server/wire/doc.h"

static const struct op *op_of(const char *name)
{
    return op_find(glue_ops, GLUE_N_OPS, str_z(name));
}

/* --- crawlers ------------------------------------------------------------------------------------
 */
static enum status crawler_text(struct arena *a, struct glue_crawler *crawler, struct str *ret)
{
    struct glue_get_crawler_response doc = { .Crawler = crawler };
    return doc_write(op_of("GetCrawler"), a, &doc, ret);
}

enum status crawler_store_add(struct db *db, struct arena *a, const struct crawler_row *row)
{
    struct str text;
    enum status st = crawler_text(a, row->crawler, &text);
    return st != ST_OK ? st
                       : db_exec(db, "INSERT INTO glue_crawler VALUES(?,?,?,?,?,?,?,?)",
                                 bs(row->owner.account), bs(row->owner.region),
                                 bs(row->crawler->Name), bs(row->crawler->State), bs(row->crawl),
                                 bi(row->started_ms), bi(row->schedule), bs(text));
}

enum status crawler_store_set(struct db *db, struct arena *a, const struct crawler_row *row)
{
    struct str text;
    enum status st = crawler_text(a, row->crawler, &text);
    st = st != ST_OK ? st
                     : db_exec(db,
                               "UPDATE glue_crawler SET state=?, crawl=?, started_ms=?, schedule=?,"
                               " doc=? WHERE account=? AND region=? AND name=?",
                               bs(row->crawler->State), bs(row->crawl), bi(row->started_ms),
                               bi(row->schedule), bs(text), bs(row->owner.account),
                               bs(row->owner.region), bs(row->crawler->Name));
    return st == ST_OK && db_changes(db) == 0 ? ST_NOT_FOUND : st;
}

#define CRAWLER_COLUMNS "account, region, crawl, started_ms, schedule, state, doc"

/* All rows of a query that db_query() started. */
static enum status crawler_rows(struct rows *q, struct arena *a, struct crawler_rows *ret)
{
    enum status st = ST_OK;
    *ret = (struct crawler_rows){ 0 };
    while (st == ST_OK && rows_next(q)) {
        void *doc;
        struct crawler_row row = { .owner = { rows_str(q, a, 0), rows_str(q, a, 1) },
                                   .crawl = rows_str(q, a, 2),
                                   .started_ms = rows_i64(q, 3),
                                   .schedule = rows_i64(q, 4) };
        st = doc_read(op_of("GetCrawler"), a, rows_str(q, a, 6), &doc);
        if (st == ST_OK) {
            row.crawler = ((struct glue_get_crawler_response *)doc)->Crawler;
            row.crawler->State = rows_str(q, a, 5);
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = row;
        }
    }
    enum status end = rows_end(q);
    return st != ST_OK ? st : end;
}

enum status crawler_store_find(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct str name, struct crawler_row *ret)
{
    struct rows q;
    struct crawler_rows rows;
    enum status st = db_query(db, &q,
                              "SELECT " CRAWLER_COLUMNS
                              " FROM glue_crawler WHERE account=? AND region=? AND name=?",
                              bs(o->account), bs(o->region), bs(name));
    enum status end = crawler_rows(&q, a, &rows);
    st = st != ST_OK ? st : end;
    if (st == ST_OK && rows.n == 0) {
        return ST_NOT_FOUND;
    }
    if (st == ST_OK) {
        *ret = rows.v[0];
    }
    return st;
}

enum status crawler_store_page(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct str after, int64_t limit, struct crawler_rows *ret)
{
    struct rows q;
    enum status st =
        db_query(db, &q,
                 "SELECT " CRAWLER_COLUMNS " FROM glue_crawler WHERE account=?"
                 " AND region=? AND name>? ORDER BY name LIMIT ?",
                 bs(o->account), bs(o->region), bs(str_set(after) ? after : STR("")), bi(limit));
    enum status end = crawler_rows(&q, a, ret);
    return st != ST_OK ? st : end;
}

enum status crawler_store_alive(struct db *db, struct arena *a, struct crawler_rows *ret)
{
    struct rows q;
    enum status st = db_query(
        db, &q, "SELECT " CRAWLER_COLUMNS " FROM glue_crawler WHERE state<>'READY' OR schedule<>0");
    enum status end = crawler_rows(&q, a, ret);
    return st != ST_OK ? st : end;
}

enum status crawler_store_delete(struct db *db, const struct glue_owner *o, struct str name)
{
    enum status st =
        db_exec(db, "DELETE FROM glue_crawl WHERE account=? AND region=? AND crawler=?",
                bs(o->account), bs(o->region), bs(name));
    st = st == ST_OK
             ? db_exec(db, "DELETE FROM glue_crawler WHERE account=? AND region=? AND name=?",
                       bs(o->account), bs(o->region), bs(name))
             : st;
    return st == ST_OK && db_changes(db) == 0 ? ST_NOT_FOUND : st;
}

/* --- crawls --------------------------------------------------------------------------------------
 */
enum status crawler_store_add_crawl(struct db *db, const struct glue_owner *o, struct str crawler,
                                    const struct crawl_row *row)
{
    enum status st = db_exec(db,
                             "INSERT INTO glue_crawl(id, account, region, crawler, state, start_ms)"
                             " VALUES(?,?,?,?,?,?)",
                             bs(row->id), bs(o->account), bs(o->region), bs(crawler),
                             bs(row->state), bi(row->start_ms));
    return st != ST_OK
               ? st
               : db_exec(
                     db,
                     "DELETE FROM glue_crawl WHERE account=?1 AND region=?2 AND crawler=?3"
                     " AND number<=(SELECT number FROM glue_crawl WHERE account=?1 AND region=?2"
                     " AND crawler=?3 ORDER BY number DESC LIMIT 1 OFFSET ?4)",
                     bs(o->account), bs(o->region), bs(crawler), bi(CRAWLER_HISTORY_MAX));
}

enum status crawler_store_end_crawl(struct db *db, const struct crawl_row *row)
{
    return db_exec(db,
                   "UPDATE glue_crawl SET state=?, end_ms=?, error=?, summary=?, added=?,"
                   " updated=?, deleted=? WHERE id=?",
                   bs(row->state), bi(row->end_ms), bs(row->error), bs(row->summary),
                   bi(row->added), bi(row->updated), bi(row->deleted), bs(row->id));
}

enum status crawler_store_crawls(struct db *db, struct arena *a, const struct glue_owner *o,
                                 struct str crawler, struct crawl_rows *ret)
{
    struct rows q;
    *ret = (struct crawl_rows){ 0 };
    if (db_query(db, &q,
                 "SELECT number, id, state, start_ms, end_ms, error, summary, added, updated,"
                 " deleted FROM glue_crawl WHERE account=? AND region=? AND crawler=?"
                 " ORDER BY number DESC",
                 bs(o->account), bs(o->region), bs(crawler)) == ST_OK) {
        while (rows_next(&q)) {
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = (struct crawl_row){ .number = rows_i64(&q, 0),
                                                   .id = rows_str(&q, a, 1),
                                                   .state = rows_str(&q, a, 2),
                                                   .start_ms = rows_i64(&q, 3),
                                                   .end_ms = rows_i64(&q, 4),
                                                   .error = rows_str(&q, a, 5),
                                                   .summary = rows_str(&q, a, 6),
                                                   .added = rows_i64(&q, 7),
                                                   .updated = rows_i64(&q, 8),
                                                   .deleted = rows_i64(&q, 9) };
        }
    }
    return rows_end(&q);
}

/* --- classifiers ---------------------------------------------------------------------------------
 */
static enum status classifier_text(struct arena *a, struct glue_classifier *c, struct str *ret)
{
    struct glue_get_classifier_response doc = { .Classifier = c };
    return doc_write(op_of("GetClassifier"), a, &doc, ret);
}

enum status crawler_store_add_classifier(struct db *db, struct arena *a, const struct glue_owner *o,
                                         struct str name, struct glue_classifier *c)
{
    struct str text;
    enum status st = classifier_text(a, c, &text);
    return st != ST_OK ? st
                       : db_exec(db, "INSERT INTO glue_classifier VALUES(?,?,?,?)", bs(o->account),
                                 bs(o->region), bs(name), bs(text));
}

enum status crawler_store_set_classifier(struct db *db, struct arena *a, const struct glue_owner *o,
                                         struct str name, struct glue_classifier *c)
{
    struct str text;
    enum status st = classifier_text(a, c, &text);
    st = st != ST_OK
             ? st
             : db_exec(db,
                       "UPDATE glue_classifier SET doc=? WHERE account=? AND region=? AND name=?",
                       bs(text), bs(o->account), bs(o->region), bs(name));
    return st == ST_OK && db_changes(db) == 0 ? ST_NOT_FOUND : st;
}

enum status crawler_store_classifier(struct db *db, struct arena *a, const struct glue_owner *o,
                                     struct str name, struct glue_classifier **ret)
{
    struct str text;
    void *doc;
    enum status st = db_get_str(
        db, a, &text, "SELECT doc FROM glue_classifier WHERE account=? AND region=? AND name=?",
        bs(o->account), bs(o->region), bs(name));
    st = st == ST_OK ? doc_read(op_of("GetClassifier"), a, text, &doc) : st;
    if (st == ST_OK) {
        *ret = ((struct glue_get_classifier_response *)doc)->Classifier;
    }
    return st;
}

enum status crawler_store_classifiers(struct db *db, struct arena *a, const struct glue_owner *o,
                                      struct str after, int64_t limit,
                                      struct glue_classifier_list *ret)
{
    struct rows q;
    enum status st = ST_OK;
    *ret = (struct glue_classifier_list){ 0, ARENA_NEW(a, struct glue_classifier) };
    if (db_query(db, &q,
                 "SELECT doc FROM glue_classifier WHERE account=? AND region=? AND name>?"
                 " ORDER BY name LIMIT ?",
                 bs(o->account), bs(o->region), bs(str_set(after) ? after : STR("")),
                 bi(limit)) == ST_OK) {
        while (st == ST_OK && rows_next(&q)) {
            void *doc;
            st = doc_read(op_of("GetClassifier"), a, rows_str(&q, a, 0), &doc);
            if (st == ST_OK) {
                ARENA_GROW(a, ret->v, ret->n);
                ret->v[ret->n++] = *((struct glue_get_classifier_response *)doc)->Classifier;
            }
        }
    }
    enum status end = rows_end(&q);
    return st != ST_OK ? st : end;
}

enum status crawler_store_delete_classifier(struct db *db, const struct glue_owner *o,
                                            struct str name)
{
    enum status st =
        db_exec(db, "DELETE FROM glue_classifier WHERE account=? AND region=? AND name=?",
                bs(o->account), bs(o->region), bs(name));
    return st == ST_OK && db_changes(db) == 0 ? ST_NOT_FOUND : st;
}
