/* Registered executables: a command line per event, event on stdin, answer on stdout. */
#include <errno.h>

#include "emulators/lambda/lambda_env.h"
#include "emulators/lambda/lambda_pool.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/wire/json.h"

#define EXIT_ERROR "Runtime.ExitError"
#define LAST_ERROR_MAX 1024

/* Only stderr comes here; its last line that says something is kept for the error document. */
static void exec_output(void *arg, int stream, struct str bytes)
{
    struct lambda_instance *inst = arg;
    struct str rest = bytes, line;
    while (str_next(&rest, '\n', &line)) {
        line = str_trim(line);
        if (line.n > 0) {
            free(inst->last_error);
            inst->last_error = xstrndup(line.p, line.n < LAST_ERROR_MAX ? line.n : LAST_ERROR_MAX);
        }
    }
    lambda_log_output(inst, stream, bytes);
}

/* JSON as it is, nothing as null, anything else as a JSON string. */
static struct str as_json(struct arena *a, struct str output)
{
    struct str text = str_trim(output);
    struct json_value *json;
    struct str why;
    if (text.n == 0) {
        return STR("null");
    }
    enum status st = json_parse(a, text, &json, &why);
    if (st == ST_OK || st == ST_NOMEM) {
        return text;
    }
    CLEANUP(buf_fini) struct buf b = BUF_INIT((size_t)8 * LAMBDA_ANSWER_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    json_str(&o, str_ends(output, STR("\n")) ? str_sub(output, 0, output.n - 1) : output);
    return arena_str(a, buf_str(&b));
}

static struct str failure_text(struct lambda_instance *inst, const struct proc_result *result)
{
    struct arena *a = inst->inv->arena;
    struct str text =
        result->start_errno ? lambda_exit_text(a, result)
        : result->exited
            ? arena_printf(a, "%.*s: exit status %d", STR_ARG(inst->config->command), result->code)
            : arena_printf(a, "%.*s: killed by signal %d (%s)", STR_ARG(inst->config->command),
                           result->signal, strsignal(result->signal));
    return inst->last_error ? arena_printf(a, "%.*s: %s", STR_ARG(text), inst->last_error) : text;
}

static void exec_answer(struct lambda_instance *inst, const struct proc_result *result)
{
    struct lambda_invocation *inv = inst->inv;
    if (result->start_errno || !result->exited || result->code != 0) {
        struct str text = failure_text(inst, result);
        lambda_instance_log_error(inst, EXIT_ERROR, text);
        struct str document = lambda_error_document(inv, EXIT_ERROR, text);
        lambda_instance_answer(inst, LAMBDA_FAILED, document, "error");
        return;
    }
    struct str answer = as_json(inv->arena, result->output);
    if (result->output_cut || answer.n > LAMBDA_ANSWER_MAX) {
        lambda_instance_answer(inst, LAMBDA_FAILED, lambda_too_large_document(inv), "error");
        return;
    }
    lambda_instance_answer(inst, LAMBDA_SUCCEEDED, answer, NULL);
}

static void exec_exit(void *arg, const struct proc_result *result)
{
    struct lambda_instance *inst = arg;
    inst->proc = NULL;
    lambda_log_flush(inst);
    if (inst->phase != LAMBDA_BUSY) { /* timed out, or killed */
        lambda_instance_free(inst);
        return;
    }
    exec_answer(inst, result);
    free(TAKE(inst->last_error));
    if (inst->config != inst->pool->config) { /* updated meanwhile */
        lambda_instance_kill(inst);
        return;
    }
    lambda_instance_next(inst);
}

void lambda_exec_run(struct lambda_instance *inst)
{
    struct lambda_invocation *inv = inst->inv;
    const struct lambda_config *config = inst->config;
    const char *argv[] = { "/bin/sh", "-c", arena_cstr(inv->arena, config->command), NULL };
    const char *const *env;
    struct lambda_env_more more = { .task_root = config->root,
                                    .log_stream = inst->log_stream,
                                    .request_id = inv->request_id,
                                    .client_context = inv->client_context,
                                    .trace = inv->trace,
                                    .deadline_ms = inv->deadline_ms };
    if (lambda_env_make(inst->l, inv->arena, &config->row, &more, &env) != ST_OK) {
        struct proc_result failed = { .start_errno = EACCES };
        exec_answer(inst, &failed);
        lambda_instance_next(inst);
        return;
    }
    struct proc_options options = { .argv = argv,
                                    .env = env,
                                    .cwd = config->root.p,
                                    .input = inv->event,
                                    .capture_stdout = true,
                                    .stdout_max = LAMBDA_ANSWER_MAX + 2,
                                    .on_output = exec_output,
                                    .on_exit = exec_exit,
                                    .arg = inst };
    inst->proc = proc_start(core_loop(inst->l->core), &options);
}
