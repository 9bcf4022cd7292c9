/* Moving files between tmp/ and buckets/. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/store/blob_impl.h"

static bool is_clash(int error)
{
    switch (error) {
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY:
    case EEXIST:
    case ELOOP:
    case ENAMETOOLONG: /* a file system with shorter names than usual */
    case EINVAL:       /* or with a grammar for them */
    case EILSEQ:
        return true;
    default:
        return false;
    }
}

/* 0 or errno. */
static int rename_to(struct blobs *b, const char *from, const char *path, bool make)
{
    const char *name;
    int dir_fd = blob_parent(b, path, make, &name);
    if (dir_fd < 0) {
        return errno;
    }
    int error = renameat(b->tmp_fd, from, dir_fd, name) == 0 ? 0 : errno;
    close(dir_fd);
    return error;
}

enum place_result blob_place(struct blobs *b, int64_t id, const char *path)
{
    struct blob_name name = blob_name(id);
    int error = rename_to(b, name.z, path, false);
    if (error == ENOENT) {
        struct stat s;
        if (fstatat(b->tmp_fd, name.z, &s, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) {
            return PLACE_GONE;
        }
        error = rename_to(b, name.z, path, true);
    }
    if (error == 0) {
        return PLACE_DONE;
    }
    if (is_clash(error)) {
        return PLACE_CLASH;
    }
    log_error("blob", "cannot move %s/%s to %s/%s: %s", b->tmp_dir, name.z, b->root_dir, path,
              strerror(error));
    return PLACE_FAILED;
}

static int remove_folder(struct blobs *b, const char *path)
{
    const char *name;
    int dir_fd = blob_parent(b, path, false, &name);
    if (dir_fd < 0) {
        return errno;
    }
    int error = unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 ? 0 : errno;
    close(dir_fd);
    return error;
}

/* Removes the folders above `path` that are empty, but not the first one (the bucket's). */
static void prune(struct blobs *b, const char *path)
{
    CLEANUP(free_ptr) char *z = xstrdup(path);
    for (;;) {
        char *slash = strrchr(z, '/');
        if (!slash) {
            return;
        }
        *slash = '\0';
        if (!strchr(z, '/') || remove_folder(b, z) != 0) {
            return;
        }
    }
}

static struct blob_name waste_name(int64_t id)
{
    struct blob_name name;
    snprintf(name.z, sizeof(name.z), "x%lld", (long long)id);
    return name;
}

enum move { MOVED, NOT_THERE, REFUSED };

/* From its place to tmp/ under the name `to`, if it is this ref. */
static enum move move_out(struct blobs *b, const struct blob_ref *ref, const char *path,
                          const char *to)
{
    const char *name;
    int dir_fd = blob_parent(b, path, false, &name);
    enum move result = NOT_THERE;
    if (dir_fd >= 0 && blob_is(dir_fd, name, ref)) {
        result = renameat(dir_fd, name, b->tmp_fd, to) == 0 ? MOVED : REFUSED;
    }
    if (result == REFUSED) {
        log_warn("blob", "cannot remove %s/%s: %s", b->root_dir, path, strerror(errno));
    }
    close_fd(&dir_fd);
    if (result == MOVED) {
        prune(b, path);
    }
    return result;
}

bool blob_take_away(struct blobs *b, const struct blob_ref *ref, const char *path)
{
    struct blob_name waste = waste_name(ref->id), name = blob_name(ref->id);
    enum move result = path ? move_out(b, ref, path, waste.z) : NOT_THERE;
    if (result != NOT_THERE) {
        return result == MOVED;
    }
    return blob_is(b->tmp_fd, name.z, ref) && renameat(b->tmp_fd, name.z, b->tmp_fd, waste.z) == 0;
}

void blob_take_back(struct blobs *b, const struct blob_ref *ref, const char *path)
{
    (void)move_out(b, ref, path, blob_name(ref->id).z); /* elsewhere already, or logged */
}

void blob_remove_top(struct blobs *b, const char *top)
{
    CLEANUP(free_ptr) char *hidden = xasprintf("%s/" BLOB_HIDDEN, top);
    (void)remove_folder(b, hidden);
    int error = remove_folder(b, top);
    if (error != 0 && error != ENOENT) {
        log_info("blob", "the folder %s/%s stays: %s", b->root_dir, top, strerror(error));
    }
}
