/* Folders, staging, reading. */
#include "server/store/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/store/blob_impl.h"

/* --- folders ---------------------------------------------------------------------------------- */

static int open_folder(const char *path)
{
    if (mkdir(path, 0755) != 0 && errno != EEXIST) {
        log_error("blob", "cannot make the folder %s: %s", path, strerror(errno));
        return -1;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        log_error("blob", "cannot open the folder %s: %s", path, strerror(errno));
    }
    return fd;
}

int64_t blob_id_of_name(const char *name)
{
    int64_t id;
    const char *digits = name[0] == 'x' ? name + 1 : name;
    return str_i64(str_z(digits), &id) == ST_OK && id > 0 ? id : 0;
}

static void seed_ids(struct blobs *b)
{
    int64_t id = clock_now_us();
    DIR *dir = fdopendir(openat(b->tmp_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const struct dirent *e;
    while (dir && (e = readdir(dir)) != NULL) {
        int64_t used = blob_id_of_name(e->d_name);
        id = used >= id && used < INT64_MAX ? used + 1 : id;
    }
    if (dir) {
        closedir(dir);
    }
    b->first_id = id;
    atomic_init(&b->next_id, id);
    atomic_init(&b->last_mtime_ns, 0);
}

enum status blobs_open(const char *data_dir, struct blobs **ret)
{
    struct blobs *b = xcalloc(1, sizeof(*b));
    b->tmp_dir = xasprintf("%s/tmp", data_dir);
    b->root_dir = xasprintf("%s/buckets", data_dir);
    b->root_fd = -1;
    list_init(&b->removals);
    b->tmp_fd = open_folder(b->tmp_dir);
    if (b->tmp_fd >= 0) {
        b->root_fd = open_folder(b->root_dir);
    }
    if (b->root_fd < 0) {
        blobs_close(b);
        return ST_IO;
    }
    seed_ids(b);
    *ret = b;
    return ST_OK;
}

void blobs_close(struct blobs *b)
{
    if (!b) {
        return;
    }
    blob_intents_fini(b);
    close_fd(&b->tmp_fd);
    close_fd(&b->root_fd);
    free(b->tmp_dir);
    free(b->root_dir);
    free(b);
}

const char *blobs_tmp_dir(const struct blobs *b)
{
    return b->tmp_dir;
}

const char *blobs_root_dir(const struct blobs *b)
{
    return b->root_dir;
}

/* --- stamps and names ------------------------------------------------------------------------- */

struct blob_name blob_name(int64_t id)
{
    struct blob_name name;
    snprintf(name.z, sizeof(name.z), "%lld", (long long)id);
    return name;
}

static int64_t next_mtime(struct blobs *b)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts); /* the stamp is the file's age for people, too */
    long long now = (long long)ts.tv_sec * 1000000000 + ts.tv_nsec;
    long long last = atomic_load(&b->last_mtime_ns);
    long long next;
    do {
        next = now > last ? now : last + 1;
    } while (!atomic_compare_exchange_weak(&b->last_mtime_ns, &last, next));
    return next;
}

static int64_t mtime_ns(const struct stat *s)
{
    return (int64_t)s->st_mtim.tv_sec * 1000000000 + s->st_mtim.tv_nsec;
}

static bool stat_is(const struct stat *s, const struct blob_ref *ref)
{
    return S_ISREG(s->st_mode) && s->st_size == ref->size && mtime_ns(s) == ref->mtime_ns;
}

bool blob_is(int dir_fd, const char *name, const struct blob_ref *ref)
{
    struct stat s;
    return fstatat(dir_fd, name, &s, AT_SYMLINK_NOFOLLOW) == 0 && stat_is(&s, ref);
}

bool blob_is_at(struct blobs *b, const char *path, const struct blob_ref *ref)
{
    const char *name;
    int dir_fd = blob_parent(b, path, false, &name);
    bool is = dir_fd >= 0 && blob_is(dir_fd, name, ref);
    close_fd(&dir_fd);
    return is;
}

/* --- staging ---------------------------------------------------------------------------------- */

enum status blob_stage(struct blobs *b, int *ret_fd, int64_t *ret_id)
{
    int64_t id = atomic_fetch_add(&b->next_id, 1);
    int fd = openat(b->tmp_fd, blob_name(id).z, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) {
        log_error("blob", "cannot create %s/%lld: %s", b->tmp_dir, (long long)id, strerror(errno));
        return ST_IO;
    }
    *ret_fd = fd;
    *ret_id = id;
    return ST_OK;
}

enum status blob_stage_end(struct blobs *b, int fd, int64_t id, struct blob_ref *ret)
{
    int64_t stamp = next_mtime(b);
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
                                 { .tv_sec = stamp / 1000000000, .tv_nsec = stamp % 1000000000 } };
    struct stat s;
    /* Read back: some file systems keep coarser times, and the ref must say what they kept. */
    bool ok = futimens(fd, times) == 0 && fstat(fd, &s) == 0 && (!b->durable || fsync(fd) == 0);
    int why = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        why = errno;
    }
    if (!ok) {
        log_error("blob", "cannot finish %s/%lld: %s", b->tmp_dir, (long long)id, strerror(why));
        return ST_IO;
    }
    *ret = (struct blob_ref){ .id = id, .size = s.st_size, .mtime_ns = mtime_ns(&s) };
    return ST_OK;
}

void blob_discard(struct blobs *b, int fd, int64_t id)
{
    if (fd >= 0) {
        close(fd);
    }
    if (unlinkat(b->tmp_fd, blob_name(id).z, 0) != 0 && errno != ENOENT) {
        log_warn("blob", "cannot delete %s/%lld: %s", b->tmp_dir, (long long)id, strerror(errno));
    }
}

/* --- reading ---------------------------------------------------------------------------------- */

/* The opened file if it is this ref, else -1. */
static int open_ref(int dir_fd, const char *path, const struct blob_ref *ref)
{
    int fd = blob_open_beneath(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat s;
    if (fd >= 0 && (fstat(fd, &s) != 0 || !stat_is(&s, ref))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Where a file is that clashed when it was placed, until its row knows: a plain path is top/key. */
static int open_moved(struct blobs *b, struct str path, const struct blob_ref *ref)
{
    struct str top, key;
    if (!str_cut(path, '/', &top, &key)) {
        return -1;
    }
    CLEANUP(arena_freep) struct arena *a = arena_new(BLOB_ESCAPED_MAX);
    return open_ref(b->root_fd, blob_path_escaped(a, top, key).p, ref);
}

enum status blob_open(struct blobs *b, const struct blob_ref *ref, struct str path, int *ret_fd)
{
    char z[BLOB_PATH_MAX + 1];
    bool placed = path.n > 0 && path.n <= BLOB_PATH_MAX;
    if (placed) {
        memcpy(z, path.p, path.n);
        z[path.n] = '\0';
    }
    int fd = placed ? open_ref(b->root_fd, z, ref) : -1;
    if (fd < 0) {
        fd = open_ref(b->tmp_fd, blob_name(ref->id).z, ref);
    }
    /* It may have been renamed from tmp/ to its place between the two looks. */
    if (fd < 0 && placed) {
        fd = open_ref(b->root_fd, z, ref);
    }
    if (fd < 0 && placed) {
        fd = open_moved(b, path, ref);
    }
    *ret_fd = fd;
    return fd >= 0 ? ST_OK : ST_NOT_FOUND;
}
