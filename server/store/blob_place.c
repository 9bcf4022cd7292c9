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

/* mkdir -p of the folders above `path`; 0 or errno. */
static int make_parents(struct blobs *b, const char *path)
{
    CLEANUP(free_ptr) char *z = xstrdup(path);
    for (char *slash = strchr(z, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdirat(b->root_fd, z, 0755) != 0 && errno != EEXIST) {
            return errno;
        }
        *slash = '/';
    }
    return 0;
}

static int rename_to(struct blobs *b, const char *from, const char *path)
{
    return renameat(b->tmp_fd, from, b->root_fd, path) == 0 ? 0 : errno;
}

enum place_result blob_place(struct blobs *b, int64_t id, const char *path)
{
    struct blob_name name = blob_name(id);
    int error = rename_to(b, name.z, path);
    if (error == ENOENT) {
        struct stat s;
        if (fstatat(b->tmp_fd, name.z, &s, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) {
            return PLACE_GONE;
        }
        error = make_parents(b, path);
        if (error == 0) {
            error = rename_to(b, name.z, path);
        }
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
        if (!strchr(z, '/') || unlinkat(b->root_fd, z, AT_REMOVEDIR) != 0) {
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

bool blob_take_away(struct blobs *b, const struct blob_ref *ref, const char *path)
{
    struct blob_name waste = waste_name(ref->id);
    if (path && blob_is(b->root_fd, path, ref)) {
        if (renameat(b->root_fd, path, b->tmp_fd, waste.z) != 0) {
            log_warn("blob", "cannot remove %s/%s: %s", b->root_dir, path, strerror(errno));
            return false;
        }
        prune(b, path);
        return true;
    }
    struct blob_name name = blob_name(ref->id);
    return blob_is(b->tmp_fd, name.z, ref) && renameat(b->tmp_fd, name.z, b->tmp_fd, waste.z) == 0;
}

void blob_remove_top(struct blobs *b, const char *top)
{
    CLEANUP(free_ptr) char *hidden = xasprintf("%s/" BLOB_HIDDEN, top);
    unlinkat(b->root_fd, hidden, AT_REMOVEDIR);
    if (unlinkat(b->root_fd, top, AT_REMOVEDIR) != 0 && errno != ENOENT) {
        log_info("blob", "the folder %s/%s stays: %s", b->root_dir, top, strerror(errno));
    }
}
