/* What shall happen to files, written in the transaction of its cause (table blob_intent), carried
 * out after the commit, finished by blobs_recover() when a crash came between.
 *
 * Every step may be repeated: placing looks for the file in tmp/, removing asks whether the file
 * still is the ref. So rows of intents that are done may stay for a while, and are deleted in
 * batches along with later ones. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/loop.h"
#include "server/store/blob_impl.h"
#include "server/store/db.h"
#include "server/store/tree.h"

enum intent_kind {
    INTENT_PLACE = 1,
    INTENT_REMOVE = 2,
    INTENT_STAGED = 3, /* stays in tmp/: not carried out, but remembered */
    INTENT_REMOVE_TOP = 4,
    INTENT_RESET = 5, /* everything goes; `size` is the inode of the folder that is meant */
};

struct intent {
    struct blobs *b;
    int64_t id;
    enum intent_kind kind;
    struct blob_ref ref;
    struct str path, top, key; /* NUL-terminated beyond their length */
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS blob_intent(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
    " ref_id INTEGER, size INTEGER, mtime_ns INTEGER, path TEXT, top TEXT, key BLOB);"
    "CREATE INDEX IF NOT EXISTS blob_intent_staged ON blob_intent(ref_id) WHERE kind=3;";

/* --- rows ------------------------------------------------------------------------------------- */

static void intent_is_done(struct blobs *b, int64_t id)
{
    if (b->n_done == b->cap_done) {
        b->cap_done = b->cap_done ? b->cap_done * 2 : BLOB_CLEAR_BATCH;
        b->done = xrealloc(b->done, b->cap_done * sizeof(*b->done));
    }
    b->done[b->n_done++] = id;
}

/* Deletes the rows of what is done, run by run of neighbouring numbers. If the pass is rolled back
 * they stay until the next start, which does no harm. */
static enum status clear_done(struct blobs *b)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < b->n_done && st == ST_OK;) {
        size_t end = i + 1;
        while (end < b->n_done && b->done[end] == b->done[end - 1] + 1) {
            end++;
        }
        st = db_exec(core_db(b->core), "DELETE FROM blob_intent WHERE id BETWEEN ? AND ?",
                     bi(b->done[i]), bi(b->done[end - 1]));
        i = end;
    }
    b->n_done = 0;
    return st;
}

static enum status add_row(struct blobs *b, enum intent_kind kind, const struct blob_ref *ref,
                           const struct intent *names, int64_t *ret_id)
{
    enum status st = b->n_done >= BLOB_CLEAR_BATCH ? clear_done(b) : ST_OK;
    if (st == ST_OK) {
        *ret_id = b->next_intent++;
        st = db_exec(core_db(b->core), "INSERT INTO blob_intent VALUES(?,?,?,?,?,?,?,?)",
                     bi(*ret_id), bi(kind), ref ? bi(ref->id) : bn(), ref ? bi(ref->size) : bn(),
                     ref ? bi(ref->mtime_ns) : bn(), bs(names->path), bs(names->top),
                     bb(names->key));
    }
    return st;
}

static enum status forget_staged(struct blobs *b, int64_t ref_id)
{
    if (!b->any_staged) {
        return ST_OK;
    }
    return db_exec(core_db(b->core), "DELETE FROM blob_intent WHERE kind=3 AND ref_id=?",
                   bi(ref_id));
}

static struct intent *new_intent(struct blobs *b, enum intent_kind kind, const struct blob_ref *ref,
                                 const struct intent *names)
{
    struct arena *a = core_pass_arena(b->core);
    struct intent *it = ARENA_NEW(a, struct intent);
    *it = (struct intent){ .b = b,
                           .kind = kind,
                           .path = arena_str(a, names->path),
                           .top = arena_str(a, names->top),
                           .key = arena_str(a, names->key) };
    if (ref) {
        it->ref = *ref;
    }
    return it;
}

/* --- placing ---------------------------------------------------------------------------------- */

static void tell_moved(struct intent *it, struct str path)
{
    if (it->b->moved) {
        it->b->moved(it->b->moved_arg, &it->ref, path);
    } else {
        log_error("blob", "%.*s was moved to %.*s, and nobody keeps paths", STR_ARG(it->path),
                  STR_ARG(path));
    }
}

/* It cannot be moved at all: it stays readable in tmp/, for good. */
static void keep_staged(struct intent *it)
{
    it->b->any_staged = true;
    status_ignore(db_exec(core_db(it->b->core), /* else the next start tries to place it again */
                          "UPDATE blob_intent SET kind=3 WHERE id=?", bi(it->id)));
}

