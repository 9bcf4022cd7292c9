#include "emulators/glue/merge_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/id.h"
#include "server/base/map.h"
#include "server/base/mem.h"
#include "server/wire/json.h"

#define ARENA_BYTES ((size_t)2 << 30)
#define MANIFEST_BYTES (512u << 20)
#define MANIFEST_VERSION 1
#define REMOVERS 4 /* threads: freeing the pages of a big file takes its time */

enum status merge_dir_fail(struct merge_dir *d, enum status st, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(d->error, sizeof d->error, fmt, ap);
    va_end(ap);
    return st;
}

static enum status system_failed(struct merge_dir *d, const char *what, const char *name)
{
    const char *why = strerrordesc_np(errno);
    return merge_dir_fail(d, ST_IO, "%s%s%s: %s: %s", d->path, name[0] ? "/" : "", name, what,
                          why ? why : "unknown error");
}

static int64_t mtime_ns(const struct stat *s)
{
    return (int64_t)s->st_mtim.tv_sec * 1000000000 + s->st_mtim.tv_nsec;
}

/* --- the manifest ----------------------------------------------------------------------------- */

/* A whole small file; ST_NOT_FOUND when there is none. */
static enum status read_file(struct merge_dir *d, const char *name, struct str *ret)
{
    CLEANUP(close_fd) int fd = openat(d->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat s;
    if (fd < 0) {
        return errno == ENOENT ? ST_NOT_FOUND : system_failed(d, "cannot be opened", name);
    }
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode) || s.st_size > (off_t)MANIFEST_BYTES) {
        return merge_dir_fail(d, ST_INVALID, "%s/%s is no manifest (not a file, or too big)",
                              d->path, name);
    }
    char *p = arena_alloc(d->arena, (size_t)s.st_size + 1);
    size_t n = 0;
    while (n < (size_t)s.st_size) {
        ssize_t got = read(fd, p + n, (size_t)s.st_size - n);
        if (got <= 0) {
            return system_failed(d, "cannot be read", name);
        }
        n += (size_t)got;
    }
    *ret = (struct str){ p, n };
    return ST_OK;
}

static enum status parse_manifest(struct merge_dir *d, const char *name,
                                  const struct json_value **ret)
{
    struct str text = STR_NONE;
    struct str why = STR_NONE;
    struct json_value *v = NULL;
    enum status st = read_file(d, name, &text);
    if (st != ST_OK) {
        return st;
    }
    if (json_parse(d->arena, text, &v, &why) != ST_OK || v->kind != JSON_OBJECT ||
        json_get_i64(v, "version", 0) != MANIFEST_VERSION) {
        return merge_dir_fail(d, ST_INVALID,
                              "%s/%s cannot be understood (%.*s); without it the data set is "
                              "read anew, but files that were merged may be merged again: look at "
                              "it, then delete it",
                              d->path, name, STR_ARG(str_set(why) ? why : STR("another version")));
    }
    *ret = v;
    return ST_OK;
}

static struct str *take_strings(struct merge_dir *d, const struct json_value *list, size_t *ret_n)
{
    *ret_n = list && list->kind == JSON_ARRAY ? list->n : 0;
    struct str *s = ARENA_ARRAY(d->arena, struct str, *ret_n + 1);
    size_t i = 0;
    for (const struct json_value *v = *ret_n ? list->first : NULL; v; v = v->next) {
        s[i++] = v->kind == JSON_STRING ? v->str : STR_NONE;
    }
    return s;
}

/* Is this a name in the folder, and none that leads out of it? */
static bool plain_name(struct str s)
{
    return !str_empty(s) && s.n <= NAME_MAX && str_find(s, '/', 0) < 0 &&
           str_find(s, '\0', 0) < 0 && !str_eq(s, STR(".")) && !str_eq(s, STR(".."));
}

static struct merge_dir_part take_part(const struct json_value *v)
{
    return (struct merge_dir_part){
        .name = json_get_str(v, "name"),
        .bytes = json_get_i64(v, "bytes", -1),
        .mtime_ns = json_get_i64(v, "mtime_ns", -1),
        .rows = json_get_i64(v, "rows", -1),
        .first_key = json_get_str(v, "first_key"),
        .last_key = json_get_str(v, "last_key"),
    };
}

/* Tells the parts that are as the manifest says what it knows of them. */
static void know_parts(struct merge_dir *d, const struct json_value *parts)
{
    struct map by_name;
    map_init(&by_name);
    for (size_t i = 0; i < d->n_parts; i++) {
        map_put(&by_name, d->part[i].name, &d->part[i]);
    }
    bool list = parts && parts->kind == JSON_ARRAY;
    for (const struct json_value *v = list ? parts->first : NULL; v; v = v->next) {
        struct merge_dir_part said = take_part(v);
        struct merge_dir_part *p = map_get(&by_name, said.name);
        if (p && p->bytes == said.bytes && p->mtime_ns == said.mtime_ns) {
            *p = said;
        }
    }
    map_fini(&by_name);
}

