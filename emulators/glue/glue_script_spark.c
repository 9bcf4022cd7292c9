/* What a glueetl run tells its Spark. */
#include "emulators/glue/glue_script.h"
#include "emulators/glue/spark/spark_conf.h"
#include "emulators/glue/spark/spark_find.h"
#include "server/base/mem.h"
#include "server/core.h"

#define CONF_MAX (1u << 20)

/* Spark's own defaults, and the line that tells the port of the live page. */
#define LOG4J_WITH_UI                                                             \
    "rootLogger.level = warn\n"                                                   \
    "rootLogger.appenderRef.stderr.ref = console\n"                               \
    "appender.console.type = Console\n"                                           \
    "appender.console.name = console\n"                                           \
    "appender.console.target = SYSTEM_ERR\n"                                      \
    "appender.console.layout.type = PatternLayout\n"                              \
    "appender.console.layout.pattern = %d{yy/MM/dd HH:mm:ss} %p %c{1}: %m%n%ex\n" \
    "logger.utils.name = org.apache.spark.util.Utils\n"                           \
    "logger.utils.level = info\n"

/* Arguments that mean something on AWS and nothing here: said once, in the log. */
static void tell_ignored(struct glue_active *a)
{
    static const struct {
        const char *name, *why;
    } ignored[] = {
        { "enable-auto-scaling", "the master decides how much runs at once" },
        { "enable-job-insights", "there is no such analysis here" },
        { "datalake-formats", "bring the jars with --extra-jars, or by --conf "
                              "spark.jars.packages=…" },
        { "class", "it is for Scala" },
        { "spark-event-logs-path", "set spark.eventLog.dir by --conf" },
    };
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++) {
        if (str_set(glue_arg(&a->arguments, ignored[i].name))) {
            glue_log(a, GLUE_ERROR, "Cistern: --%s has no effect here: %s.", ignored[i].name,
                     ignored[i].why);
        }
    }
}

static enum status find_spark(struct glue_active *a, struct glue_script *s, struct str *ret_error)
{
    struct spark_place place;
    const struct config *config = core_config(a->glue->core);
    enum status st = spark_find(a->arena, config->spark_home, &place, ret_error);
    if (st == ST_NOT_FOUND) {
        return ST_OK; /* runscript.py asks the interpreter itself */
    }
    if (st == ST_OK) {
        s->spark_home = place.home;
        s->python = place.python ? place.python : s->python;
    }
    return st;
}

static struct str endpoint_of(struct glue_active *a)
{
    const struct config *config = core_config(a->glue->core);
    if (config->spark_endpoint) {
        return str_z(config->spark_endpoint);
    }
    if (!spark_master_here(str_z(config->spark_master))) {
        glue_log(a, GLUE_ERROR,
                 "Cistern: the executors of %s are told to reach S3 at %.*s; if that isn't an "
                 "address of this machine for them, start the server with --listen on one and "
                 "--spark-endpoint.",
                 config->spark_master, STR_ARG(core_endpoint(a->glue->core)));
    }
    return core_endpoint(a->glue->core);
}

static struct spark_conf settings(struct glue_active *a, struct glue_script *s)
{
    const struct config *config = core_config(a->glue->core);
    struct str master = str_z(config->spark_master);
    struct spark_conf c = {
        .master = master,
        .app_name = arena_printf(a->arena, "nativespark-%.*s-%.*s", STR_ARG(a->run->JobName),
                                 STR_ARG(a->run->Id)),
        .endpoint = endpoint_of(a),
        .region = a->owner.region,
        .access_key = s->session.access_key,
        .secret = s->session.secret,
        .token = s->session.token,
        .tmp_dir = arena_printf(a->arena, "%s/tmp", s->glue).p,
        .ui = glue_flag(&a->arguments, "enable-spark-ui"),
        .progress = str_set(a->live_group),
        .ignore_missing = s->overwrite == GLUE_OVERWRITE_AWS,
        .user_jars_first = glue_flag(&a->arguments, "user-jars-first"),
        .files = s->more,
        .jars = s->jars,
        .py_files = spark_master_local(master) ? STR_NONE : s->py_files,
    };
    if (c.ui) {
        c.log4j = arena_printf(a->arena, "%s/log4j2.properties", s->glue).p;
        glue_script_add_text(a, s, c.log4j, STR(LOG4J_WITH_UI), 0644);
    }
    return c;
}

enum status glue_script_add_spark(struct glue_active *a, struct glue_script *s,
                                  struct str *ret_error)
{
    enum status st = find_spark(a, s, ret_error);
    if (st != ST_OK) {
        return st;
    }
    tell_ignored(a);
    struct spark_conf conf = settings(a, s);
    CLEANUP(buf_fini) struct buf text = BUF_INIT(CONF_MAX);
    struct str bad;
    spark_conf_write(&text, &conf);
    st = spark_conf_add_chain(&text, glue_arg(&a->arguments, "conf"), &bad);
    if (st != ST_OK) {
        *ret_error =
            arena_printf(a->arena, "--conf: '%.*s' isn't key=value (several: \"a=b --conf c=d\").",
                         STR_ARG(bad));
        return st;
    }
    const char *path = arena_printf(a->arena, "%s/spark.conf", s->glue).p;
    glue_script_add_text(a, s, path, arena_str(a->arena, buf_str(&text)), 0600);
    return ST_OK;
}
