/* The settings of a run's Spark, as a properties file (spark-submit --properties-file): what makes
 * S3 paths reach this server with the run's own credentials, and what the job's arguments ask for.
 * Pure; any thread. */
#ifndef CISTERN_GLUE_SPARK_CONF_H
#define CISTERN_GLUE_SPARK_CONF_H

#include <stdbool.h>

#include "server/base/arena.h"
#include "server/base/buf.h"

struct spark_conf {
    struct str master;
    struct str app_name;
    struct str endpoint; /* of S3: where driver and executors reach us */
    struct str region;
    struct str access_key, secret, token;
    const char *tmp_dir; /* where S3A collects what it uploads; local masters only */
    bool ui;             /* a live web page on a free port */
    const char *log4j;   /* logging configuration of the driver, or NULL */
    bool progress;       /* progress bars on standard error */
    bool ignore_missing; /* files that vanished while they were to be read give no rows */
    bool user_jars_first;
    struct str files, jars, py_files; /* comma-separated local paths; absent: none */
};

/* "local", "local[4]", … */
bool spark_master_local(struct str master);
/* Its executors run on this machine: local, or a cluster at a loopback address. */
bool spark_master_here(struct str master);

void spark_conf_write(struct buf *out, const struct spark_conf *conf);
/* One line key=value, escaped as java.util.Properties reads it. */
void spark_conf_add(struct buf *out, struct str key, struct str value);
/* The value of the job argument --conf, also in the chained form "a=b --conf c=d". ST_INVALID:
 * *ret_bad is a part without '='. */
enum status spark_conf_add_chain(struct buf *out, struct str chain, struct str *ret_bad) MUST_CHECK;

#endif