/* Returns whether the intent's row can go. */
static bool place(struct intent *it)
{
    struct blobs *b = it->b;
    enum place_result result = blob_place(b, it->ref.id, it->path.p);
    CLEANUP(arena_freep) struct arena *a = NULL;
    struct str escaped = STR_NONE;
    if (result != PLACE_DONE) {
        a = arena_new(1 << 16);
        escaped = blob_path_escaped(a, it->top, it->key);
    }
    if (result == PLACE_CLASH || result == PLACE_FAILED) {
        result = blob_place(b, it->ref.id, escaped.p);
        if (result == PLACE_DONE) {
            tell_moved(it, escaped);
        }
    }
    if (result == PLACE_GONE && !blob_is_at(b, it->path.p, &it->ref) &&
        blob_is_at(b, escaped.p, &it->ref)) {
        tell_moved(it, escaped); /* a crash came before the row knew */
    }
    if (result == PLACE_CLASH || result == PLACE_FAILED) {
        keep_staged(it);
        return false;
    }
    return true;
}

static void after_place(void *arg, bool committed)
{
    struct intent *it = arg;
    if (committed && place(it)) {
        intent_is_done(it->b, it->id);
    }
}

enum status blob_intend(struct core *core, const struct blob_ref *ref, struct str path,
                        struct str top, struct str key)
{
    struct blobs *b = core_blobs(core);
    if (path.n > BLOB_PATH_MAX || !blob_path_legal(path)) {
        log_error("blob", "not a path of blob_path(): %.*s", STR_ARG(path));
        return ST_INVALID;
    }
    struct intent names = { .path = path, .top = top, .key = key };
    struct intent *it = new_intent(b, INTENT_PLACE, ref, &names);
    enum status st = forget_staged(b, ref->id);
    if (st == ST_OK) {
        st = add_row(b, INTENT_PLACE, ref, &names, &it->id);
    }
    if (st == ST_OK) {
        core_after_commit(core, after_place, it);
    }
    return st;
}

enum status blob_intend_staged(struct core *core, const struct blob_ref *ref)
{
    struct blobs *b = core_blobs(core);
    int64_t id;
    b->any_staged = true;
    return add_row(b, INTENT_STAGED, ref, &(struct intent){ 0 }, &id);
}

void blobs_on_moved(struct blobs *b, blob_moved_fn fn, void *arg)
{
    b->moved = fn;
    b->moved_arg = arg;
}

/* --- removing --------------------------------------------------------------------------------- */

/* Outlives the pass: removals are carried out a few at a time. */
struct removal {
    struct link link;
    int64_t intent;
    bool is_top;
    struct blob_ref ref;
    char *path; /* or the top; NULL: in tmp/ */
};

static void removal_free(struct removal *r)
{
    free(r->path);
    free(r);
}

/* Deleting takes long on journalling file systems: not on the core thread. */
struct waste {
    char *dir;
    size_t n;
    int64_t ids[BLOB_REMOVE_BATCH];
};

static void delete_waste(void *arg)
{
    const struct waste *w = arg;
    for (size_t i = 0; i < w->n; i++) {
        CLEANUP(free_ptr) char *path = xasprintf("%s/x%lld", w->dir, (long long)w->ids[i]);
        status_ignore(tree_remove(path)); /* logged; the next start tries again */
    }
}

static void waste_deleted(void *arg)
{
    struct waste *w = arg;
    free(w->dir);
    free(w);
}

static struct waste *waste_new(struct blobs *b)
{
    struct waste *w = xcalloc(1, sizeof(*w));
    w->dir = xstrdup(b->tmp_dir);
    return w;
}

static void carry_out(void *arg)
{
    struct blobs *b = arg;
    struct waste *w = waste_new(b);
    int n = 0;
    while (!list_empty(&b->removals) && n++ < BLOB_REMOVE_BATCH) {
        struct removal *r = CONTAINER_OF(b->removals.next, struct removal, link);
        list_remove(&r->link);
        if (r->is_top) {
            blob_remove_top(b, r->path);
        } else if (blob_take_away(b, &r->ref, r->path)) {
            w->ids[w->n++] = r->ref.id;
        }
        intent_is_done(b, r->intent);
        removal_free(r);
    }
    b->removing = !list_empty(&b->removals);
    if (b->removing) {
        loop_post(core_loop(b->core), carry_out, b);
    }
    if (w->n > 0) {
        work_start(core_loop(b->core), delete_waste, waste_deleted, w);
    } else {
        waste_deleted(w);
    }
}

