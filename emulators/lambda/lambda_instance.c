#include "emulators/lambda/lambda_instance.h"

#include <signal.h>

#include "emulators/lambda/lambda_env.h"
#include "emulators/lambda/lambda_package.h"
#include "emulators/lambda/lambda_pool.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"

#define INSTANCE_ARENA_MAX (8u << 20)
#define CONFIG_ARENA_MAX (4u << 20)
/* What a runtime gets to end by itself after it said that it can't start. */
#define LAST_WORDS_MS 1000

/* --- configuration ---------------------------------------------------------------------------- */

static void copy_row(struct arena *a, struct lambda_row *r)
{
    struct str *const all[] = {
        &r->key.account,     &r->key.region,  &r->key.name,
        &r->runtime,         &r->role,        &r->handler,
        &r->description,     &r->env,         &r->architecture,
        &r->tracing,         &r->log_group,   &r->subnets,
        &r->security_groups, &r->code_sha256, &r->code_dir,
        &r->workdir,         &r->revision,
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        *all[i] = arena_str(a, *all[i]);
    }
}

struct lambda_config *lambda_config_new(struct lambda *l, const struct lambda_row *row)
{
    struct arena *a = arena_new(CONFIG_ARENA_MAX);
    struct lambda_config *config = ARENA_NEW(a, struct lambda_config);
    config->refs = 1;
    config->arena = a;
    config->row = *row;
    copy_row(a, &config->row);
    config->kind = lambda_runtime_of(a, &config->row, &config->command);
    config->root =
        str_set(row->workdir) ? config->row.workdir : lambda_package_root(l, a, &config->row);
    return config;
}

void lambda_config_unref(struct lambda_config *config)
{
    if (config && --config->refs == 0) {
        arena_free(config->arena);
    }
}

/* --- life ------------------------------------------------------------------------------------- */

static void limit_reached(void *arg);

struct lambda_instance *lambda_instance_new(struct lambda_pool *pool)
{
    struct lambda *l = pool->l;
    struct arena *a = arena_new(INSTANCE_ARENA_MAX);
    struct lambda_instance *inst = xcalloc(1, sizeof(*inst));
    inst->l = l;
    inst->pool = pool;
    inst->config = pool->config;
    inst->config->refs++;
    inst->arena = a;
    inst->phase = LAMBDA_STARTING;
    inst->log_stream = lambda_log_stream_name(a);
    inst->limit = timer_new(core_loop(l->core), limit_reached, inst);
    buf_init(&inst->lines[0].rest, LAMBDA_LINE_MAX);
    buf_init(&inst->lines[1].rest, LAMBDA_LINE_MAX);
    inst->spawned_us = clock_mono_us();
    list_append(&pool->instances, &inst->link);
    pool->n_instances++;
    l->n_instances++;
    return inst;
}

void lambda_instance_free(struct lambda_instance *inst)
{
    struct lambda_pool *pool = inst->pool;
    list_remove(&inst->link);
    pool->n_instances--;
    pool->l->n_instances--;
    timer_free(inst->limit);
    local_http_free(inst->http);
    buf_fini(&inst->lines[0].rest);
    buf_fini(&inst->lines[1].rest);
    free(inst->last_error);
    lambda_config_unref(inst->config);
    arena_free(inst->arena);
    free(inst);
    lambda_pool_lost(pool);
}

static struct str signal_name(int signum)
{
    switch (signum) {
    case SIGKILL:
        return STR("killed");
    case SIGSEGV:
        return STR("segmentation fault");
    case SIGABRT:
        return STR("aborted");
    case SIGTERM:
        return STR("terminated");
    default:
        return STR_NONE;
    }
}

struct str lambda_exit_text(struct arena *a, const struct proc_result *result)
{
    if (result->start_errno != 0) {
        return arena_printf(a, "cannot start the function's process: %s",
                            strerror(result->start_errno));
    }
    if (result->exited && result->code == 0) {
        return STR("Runtime exited without providing a reason");
    }
    if (result->exited) {
        return arena_printf(a, "Runtime exited with error: exit status %d", result->code);
    }
    struct str name = signal_name(result->signal);
    return str_set(name) ? arena_printf(a, "Runtime exited with error: signal: %.*s", STR_ARG(name))
                         : arena_printf(a, "Runtime exited with error: signal: %d", result->signal);
}

