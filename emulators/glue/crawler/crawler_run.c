/* The life of a crawl: READY → RUNNING → (STOPPING) → READY. */
#include "emulators/glue/crawler/crawler_internal.h"

#include "emulators/glue/crawler/crawler_glob.h"
#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/busy.h"
#include "server/core.h"
#include "server/loop/loop.h"
#include "server/wire/json.h"

#define ROW_ARENA_MAX (16u << 20)
#define SUMMARY_MAX (1u << 20)

static void list_step(struct core *core, void *arg);

/* --- ending ----------------------------------------------------------------------------------- */
static void summary_names(struct json_out *o, const char *action, const struct str *names, size_t n)
{
    if (n == 0) {
        return;
    }
    json_keyz(o, action);
    json_open(o, '{');
    json_keyz(o, "Details");
    json_open(o, '{');
    json_keyz(o, "names");
    json_open(o, '[');
    for (size_t i = 0; i < n; i++) {
        json_str(o, names[i]);
    }
    json_close(o, ']');
    json_close(o, '}');
    json_keyz(o, "Count");
    json_i64(o, (int64_t)n);
    json_close(o, '}');
}

static void summary_count(struct json_out *o, const char *action, int64_t n)
{
    if (n) {
        json_keyz(o, action);
        json_open(o, '{');
        json_keyz(o, "Count");
        json_i64(o, n);
        json_close(o, '}');
    }
}

/* ListCrawls: "a run summary for the specific crawl in JSON". */
static struct str summary_text(struct arena *a, const struct crawl_changes *ch)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(SUMMARY_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    if (ch->n_added || ch->n_updated || ch->n_deleted) {
        json_keyz(&o, "TABLE");
        json_open(&o, '{');
        summary_names(&o, "ADD", ch->added, ch->n_added);
        summary_names(&o, "UPDATE", ch->updated, ch->n_updated);
        summary_names(&o, "DELETE", ch->deleted, ch->n_deleted);
        json_close(&o, '}');
    }
    if (ch->partitions_added || ch->partitions_updated || ch->partitions_deleted) {
        json_keyz(&o, "PARTITION");
        json_open(&o, '{');
        summary_count(&o, "ADD", ch->partitions_added);
        summary_count(&o, "UPDATE", ch->partitions_updated);
        summary_count(&o, "DELETE", ch->partitions_deleted);
        json_close(&o, '}');
    }
    json_close(&o, '}');
    return buf_ok(&b) ? arena_str(a, buf_str(&b)) : STR("{}");
}

static void log_summary(struct crawl *crawl, const char *kind, int64_t added, int64_t updated,
                        int64_t deleted)
{
    const struct {
        const char *action;
        int64_t n;
    } counts[] = { { "ADD", added }, { "UPDATE", updated }, { "DELETE", deleted } };
    if (added == 0 && updated == 0 && deleted == 0) {
        return;
    }
    crawler_log(crawl, "INFO", "Run Summary For %s:", kind);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        if (counts[i].n) {
            crawler_log(crawl, "INFO", "%s: %lld", counts[i].action, (long long)counts[i].n);
        }
    }
}

/* EventBridge isn't told of crawls that were stopped. */
static void tell_end(const struct crawl *crawl, const char *status, struct str error,
                     const struct crawl_changes *ch)
{
    struct str name = crawl->crawler->Name;
    if (strcmp(status, "FAILED") == 0) {
        glue_event_crawl_failed(crawl->glue, &crawl->owner, name, error);
    } else if (strcmp(status, "SUCCEEDED") == 0) {
        const struct glue_crawl_result result = {
            .tables_created = (int64_t)ch->n_added,
            .tables_updated = (int64_t)ch->n_updated,
            .tables_deleted = (int64_t)ch->n_deleted,
            .partitions_created = ch->partitions_added,
            .partitions_updated = ch->partitions_updated,
            .partitions_deleted = ch->partitions_deleted,
            .seconds = (clock_now_ms() - crawl->started_ms) / 1000,
        };
        glue_event_crawl_succeeded(crawl->glue, &crawl->owner, name, &result);
    }
}