static void after_removal(void *arg, bool committed)
{
    const struct intent *it = arg;
    struct blobs *b = it->b;
    if (!committed) {
        return;
    }
    struct removal *r = xcalloc(1, sizeof(*r));
    r->intent = it->id;
    r->is_top = it->kind == INTENT_REMOVE_TOP;
    r->ref = it->ref;
    struct str path = r->is_top ? it->top : it->path;
    r->path = str_set(path) ? xstrndup(path.p, path.n) : NULL;
    list_append(&b->removals, &r->link);
    if (!b->removing) {
        b->removing = true;
        loop_post(core_loop(b->core), carry_out, b);
    }
}

/* The row that says that the file shall go; `then` is called after the commit. */
static enum status intend_gone(struct core *core, const struct blob_ref *ref, struct str path,
                               void (*then)(void *arg, bool committed), int64_t *ret_id)
{
    struct blobs *b = core_blobs(core);
    if (str_set(path) && !blob_path_legal(path)) {
        log_error("blob", "not a path of blob_path(): %.*s", STR_ARG(path));
        return ST_INVALID;
    }
    struct intent names = { .path = path };
    struct intent *it = new_intent(b, INTENT_REMOVE, ref, &names);
    enum status st = forget_staged(b, ref->id);
    if (st == ST_OK) {
        st = add_row(b, INTENT_REMOVE, ref, &names, &it->id);
    }
    if (st == ST_OK) {
        *ret_id = it->id;
        core_after_commit(core, then, it);
    }
    return st;
}

enum status blob_intend_removal(struct core *core, const struct blob_ref *ref, struct str path)
{
    int64_t id;
    return intend_gone(core, ref, path, after_removal, &id);
}

/* The place is free for another file at once; the intent's row stays until the release, so that a
 * start after a crash removes the file. */
static void after_keep(void *arg, bool committed)
{
    const struct intent *it = arg;
    if (committed && str_set(it->path)) {
        blob_take_back(it->b, &it->ref, it->path.p);
    }
}

enum status blob_intend_kept(struct core *core, const struct blob_ref *ref, struct str path,
                             int64_t *ret_kept)
{
    return intend_gone(core, ref, path, after_keep, ret_kept);
}

void blob_intend_release(struct core *core, const struct blob_ref *ref, struct str path,
                         int64_t kept)
{
    struct intent names = { .path = path };
    struct intent *it = new_intent(core_blobs(core), INTENT_REMOVE, ref, &names);
    it->id = kept;
    core_after_commit(core, after_removal, it);
}

enum status blob_intend_top_removal(struct core *core, struct str top)
{
    struct blobs *b = core_blobs(core);
    if (!blob_path_legal(top) || str_find(top, '/', 0) >= 0) {
        log_error("blob", "not the name of a folder: %.*s", STR_ARG(top));
        return ST_INVALID;
    }
    struct intent names = { .top = top };
    struct intent *it = new_intent(b, INTENT_REMOVE_TOP, NULL, &names);
    enum status st = add_row(b, INTENT_REMOVE_TOP, NULL, &names, &it->id);
    if (st == ST_OK) {
        core_after_commit(core, after_removal, it);
    }
    return st;
}

/* --- everything ------------------------------------------------------------------------------- */

/* Of the folder buckets/; 0: not to be known. */
static int64_t root_inode(const struct blobs *b)
{
    struct stat s;
    return fstat(b->root_fd, &s) == 0 ? (int64_t)s.st_ino : 0;
}

/* The folder is swapped for a fresh one at once; readers keep the descriptor's number. */
static void swap_root(struct blobs *b)
{
    int64_t id = atomic_fetch_add(&b->next_id, 1);
    CLEANUP(free_ptr) char *name = xasprintf("%s/x%lld", b->tmp_dir, (long long)id);
    if (rename(b->root_dir, name) != 0 || mkdir(b->root_dir, 0755) != 0) {
        log_error("blob", "cannot empty %s: %s", b->root_dir, strerror(errno));
        return;
    }
    int fd = open(b->root_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || dup3(fd, b->root_fd, O_CLOEXEC) < 0) {
        log_error("blob", "cannot open %s: %s", b->root_dir, strerror(errno));
    }
    close_fd(&fd);
    struct waste *w = waste_new(b);
    w->ids[w->n++] = id;
    work_start(core_loop(b->core), delete_waste, waste_deleted, w);
}

static void after_reset(void *arg, bool committed)
{
    const struct intent *it = arg;
    if (committed) {
        swap_root(it->b);
        intent_is_done(it->b, it->id);
    }
}

