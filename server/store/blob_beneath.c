/* Opening what lies below buckets/ without following a symbolic link: whoever may write there (a
 * local user) cannot make us read, write or delete elsewhere by putting a link in a folder's place.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "server/base/mem.h"
#include "server/store/blob_impl.h"

#define FOLDER_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* One look per folder, for kernels before 5.6 and for sandboxes that forbid openat2. */
static int walk(int root_fd, const char *path, int flags)
{
    CLEANUP(free_ptr) char *z = xstrdup(path);
    char *name = z, *slash;
    int at = root_fd;
    while (at >= 0 && (slash = strchr(name, '/')) != NULL) {
        *slash = '\0';
        int next = openat(at, name, FOLDER_FLAGS);
        int why = errno;
        if (at != root_fd) {
            close(at);
        }
        errno = why;
        at = next;
        name = slash + 1;
    }
    if (at < 0) {
        return -1;
    }
    int fd = openat(at, name, flags | O_NOFOLLOW);
    int why = errno;
    if (at != root_fd) {
        close(at);
    }
    errno = why;
    return fd;
}

int blob_open_beneath(int root_fd, const char *path, int flags)
{
    static atomic_bool refused;
    if (!atomic_load_explicit(&refused, memory_order_relaxed)) {
        struct open_how how = { .flags = (uint64_t)(unsigned)(flags | O_NOFOLLOW),
                                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
        int fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
        if (fd >= 0 || (errno != ENOSYS && errno != EPERM && errno != EAGAIN)) {
            return fd;
        }
        if (errno != EAGAIN) { /* EAGAIN: something above was renamed meanwhile */
            atomic_store(&refused, true);
        }
    }
    return walk(root_fd, path, flags);
}

/* The folder `name` of `at`, made where it is missing. */
static int make_folder(int at, const char *name)
{
    int fd = openat(at, name, FOLDER_FLAGS);
    if (fd < 0 && errno == ENOENT && (mkdirat(at, name, 0755) == 0 || errno == EEXIST)) {
        fd = openat(at, name, FOLDER_FLAGS);
    }
    return fd;
}

static int make_folders(int root_fd, char *z)
{
    char *name = z, *slash;
    int at = root_fd;
    do {
        slash = strchr(name, '/');
        if (slash) {
            *slash = '\0';
        }
        int next = make_folder(at, name);
        int why = errno;
        if (at != root_fd) {
            close(at);
        }
        errno = why;
        at = next;
        name = slash ? slash + 1 : NULL;
    } while (at >= 0 && name);
    return at;
}

int blob_parent(struct blobs *b, const char *path, bool make, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    *ret_name = slash ? slash + 1 : path;
    if (!slash) {
        return openat(b->root_fd, ".", FOLDER_FLAGS);
    }
    CLEANUP(free_ptr) char *z = xstrndup(path, (size_t)(slash - path));
    return make ? make_folders(b->root_fd, z) : blob_open_beneath(b->root_fd, z, FOLDER_FLAGS);
}
