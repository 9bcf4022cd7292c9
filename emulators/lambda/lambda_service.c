/* Lambda: functions from zip packages and command lines, run by this machine. */
#include <fcntl.h>
#include <sys/stat.h>

#include "emulators/lambda/lambda_package.h"
#include "emulators/lambda/lambda_pool.h"
#include "emulators/lambda/lambda_queue.h"
#include "emulators/lambda/lambda_registered.h"
#include "emulators/lambda/lambda_runtime.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/http/admin.h"
#include "server/http/call.h"

#define TIDY_MS 30000
#define STOP_MS 5000
#define CODE_URL "/_cistern/functions/"

/* --- GetFunction's Code.Location -------------------------------------------------------------- */

static bool is_digest_zip(struct str file)
{
    bool good = file.n == 68 && str_ends(file, STR(".zip"));
    for (size_t i = 0; good && i < 64; i++) {
        char ch = file.p[i];
        good = (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f');
    }
    return good;
}

static enum status send_code(struct call *c, void *arg)
{
    struct lambda *l = arg;
    struct str rest = str_sub(c->path, sizeof(CODE_URL) - 1, c->path.n), file;
    struct lambda_key key = { STR_NONE, STR_NONE, STR_NONE };
    struct stat s;
    int fd = -1;
    if (str_cut(rest, '/', &key.account, &rest) && str_cut(rest, '/', &key.name, &file) &&
        lambda_name_valid(key.account) && lambda_name_valid(key.name) && is_digest_zip(file)) {
        struct str folder = lambda_package_folder(l, c->arena, &key);
        fd = open(arena_printf(c->arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(file)).p,
                  O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0 || fstat(fd, &s) != 0) {
        close_fd(&fd);
        return call_fail(c, &lambda_ResourceNotFoundException, "There is no such package.");
    }
    call_set_header(c, "Content-Type", STR("application/zip"));
    call_reply_file(c, fd, 0, s.st_size);
    return ST_OK;
}

/* --- life ------------------------------------------------------------------------------------- */

static enum status lambda_init(struct core *core, void **ret_state)
{
    struct lambda *l = xcalloc(1, sizeof(*l));
    l->core = core;
    l->dir = xasprintf("%s/functions", core_config(core)->data_dir);
    l->bootstrap = xasprintf("%s/.runtime/bootstrap.py", l->dir);
    map_init(&l->pools);
    map_init(&l->changing);
    l->idle = timer_new(core_loop(core), lambda_pools_tidy, l);
    lambda_queue_init(l);
    http_admin_register("GET", CODE_URL, 0, send_code, l);
    *ret_state = l;
    return ST_OK;
}

static enum status lambda_start(void *state)
{
    struct lambda *l = state;
    l->stopping = false;
    enum status st = lambda_runtime_install(l);
    if (st == ST_OK) {
        st = lambda_registered_load(l);
    }
    if (st == ST_OK) {
        lambda_package_sweep_all(l);
        timer_start(l->idle, TIDY_MS, TIDY_MS);
    }
    return st;
}

static bool all_ended(void *arg)
{
    const struct lambda *l = arg;
    return lambda_pools_empty(l) && l->changing.n == 0;
}

static void lambda_stop(void *state)
{
    struct lambda *l = state;
    l->stopping = true;
    timer_stop(l->idle);
    lambda_pools_kill(l);
    if (!core_wait(l->core, all_ended, l, STOP_MS)) {
        log_warn(LAMBDA_TOPIC, "%zu instances of functions did not end", l->n_instances);
    }
}

static void lambda_fini(void *state)
{
    struct lambda *l = state;
    lambda_pools_free(l);
    map_fini(&l->pools);
    map_fini(&l->changing);
    timer_free(l->idle);
    free(l->dir);
    free(l->bootstrap);
    free(l);
}

static void lambda_busy(void *state, struct busy *busy)
{
    struct lambda *l = state;
    if (l->n_sync > 0) {
        busy_add(busy, "lambda", "%zu invocations are running or wait for an instance", l->n_sync);
    }
    if (l->changing.n > 0) {
        busy_add(busy, "lambda", "%zu packages are being unpacked", l->changing.n);
    }
    lambda_queue_busy(l, busy);
}

static void lambda_reset(void *state)
{
    struct lambda *l = state;
    lambda_pools_free(l);
    lambda_package_remove_all(l);
}

extern const struct service lambda_service;

const struct service lambda_service = {
    .name = "lambda",
    .signing_name = LAMBDA_SIGNING_NAME,
    .target_prefix = LAMBDA_TARGET_PREFIX,
    .api_version = LAMBDA_API_VERSION,
    .xmlns = LAMBDA_XMLNS,
    .protocols = LAMBDA_PROTOCOLS,
    .ops = lambda_ops,
    .n_ops = LAMBDA_N_OPS,
    .schema_sql = lambda_schema_sql,
    .errors = lambda_errors,
    .init = lambda_init,
    .start = lambda_start,
    .stop = lambda_stop,
    .fini = lambda_fini,
    .busy = lambda_busy,
    .reset = lambda_reset,
};