/* The crawler's row and the crawl's in the history; then whoever waits for this crawl. */
static void record_end(struct crawl *crawl, const char *status, struct str error,
                       const struct crawl_changes *ch)
{
    struct db *db = core_db(crawl->glue->core);
    struct crawler_row row;
    bool done = strcmp(status, "SUCCEEDED") == 0, failed = strcmp(status, "FAILED") == 0;
    if (crawler_store_find(db, crawl->arena, &crawl->owner, crawl->crawler->Name, &row) != ST_OK) {
        return; /* logged, or deleted by a reset */
    }
    struct glue_last_crawl_info last = { .Status = str_z(status),
                                         .ErrorMessage = error,
                                         .LogGroup = STR("/aws-glue/crawlers"),
                                         .LogStream = crawl->crawler->Name,
                                         .MessagePrefix = crawl->id,
                                         .StartTime = OPT_TIME(crawl->started_ms) };
    row.crawler->LastCrawl = &last;
    row.crawler->State = STR("READY");
    row.crawl = STR_NONE;
    status_ignore(crawler_store_set(db, crawl->arena, &row)); /* logged */
    struct crawl_row entry = { .id = crawl->id,
                               .state = done     ? STR("COMPLETED")
                                        : failed ? STR("FAILED")
                                                 : STR("STOPPED"),
                               .end_ms = clock_now_ms(),
                               .error = error,
                               .summary = done ? summary_text(crawl->arena, ch) : STR_NONE,
                               .added = (int64_t)ch->n_added,
                               .updated = (int64_t)ch->n_updated,
                               .deleted = (int64_t)ch->n_deleted };
    status_ignore(crawler_store_end_crawl(db, &entry)); /* logged */
    tell_end(crawl, status, error, ch);
    glue_trigger_crawl_ended(crawl->glue, &crawl->owner, crawl->crawler->Name, str_z(status));
}

/* Writes the catalog, or nothing of it. */
static enum status write_catalog(struct crawl *crawl, struct crawl_changes *ch, struct str *ret_why)
{
    struct core_mark mark;
    crawler_log(crawl, "BENCHMARK", "Classification complete, writing results to database %.*s",
                STR_ARG(crawl->crawler->DatabaseName));
    enum status st = core_mark(crawl->glue->core, &mark);
    if (st != ST_OK) {
        return st;
    }
    st = core_mark_end(crawl->glue->core, mark, crawler_write(crawl, ch, ret_why));
    if (st != ST_OK) {
        *ch = (struct crawl_changes){ 0 };
    }
    return st;
}

/* The crawl's end: `error` absent when all was read. Frees it. */
static void finish(struct crawl *crawl, struct str error)
{
    struct crawl_changes ch = { 0 };
    list_remove(&crawl->link);
    if (crawl->stop == CRAWL_STOP_SERVER) {
        arena_free(crawl->arena); /* its row stays: the next start begins it again */
        return;
    }
    for (size_t i = 0; i < crawl->lines.n; i++) {
        crawler_log(crawl, "INFO", "%.*s", STR_ARG(crawl->lines.v[i]));
    }
    const char *status = crawl->stop == CRAWL_STOP_USER ? "CANCELLED" : "SUCCEEDED";
    if (crawl->stop == CRAWL_STOP_NONE && !str_set(error)) {
        struct str why = STR("Internal Service Exception");
        if (write_catalog(crawl, &ch, &why) != ST_OK) {
            error = why;
        }
    }
    if (crawl->stop == CRAWL_STOP_USER) {
        crawler_log(crawl, "INFO", "The crawl was stopped; the catalog is unchanged.");
        error = STR_NONE;
    } else if (str_set(error)) {
        status = "FAILED";
        crawler_log(crawl, "ERROR", "%.*s", STR_ARG(error));
    } else {
        crawler_log(crawl, "BENCHMARK", "Finished writing to Catalog");
        log_summary(crawl, "TABLE", (int64_t)ch.n_added, (int64_t)ch.n_updated,
                    (int64_t)ch.n_deleted);
        log_summary(crawl, "PARTITION", ch.partitions_added, ch.partitions_updated,
                    ch.partitions_deleted);
    }
    record_end(crawl, status, error, &ch);
    crawler_log(crawl, "BENCHMARK", "Crawler has finished running and is in state READY");
    log_info("glue", "crawler %.*s: crawl %.*s %s%s%.*s", STR_ARG(crawl->crawler->Name),
             STR_ARG(crawl->id), status, str_set(error) ? ": " : "", STR_ARG(error));
    arena_free(crawl->arena);
}

/* --- reading ---------------------------------------------------------------------------------- */
static void run_thread(void *arg)
{
    crawler_read(arg);
}

static void thread_done(void *arg)
{
    finish(arg, STR_NONE);
}

static void start_reading(struct crawl *crawl)
{
    if (thread_start(core_loop(crawl->glue->core), "glue-crawl", run_thread, thread_done, crawl) !=
        ST_OK) {
        finish(crawl, STR("The server can't start another thread."));
    }
}

