#include "server/store/tree.h"

#include <errno.h>
#include <ftw.h>
#include <string.h>

#include "server/base/log.h"

/* Folders that are open at a time. */
#define TREE_OPEN_MAX 32

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *where)
{
    (void)s;
    (void)type;
    (void)where;
    if (remove(path) != 0 && errno != ENOENT) {
        log_warn("tree", "cannot delete %s: %s", path, strerror(errno));
        return 1;
    }
    return 0;
}

enum status tree_remove(const char *path)
{
    int rc = nftw(path, remove_one, TREE_OPEN_MAX, FTW_DEPTH | FTW_PHYS);
    if (rc < 0 && errno == ENOENT) {
        return ST_OK;
    }
    if (rc < 0) {
        log_warn("tree", "cannot delete %s: %s", path, strerror(errno));
    }
    return rc == 0 ? ST_OK : ST_IO;
}