static enum status load_manifest(struct merge_dir *d)
{
    const struct json_value *v = NULL;
    enum status st = parse_manifest(d, MERGE_DIR_MANIFEST, &v);
    if (st != ST_OK) {
        return st == ST_NOT_FOUND ? ST_OK : st;
    }
    d->known = true;
    d->key = json_get_str(v, "key");
    struct str delimiter = json_get_str(v, "delimiter");
    d->delimiter = ',';
    if (delimiter.n == 1) {
        d->delimiter = delimiter.p[0];
    }
    d->header = json_get_bool(v, "header", false);
    d->columns = take_strings(d, json_get(v, "columns"), &d->n_columns);
    d->merged = take_strings(d, json_get(v, "merged"), &d->n_merged);
    for (size_t i = 0; i < d->n_merged; i++) {
        map_put(d->merged_set, d->merged[i], d->merged);
    }
    know_parts(d, json_get(v, "parts"));
    return ST_OK;
}

/* --- what is there ---------------------------------------------------------------------------- */

static enum status add_file(struct merge_dir *d, const char *z)
{
    struct stat s;
    struct str name = arena_strz(d->arena, z);
    if (str_starts(name, STR(MERGE_DIR_HIDDEN)) && str_ends(name, STR(".tmp"))) {
        return unlinkat(d->fd, z, 0) == 0 ? ST_OK : system_failed(d, "cannot be deleted", z);
    }
    if (z[0] == '.' || z[0] == '_') {
        return ST_OK;
    }
    if (fstatat(d->fd, z, &s, 0) != 0) {
        return system_failed(d, "cannot be looked at", z);
    }
    if (!S_ISREG(s.st_mode)) {
        return merge_dir_fail(d, ST_INVALID, "%s/%s is not a plain file; a data set has only those",
                              d->path, z);
    }
    if (!str_utf8(name) || str_ends(name, STR(".gz"))) {
        return merge_dir_fail(d, ST_INVALID, "%s/%s: %s", d->path, z,
                              str_utf8(name) ? "parts cannot be compressed; gunzip it first"
                                             : "the name is not UTF-8; rename it first");
    }
    ARENA_GROW(d->arena, d->part, d->n_parts);
    d->part[d->n_parts++] = (struct merge_dir_part){
        .name = name, .bytes = s.st_size, .mtime_ns = mtime_ns(&s), .rows = -1
    };
    return ST_OK;
}

static int by_name(const void *va, const void *vb)
{
    return str_cmp(((const struct merge_dir_part *)va)->name,
                   ((const struct merge_dir_part *)vb)->name);
}

static enum status list_folder(struct merge_dir *d)
{
    int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        return system_failed(d, "cannot be read", "");
    }
    enum status st = ST_OK;
    const struct dirent *e;
    while (st == ST_OK && (e = readdir(dir)) != NULL) {
        st = add_file(d, e->d_name);
    }
    closedir(dir);
    if (d->n_parts > 1) {
        qsort(d->part, d->n_parts, sizeof *d->part, by_name);
    }
    return st;
}

/* --- the switch ------------------------------------------------------------------------------- */

static enum status switch_part(struct merge_dir *d, const struct json_value *v)
{
    struct str name = json_get_str(v, "name");
    struct str from = json_get_str(v, "from");
    if (!plain_name(name) || (str_set(from) && !plain_name(from))) {
        return merge_dir_fail(d, ST_INVALID, "%s/%s names a part that cannot be", d->path,
                              MERGE_DIR_NEXT);
    }
    if (!str_set(from)) {
        return ST_OK;
    }
    const char *to = arena_cstr(d->arena, name);
    if (renameat(d->fd, arena_cstr(d->arena, from), d->fd, to) == 0) {
        return ST_OK;
    }
    struct stat s; /* not there: renamed by the run that was killed */
    return errno == ENOENT && fstatat(d->fd, to, &s, 0) == 0
               ? ST_OK
               : system_failed(d, "cannot be put in place", to);
}

/* Names to be deleted, worked off by some threads. */
struct removal {
    int dir_fd;
    char **name;
    size_t n;
    _Atomic size_t next;
    _Atomic size_t failed; /* index + 1 of one that could not be deleted */
    _Atomic int reason;
};

static void *remove_some(void *arg)
{
    struct removal *r = arg;
    size_t i;
    while ((i = atomic_fetch_add(&r->next, 1)) < r->n) {
        if (unlinkat(r->dir_fd, r->name[i], 0) != 0 && errno != ENOENT) {
            atomic_store(&r->reason, errno);
            atomic_store(&r->failed, i + 1);
        }
    }
    return NULL;
}