/* --- listing ---------------------------------------------------------------------------------- */
/* A page of the target's objects; *ret_end: there are no more. */
static enum status list_page(struct crawl *crawl, struct crawl_target *t, bool *ret_end)
{
    struct s3_object_range range = { .bucket = t->bucket,
                                     .prefix = t->prefix,
                                     .start_after = t->n ? t->objects[t->n - 1].key : STR_NONE,
                                     .limit = CRAWL_LIST_PAGE };
    struct s3_object *page;
    size_t n;
    enum status st = s3_object_list(core_db(crawl->glue->core), crawl->arena, &range, &page, &n);
    for (size_t i = 0; st == ST_OK && i < n; i++) {
        ARENA_GROW(crawl->arena, t->objects, t->n);
        t->objects[t->n++] = page[i];
    }
    *ret_end = n < CRAWL_LIST_PAGE;
    return st;
}

/* The target may be one object; then there is nothing to list. */
static bool list_object(struct crawl *crawl, struct crawl_target *t)
{
    struct s3_object o;
    if (str_empty(t->object) || s3_object_find(core_db(crawl->glue->core), crawl->arena, t->bucket,
                                               t->object, &o) != ST_OK) {
        t->object = STR_NONE;
        return false;
    }
    t->prefix = STR("");
    t->objects = ARENA_NEW(crawl->arena, struct s3_object);
    t->objects[0] = o;
    t->n = 1;
    return true;
}

static void list_step(struct core *core, void *arg)
{
    struct crawl *crawl = arg;
    if (crawl->stop != CRAWL_STOP_NONE || crawl->listing == crawl->n_targets) {
        if (crawl->stop != CRAWL_STOP_NONE) {
            finish(crawl, STR_NONE);
        } else {
            start_reading(crawl);
        }
        return;
    }
    struct crawl_target *t = &crawl->targets[crawl->listing];
    if (!s3_bucket_exists(core_db(core), t->bucket)) {
        finish(crawl,
               arena_printf(crawl->arena,
                            "The specified bucket does not exist (Service: Amazon S3; Status "
                            "Code: 404; Error Code: NoSuchBucket): %.*s",
                            STR_ARG(t->bucket)));
        return;
    }
    bool end = true;
    bool one = t->n == 0 && list_object(crawl, t);
    if (!one && list_page(crawl, t, &end) != ST_OK) {
        finish(crawl, STR("Internal Service Exception"));
        return;
    }
    crawl->listing += end;
    core_post(core, list_step, crawl);
}

/* --- beginning -------------------------------------------------------------------------------- */
static enum status make_target(struct arena *a, const struct glue_s3_target *in,
                               struct crawl_target *ret)
{
    struct str key;
    *ret = (struct crawl_target){ .sample_size = in->SampleSize.set ? in->SampleSize.v : 0 };
    enum status st = crawler_parse_path(in->Path, &ret->bucket, &key);
    bool folder = str_empty(key) || str_ends(key, STR("/"));
    ret->prefix = folder ? key : arena_join(a, key, STR("/"));
    ret->object = folder ? STR_NONE : key;
    for (size_t i = 0; st == ST_OK && i < in->Exclusions.n; i++) {
        struct str *expanded;
        size_t n;
        st = crawler_glob_expand(a, in->Exclusions.v[i], &expanded, &n);
        for (size_t k = 0; st == ST_OK && k < n; k++) {
            ARENA_GROW(a, ret->exclusions, ret->n_exclusions);
            ret->exclusions[ret->n_exclusions++] = expanded[k];
        }
    }
    return st;
}

static enum status prepare(struct crawl *crawl)
{
    const struct glue_s3_target_list *in = &crawl->crawler->Targets->S3Targets;
    struct str why;
    enum status st =
        crawler_parse_config(crawl->arena, crawl->crawler->Configuration, &crawl->config, &why);
    crawl->targets = ARENA_ARRAY(crawl->arena, struct crawl_target, in->n + 1);
    for (size_t i = 0; st == ST_OK && i < in->n; i++) {
        st = make_target(crawl->arena, &in->v[i], &crawl->targets[crawl->n_targets++]);
    }
    return st != ST_OK
               ? st
               : crawler_classifiers(core_db(crawl->glue->core), crawl->arena, &crawl->owner,
                                     crawl->crawler, &crawl->classifiers, &crawl->n_classifiers);
}

