/* Data folders: copied, given away. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulators/rds/rds_internal.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/store/tree.h"

#define COPY_BLOCK (1u << 20)
#define DEPTH_MAX 32 /* folders in folders */

const char *rds_instance_dir(const struct rds *r, struct arena *a, struct str id)
{
    return arena_printf(a, "%s/rds/%.*s", core_config(r->core)->data_dir, STR_ARG(id)).p;
}

const char *rds_snapshot_dir(const struct rds *r, struct arena *a, struct str id)
{
    return arena_printf(a, "%s/rds/snapshots/%.*s", core_config(r->core)->data_dir, STR_ARG(id)).p;
}

/* --- giving away ------------------------------------------------------------------------------ */
bool rds_chown_tree(const char *dir, uid_t uid, gid_t gid)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(RDS_ARENA_MAX);
    DIR *d = opendir(dir);
    bool good = d && lchown(dir, uid, gid) == 0;
    struct dirent *e;
    while (good && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        const char *path = arena_printf(a, "%s/%s", dir, e->d_name).p;
        good = e->d_type == DT_DIR ? rds_chown_tree(path, uid, gid) : lchown(path, uid, gid) == 0;
    }
    if (d) {
        closedir(d);
    }
    return good;
}

/* --- copying ---------------------------------------------------------------------------------- */
/* Bytes [from, to) of one file to the same place of another. */
static bool copy_range(int in, int out, off_t from, off_t to)
{
    while (from < to) {
        off_t at_in = from, at_out = from;
        size_t n = (size_t)(to - from) < COPY_BLOCK ? (size_t)(to - from) : COPY_BLOCK;
        ssize_t done = copy_file_range(in, &at_in, out, &at_out, n, 0);
        if (done <= 0) {
            return done == 0 && ftruncate(out, to) == 0; /* it became shorter meanwhile */
        }
        from += done;
    }
    return true;
}

static bool copy_file(int in, int out, off_t size)
{
    off_t at = 0;
    while (at < size) {
        off_t data = lseek(in, at, SEEK_DATA);
        if (data < 0) {
            break; /* only a hole to the end */
        }
        off_t hole = lseek(in, data, SEEK_HOLE);
        if (hole < 0 || !copy_range(in, out, data, hole)) {
            return false;
        }
        at = hole;
    }
    return ftruncate(out, size) == 0;
}

static bool copy_entry(int from, int to, const char *name, int depth);

static bool copy_dir(int from, int to, int depth)
{
    int fd = dup(from);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    bool good = d != NULL;
    struct dirent *e;
    while (good && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            good = copy_entry(from, to, e->d_name, depth);
        }
    }
    int why = errno;
    if (d) {
        closedir(d);
    } else if (fd >= 0) {
        close(fd);
    }
    errno = why;
    return good;
}

/* Owner and mode of the original, where we may. */
static bool keep_owner(int out, const struct stat *info)
{
    return fchmod(out, info->st_mode & 0777) == 0 &&
           (fchown(out, info->st_uid, info->st_gid) == 0 || geteuid() != 0);
}

/* A plain file or a folder; sockets and other things that live in a data folder aren't data. */
static bool copy_entry(int from, int to, const char *name, int depth)
{
    struct stat info;
    CLEANUP(close_fd) int in = -1;
    CLEANUP(close_fd) int out = -1;
    if (fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT; /* it went meanwhile */
    }
    if (S_ISDIR(info.st_mode) && depth < DEPTH_MAX) {
        in = openat(from, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        out = in >= 0 && mkdirat(to, name, 0700) == 0
                  ? openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                  : -1;
        return out >= 0 && copy_dir(in, out, depth + 1) && keep_owner(out, &info);
    }
    if (!S_ISREG(info.st_mode)) {
        return true;
    }
    in = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    out = in >= 0 ? openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    return out >= 0 && fstat(in, &info) == 0 && copy_file(in, out, info.st_size) &&
           keep_owner(out, &info);
}

bool rds_copy_tree(const char *from, const char *to)
{
    struct stat info;
    CLEANUP(close_fd) int in = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(close_fd) int out = -1;
    if (in < 0 || mkdir(to, 0700) != 0) {
        return false;
    }
    out = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = out >= 0 && fstat(in, &info) == 0 && copy_dir(in, out, 0) && keep_owner(out, &info);
    if (!good) {
        int why = errno;
        status_ignore(tree_remove(to)); /* logged; it only takes space */
        errno = why;
    }
    return good;
}