static void process_output(void *arg, int stream, struct str bytes)
{
    lambda_log_output(arg, stream, bytes);
}

static void process_exit(void *arg, const struct proc_result *result)
{
    struct lambda_instance *inst = arg;
    inst->proc = NULL;
    lambda_log_flush(inst);
    const char *type = result->start_errno ? "Runtime.InvalidEntrypoint" : "Runtime.ExitError";
    struct str text = lambda_exit_text(inst->arena, result);
    if (inst->phase == LAMBDA_BUSY) {
        lambda_instance_log_error(inst, type, text);
        struct str document = lambda_error_document(inst->inv, type, text);
        lambda_instance_answer(inst, LAMBDA_FAILED, document, "error");
    } else if (inst->phase == LAMBDA_STARTING) {
        lambda_pool_start_failed(inst, type, text, STR_NONE);
    }
    lambda_instance_free(inst);
}

/* --- start ------------------------------------------------------------------------------------ */

/* Command line of the runtime; false: there is none to be started. */
static bool find_runtime(struct lambda_instance *inst, const char *argv[3], struct str *ret_why)
{
    const struct lambda_config *config = inst->config;
    struct str lacks = lambda_runtime_lacks(inst->l, inst->arena, &config->row);
    argv[1] = argv[2] = NULL;
    if (str_set(lacks)) {
        *ret_why = lacks;
        return false;
    }
    if (config->kind == LAMBDA_RUNTIME_PYTHON) {
        argv[0] = core_config(inst->l->core)->python;
        argv[1] = inst->l->bootstrap;
        return true;
    }
    argv[0] = arena_printf(inst->arena, "%.*s/bootstrap", STR_ARG(config->root)).p;
    if (access(argv[0], X_OK) == 0) {
        return true;
    }
    *ret_why =
        access(argv[0], F_OK) == 0
            ? STR("fork/exec /var/task/bootstrap: permission denied (the file bootstrap in the "
                  "package is not executable)")
            : STR("Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]");
    return false;
}

static bool start_process(struct lambda_instance *inst, struct str *ret_why)
{
    const char *argv[3], *const *env;
    const struct lambda_config *config = inst->config;
    if (!find_runtime(inst, argv, ret_why)) {
        return false;
    }
    if (local_http_new(core_loop(inst->l->core), lambda_runtime_api, inst, &inst->http,
                       &inst->port) != ST_OK) {
        *ret_why = STR("no socket could be opened for the Runtime API");
        return false;
    }
    struct lambda_env_more more = { .task_root = config->root,
                                    .log_stream = inst->log_stream,
                                    .api_port = inst->port };
    if (lambda_env_make(inst->l, inst->arena, &config->row, &more, &env) != ST_OK) {
        *ret_why = arena_printf(inst->arena, "no credentials could be issued for the role %.*s",
                                STR_ARG(config->row.role));
        return false;
    }
    struct proc_options options = { .argv = argv,
                                    .env = env,
                                    .cwd = config->root.p,
                                    .on_output = process_output,
                                    .on_exit = process_exit,
                                    .arg = inst };
    inst->proc = proc_start(core_loop(inst->l->core), &options);
    timer_start(inst->limit, LAMBDA_INIT_MS + config->row.timeout_s * 1000, 0);
    return true;
}

bool lambda_instance_start(struct lambda_instance *inst, const char **ret_type, struct str *ret_why)
{
    const struct lambda_config *config = inst->config;
    *ret_type = "Runtime.InvalidEntrypoint";
    if (access(config->root.p, X_OK) != 0) {
        *ret_why = arena_printf(inst->arena,
                                "the folder %.*s is missing; give the function its code again by "
                                "UpdateFunctionCode",
                                STR_ARG(config->root));
        return false;
    }
    if (config->kind == LAMBDA_RUNTIME_EXECUTABLE) {
        inst->phase = LAMBDA_READY;
        inst->idle_since_ms = clock_mono_ms();
        return true;
    }
    return start_process(inst, ret_why);
}

