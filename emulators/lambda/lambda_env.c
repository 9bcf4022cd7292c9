#include "emulators/lambda/lambda_env.h"

#include "emulators/facade/sts.h"
#include "emulators/lambda/lambda_runtime.h"
#include "server/base/mem.h"
#include "server/http/call.h"
#include "server/wire/json.h"

/* Longer than any function may run. */
#define SESSION_S 43200
#define ENV_ENTRIES_MAX 2048

/* --- the user's variables --------------------------------------------------------------------- */

static const char *const reserved[] = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
};

static bool is_reserved(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
        if (str_eqz(name, reserved[i])) {
            return true;
        }
    }
    return false;
}

/* [a-zA-Z][a-zA-Z0-9_]+ */
static bool name_good(struct str name)
{
    bool good = name.n >= 2;
    for (size_t i = 0; good && i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        good = letter || (i > 0 && ((c >= '0' && c <= '9') || c == '_'));
    }
    return good;
}

enum status lambda_env_check(struct call *c, const struct lambda_environment_variables *env)
{
    static const struct aws_error validation = { "ValidationException", NULL, 400, NULL };
    for (size_t i = 0; i < env->n; i++) {
        if (is_reserved(env->v[i].key)) {
            return call_fail(
                c, &lambda_InvalidParameterValueException,
                "Lambda was unable to configure your environment variables because the "
                "environment variables you have provided contains reserved keys that "
                "are currently not supported for modification. Reserved keys used in "
                "this request: %.*s",
                STR_ARG(env->v[i].key));
        }
        if (!name_good(env->v[i].key)) {
            return call_fail(
                c, &validation,
                "1 validation error detected: Value at 'environment.variables' failed "
                "to satisfy constraint: Map keys must satisfy constraint: [Member must "
                "satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]; '%.*s' "
                "does not",
                STR_ARG(env->v[i].key));
        }
        if (env->v[i].value.n && memchr(env->v[i].value.p, 0, env->v[i].value.n)) {
            return call_fail(c, &lambda_InvalidParameterValueException,
                             "The value of the environment variable %.*s holds a NUL character.",
                             STR_ARG(env->v[i].key));
        }
    }
    struct str text = lambda_env_text(c->arena, env);
    if (text.n > LAMBDA_ENV_MAX) {
        return call_fail(c, &lambda_InvalidParameterValueException,
                         "Lambda was unable to configure your environment variables because the "
                         "environment variables you have provided exceeded the 4KB limit. String "
                         "measured: %.*s",
                         STR_ARG(text));
    }
    return ST_OK;
}

struct str lambda_env_text(struct arena *a, const struct lambda_environment_variables *env)
{
    if (!env->v) {
        return STR_NONE;
    }
    CLEANUP(buf_fini) struct buf b = BUF_INIT(16u << 20);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    for (size_t i = 0; i < env->n; i++) {
        json_key(&o, env->v[i].key);
        json_str(&o, env->v[i].value);
    }
    json_close(&o, '}');
    return arena_str(a, buf_str(&b));
}

struct lambda_environment_variables lambda_env_parse(struct arena *a, struct str text)
{
    struct lambda_environment_variables env = { 0, NULL };
    struct json_value *json;
    struct str why;
    if (!str_set(text) || json_parse(a, text, &json, &why) != ST_OK || json->kind != JSON_OBJECT) {
        return env;
    }
    env.v = ARENA_ARRAY(a, struct lambda_environment_variables_entry, json->n + 1);
    for (const struct json_value *m = json->first; m; m = m->next) {
        if (m->kind == JSON_STRING) {
            env.v[env.n++] = (struct lambda_environment_variables_entry){ m->key, m->str };
        }
    }
    return env;
}

/* --- a process's environment ------------------------------------------------------------------ */

struct maker {
    struct arena *a;
    const char **v;
    size_t n;
};

/* Replaces an entry of the same name. */
static void put(struct maker *m, const char *name, struct str value)
{
    size_t name_n = strlen(name);
    const char *entry = arena_printf(m->a, "%s=%.*s", name, STR_ARG(value)).p;
    for (size_t i = 0; i < m->n; i++) {
        if (strncmp(m->v[i], name, name_n) == 0 && m->v[i][name_n] == '=') {
            m->v[i] = entry;
            return;
        }
    }
    if (m->n < ENV_ENTRIES_MAX) {
        m->v[m->n++] = entry;
    }
}

