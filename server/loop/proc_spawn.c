/* Starting a child: on the helper thread, because whoever starts one waits until the child has
 * replaced its image. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/loop/proc_impl.h"

static const char default_path[] = "/usr/local/bin:/usr/bin:/bin";

static struct str env_get(char **env, const char *name)
{
    size_t n = strlen(name);
    for (; *env; env++) {
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=') {
            return str_z(*env + n + 1);
        }
    }
    return STR_NONE;
}

/* 0, or why this file can't be started; a relative one counts from the child's folder. */
static int check_program(const char *cwd, const char *path)
{
    CLEANUP(free_ptr)
    char *full = cwd && path[0] != '/' ? xasprintf("%s/%s", cwd, path) : xstrdup(path);
    struct stat s;
    if (stat(full, &s) != 0) {
        return errno;
    }
    if (!S_ISREG(s.st_mode)) {
        return EACCES;
    }
    return access(full, X_OK) == 0 ? 0 : errno;
}

/* The program's path in fresh memory, or NULL and *ret_errno. */
static char *find_program(const struct proc *p, int *ret_errno)
{
    const char *name = p->argv[0];
    if (!name || !*name) {
        *ret_errno = ENOENT;
        return NULL;
    }
    if (strchr(name, '/')) {
        *ret_errno = check_program(p->cwd, name);
        return *ret_errno ? NULL : xstrdup(name);
    }
    struct str rest = env_get(p->env, "PATH");
    if (!str_set(rest)) {
        rest = str_z(default_path);
    }
    int error = ENOENT;
    struct str dir;
    while (str_next(&rest, ':', &dir)) {
        char *path = dir.n ? xasprintf("%.*s/%s", STR_ARG(dir), name) : xasprintf("./%s", name);
        int why = check_program(p->cwd, path);
        if (why == 0) {
            return path;
        }
        if (why == EACCES) {
            error = EACCES;
        }
        free(path);
    }
    *ret_errno = error;
    return NULL;
}

/* Our end stays in streams[i], the child's goes to *ret_child: both closed at exec. */
static int make_pipe(struct proc *p, int i, int *ret_child)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return errno;
    }
    int ours = i == 0 ? ends[1] : ends[0];
    *ret_child = i == 0 ? ends[0] : ends[1];
    p->streams[i].fd = ours;
    int flags = fcntl(ours, F_GETFL);
    return flags >= 0 && fcntl(ours, F_SETFL, flags | O_NONBLOCK) == 0 ? 0 : errno;
}

void proc_spawn(struct proc *p)
{
    int child[3] = { -1, -1, -1 };
    const bool wanted[3] = { p->want_stdin, p->want_stdout, p->want_stderr };
    int error = 0;
    CLEANUP(free_ptr) char *path = find_program(p, &error);
    for (int i = 0; i < 3 && path && error == 0; i++) {
        error = wanted[i] ? make_pipe(p, i, &child[i]) : 0;
    }
    if (path && error == 0) {
        p->started_us = clock_mono_us();
        error = proc_child_start(p, path, child);
    }
    for (int i = 0; i < 3; i++) {
        close_fd(&child[i]);
    }
    if (error != 0) {
        p->result.pid = 0;
        p->result.start_errno = error;
    }
}
