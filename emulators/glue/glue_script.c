#include "emulators/glue/glue_script.h"

#include "server/base/id.h"
#include "server/base/mem.h"
#include "server/core.h"

#define SESSION_S 43200 /* the longest that STS gives; runs may take long */

bool glue_overwrite_of(struct str word, enum glue_overwrite *ret)
{
    static const char *const words[] = { "merge", "aws", "spark" };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_ieqz(word, words[i])) {
            *ret = (enum glue_overwrite)i;
            return true;
        }
    }
    return false;
}

/* --- arguments -------------------------------------------------------------------------------- */
static enum status check_language(struct glue_active *a, struct str *ret_error)
{
    struct str language = glue_arg(&a->arguments, "job-language");
    bool python = str_ieqz(language, "python");
    if (str_set(language) && !python) {
        *ret_error = arena_printf(a->arena,
                                  "--job-language %.*s isn't implemented: only python scripts run.",
                                  STR_ARG(language));
        return ST_INVALID;
    }
    if (!python && str_set(glue_arg(&a->arguments, "class"))) {
        *ret_error = STR("--class names the main class of a Scala job, and only python scripts "
                         "run: leave it out, or set --job-language python beside it.");
        return ST_INVALID;
    }
    return ST_OK;
}

static enum status check_overwrite(struct glue_active *a, struct glue_script *s,
                                   struct str *ret_error)
{
    struct str word = glue_arg(&a->arguments, "self_overwrite");
    word = str_set(word) ? word : str_z(core_config(a->glue->core)->self_overwrite);
    if (!glue_overwrite_of(word, &s->overwrite)) {
        *ret_error = arena_printf(a->arena, "--self_overwrite '%.*s' must be merge, aws or spark.",
                                  STR_ARG(word));
        return ST_INVALID;
    }
    return ST_OK;
}

/* Continuous logging: where its lines go. */
static void note_live_log(struct glue_active *a)
{
    struct str group = glue_arg(&a->arguments, "continuous-log-logGroup");
    struct str prefix = glue_arg(&a->arguments, "continuous-log-logStreamPrefix");
    if (a->kind == GLUE_KIND_ETL && glue_flag(&a->arguments, "enable-continuous-cloudwatch-log")) {
        a->live_group = group.n ? group : STR("/aws-glue/jobs/logs-v2");
        a->live_prefix = prefix.n ? prefix : a->run->Id;
    }
}

/* --- credentials ------------------------------------------------------------------------------ */
static enum status make_session(struct glue_active *a, struct glue_script *s, struct str *ret_error)
{
    struct core *core = a->glue->core;
    struct str name =
        str_sub(a->run->Id, 0, 35); /* GlueJobRunnerSession on AWS; ours tells the run */
    enum status st = sts_session_new(core, a->arena, a->job->Role, name, SESSION_S, &s->session);
    if (st == ST_INVALID) { /* Glue also takes the plain name of a role */
        struct str arn = arena_printf(a->arena, "arn:aws:iam::%.*s:role/%.*s",
                                      STR_ARG(a->owner.account), STR_ARG(a->job->Role));
        st = sts_session_new(core, a->arena, arn, name, SESSION_S, &s->session);
    }
    if (st != ST_OK) {
        *ret_error = arena_printf(a->arena, "No credentials for the role '%.*s' (%s).",
                                  STR_ARG(a->job->Role), status_name(st));
    }
    return st;
}

/* --- words of the command --------------------------------------------------------------------- */
/* Real runs get: the script, the arguments in any order, then Glue's own three. */
static void make_argv(struct glue_active *a, struct glue_script *s)
{
    const char **argv = ARENA_ARRAY(a->arena, const char *, a->arguments.n * 2 + 16);
    size_t n = 0;
    if (a->kind != GLUE_KIND_EXECUTABLE) {
        argv[n++] = s->python;
        argv[n++] = arena_printf(a->arena, "%s/runscript.py", s->glue).p;
    }
    argv[n++] = s->path;
    for (size_t i = 0; i < a->arguments.n; i++) {
        argv[n++] = arena_cstr(a->arena, a->arguments.v[i].key);
        if (str_set(a->arguments.v[i].value) && a->arguments.v[i].value.n) {
            argv[n++] = arena_cstr(a->arena, a->arguments.v[i].value);
        }
    }
    struct str job_id = id_hex(a->arena, 64);
    argv[n++] = "--JOB_ID";
    argv[n++] = arena_printf(a->arena, "j_%.*s", STR_ARG(job_id)).p;
    argv[n++] = "--JOB_RUN_ID";
    argv[n++] = arena_cstr(a->arena, a->run->Id);
    argv[n++] = "--JOB_NAME";
    argv[n++] = arena_cstr(a->arena, a->run->JobName);
    s->argv = argv;
}

enum status glue_script_plan(struct glue_active *a, struct glue_script *ret, struct str *ret_error)
{
    const struct config *config = core_config(a->glue->core);
    ret->dir = arena_printf(a->arena, "%s/jobs/%.*s", config->data_dir, STR_ARG(a->run->Id)).p;
    ret->glue = arena_printf(a->arena, "%s/.glue", ret->dir).p;
    ret->python = config->python;
    note_live_log(a);
    enum status st = check_language(a, ret_error);
    st = st == ST_OK ? check_overwrite(a, ret, ret_error) : st;
    st = st == ST_OK ? glue_script_add_script(a, ret, ret_error) : st;
    st = st == ST_OK ? glue_script_add_extras(a, ret, ret_error) : st;
    st = st == ST_OK ? make_session(a, ret, ret_error) : st;
    if (st == ST_OK && a->kind == GLUE_KIND_ETL) {
        st = glue_script_add_spark(a, ret, ret_error);
    }
    if (st == ST_OK) {
        glue_script_make_env(a, ret);
        make_argv(a, ret);
    }
    return st;
}
