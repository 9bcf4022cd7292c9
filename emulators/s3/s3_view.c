/* How Hadoop's S3A works decides what is served:
 * - it opens a file by HEAD, then reads by GET with Range and If-Match of the ETag that HEAD gave;
 * - it asks by HEAD, too, before it creates, renames to or looks for a file, and there a deleted
 * key must be gone: else a rename to it says that the target exists. Its auditing
 *   (fs.s3a.audit.enabled) tells the operation in the Referer; without a Referer every HEAD counts
 *   as one that opens;
 * - readers of Parquet, ORC and Avro ask for the file's status before they open it; so does
 *   FileOutputCommitter with its targets, but it then deletes what it found: that must find it,
 * too;
 * - committers write below _temporary and .spark-staging-*, and folders are empty keys that end in
 * a slash: nobody reads those later, so they are not worth keeping. */
#include "emulators/s3/s3_view.h"

#include "emulators/facade/s3.h"
#include "emulators/s3/s3_model.h"
#include "emulators/s3/s3_range.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"

struct open_view {
    struct link link;
    int64_t id;
    char *access_key;
    size_t access_key_n;
    void (*on_old_read)(void *arg, struct str bucket, struct str key);
    void *arg;
    bool told;
};

static struct str view_key(const struct open_view *v)
{
    return (struct str){ v->access_key, v->access_key_n };
}

static struct open_view *find_view(struct s3 *s3, struct str access_key)
{
    if (str_empty(access_key)) {
        return NULL;
    }
    LIST_FOREACH(item, &s3->views)
    {
        struct open_view *v = CONTAINER_OF(item, struct open_view, link);
        if (str_eq(view_key(v), access_key)) {
            return v;
        }
    }
    return NULL;
}

static void drop_view(struct s3 *s3, struct open_view *v)
{
    atomic_fetch_sub(&s3->n_views, 1);
    list_remove(&v->link);
    free(v->access_key);
    free(v);
}

/* --- life ------------------------------------------------------------------------------------- */

void s3_views_init(struct s3 *s3)
{
    atomic_init(&s3->n_views, 0);
    list_init(&s3->views);
    s3->next_view = clock_now_us(); /* threads remember numbers for longer than a core lives */
}

void s3_views_fini(struct s3 *s3)
{
    LIST_FOREACH(item, &s3->views)
    {
        drop_view(s3, CONTAINER_OF(item, struct open_view, link));
    }
}

enum status s3_view_open(struct core *core, const struct s3_view *view)
{
    struct s3 *s3 = core_state(core, "s3");
    if (str_empty(view->access_key)) {
        return ST_INVALID;
    }
    if (find_view(s3, view->access_key)) {
        return ST_EXISTS;
    }
    struct open_view *v = xcalloc(1, sizeof(*v));
    v->id = s3->next_view++;
    v->access_key = xstrndup(view->access_key.p, view->access_key.n);
    v->access_key_n = view->access_key.n;
    v->on_old_read = view->on_old_read;
    v->arg = view->arg;
    list_append(&s3->views, &v->link);
    atomic_fetch_add(&s3->n_views, 1);
    return ST_OK;
}

static void close_view(struct s3 *s3, struct open_view *v)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(CALL_ARENA_MAX);
    struct s3_kept_row *kept = NULL;
    size_t n = 0;
    enum status st = s3_store_kept_files(core_db(s3->core), a, view_key(v), &kept, &n);
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        blob_intend_release(s3->core, &kept[i].object.ref, kept[i].object.path, kept[i].file);
    }
    if (st == ST_OK) {
        st = s3_store_drop_kept(core_db(s3->core), view_key(v));
    }
    if (st != ST_OK) {
        log_error("s3", "what was kept for a job run stays on disk until the next start: %s",
                  status_name(st));
    }
    drop_view(s3, v);
}

void s3_view_close(struct core *core, struct str access_key)
{
    struct s3 *s3 = core_state(core, "s3");
    struct open_view *v = find_view(s3, access_key);
    if (v) {
        close_view(s3, v);
    }
}

void s3_views_close_all(struct s3 *s3)
{
    LIST_FOREACH(item, &s3->views)
    {
        close_view(s3, CONTAINER_OF(item, struct open_view, link));
    }
}

/* --- keeping ---------------------------------------------------------------------------------- */

