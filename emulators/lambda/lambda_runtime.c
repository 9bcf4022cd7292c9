#include "emulators/lambda/lambda_runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "emulators/lambda/lambda_env.h"
#include "server/base/log.h"
#include "server/base/mem.h"

/* The bootstrap travels inside of the binary. */
extern const char lambda_bootstrap_py[], lambda_bootstrap_py_end[];
__asm__(".section .rodata\n"
        ".globl lambda_bootstrap_py\n"
        ".globl lambda_bootstrap_py_end\n"
        "lambda_bootstrap_py:\n"
        ".incbin \"emulators/lambda/runtime/bootstrap.py\"\n"
        "lambda_bootstrap_py_end:\n"
        ".byte 0\n"
        ".text\n");

static bool is_python(struct str runtime)
{
    int64_t minor;
    return str_starts(runtime, STR("python3.")) &&
           str_i64(str_sub(runtime, 8, runtime.n), &minor) == ST_OK && minor >= 8 && minor <= 14 &&
           runtime.p[8] != '0' && runtime.p[8] != '+';
}

enum lambda_runtime_kind lambda_runtime_kind(struct str runtime)
{
    if (is_python(runtime)) {
        return LAMBDA_RUNTIME_PYTHON;
    }
    if (str_eqz(runtime, "provided.al2023") || str_eqz(runtime, "provided.al2") ||
        str_eqz(runtime, "provided")) {
        return LAMBDA_RUNTIME_PROVIDED;
    }
    return str_eqz(runtime, "executable") ? LAMBDA_RUNTIME_EXECUTABLE : LAMBDA_RUNTIME_NONE;
}

enum lambda_runtime_kind lambda_runtime_of(struct arena *a, const struct lambda_row *row,
                                           struct str *ret_command)
{
    enum lambda_runtime_kind kind = lambda_runtime_kind(row->runtime);
    struct str command = row->handler;
    if (kind == LAMBDA_RUNTIME_PROVIDED) {
        struct lambda_environment_variables env = lambda_env_parse(a, row->env);
        for (size_t i = 0; i < env.n; i++) {
            if (str_eqz(env.v[i].key, "CISTERN_COMMAND")) {
                kind = LAMBDA_RUNTIME_EXECUTABLE;
                command = env.v[i].value;
            }
        }
    }
    if (ret_command) {
        *ret_command = command;
    }
    return kind;
}

/* --- what the machine has --------------------------------------------------------------------- */

static bool runs(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISREG(s.st_mode) && access(path, X_OK) == 0;
}

static bool in_path(struct arena *a, struct str program)
{
    if (str_find(program, '/', 0) >= 0) {
        return runs(arena_cstr(a, program));
    }
    const char *path = getenv("PATH");
    struct str rest = str_z(path ? path : "/usr/local/bin:/usr/bin:/bin"), dir;
    while (str_next(&rest, ':', &dir)) {
        if (dir.n && runs(arena_printf(a, "%.*s/%.*s", STR_ARG(dir), STR_ARG(program)).p)) {
            return true;
        }
    }
    return false;
}

struct str lambda_runtime_lacks(struct lambda *l, struct arena *a, const struct lambda_row *row)
{
    if (lambda_runtime_kind(row->runtime) != LAMBDA_RUNTIME_PYTHON) {
        return STR_NONE;
    }
    const char *python = core_config(l->core)->python;
    if (in_path(a, str_z(python))) {
        return STR_NONE;
    }
    return arena_printf(a,
                        "This machine has no Python interpreter \"%s\", which runs functions of "
                        "runtime %.*s. Install python3 (Debian, Ubuntu: apt-get install python3) "
                        "or name another one with --python.",
                        python, STR_ARG(row->runtime));
}

/* --- the bootstrap ---------------------------------------------------------------------------- */

static enum status write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno != EINTR) {
            return ST_IO;
        }
        p += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return ST_OK;
}

enum status lambda_runtime_install(struct lambda *l)
{
    CLEANUP(free_ptr) char *dir = xasprintf("%s/.runtime", l->dir);
    CLEANUP(free_ptr) char *draft = xasprintf("%s.new", l->bootstrap);
    if ((mkdir(l->dir, 0755) != 0 && errno != EEXIST) ||
        (mkdir(dir, 0755) != 0 && errno != EEXIST)) {
        log_error(LAMBDA_TOPIC, "cannot make %s: %s", dir, strerror(errno));
        return ST_IO;
    }
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    enum status st = fd < 0 ? ST_IO
                            : write_all(fd, lambda_bootstrap_py,
                                        (size_t)(lambda_bootstrap_py_end - lambda_bootstrap_py));
    close_fd(&fd);
    if (st == ST_OK && rename(draft, l->bootstrap) != 0) {
        st = ST_IO;
    }
    if (st != ST_OK) {
        log_error(LAMBDA_TOPIC, "cannot write %s: %s", l->bootstrap, strerror(errno));
    }
    return st;
}