/* What programs of this machine need to work at all. */
static void put_machine(struct maker *m)
{
    static const char *const inherited[] = {
        "PATH",       "HOME",        "USER",      "LD_LIBRARY_PATH", "PYTHONPATH",
        "PYENV_ROOT", "VIRTUAL_ENV", "NODE_PATH", "TMPDIR",          "JAVA_HOME"
    };
    for (size_t i = 0; i < ARRAY_LEN(inherited); i++) {
        const char *value = getenv(inherited[i]);
        if (value) {
            put(m, inherited[i], str_z(value));
        }
    }
    put(m, "LANG", STR("en_US.UTF-8"));
    put(m, "TZ", STR(":UTC"));
    put(m, "AWS_EC2_METADATA_DISABLED", STR("true"));
}

static void put_function(struct maker *m, const struct lambda_row *row,
                         const struct lambda_env_more *more)
{
    put(m, "_HANDLER", row->handler);
    put(m, "AWS_REGION", row->key.region);
    put(m, "AWS_DEFAULT_REGION", row->key.region);
    put(m, "AWS_LAMBDA_FUNCTION_NAME", row->key.name);
    put(m, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        arena_printf(m->a, "%lld", (long long)row->memory_mb));
    put(m, "AWS_LAMBDA_FUNCTION_VERSION", STR(LAMBDA_LATEST));
    put(m, "AWS_LAMBDA_INITIALIZATION_TYPE", STR("on-demand"));
    put(m, "AWS_LAMBDA_LOG_GROUP_NAME", row->log_group);
    put(m, "AWS_LAMBDA_LOG_STREAM_NAME", more->log_stream);
    put(m, "AWS_LAMBDA_LOG_FORMAT", STR("Text"));
    put(m, "LAMBDA_TASK_ROOT", more->task_root);
    struct str libs = str_z(getenv("LD_LIBRARY_PATH"));
    put(m, "LD_LIBRARY_PATH",
        arena_printf(m->a, "%.*s:%.*s/lib%s%.*s", STR_ARG(more->task_root),
                     STR_ARG(more->task_root), str_empty(libs) ? "" : ":", STR_ARG(libs)));
    if (lambda_runtime_kind(row->runtime) == LAMBDA_RUNTIME_PYTHON) {
        put(m, "AWS_EXECUTION_ENV", arena_printf(m->a, "AWS_Lambda_%.*s", STR_ARG(row->runtime)));
    }
}

static void put_invocation(struct maker *m, const struct lambda_env_more *more)
{
    if (!str_set(more->request_id)) {
        return;
    }
    put(m, "_X_AMZN_TRACE_ID", more->trace);
    put(m, "CISTERN_REQUEST_ID", more->request_id);
    put(m, "CISTERN_DEADLINE_MS", arena_printf(m->a, "%lld", (long long)more->deadline_ms));
    if (str_set(more->client_context)) {
        put(m, "CISTERN_CLIENT_CONTEXT", more->client_context);
    }
}

enum status lambda_env_make(struct lambda *l, struct arena *a, const struct lambda_row *row,
                            const struct lambda_env_more *more, const char *const **ret)
{
    struct sts_session session;
    enum status st = sts_session_new(l->core, a, row->role, row->key.name, SESSION_S, &session);
    if (st != ST_OK) {
        return st;
    }
    struct maker m = { a, ARENA_ARRAY(a, const char *, ENV_ENTRIES_MAX + 1), 0 };
    put_machine(&m);
    put_function(&m, row, more);
    put(&m, "LAMBDA_RUNTIME_DIR", arena_printf(a, "%s/.runtime", l->dir));
    put(&m, "AWS_ENDPOINT_URL", core_endpoint(l->core));
    put(&m, "AWS_ACCESS_KEY_ID", session.access_key);
    put(&m, "AWS_SECRET_ACCESS_KEY", session.secret);
    put(&m, "AWS_SESSION_TOKEN", session.token);
    if (more->api_port) {
        put(&m, "AWS_LAMBDA_RUNTIME_API", arena_printf(a, "127.0.0.1:%d", more->api_port));
    }
    put_invocation(&m, more);
    struct lambda_environment_variables env = lambda_env_parse(a, row->env);
    for (size_t i = 0; i < env.n; i++) {
        put(&m, arena_cstr(a, env.v[i].key), env.v[i].value);
    }
    *ret = m.v;
    return ST_OK;
}