static enum status remove_parts(struct merge_dir *d, const struct json_value *list)
{
    size_t n = 0;
    const struct str *gone = take_strings(d, list, &n);
    struct removal r = { .dir_fd = d->fd, .name = ARENA_ARRAY(d->arena, char *, n + 1) };
    for (size_t i = 0; i < n; i++) {
        if (plain_name(gone[i])) {
            r.name[r.n++] = arena_cstr(d->arena, gone[i]);
        }
    }
    pthread_t thread[REMOVERS];
    size_t started = 0;
    while (started < REMOVERS && started + 1 < r.n &&
           pthread_create(&thread[started], NULL, remove_some, &r) == 0) {
        started++;
    }
    remove_some(&r);
    while (started > 0) {
        pthread_join(thread[--started], NULL);
    }
    size_t failed = atomic_load(&r.failed);
    errno = atomic_load(&r.reason);
    return failed > 0 ? system_failed(d, "cannot be deleted", r.name[failed - 1]) : ST_OK;
}

enum status merge_dir_switch(struct merge_dir *d)
{
    const struct json_value *v = NULL;
    enum status st = parse_manifest(d, MERGE_DIR_NEXT, &v);
    if (st != ST_OK) {
        return st == ST_NOT_FOUND ? ST_OK : st;
    }
    const struct json_value *parts = json_get(v, "parts");
    bool list = parts && parts->kind == JSON_ARRAY;
    for (const struct json_value *p = list ? parts->first : NULL; p && st == ST_OK; p = p->next) {
        st = switch_part(d, p);
    }
    if (st == ST_OK) {
        st = remove_parts(d, json_get(v, "removed"));
    }
    if (st == ST_OK && renameat(d->fd, MERGE_DIR_NEXT, d->fd, MERGE_DIR_MANIFEST) != 0) {
        st = system_failed(d, "cannot be put in place", MERGE_DIR_MANIFEST);
    }
    if (st == ST_OK && d->sync && fsync(d->fd) != 0) {
        st = system_failed(d, "cannot be synced", "");
    }
    return st;
}

/* --- opening ---------------------------------------------------------------------------------- */

static enum status take_lock(struct merge_dir *d)
{
    d->lock_fd = openat(d->fd, MERGE_DIR_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (d->lock_fd < 0) {
        return system_failed(d, "cannot be opened", MERGE_DIR_LOCK);
    }
    if (flock(d->lock_fd, LOCK_EX | LOCK_NB) == 0) {
        return ST_OK;
    }
    return errno == EWOULDBLOCK
               ? merge_dir_fail(d, ST_CONFLICT,
                                "another merge is at work in %s; wait until it has ended", d->path)
               : system_failed(d, "cannot be locked", MERGE_DIR_LOCK);
}

enum status merge_dir_open(struct merge_dir *d, const char *path, bool sync)
{
    *d = (struct merge_dir){ .path = path, .sync = sync, .lock_fd = -1, .delimiter = ',' };
    d->arena = arena_new(ARENA_BYTES);
    d->merged_set = xcalloc(1, sizeof *d->merged_set);
    map_init(d->merged_set);
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        d->fd = -1;
        return system_failed(d, "cannot be made", "");
    }
    d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->fd < 0) {
        return system_failed(d, "cannot be opened", "");
    }
    d->uuid = id_uuid(d->arena);
    enum status st = take_lock(d);
    if (st == ST_OK) {
        st = merge_dir_switch(d);
    }
    if (st == ST_OK) {
        st = list_folder(d);
    }
    return st == ST_OK ? load_manifest(d) : st;
}

void merge_dir_close(struct merge_dir *d)
{
    if (!d->arena) {
        return;
    }
    close_fd(&d->fd);
    close_fd(&d->lock_fd);
    map_fini(d->merged_set);
    free(d->merged_set);
    arena_free(d->arena);
    *d = (struct merge_dir){ .fd = -1, .lock_fd = -1 };
}

enum status merge_dir_file_id(struct merge_dir *d, const char *path, struct str *ret)
{
    struct stat s;
    CLEANUP(free_ptr) char *real = realpath(path, NULL);
    if (!real || stat(real, &s) != 0) {
        const char *why = strerrordesc_np(errno);
        return merge_dir_fail(d, ST_IO, "%s: %s", path, why ? why : "unknown error");
    }
    *ret =
        arena_printf(d->arena, "%lld:%lld:%s", (long long)s.st_size, (long long)mtime_ns(&s), real);
    return ST_OK;
}

bool merge_dir_was_merged(const struct merge_dir *d, struct str file_id)
{
    return map_get(d->merged_set, file_id) != NULL;
}

const struct merge_part *merge_dir_parts(struct merge_dir *d, bool ranges)
{
    struct merge_part *list = ARENA_ARRAY(d->arena, struct merge_part, d->n_parts + 1);
    for (size_t i = 0; i < d->n_parts; i++) {
        const struct merge_dir_part *p = &d->part[i];
        list[i] = (struct merge_part){
            .path = arena_printf(d->arena, "%s/%.*s", d->path, STR_ARG(p->name)).p,
            .id = i,
            .rows = -1,
        };
        if (ranges) {
            list[i].rows = p->rows;
            list[i].first_key = p->first_key;
            list[i].last_key = p->last_key;
        }
    }
    return list;
}
