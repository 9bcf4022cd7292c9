#include "server/datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "server/base/mem.h"
#include "server/store/tree.h"

/* Longer ones leave too little of PATH_MAX for object keys. */
#define DATADIR_PATH_MAX 500

static enum status fail(FILE *err, const char *what, const char *path)
{
    fprintf(err, "cistern: cannot %s %s: %s\n", what, path, strerror(errno));
    return ST_IO;
}

static enum status make_folder(struct config *config, FILE *err)
{
    if (config->ephemeral) {
        const char *base = getenv("TMPDIR");
        CLEANUP(free_ptr)
        char *path = xasprintf("%s/cistern-XXXXXX", base && base[0] == '/' ? base : "/tmp");
        if (!mkdtemp(path)) {
            return fail(err, "make a temporary folder", path);
        }
        config_set_text(&config->data_dir, path);
        return ST_OK;
    }
    CLEANUP(free_ptr) char *path = xstrdup(config->data_dir);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST) {
            return fail(err, "make the folder", path);
        }
        *slash = '/';
    }
    if (mkdir(path, 0755) != 0 && errno != EEXIST) {
        return fail(err, "make the folder", path);
    }
    return ST_OK;
}

static enum status say_locked(FILE *err, const char *dir, pid_t pid)
{
    CLEANUP(free_ptr) char *who = pid ? xasprintf("process %d", (int)pid) : xstrdup("unknown");
    fprintf(err,
            "cistern: another cistern (%s) uses %s; stop it, or choose another folder with "
            "--data DIR or --ephemeral\n",
            who, dir);
    return ST_CONFLICT;
}

/* A POSIX lock belongs to the process: a child that was being started when its server was killed
 * doesn't hold it any longer (a flock() would). Nothing else of ours may open and close this file. */
static enum status lock_folder(struct datadir *d, FILE *err)
{
    CLEANUP(free_ptr) char *path = xasprintf("%s/lock", d->path);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (d->lock_fd < 0) {
        return fail(err, "write", path);
    }
    if (fcntl(d->lock_fd, F_SETLK, &lock) == 0) {
        return ST_OK;
    }
    if (errno != EACCES && errno != EAGAIN) {
        return fail(err, "lock", path);
    }
    pid_t holder = fcntl(d->lock_fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
    return say_locked(err, d->path, holder);
}

enum status datadir_open(struct config *config, struct datadir *ret, FILE *err)
{
    *ret = (struct datadir){ .lock_fd = -1 };
    if (strlen(config->data_dir) > DATADIR_PATH_MAX) {
        fprintf(err, "cistern: the path of the data folder is longer than %d bytes: %s\n",
                DATADIR_PATH_MAX, config->data_dir);
        return ST_INVALID;
    }
    enum status st = make_folder(config, err);
    if (st != ST_OK) {
        return st;
    }
    ret->path = xstrdup(config->data_dir);
    st = lock_folder(ret, err);
    if (st != ST_OK) {
        close_fd(&ret->lock_fd);
        free(ret->path);
        *ret = (struct datadir){ .lock_fd = -1 };
        return st;
    }
    ret->ephemeral = config->ephemeral;
    return ST_OK;
}

enum status datadir_publish(const struct datadir *d, const char *endpoint)
{
    CLEANUP(free_ptr) char *path = xasprintf("%s/endpoint", d->path);
    CLEANUP(free_ptr) char *fresh = xasprintf("%s.new", path);
    FILE *f = fopen(fresh, "we");
    if (!f) {
        return fail(stderr, "write", fresh);
    }
    bool ok = fprintf(f, "%s\n", endpoint) > 0;
    ok = fclose(f) == 0 && ok;
    return ok && rename(fresh, path) == 0 ? ST_OK : fail(stderr, "write", path);
}

void datadir_close(struct datadir *d)
{
    if (!d->path) {
        return;
    }
    CLEANUP(free_ptr) char *endpoint = xasprintf("%s/endpoint", d->path);
    unlink(endpoint);
    if (d->ephemeral) {
        status_ignore(tree_remove(d->path)); /* logged; it lies in TMPDIR */
    }
    close_fd(&d->lock_fd);
    free(d->path);
    *d = (struct datadir){ .lock_fd = -1 };
}