static bool worth_keeping(struct str key)
{
    struct str rest = key, segment = STR_NONE;
    if (str_ends(key, STR("/"))) {
        return false;
    }
    while (str_next(&rest, '/', &segment)) {
        if (str_eqz(segment, "_temporary") || str_starts(segment, STR(".spark-staging-"))) {
            return false;
        }
    }
    return true;
}

enum status s3_view_retire(struct s3 *s3, const struct s3_object_row *old,
                           const struct s3_cause *cause)
{
    const struct open_view *v = find_view(s3, cause->access_key);
    if (!v || !worth_keeping(old->key)) {
        return blob_intend_removal(s3->core, &old->ref, old->path);
    }
    int64_t file = 0;
    enum status st = blob_intend_kept(s3->core, &old->ref, old->path, &file);
    if (st != ST_OK) {
        return st;
    }
    struct s3_kept_row row = { .object = *old, .access_key = view_key(v), .view = v->id };
    row.file = file;
    return s3_store_keep(core_db(s3->core), &row);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* "op_open" in "https://audit.example.org/hadoop/1/op_open/<span>/?op=…"; absent: not told. */
static struct str audited_operation(const struct call *c)
{
    struct str mark = STR("/hadoop/1/"), op = STR_NONE, rest = STR_NONE;
    struct str referer = call_header(c, "referer");
    ptrdiff_t at = str_find_str(referer, mark);
    if (at >= 0) {
        str_cut(str_sub(referer, (size_t)at + mark.n, referer.n), '/', &op, &rest);
    }
    return op;
}

static bool is_reading(const struct call *c)
{
    static const char *const reading[] = { "op_open", "op_openfile", "op_get_file_status",
                                           "op_delete" };
    struct str op = str_eqz(c->method, "HEAD") ? audited_operation(c) : STR_NONE;
    if (str_empty(op)) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(reading); i++) {
        if (str_eqz(op, reading[i])) {
            return true;
        }
    }
    return false;
}

struct old_read {
    int64_t view;
    struct str access_key, bucket, key; /* in the memory behind */
    char text[];
};

static struct str append(char **to, struct str s)
{
    struct str copy = { *to, s.n };
    memcpy(*to, s.p, s.n);
    *to += s.n;
    return copy;
}

static void tell(struct core *core, void *arg)
{
    struct old_read *r = arg;
    struct open_view *v = find_view(core_state(core, "s3"), r->access_key);
    if (v && v->id == r->view && !v->told) {
        v->told = true;
        if (v->on_old_read) {
            v->on_old_read(v->arg, r->bucket, r->key);
        }
    }
    free(r);
}

/* Each thread posts once per view; the core drops all but the first. */
static void was_read(struct call *c, const struct s3_kept_row *kept)
{
    static _Thread_local int64_t last_view;
    if (last_view == kept->view) {
        return;
    }
    last_view = kept->view;
    struct str who = c->caller.access_key;
    struct old_read *r = xmalloc(sizeof(*r) + who.n + c->bucket.n + c->key.n);
    char *to = r->text;
    r->view = kept->view;
    r->access_key = append(&to, who);
    r->bucket = append(&to, c->bucket);
    r->key = append(&to, c->key);
    core_post(c->core, tell, r);
}

enum status s3_view_choose(struct call *c, enum status found, struct s3_object_row *row)
{
    struct str if_match = call_header(c, "if-match");
    bool current = found == ST_OK;
    if (atomic_load_explicit(&call_s3(c)->n_views, memory_order_relaxed) == 0 ||
        (current && (!str_set(if_match) || s3_etag_matches(if_match, row->etag))) ||
        (!current && found != ST_NOT_FOUND) || str_empty(c->caller.access_key) ||
        str_find_str(call_header(c, "user-agent"), STR("Hadoop")) < 0 || !is_reading(c)) {
        return found;
    }
    struct s3_kept_row which = { .object = { .bucket = c->bucket, .key = c->key },
                                 .access_key = c->caller.access_key };
    struct s3_kept_row *kept = NULL;
    size_t n = 0, best = 0;
    enum status st = s3_store_kept(c->db, c->arena, &which, &kept, &n);
    if (st != ST_OK) {
        return st;
    }
    while (str_set(if_match) && best < n && !s3_etag_matches(if_match, kept[best].object.etag)) {
        best++;
    }
    if (best == n && (current || n == 0)) {
        return found;
    }
    best = best == n ? 0 : best; /* none has this ETag: the newest one refuses */
    *row = kept[best].object;
    was_read(c, &kept[best]);
    return ST_OK;
}
