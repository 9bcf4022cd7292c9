/* The only place where a worker changes the database: objects, the tables' positions and the
 * checkpoint in one transaction of the core. */
#include <errno.h>

#include "emulators/dms/worker/schema_text.h"
#include "emulators/dms/worker/worker_impl.h"
#include "emulators/facade/s3.h"
#include "server/base/log.h"
#include "server/core.h"

#define CLEAR_BATCH 1000 /* objects that are deleted in one transaction */
#define COMMIT_ARENA_MAX (256u << 20)

struct job {
    struct dms_worker *w;
    const struct dms_commit *c;
    struct arena *arena;
    size_t puts_done; /* handed over to S3, successfully or not */
    bool more_to_clear;
    char why[512];
};

static enum status fail(struct job *j, enum status st, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static enum status fail(struct job *j, enum status st, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(j->why, sizeof(j->why), fmt, ap);
    va_end(ap);
    return st;
}

/* --- on the core thread --- */

/* What S3 itself would refuse. */
static enum status check_bucket(struct core *core, struct job *j)
{
    const struct dms_s3_options *s3 = &j->w->s3;
    if (str_set(s3->acl)) {
        return fail(j, ST_INVALID,
                    "AccessControlListNotSupported: The bucket does not allow ACLs. The target "
                    "endpoint's CannedAclForObjects is %.*s; set it to none, private or "
                    "bucket-owner-full-control",
                    STR_ARG(s3->acl));
    }
    if (str_set(s3->owner) && s3_bucket_exists(core_db(core), s3->bucket) &&
        !str_eq(s3->owner, s3_bucket_account(core_db(core), j->arena, s3->bucket))) {
        return fail(j, ST_INVALID,
                    "AccessDenied: the bucket '%.*s' does not belong to the account %.*s "
                    "(ExpectedBucketOwner of the target endpoint)",
                    STR_ARG(s3->bucket), STR_ARG(s3->owner));
    }
    return ST_OK;
}

static enum status clear_some(struct core *core, void *arg)
{
    struct job *j = arg;
    enum status allowed = check_bucket(core, j);
    if (allowed != ST_OK) {
        return allowed;
    }
    struct s3_object *objects = NULL;
    size_t n = 0;
    struct s3_object_range some = {
        .bucket = j->w->s3.bucket,
        .prefix = j->c->clear_prefix,
        .limit = CLEAR_BATCH,
    };
    enum status st = s3_object_list(core_db(core), j->arena, &some, &objects, &n);
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        st = s3_object_delete(core, j->w->s3.bucket, objects[i].key);
        st = st == ST_NOT_FOUND ? ST_OK : st;
    }
    j->more_to_clear = n == CLEAR_BATCH;
    return st == ST_OK ? st
                       : fail(j, st, "the objects below '%.*s' in bucket %.*s can't be deleted",
                              STR_ARG(j->c->clear_prefix), STR_ARG(j->w->s3.bucket));
}

static enum status put_objects(struct core *core, struct job *j)
{
    enum status allowed = j->c->puts_n > 0 ? check_bucket(core, j) : ST_OK;
    if (allowed != ST_OK) {
        return allowed;
    }
    for (size_t i = 0; i < j->c->puts_n; i++) {
        const struct dms_put *p = &j->c->puts[i];
        const struct s3_put put = {
            .bucket = j->w->s3.bucket,
            .key = p->key,
            .ref = p->piece.ref,
            .md5 = p->piece.md5,
            .part_bytes = p->piece.part_bytes,
        };
        j->puts_done = i + 1;
        atomic_fetch_add_explicit(j->c->reloaded ? &j->w->put_load_bytes : &j->w->put_bytes,
                                  (uint64_t)put.ref.size, memory_order_relaxed);
        enum status st = s3_object_put(core, &put);
        if (st == ST_NOT_FOUND) {
            return fail(j, st,
                        "the S3 bucket '%.*s' does not exist (any more): create it, then "
                        "resume the task",
                        STR_ARG(j->w->s3.bucket));
        }
        if (st != ST_OK) {
            return fail(j, st, "the object '%.*s' can't be written: %s", STR_ARG(p->key),
                        status_name(st));
        }
    }
    return ST_OK;
}

