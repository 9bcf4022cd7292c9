/* The environment of a run: the server's own is not handed on, but for what programs need. */
#include <stdlib.h>

#include "emulators/glue/glue_script.h"
#include "emulators/glue/spark/spark_conf.h"
#include "emulators/glue/spark/spark_find.h"
#include "server/core.h"

#define ENV_MAX 64

struct env {
    struct arena *arena;
    const char **v;
    size_t n;
};

static void set(struct env *e, const char *name, struct str value)
{
    if (str_set(value) && e->n < ENV_MAX) {
        e->v[e->n++] = arena_printf(e->arena, "%s=%.*s", name, STR_ARG(value)).p;
    }
}

static void set_z(struct env *e, const char *name, const char *value)
{
    set(e, name, str_z(value));
}

/* What the server got from its user, when it did. */
static void pass(struct env *e, const char *const *names)
{
    for (; *names; names++) {
        set_z(e, *names, getenv(*names));
    }
}

static void set_aws(struct env *e, struct glue_active *a, const struct glue_script *s)
{
    set(e, "AWS_ENDPOINT_URL", core_endpoint(a->glue->core));
    set(e, "AWS_REGION", a->owner.region);
    set(e, "AWS_DEFAULT_REGION", a->owner.region);
    set(e, "AWS_ACCESS_KEY_ID", s->session.access_key);
    set(e, "AWS_SECRET_ACCESS_KEY", s->session.secret);
    set(e, "AWS_SESSION_TOKEN", s->session.token);
    set_z(e, "AWS_EC2_METADATA_DISABLED", "true");
}

/* For runscript.py, sitecustomize.py and awsglue. */
static void set_cistern(struct env *e, struct glue_active *a, const struct glue_script *s)
{
    const struct config *config = core_config(a->glue->core);
    struct str bookmark = glue_arg(&a->arguments, "job-bookmark-option");
    set(e, "CISTERN_KIND", a->job->Command->Name);
    set(e, "CISTERN_JOB_NAME", a->run->JobName);
    set(e, "CISTERN_JOB_RUN_ID", a->run->Id);
    set(e, "CISTERN_JOB_BOOKMARK", str_set(bookmark) ? bookmark : STR("job-bookmark-disable"));
    if (glue_flag(&a->arguments, "enable-glue-datacatalog")) {
        set_z(e, "CISTERN_GLUE_CATALOG", "1");
    }
    if (s->modules.n) {
        set(e, "CISTERN_MODULES", s->modules);
        set(e, "CISTERN_MODULES_OPTIONS",
            glue_arg(&a->arguments, "python-modules-installer-option"));
        set(e, "CISTERN_MODULES_DIR",
            arena_printf(e->arena, "%s/jobs/modules/%.*s", config->data_dir,
                         STR_ARG(s->modules_key)));
    }
}

static void set_spark(struct env *e, struct glue_active *a, const struct glue_script *s)
{
    static const char *const names[] = { "SPARK_CONF_DIR", "HADOOP_CONF_DIR", "YARN_CONF_DIR",
                                         "KUBECONFIG",     "PYSPARK_PYTHON",  NULL };
    const struct config *config = core_config(a->glue->core);
    pass(e, names);
    set(e, "CISTERN_GLUE_VERSION", a->job->GlueVersion);
    set_z(e, "CISTERN_SPARK_MASTER", config->spark_master);
    set_z(e, "SPARK_HOME", s->spark_home);
    if (!s->spark_home) {
        set_z(e, "CISTERN_SPARK_ON_PATH", spark_on_path(e->arena));
    }
    if (spark_master_local(str_z(config->spark_master))) {
        set(e, "SPARK_LOCAL_DIRS", arena_printf(e->arena, "%s/tmp", s->glue));
    }
    if (spark_master_here(str_z(config->spark_master))) {
        set_z(e, "SPARK_LOCAL_IP", "127.0.0.1");
    }
}

void glue_script_make_env(struct glue_active *a, struct glue_script *s)
{
    static const char *const names[] = { "JAVA_HOME",
                                         "TZ",
                                         "PIP_CONFIG_FILE",
                                         "PIP_INDEX_URL",
                                         "PIP_EXTRA_INDEX_URL",
                                         "PIP_NO_INDEX",
                                         "PIP_FIND_LINKS",
                                         "PIP_CERT",
                                         "PIP_TRUSTED_HOST",
                                         "PIP_PROXY",
                                         "PIP_DEFAULT_TIMEOUT",
                                         "PIP_CACHE_DIR",
                                         NULL };
    struct env e = { a->arena, ARENA_ARRAY(a->arena, const char *, ENV_MAX + 1), 0 };
    const char *path = getenv("PATH"), *home = getenv("HOME");
    set_z(&e, "PATH", path ? path : "/usr/local/bin:/usr/bin:/bin");
    set_z(&e, "HOME", home ? home : "/");
    set_z(&e, "LANG", "C.UTF-8");
    set_z(&e, "PYTHONUNBUFFERED", "1");
    set(&e, "TMPDIR", arena_printf(a->arena, "%s/tmp", s->glue));
    set(&e, "PYTHONPATH",
        arena_printf(a->arena, "%.*s%s%s/lib", STR_ARG(s->py_path), s->py_path.n ? ":" : "",
                     s->glue));
    pass(&e, names);
    set_aws(&e, a, s);
    set_cistern(&e, a, s);
    if (a->kind == GLUE_KIND_ETL) {
        set_spark(&e, a, s);
    }
    s->env = e.v;
}
