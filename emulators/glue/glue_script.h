/* Where the process of a pythonshell, glueetl or cistern-executable run lives and what it is told.
 *
 * RUN = DATA/jobs/<run id>/ is its working folder, with the script and --extra-files. RUN/.glue/
 * holds what isn't the job's own: runscript.py, lib/ (awsglue), py/ (--extra-py-files), jars/,
 * modules/ (wheels), tmp/, spark.conf, and what runscript.py leaves: `error`, the reason of a
 * failure, and `metrics`. */
#ifndef CISTERN_GLUE_SCRIPT_H
#define CISTERN_GLUE_SCRIPT_H

#include "emulators/facade/s3.h"
#include "emulators/facade/sts.h"
#include "emulators/glue/glue_internal.h"

/* What a job reads that has overwritten its own input: --glue-self-overwrite and the job argument
 * --self_overwrite. */
enum glue_overwrite {
    GLUE_OVERWRITE_MERGE, /* what was there when it began to write */
    GLUE_OVERWRITE_AWS,   /* nothing: the rows are lost */
    GLUE_OVERWRITE_SPARK, /* Spark's error */
};
/* false: no such word. */
bool glue_overwrite_of(struct str word, enum glue_overwrite *ret);

/* A file to lay into RUN: an object of S3, or text. */
struct script_file {
    const char *path;
    unsigned mode;
    struct s3_object object; /* bucket absent: `text` */
    struct str text;
};

struct glue_script {
    const char *dir;  /* RUN */
    const char *glue; /* RUN/.glue */
    const char *path; /* of the script */
    struct script_file *files;
    size_t n_files;
    const char *const *argv;
    const char *const *env;
    struct sts_session session; /* whose credentials the run has */
    enum glue_overwrite overwrite;
    const char *python;              /* interpreter of the script */
    const char *spark_home;          /* NULL: runscript.py looks further */
    struct str py_path;              /* --extra-py-files: what goes on PYTHONPATH, ':' between */
    struct str py_files, jars, more; /* local paths of --extra-py-files, -jars, -files */
    struct str modules;              /* --additional-python-modules, one per line */
    struct str modules_key;          /* differs when the list or a file of it differs */
};

#define SCRIPT_ERROR_MAX 2000

/* --- glue_script.c: core thread; results live in the run's arena --- */
/* Everything but the files themselves. On failure *ret_error says what is missing or refused and
 * what to do. */
enum status glue_script_plan(struct glue_active *a, struct glue_script *ret,
                             struct str *ret_error) MUST_CHECK;

/* --- glue_script_files.c --- */
/* Core thread. Adds a text. */
void glue_script_add_text(struct glue_active *a, struct glue_script *s, const char *path,
                          struct str text, unsigned mode);
/* Core thread. The script of Command.ScriptLocation. */
enum status glue_script_add_script(struct glue_active *a, struct glue_script *s,
                                   struct str *ret_error) MUST_CHECK;
/* Core thread. The files that arguments name: --extra-py-files, --extra-files, --extra-jars,
 * --additional-python-modules. */
enum status glue_script_add_extras(struct glue_active *a, struct glue_script *s,
                                   struct str *ret_error) MUST_CHECK;

/* --- glue_script_lay.c --- */
/* Worker thread. Makes RUN afresh and fills it. On failure the reason is in `error`. */
enum status glue_script_lay(struct core *core, const struct glue_script *s,
                            char error[SCRIPT_ERROR_MAX]) MUST_CHECK;
/* What runscript.py left as reason; absent when nothing. Any thread. */
struct str glue_script_error(struct arena *a, const struct glue_script *s);

/* --- glue_script_env.c: core thread --- */
/* Makes s->env, when everything else is known. */
void glue_script_make_env(struct glue_active *a, struct glue_script *s);

/* --- glue_script_spark.c: core thread --- */
/* Finds Spark and its interpreter, and adds RUN/.glue/spark.conf. */
enum status glue_script_add_spark(struct glue_active *a, struct glue_script *s,
                                  struct str *ret_error) MUST_CHECK;

#endif