static enum status store_table(struct core *core, struct job *j, struct dms_table *t)
{
    struct mysql_position from;
    uint64_t from_skip;
    dms_table_place(t, &from, &from_skip);
    struct dms_table_row row = {
        .schema = t->schema,
        .name = t->name,
        .state = dms_table_state_name(t->state),
        .load_order = t->load_order,
        .from = from,
        .from_skip = (int64_t)from_skip,
        .last_name_ms = t->last_name_ms,
        .message = t->message,
        .counts = t->counts,
    };
    row.counts.load_rows = atomic_load_explicit(&t->load_rows, memory_order_relaxed);
    if (t->def && !t->def_stored) {
        enum status st = dms_schema_write(
            j->arena, t->def, dms_csv_plan_order(j->arena, &t->plan, t->def), &row.columns);
        if (st != ST_OK) {
            return fail(j, st, "the description of table %.*s.%.*s is too large",
                        STR_ARG(t->schema), STR_ARG(t->name));
        }
        st = dms_catalog_note(core, j->arena, j->w, t, j->c->puts_n > 0);
        if (st != ST_OK) {
            return fail(j, st, "table %.*s.%.*s can't be noted in the catalog: %s",
                        STR_ARG(t->schema), STR_ARG(t->name), status_name(st));
        }
    }
    if (j->c->emptied && dms_catalog_emptied(core, j->arena, j->w, t) != ST_OK) {
        return fail(j, ST_DB, "that table %.*s.%.*s was emptied can't be noted in the catalog",
                    STR_ARG(t->schema), STR_ARG(t->name));
    }
    enum status st = dms_store_table_put(core_db(core), j->w->task, &row);
    return st == ST_OK && j->c->reloaded
               ? dms_store_reload_done(core_db(core), j->w->task, t->schema, t->name)
               : st;
}

static enum status store_rows(struct core *core, struct job *j)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < j->c->tables_n && st == ST_OK; i++) {
        st = store_table(core, j, j->c->tables[i]);
    }
    if (st == ST_OK && j->c->checkpoint) {
        st = dms_store_task_checkpoint(core_db(core), j->w->task, j->c->checkpoint);
        if (st == ST_OK && j->w->wants_sequence) {
            st = dms_store_sequence_put(core_db(core), j->w->task, j->c->sequence_s);
        }
    }
    if (st == ST_OK && (j->c->load_start_ms || j->c->load_end_ms)) {
        st = dms_store_task_load_times(core_db(core), j->w->task, j->c->load_start_ms,
                                       j->c->load_end_ms);
    }
    return st;
}

static enum status commit_all(struct core *core, void *arg)
{
    struct job *j = arg;
    enum status st = put_objects(core, j);
    return st == ST_OK ? store_rows(core, j) : st;
}

/* --- on the worker's threads --- */

static enum status run(struct job *j)
{
    enum status st = ST_OK;
    if (str_set(j->c->clear_prefix)) {
        do {
            st = core_sync(j->w->core, clear_some, j);
        } while (st == ST_OK && j->more_to_clear);
    }
    return st == ST_OK ? core_sync(j->w->core, commit_all, j) : st;
}

enum status dms_commit(struct dms_worker *w, const struct dms_commit *c, struct mysql_err *err)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(COMMIT_ARENA_MAX);
    struct job j = { .w = w, .c = c, .arena = a };
    enum status st = run(&j);
    if (st == ST_OK) {
        for (size_t i = 0; i < c->tables_n; i++) {
            c->tables[i]->def_stored = c->tables[i]->def != NULL;
            c->tables[i]->renamed = c->tables[i]->renamed && !c->tables[i]->def_stored;
        }
        return ST_OK;
    }
    for (size_t i = j.puts_done; i < c->puts_n; i++) {
        dms_piece_discard(core_blobs(w->core), &c->puts[i].piece);
    }
    /* A refusing disk or database may recover; a missing bucket needs somebody's hand. */
    err->kind = st == ST_DB || st == ST_IO ? MYSQL_ERR_LOST : MYSQL_ERR_FATAL;
    err->code = 0;
    err->sqlstate[0] = '\0';
    snprintf(err->text, sizeof(err->text), "%s",
             j.why[0] ? j.why : "the target can't be written just now");
    return st;
}