static void begin_active(struct glue_state *g, const struct glue_owner *o, struct str name)
{
    struct arena *a = arena_new(CRAWL_ARENA_MAX);
    struct crawl *crawl = ARENA_NEW(a, struct crawl);
    struct crawler_row row;
    if (crawler_store_find(core_db(g->core), a, o, name, &row) != ST_OK || !str_set(row.crawl)) {
        arena_free(a); /* deleted between the commit and now */
        return;
    }
    crawl->glue = g;
    crawl->arena = a;
    crawl->owner = row.owner;
    crawl->crawler = row.crawler;
    crawl->id = row.crawl;
    crawl->started_ms = row.started_ms;
    atomic_init(&crawl->cancel, false);
    list_append(&g->crawls, &crawl->link);
    if (str_eqz(row.crawler->State, "STOPPING")) {
        crawl->stop = CRAWL_STOP_USER;
    }
    crawler_log(crawl, "BENCHMARK", "Running Start Crawl for Crawler %.*s", STR_ARG(name));
    if (prepare(crawl) != ST_OK) {
        finish(crawl, STR("The crawler's definition can't be read: update it."));
        return;
    }
    core_post(g->core, list_step, crawl);
}

struct begin {
    struct glue_state *glue;
    char *account, *region, *name;
};

static void after_commit(void *arg, bool committed)
{
    struct begin *b = arg;
    if (committed && !core_stopping(b->glue->core)) {
        struct glue_owner o = { str_z(b->account), str_z(b->region) };
        begin_active(b->glue, &o, str_z(b->name));
    }
    free(b->account);
    free(b->region);
    free(b->name);
    free(b);
}

static void begin_later(struct glue_state *g, const struct glue_owner *o, struct str name)
{
    struct begin *b = xcalloc(1, sizeof(*b));
    *b = (struct begin){ g, xstrndup(o->account.p, o->account.n),
                         xstrndup(o->region.p, o->region.n), xstrndup(name.p, name.n) };
    core_after_commit(g->core, after_commit, b);
}

enum status glue_crawler_start(struct glue_state *g, struct arena *a, const struct glue_owner *o,
                               struct str name)
{
    struct crawler_row row;
    struct db *db = core_db(g->core);
    enum status st = crawler_store_find(db, a, o, name, &row);
    if (st != ST_OK) {
        return st;
    }
    if (!str_eqz(row.crawler->State, "READY")) {
        return ST_CONFLICT;
    }
    row.crawl = id_uuid(a);
    row.started_ms = clock_now_ms();
    row.crawler->State = STR("RUNNING");
    struct crawl_row entry = { .id = row.crawl,
                               .state = STR("RUNNING"),
                               .start_ms = row.started_ms };
    st = crawler_store_set(db, a, &row);
    st = st == ST_OK ? crawler_store_add_crawl(db, o, name, &entry) : st;
    if (st == ST_OK) {
        glue_event_crawl_started(g, o, name);
        begin_later(g, o, name);
    }
    return st;
}

void crawler_cancel(struct glue_state *g, const struct crawler_row *row)
{
    LIST_FOREACH(l, &g->crawls)
    {
        struct crawl *crawl = CONTAINER_OF(l, struct crawl, link);
        if (str_eq(crawl->id, row->crawl)) {
            crawl->stop = CRAWL_STOP_USER;
            atomic_store(&crawl->cancel, true);
        }
    }
}

/* --- the service's life ----------------------------------------------------------------------- */
void glue_crawler_init(struct glue_state *g)
{
    list_init(&g->crawls);
    crawler_schedule_init(g);
}

enum status glue_crawler_recover(struct glue_state *g)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(CRAWL_ARENA_MAX);
    struct crawler_rows rows;
    struct db *db = core_db(g->core);
    enum status st = crawler_store_alive(db, a, &rows);
    for (size_t i = 0; st == ST_OK && i < rows.n; i++) {
        struct crawler_row *row = &rows.v[i];
        if (str_set(row->crawl)) {
            begin_later(g, &row->owner, row->crawler->Name);
        }
        st = crawler_plan(g, row);
        st = st == ST_OK ? crawler_store_set(db, a, row) : st;
    }
    return st;
}

void glue_crawler_stop_all(struct glue_state *g)
{
    LIST_FOREACH(l, &g->crawls)
    {
        struct crawl *crawl = CONTAINER_OF(l, struct crawl, link);
        crawl->stop = CRAWL_STOP_SERVER;
        atomic_store(&crawl->cancel, true);
    }
}

void glue_crawler_busy(struct glue_state *g, struct busy *busy)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(ROW_ARENA_MAX);
    struct crawler_rows rows;
    if (crawler_store_alive(core_db(g->core), a, &rows) != ST_OK) {
        busy_add(busy, "glue", "the crawlers that run can't be read");
        return;
    }
    for (size_t i = 0; i < rows.n; i++) {
        if (str_set(rows.v[i].crawl)) {
            busy_add(busy, "glue", "crawler %.*s is %.*s", STR_ARG(rows.v[i].crawler->Name),
                     STR_ARG(rows.v[i].crawler->State));
        }
    }
}
