#include "emulators/lambda/lambda_package.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "server/base/digest.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/loop/loop.h"

/* Entries of a zip need a few hundred bytes each. */
#define PACKAGE_ARENA_MAX (256u << 20)

struct str lambda_package_folder(struct lambda *l, struct arena *a, const struct lambda_key *key)
{
    return arena_printf(a, "%s/%.*s/%.*s", l->dir, STR_ARG(key->account), STR_ARG(key->name));
}

struct str lambda_package_root(struct lambda *l, struct arena *a, const struct lambda_row *row)
{
    struct str folder = lambda_package_folder(l, a, &row->key);
    return arena_printf(a, "%.*s/%.*s", STR_ARG(folder), STR_ARG(row->code_dir));
}

/* --- the worker's part ------------------------------------------------------------------------ */

static void fail(struct lambda_package *p, bool ours, const char *what, const char *path)
{
    p->ours = ours;
    p->why = arena_printf(p->arena, "%s %s: %s", what, path, strerror(errno));
}

static bool make_folders(struct lambda_package *p)
{
    char *path = arena_cstr(p->arena, p->folder);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int rc = mkdir(path, 0755);
        if (rc != 0 && errno != EEXIST) {
            fail(p, true, "cannot make the folder", path);
            return false;
        }
        *slash = '/';
    }
    if (mkdir(path, 0755) != 0 && errno != EEXIST) {
        fail(p, true, "cannot make the folder", path);
        return false;
    }
    return true;
}

/* The file's bytes in fresh memory. */
static char *read_zip(struct lambda_package *p, size_t *ret_n)
{
    struct stat s;
    if (fstat(p->fd, &s) != 0) {
        fail(p, true, "cannot read", "the object");
        return NULL;
    }
    if (s.st_size > LAMBDA_UNZIPPED_MAX) {
        p->why = arena_printf(p->arena, "Unzipped size must be smaller than %d bytes",
                              LAMBDA_UNZIPPED_MAX);
        return NULL;
    }
    size_t n = (size_t)s.st_size, at = 0;
    char *bytes = xmalloc(n + 1);
    while (at < n) {
        ssize_t got = pread(p->fd, bytes + at, n - at, (off_t)at);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            fail(p, true, "cannot read", "the object");
            free(bytes);
            return NULL;
        }
        at += got > 0 ? (size_t)got : 0;
    }
    *ret_n = n;
    return bytes;
}

static bool write_file(struct lambda_package *p, const char *path, struct str bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    size_t at = 0;
    while (fd >= 0 && at < bytes.n) {
        ssize_t done = write(fd, bytes.p + at, bytes.n - at);
        if (done < 0 && errno != EINTR) {
            break;
        }
        at += done > 0 ? (size_t)done : 0;
    }
    if (fd < 0 || at < bytes.n) {
        fail(p, true, "cannot write", path);
    }
    close_fd(&fd);
    return fd >= 0 && at == bytes.n;
}

static bool move(struct lambda_package *p, const char *from, const char *to)
{
    if (rename(from, to) == 0 || errno == EEXIST || errno == ENOTEMPTY) {
        return true; /* the same code is there already */
    }
    fail(p, true, "cannot rename to", to);
    return false;
}

/* Unpacks beside the final place and moves it there. */
static void unpack(struct lambda_package *p, struct str zip)
{
    struct arena *a = p->arena;
    struct str id = id_hex(a, 16);
    const char *draft = arena_printf(a, "%.*s/.new-%.*s", STR_ARG(p->folder), STR_ARG(id)).p;
    const char *draft_zip = arena_printf(a, "%s.zip", draft).p;
    const char *place = arena_printf(a, "%.*s/%.*s", STR_ARG(p->folder), STR_ARG(p->dir)).p;
    const char *place_zip = arena_printf(a, "%s.zip", place).p;
    if (mkdir(draft, 0755) != 0) {
        fail(p, true, "cannot make the folder", draft);
        return;
    }
    enum status st = lambda_unzip(a, zip, draft, p->may_be_empty, &p->why);
    p->ours = st == ST_IO;
    p->good = st == ST_OK && write_file(p, draft_zip, zip) && move(p, draft_zip, place_zip) &&
              move(p, draft, place); /* what stays of a draft is swept later */
}

static void package_run(void *arg)
{
    struct lambda_package *p = arg;
    CLEANUP(free_ptr) char *bytes = NULL;
    struct str zip = p->zip;
    if (!str_set(zip)) {
        size_t n = 0;
        bytes = read_zip(p, &n);
        if (!bytes) {
            return;
        }
        zip = (struct str){ bytes, n };
    }
    unsigned char sha[DIGEST_MAX];
    digest_bytes(DIGEST_SHA256, zip.p, zip.n, sha);
    p->sha256 = base64_encode(p->arena, sha, 32);
    p->dir = hex_encode(p->arena, sha, 32);
    p->size = (int64_t)zip.n;
    if (make_folders(p)) {
        unpack(p, zip);
    }
}

static void package_done(void *arg)
{
    struct lambda_package *p = arg;
    p->done(p);
}

void lambda_package_start(struct lambda *l, struct lambda_package *p)
{
    p->arena = arena_new(PACKAGE_ARENA_MAX);
    work_start(core_loop(l->core), package_run, package_done, p);
}

void lambda_package_fini(struct lambda_package *p)
{
    close_fd(&p->fd);
    p->fd = -1;
    arena_free(TAKE(p->arena));
}
