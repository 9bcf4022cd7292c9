#include "emulators/lambda/lambda_registered.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/mem.h"

#define REGISTERED_ARENA_MAX (16u << 20)
#define REGISTERED_TIMEOUT_S 900 /* as long as a function may run at all */

enum status lambda_registered_line(struct str line, struct str *ret_name, struct str *ret_command)
{
    struct str name, command;
    line = str_trim(line);
    *ret_name = *ret_command = STR_NONE;
    if (line.n == 0 || line.p[0] == '#') {
        return ST_OK;
    }
    if (!str_cut(line, '=', &name, &command)) {
        return ST_INVALID;
    }
    name = str_trim(name);
    command = str_trim(command);
    if (!lambda_name_valid(name) || command.n == 0 || memchr(command.p, 0, command.n)) {
        return ST_INVALID;
    }
    *ret_name = name;
    *ret_command = command;
    return ST_OK;
}

static struct lambda_row new_row(struct lambda *l, struct arena *a, struct str name)
{
    struct str account = core_default_account(l->core);
    unsigned char sha[DIGEST_MAX];
    digest_bytes(DIGEST_SHA256, "", 0, sha);
    return (struct lambda_row){
        .key = { account, core_default_region(l->core), name },
        .runtime = STR("executable"),
        .role = arena_printf(a, "arn:aws:iam::%.*s:role/cistern-executable", STR_ARG(account)),
        .description = STR("registered executable"),
        .timeout_s = REGISTERED_TIMEOUT_S,
        .memory_mb = 128,
        .ephemeral_mb = 512,
        .architecture = STR("x86_64"),
        .tracing = STR("PassThrough"),
        .log_group = arena_printf(a, "/aws/lambda/%.*s", STR_ARG(name)),
        .code_sha256 = base64_encode(a, sha, 32),
        .code_dir = STR(""),
        .reserved = -1,
    };
}

/* `dir` is where its commands run. */
static enum status add_function(struct lambda *l, struct arena *a, struct str name,
                                struct str command, struct str dir)
{
    struct lambda_row row = new_row(l, a, name), old;
    enum status st = lambda_store_find(core_db(l->core), a, &row.key, &old);
    bool is_new = st == ST_NOT_FOUND;
    if (st == ST_OK) {
        row = old;
    }
    if (st == ST_OK && !str_eqz(row.runtime, "executable")) {
        log_warn(LAMBDA_TOPIC,
                 "%.*s was created through the API with runtime %.*s; its line in the file of "
                 "functions is ignored",
                 STR_ARG(name), STR_ARG(row.runtime));
        return ST_OK;
    }
    if (st == ST_OK && str_eq(row.handler, command) && str_eq(row.workdir, dir)) {
        return ST_OK;
    }
    row.handler = command;
    row.workdir = dir;
    row.modified_ms = clock_now_ms();
    row.revision = id_uuid(a);
    if (is_new) {
        return lambda_store_add(core_db(l->core), &row);
    }
    return st == ST_OK ? lambda_store_update(core_db(l->core), &row) : st;
}

static enum status load_lines(struct lambda *l, struct arena *a, FILE *f, const char *path)
{
    CLEANUP(free_ptr) char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    char real[PATH_MAX];
    if (!realpath(path, real)) {
        log_error(LAMBDA_TOPIC, "%s: %s", path, strerror(errno));
        return ST_IO;
    }
    char *slash = strrchr(real, '/');
    struct str dir = slash && slash > real
                         ? arena_str(a, (struct str){ real, (size_t)(slash - real) })
                         : STR("/");
    for (int number = 1; (n = getline(&line, &cap, f)) >= 0; number++) {
        struct str name, command;
        if (lambda_registered_line((struct str){ line, (size_t)n }, &name, &command) != ST_OK) {
            log_error(LAMBDA_TOPIC,
                      "%s:%d: not understood; a line is `name = command`, the name 1 to %d of "
                      "A-Z a-z 0-9 - _",
                      path, number, LAMBDA_NAME_MAX);
            return ST_INVALID;
        }
        if (!str_set(name)) {
            continue;
        }
        enum status st = add_function(l, a, arena_str(a, name), arena_str(a, command), dir);
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

enum status lambda_registered_load(struct lambda *l)
{
    const char *path = core_config(l->core)->functions_file;
    if (!path || !*path) {
        return ST_OK;
    }
    FILE *f = fopen(path, "re");
    if (!f) {
        log_error(LAMBDA_TOPIC, "cannot read the file of functions %s: %s", path, strerror(errno));
        return ST_IO;
    }
    CLEANUP(arena_freep) struct arena *a = arena_new(REGISTERED_ARENA_MAX);
    enum status st = load_lines(l, a, f, path);
    fclose(f);
    return st;
}
