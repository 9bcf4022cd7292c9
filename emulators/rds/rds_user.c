/* As root, servers run as `mysql` or `nobody`, if these can get to the folder. */
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulators/rds/rds_internal.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"

/* May anybody go through all of its parents? */
static bool passable(struct arena *a, const char *path)
{
    struct stat info;
    size_t n = strlen(path);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        const char *parent = arena_printf(a, "%.*s", (int)i, path).p;
        if (stat(parent, &info) != 0 || !(info.st_mode & S_IXOTH)) {
            return false;
        }
    }
    return true;
}

void rds_choose_user(struct rds *r)
{
    static const char *const users[] = { "mysql", "nobody" };
    const char *data = core_config(r->core)->data_dir;
    if (geteuid() != 0) {
        return;
    }
    if (!passable(r->arena, data)) {
        log_debug(RDS_TOPIC,
                  "database servers will run as root: other users can't reach %s (a folder above "
                  "it lacks the x permission)",
                  data);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(users) && !r->uid; i++) {
        struct passwd entry, *found = NULL;
        char *text = arena_alloc(r->arena, 16384);
        if (getpwnam_r(users[i], &entry, text, 16384, &found) == 0 && found) {
            r->uid = found->pw_uid;
            r->gid = found->pw_gid;
        }
    }
}
