/* Where Spark is: looked for, never assumed. Any thread; results live in the arena. */
#ifndef CISTERN_GLUE_SPARK_FIND_H
#define CISTERN_GLUE_SPARK_FIND_H

#include <stdbool.h>

#include "server/base/arena.h"

/* What the installer makes: a Python environment with pyspark. */
#define SPARK_INSTALL_COMMAND "cistern spark install"

struct spark_place {
    const char *home;     /* the folder with jars/ and bin/spark-submit */
    const char *python;   /* the interpreter that belongs to it, or NULL: the server's --python */
    const char *found_by; /* "--spark-home", "SPARK_HOME", … */
};

/* In this order: `wish` (--spark-home, may be NULL), the folder of `cistern spark install`,
 * SPARK_HOME. ST_NOT_FOUND: none of them, so the Python's own pyspark and spark-submit on PATH
 * remain. ST_INVALID: `wish` or SPARK_HOME names no Spark; *ret_error says so. */
enum status spark_find(struct arena *a, const char *wish, struct spark_place *ret,
                       struct str *ret_error) MUST_CHECK;
/* A Spark of any layout in `dir`: unpacked distribution, pyspark package, environment with a
 * pyspark. */
bool spark_place_in(struct arena *a, const char *dir, struct spark_place *ret);
/* ${XDG_DATA_HOME:-~/.local/share}/cistern/spark, or NULL without a home. */
const char *spark_install_dir(struct arena *a);
/* Home of the spark-submit on PATH, or NULL. */
const char *spark_on_path(struct arena *a);
/* Version in the name of the jar home/jars/<name>…-<version>.jar ("hadoop-aws-"), absent when there
 * is none. */
struct str spark_jar_version(struct arena *a, const char *home, const char *name);
/* The java that Spark would use, or NULL. */
const char *spark_java(struct arena *a);

#endif
