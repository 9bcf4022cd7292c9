#include "emulators/glue/glue_script.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulators/facade/s3.h"
#include "emulators/facade/sts.h"
#include "server/base/id.h"
#include "server/base/mem.h"
#include "server/core.h"

#define SCRIPT_BYTES_MAX (16 << 20)
#define SESSION_S 43200 /* the longest that STS gives; runs may take long */
#define SPARK_MISSING                                                                            \
    "Job type glueetl needs Apache Spark, and spark-submit isn't on the server's PATH. Install " \
    "it (for instance `pip install pyspark==3.5.4`, a Java runtime, and hadoop-aws-3.3.4.jar "   \
    "with aws-java-sdk-bundle-1.12.262.jar in pyspark's jars folder), put it on PATH and start " \
    "the server again; or use Command.Name pythonshell or cistern-merge."

/* The package travels inside of the binary. */
extern const char glue_awsglue_utils_py[], glue_awsglue_utils_py_end[];
__asm__(".section .rodata\n"
        ".globl glue_awsglue_utils_py\n"
        ".globl glue_awsglue_utils_py_end\n"
        "glue_awsglue_utils_py:\n"
        ".incbin \"emulators/glue/python/awsglue/utils.py\"\n"
        "glue_awsglue_utils_py_end:\n"
        ".byte 0\n"
        ".text\n");

static enum status failed(struct glue_active *a, struct str *ret_error, const char *what)
{
    *ret_error = arena_printf(a->arena, "%s: %s", what, strerror(errno));
    return ST_IO;
}

/* --- files ---------------------------------------------------------------------------------------
 */
static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0) {
            return false;
        }
        p += done;
        n -= (size_t)done;
    }
    return true;
}