enum status blobs_reset(struct blobs *b)
{
    b->any_staged = false;
    struct intent names = { 0 };
    struct blob_ref root = { .size = root_inode(b) };
    struct intent *it = new_intent(b, INTENT_RESET, &root, &names);
    enum status st = add_row(b, INTENT_RESET, &root, &names, &it->id);
    if (st == ST_OK) {
        core_after_commit(b->core, after_reset, it);
    }
    return st;
}

/* --- start and end ---------------------------------------------------------------------------- */

enum status blobs_attach(struct blobs *b, struct core *core, bool durable)
{
    b->core = core;
    b->durable = durable;
    enum status st = db_script(core_db(core), schema);
    int64_t last = 0;
    if (st == ST_OK) {
        st = db_get_i64(core_db(core), &last, "SELECT coalesce(max(id),0) FROM blob_intent");
    }
    b->next_intent = last + 1;
    return st;
}

static void recover_one(struct blobs *b, struct intent *it, struct waste **w)
{
    switch (it->kind) {
    case INTENT_PLACE:
        place(it);
        break;
    case INTENT_REMOVE:
        if (blob_take_away(b, &it->ref, it->path.p)) {
            (*w)->ids[(*w)->n++] = it->ref.id;
        }
        break;
    case INTENT_REMOVE_TOP:
        blob_remove_top(b, it->top.p);
        break;
    case INTENT_STAGED:
        b->any_staged = true;
        break;
    case INTENT_RESET:
        if (it->ref.size == root_inode(b)) { /* else it was swapped already */
            swap_root(b);
        }
        break;
    }
    if ((*w)->n == BLOB_REMOVE_BATCH) {
        delete_waste(*w);
        (*w)->n = 0;
    }
}

static enum status recover_intents(struct blobs *b, struct db *db)
{
    struct waste *w = waste_new(b);
    struct rows q;
    status_ignore(db_query(db, &q, /* rows_end repeats it */
                           "SELECT id,kind,ref_id,size,mtime_ns,path,top,key FROM blob_intent"
                           " WHERE id<? ORDER BY id",
                           bi(b->next_intent)));
    while (rows_next(&q)) {
        CLEANUP(arena_freep) struct arena *a = arena_new(1 << 16);
        struct intent it = {
            .b = b,
            .id = rows_i64(&q, 0),
            .kind = (enum intent_kind)rows_i64(&q, 1),
            .ref = { .id = rows_i64(&q, 2), .size = rows_i64(&q, 3), .mtime_ns = rows_i64(&q, 4) },
            .path = rows_str(&q, a, 5),
            .top = rows_str(&q, a, 6),
            .key = rows_str(&q, a, 7)
        };
        recover_one(b, &it, &w);
    }
    delete_waste(w);
    waste_deleted(w);
    enum status st = rows_end(&q);
    return st == ST_OK ? db_exec(db, "DELETE FROM blob_intent WHERE kind<>3") : st;
}

/* A file in tmp/ from before that no intent keeps: an upload that was cut off, or waste. */
static enum status sweep_one(struct blobs *b, struct db *db, const char *name)
{
    int64_t id = blob_id_of_name(name);
    if (id == 0 || id >= b->first_id) {
        return ST_OK;
    }
    int64_t kept = 0;
    if (name[0] != 'x') {
        enum status st = db_get_i64(
            db, &kept, "SELECT count(*) FROM blob_intent WHERE kind=3 AND ref_id=?", bi(id));
        if (st != ST_OK) {
            return st;
        }
    }
    if (!kept) {
        CLEANUP(free_ptr) char *path = xasprintf("%s/%s", b->tmp_dir, name);
        status_ignore(tree_remove(path)); /* logged; it only takes space */
    }
    return ST_OK;
}

enum status blobs_recover(struct blobs *b, struct db *db)
{
    enum status st = recover_intents(b, db);
    if (st != ST_OK) {
        return st;
    }
    DIR *dir = opendir(b->tmp_dir);
    if (!dir) {
        log_error("blob", "cannot read the folder %s: %s", b->tmp_dir, strerror(errno));
        return ST_IO;
    }
    const struct dirent *e;
    while (st == ST_OK && (e = readdir(dir)) != NULL) {
        st = sweep_one(b, db, e->d_name);
    }
    closedir(dir);
    return st;
}

void blob_intents_fini(struct blobs *b)
{
    LIST_FOREACH(item, &b->removals)
    {
        removal_free(CONTAINER_OF(item, struct removal, link));
    }
    list_init(&b->removals);
    free(b->done);
}
