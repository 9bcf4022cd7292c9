/* For the tests of the merge: a temporary folder that holds input files and a data set of parts,
 * and the sink that writes new parts there. Static functions, one includer per test program. */
#ifndef CISTERN_TESTS_MERGE_FOLDER_H
#define CISTERN_TESTS_MERGE_FOLDER_H

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "emulators/glue/merge/merge.h"
#include "server/base/buf.h"
#include "server/base/mem.h"

#define FOLDER_MAX_BYTES (64u << 20)

struct folder_part {
    char *path;
    char *first_key; /* NULL: give no hint */
    char *last_key;
    int64_t rows;
};

struct folder {
    char dir[64];
    pthread_mutex_t lock; /* the threads of a run share what follows */
    unsigned serial;
    struct folder_part *part; /* the published data set */
    size_t n_parts;
    unsigned n_open;     /* parts opened and neither finished nor discarded */
    unsigned n_finished; /* finished and not discarded since the last run began */
    unsigned n_discarded;
    unsigned fail_open_at; /* the sink refuses the nth part; 0: never */
    uint64_t observed;     /* bytes */
};

struct folder_handle {
    char *path;
    int fd;
    uint64_t observed;
};

static void folder_init(struct folder *f)
{
    *f = (struct folder){ 0 };
    pthread_mutex_init(&f->lock, NULL);
    snprintf(f->dir, sizeof f->dir, "/tmp/test_merge_XXXXXX");
    if (!mkdtemp(f->dir)) {
        abort();
    }
}

static char *folder_path(struct folder *f, const char *what)
{
    return xasprintf("%s/%s-%05u", f->dir, what, f->serial++);
}

/* Writes a new file; the caller frees the path. */
static char *folder_write(struct folder *f, const char *what, struct str bytes, bool gzip)
{
    char *path = folder_path(f, what);
    if (gzip) {
        gzFile z = gzopen(path, "wb1");
        /* two members, as some programs write them */
        size_t half = bytes.n / 2;
        if (half > 0 && gzwrite(z, bytes.p, (unsigned)half) != (int)half) {
            abort();
        }
        gzclose(z);
        z = gzopen(path, "ab1");
        if (bytes.n > half &&
            gzwrite(z, bytes.p + half, (unsigned)(bytes.n - half)) != (int)(bytes.n - half)) {
            abort();
        }
        gzclose(z);
        return path;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes.p, bytes.n) != (ssize_t)bytes.n) {
        abort();
    }
    close(fd);
    return path;
}

static void folder_read(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char p[4096];
    ssize_t n;
    if (fd < 0) {
        abort();
    }
    while ((n = read(fd, p, sizeof p)) > 0) {
        buf_add(out, p, (size_t)n);
    }
    close(fd);
}

static void folder_add_part(struct folder *f, char *path, struct str first, struct str last,
                            int64_t rows)
{
    f->part = xrealloc(f->part, (f->n_parts + 1) * sizeof *f->part);
    f->part[f->n_parts++] = (struct folder_part){
        .path = path,
        .first_key = str_set(first) ? xstrndup(first.p, first.n) : NULL,
        .last_key = str_set(last) ? xstrndup(last.p, last.n) : NULL,
        .rows = rows,
    };
}

static void folder_free_part(struct folder_part *p)
{
    free(p->path);
    free(p->first_key);
    free(p->last_key);
}

static void folder_clear_parts(struct folder *f)
{
    for (size_t i = 0; i < f->n_parts; i++) {
        unlink(f->part[i].path);
        folder_free_part(&f->part[i]);
    }
    free(TAKE(f->part));
    f->n_parts = 0;
}

static void folder_fini(struct folder *f)
{
    folder_clear_parts(f);
    DIR *d = opendir(f->dir);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
    rmdir(f->dir);
    pthread_mutex_destroy(&f->lock);
}

static enum status folder_open_part(void *ctx, int *ret_fd, void **ret_handle)
{
    struct folder *f = ctx;
    pthread_mutex_lock(&f->lock);
    bool fail = f->fail_open_at > 0 && --f->fail_open_at == 0;
    char *path = fail ? NULL : folder_path(f, "part");
    f->n_open += !fail;
    pthread_mutex_unlock(&f->lock);
    if (fail) {
        return ST_DB;
    }
    struct folder_handle *h = xcalloc(1, sizeof *h);
    h->path = path;
    h->fd = open(h->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    *ret_fd = h->fd;
    *ret_handle = h;
    return h->fd >= 0 ? ST_OK : ST_IO;
}

static enum status folder_finish_part(void *ctx, void *handle, const struct merge_part_info *info)
{
    struct folder *f = ctx;
    struct folder_handle *h = handle;
    struct stat st;
    if (fstat(h->fd, &st) != 0 || (uint64_t)st.st_size != info->bytes ||
        h->observed != info->bytes) {
        return ST_IO;
    }
    close(h->fd);
    h->fd = -1;
    pthread_mutex_lock(&f->lock);
    f->n_open--;
    f->n_finished++;
    pthread_mutex_unlock(&f->lock);
    return ST_OK;
}

static void folder_discard_part(void *ctx, void *handle)
{
    struct folder *f = ctx;
    struct folder_handle *h = handle;
    pthread_mutex_lock(&f->lock);
    if (h->fd >= 0) {
        close(h->fd);
        f->n_open--;
    } else {
        f->n_finished--;
    }
    f->n_discarded++;
    pthread_mutex_unlock(&f->lock);
    unlink(h->path);
    free(h->path);
    free(h);
}

static void folder_observe(void *ctx, void *handle, const void *p, size_t n)
{
    struct folder *f = ctx;
    (void)p;
    ((struct folder_handle *)handle)->observed += n;
    pthread_mutex_lock(&f->lock);
    f->observed += n;
    pthread_mutex_unlock(&f->lock);
}

/* Runs the job on the folder's data set and publishes the outcome if it is ST_OK. `spec`, loads
 * and changes are the caller's. */
static enum status folder_merge(struct folder *f, struct merge_job job, struct merge_result *ret)
{
    struct merge_part *parts = xcalloc(f->n_parts + 1, sizeof *parts);
    for (size_t i = 0; i < f->n_parts; i++) {
        parts[i] = (struct merge_part){
            .path = f->part[i].path,
            .first_key = str_z(f->part[i].first_key),
            .last_key = str_z(f->part[i].last_key),
            .rows = f->part[i].rows,
        };
    }
    f->n_finished = f->n_discarded = 0;
    job.parts = parts;
    job.n_parts = f->n_parts;
    job.sink = (struct merge_sink){ f, folder_open_part, folder_finish_part, folder_discard_part,
                                    folder_observe };
    enum status st = merge_run(&job, ret);
    free(parts);
    if (st != ST_OK) {
        return st;
    }
    struct folder old = *f;
    f->part = NULL;
    f->n_parts = 0;
    for (size_t i = 0; i < old.n_parts; i++) {
        struct folder_part *p = &old.part[i];
        if (ret->kept[i]) {
            const struct merge_part_info *info = &ret->part_info[i];
            folder_add_part(f, TAKE(p->path), info->first_key, info->last_key, (int64_t)info->rows);
        } else {
            unlink(p->path);
        }
        folder_free_part(p);
    }
    free(old.part);
    for (size_t i = 0; i < ret->n_written; i++) {
        struct folder_handle *h = ret->written[i].handle;
        const struct merge_part_info *info = &ret->written[i].info;
        folder_add_part(f, h->path, info->first_key, info->last_key, (int64_t)info->rows);
        free(h);
    }
    return ST_OK;
}

#endif