static bool write_file(const char *path, const char *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool good = fd >= 0 && write_all(fd, p, n);
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

static bool copy_fd(int from, const char *path)
{
    char block[65536];
    ssize_t n;
    int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool good = to >= 0;
    while (good && (n = read(from, block, sizeof(block))) != 0) {
        good = n > 0 && write_all(to, block, (size_t)n);
    }
    if (to >= 0) {
        close(to);
    }
    return good;
}

static enum status make_dir(struct glue_active *a, struct glue_script *s, struct str *ret_error)
{
    const char *data = core_config(a->glue->core)->data_dir;
    const char *jobs = arena_printf(a->arena, "%s/jobs", data).p;
    s->dir = arena_printf(a->arena, "%s/%.*s", jobs, STR_ARG(a->run->Id)).p;
    const char *package = arena_printf(a->arena, "%s/awsglue", s->dir).p;
    (void)mkdir(jobs, 0755); /* there already, or the next one fails */
    glue_script_clean(s);    /* of an attempt before a crash */
    if (mkdir(s->dir, 0755) != 0 || mkdir(package, 0755) != 0) {
        return failed(a, ret_error, s->dir);
    }
    const char *init = arena_printf(a->arena, "%s/__init__.py", package).p;
    const char *utils = arena_printf(a->arena, "%s/utils.py", package).p;
    if (!write_file(init, "", 0) ||
        !write_file(utils, glue_awsglue_utils_py,
                    (size_t)(glue_awsglue_utils_py_end - glue_awsglue_utils_py))) {
        return failed(a, ret_error, package);
    }
    return ST_OK;
}

static enum status fetch(struct glue_active *a, struct glue_script *s, struct str *ret_error)
{
    struct str location = a->job->Command->ScriptLocation, bucket, key;
    struct str rest = str_sub(location, 5, location.n); /* after s3:// */
    struct s3_object o;
    enum status st = str_cut(rest, '/', &bucket, &key) ? ST_OK : ST_NOT_FOUND;
    st = st == ST_OK ? s3_object_find(core_db(a->glue->core), a->arena, bucket, key, &o) : st;
    if (st == ST_NOT_FOUND || (st == ST_OK && o.size > SCRIPT_BYTES_MAX)) {
        *ret_error = arena_printf(
            a->arena, "The script %.*s %s: put it there and start the run again.",
            STR_ARG(location), st == ST_OK ? "is bigger than 16 MB" : "does not exist");
        return ST_NOT_FOUND;
    }
    CLEANUP(close_fd) int fd = -1;
    st = st == ST_OK ? s3_object_open(a->glue->core, &o, &fd) : st;
    if (st != ST_OK) {
        *ret_error = arena_printf(a->arena, "The script %.*s cannot be read (%s).",
                                  STR_ARG(location), status_name(st));
        return st;
    }
    size_t from = key.n;
    while (from > 0 && key.p[from - 1] != '/') {
        from--;
    }
    struct str name = str_sub(key, from, key.n);
    bool safe = name.n && name.n < 200 && name.p[0] != '.' && name.p[0] != '-';
    s->path = arena_printf(a->arena, "%s/%.*s", s->dir, STR_ARG(safe ? name : STR("script.py"))).p;
    return copy_fd(fd, s->path) ? ST_OK : failed(a, ret_error, s->path);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info;
    (void)type;
    (void)ftw;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

void glue_script_clean(const struct glue_script *s)
{
    if (s->dir) {
        (void)nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS); /* what stays is only litter */
    }
}

/* --- environment
 * ----------------------------------------------------------------------------------- */
static enum status make_env(struct glue_active *a, struct glue_script *s, struct str *ret_error)
{
    struct core *core = a->glue->core;
    struct sts_session session;
    struct str name =
        str_sub(a->run->Id, 0, 35); /* GlueJobRunnerSession on AWS; ours tells the run */
    enum status st = sts_session_new(core, a->arena, a->job->Role, name, SESSION_S, &session);
    if (st == ST_INVALID) { /* Glue also takes the plain name of a role */
        struct str arn = arena_printf(a->arena, "arn:aws:iam::%.*s:role/%.*s",
                                      STR_ARG(a->owner.account), STR_ARG(a->job->Role));
        st = sts_session_new(core, a->arena, arn, name, SESSION_S, &session);
    }
    if (st != ST_OK) {
        *ret_error = arena_printf(a->arena, "No credentials for the role '%.*s' (%s).",
                                  STR_ARG(a->job->Role), status_name(st));
        return st;
    }
    struct str endpoint = core_endpoint(core), region = a->owner.region;
    const char *path = getenv("PATH"), *home = getenv("HOME"), *java = getenv("JAVA_HOME");
    const char **env = ARENA_ARRAY(a->arena, const char *, 16);
    size_t n = 0;
    env[n++] = arena_printf(a->arena, "PATH=%s", path ? path : "/usr/local/bin:/usr/bin:/bin").p;
    env[n++] = arena_printf(a->arena, "HOME=%s", home ? home : "/").p;
    env[n++] = arena_printf(a->arena, "PYTHONPATH=%s", s->dir).p;
    env[n++] = "PYTHONUNBUFFERED=1";
    env[n++] = "LANG=C.UTF-8";
    env[n++] = arena_printf(a->arena, "AWS_ENDPOINT_URL=%.*s", STR_ARG(endpoint)).p;
    env[n++] = arena_printf(a->arena, "AWS_REGION=%.*s", STR_ARG(region)).p;
    env[n++] = arena_printf(a->arena, "AWS_DEFAULT_REGION=%.*s", STR_ARG(region)).p;
    env[n++] = arena_printf(a->arena, "AWS_ACCESS_KEY_ID=%.*s", STR_ARG(session.access_key)).p;
    env[n++] = arena_printf(a->arena, "AWS_SECRET_ACCESS_KEY=%.*s", STR_ARG(session.secret)).p;
    env[n++] = arena_printf(a->arena, "AWS_SESSION_TOKEN=%.*s", STR_ARG(session.token)).p;
    env[n++] = "AWS_EC2_METADATA_DISABLED=true";
    if (java) {
        env[n++] = arena_printf(a->arena, "JAVA_HOME=%s", java).p;
    }
    s->env = env;
    return ST_OK;
}

/* --- arguments
 * --------------------------------------------------------------------------------------- */
static bool on_path(struct arena *a, const char *program)
{
    struct str dir, rest = str_z(getenv("PATH"));
    while (str_next(&rest, ':', &dir)) {
        if (access(arena_printf(a, "%.*s/%s", STR_ARG(dir), program).p, X_OK) == 0) {
            return true;
        }
    }
    return false;
}

static size_t spark_words(struct glue_active *a, const char **argv, size_t n)
{
    struct str endpoint = core_endpoint(a->glue->core);
    const char *const conf[] = {
        arena_printf(a->arena, "spark.hadoop.fs.s3a.endpoint=%.*s", STR_ARG(endpoint)).p,
        "spark.hadoop.fs.s3a.path.style.access=true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled=false",
        "spark.hadoop.fs.s3.impl=org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.hadoop.fs.s3n.impl=org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.ui.enabled=false",
    };
    argv[n++] = "spark-submit";
    argv[n++] = "--master";
    argv[n++] = "local[*]";
    for (size_t i = 0; i < ARRAY_LEN(conf); i++) {
        argv[n++] = "--conf";
        argv[n++] = conf[i];
    }
    return n;
}

/* Real runs get: the script, the arguments in any order, then Glue's own three. */
static enum status make_argv(struct glue_active *a, struct glue_script *s, struct str *ret_error)
{
    const char **argv = ARENA_ARRAY(a->arena, const char *, a->arguments.n * 2 + 32);
    size_t n = 0;
    if (a->kind == GLUE_KIND_ETL) {
        if (!on_path(a->arena, "spark-submit")) {
            *ret_error = STR(SPARK_MISSING);
            return ST_NOT_FOUND;
        }
        n = spark_words(a, argv, n);
    } else {
        argv[n++] = core_config(a->glue->core)->python;
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
    return ST_OK;
}

enum status glue_script_prepare(struct glue_active *a, struct glue_script *ret,
                                struct str *ret_error)
{
    static const char *const unsupported[] = { "extra-py-files", "additional-python-modules",
                                               "extra-files", "extra-jars" };
    for (size_t i = 0; i < ARRAY_LEN(unsupported); i++) {
        if (str_set(glue_arg(&a->arguments, unsupported[i]))) {
            *ret_error = arena_printf(a->arena,
                                      "Argument --%s isn't implemented: install the modules into "
                                      "the server's Python (--python) and leave it out.",
                                      unsupported[i]);
            return ST_INVALID;
        }
    }
    enum status st = make_dir(a, ret, ret_error);
    st = st == ST_OK ? fetch(a, ret, ret_error) : st;
    st = st == ST_OK ? make_env(a, ret, ret_error) : st;
    return st == ST_OK ? make_argv(a, ret, ret_error) : st;
}