void lambda_instance_init_error(struct lambda_instance *inst, struct str document)
{
    proc_drain(inst->proc);
    lambda_log_flush(inst);
    inst->phase = LAMBDA_ENDING;
    timer_start(inst->limit, LAST_WORDS_MS, 0);
    lambda_pool_start_failed(inst, NULL, STR_NONE, document);
}

/* --- running ---------------------------------------------------------------------------------- */

void lambda_instance_run(struct lambda_instance *inst, struct lambda_invocation *inv)
{
    int64_t timeout_ms = inst->config->row.timeout_s * 1000;
    inst->phase = LAMBDA_BUSY;
    inst->inv = inv;
    inv->started_us = clock_mono_us();
    inv->deadline_ms = clock_now_ms() + timeout_ms;
    timer_start(inst->limit, timeout_ms, 0);
    lambda_log_start(inst);
    if (inst->config->kind == LAMBDA_RUNTIME_EXECUTABLE) {
        lambda_exec_run(inst);
    } else {
        lambda_runtime_api_event(inst);
    }
}

void lambda_instance_next(struct lambda_instance *inst)
{
    if (inst->phase == LAMBDA_STARTING) {
        inst->init_us = clock_mono_us() - inst->spawned_us;
        timer_stop(inst->limit);
    }
    inst->phase = LAMBDA_READY;
    inst->idle_since_ms = clock_mono_ms();
    lambda_pool_dispatch(inst->pool);
}

void lambda_instance_answer(struct lambda_instance *inst, enum lambda_outcome outcome,
                            struct str answer, const char *status)
{
    timer_stop(inst->limit);
    lambda_log_end(inst, status, 0);
    struct lambda_invocation *inv = TAKE(inst->inv);
    inst->phase = LAMBDA_BETWEEN;
    lambda_invocation_end(inv, outcome, answer);
}

void lambda_instance_log_error(struct lambda_instance *inst, const char *type, struct str text)
{
    struct lambda_invocation *inv = inst->inv;
    lambda_log_event(inst, arena_printf(inv->arena, "RequestId: %.*s Error: %.*s\n%s\n",
                                        STR_ARG(inv->request_id), STR_ARG(text), type));
}

/* --- end -------------------------------------------------------------------------------------- */

static void timed_out(struct lambda_instance *inst)
{
    struct lambda_invocation *inv = inst->inv;
    struct str text = arena_printf(inv->arena, "Task timed out after %lld.00 seconds",
                                   (long long)inst->config->row.timeout_s);
    struct str now = clock_iso_ms(inv->arena, clock_now_ms());
    if (inst->proc) {
        proc_drain(inst->proc);
    }
    lambda_log_flush(inst);
    lambda_log_event(inst, arena_printf(inv->arena, "%.*s %.*s %.*s\n\n", STR_ARG(now),
                                        STR_ARG(inv->request_id), STR_ARG(text)));
    struct str document = lambda_error_document(inv, "Sandbox.Timedout", text);
    lambda_instance_answer(inst, LAMBDA_FAILED, document, "timeout");
}

static void limit_reached(void *arg)
{
    struct lambda_instance *inst = arg;
    if (inst->phase == LAMBDA_BUSY) {
        timed_out(inst);
    } else if (inst->phase == LAMBDA_STARTING) {
        struct str text = arena_printf(
            inst->arena, "Task timed out after %lld.00 seconds (it had not finished starting)",
            (long long)(LAMBDA_INIT_MS / 1000 + inst->config->row.timeout_s));
        inst->phase = LAMBDA_ENDING;
        lambda_pool_start_failed(inst, "Sandbox.Timedout", text, STR_NONE);
    }
    lambda_instance_kill(inst);
}

void lambda_instance_kill(struct lambda_instance *inst)
{
    struct lambda_invocation *inv = TAKE(inst->inv);
    inst->phase = LAMBDA_ENDING;
    timer_stop(inst->limit);
    if (inv) {
        lambda_invocation_end(inv, LAMBDA_DROPPED, STR_NONE);
    }
    if (inst->proc) {
        proc_kill(inst->proc, SIGKILL);
    } else {
        lambda_instance_free(inst);
    }
}
