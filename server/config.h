/* Settings of `cistern serve`: one table (config.c) gives option, CISTERN_… variable, type,
 * default and help. Constant after start; any thread. */
#ifndef CISTERN_CONFIG_H
#define CISTERN_CONFIG_H

#include <stdbool.h>
#include <stdio.h>

#include "server/base/status.h"

struct config {
    const char *listen_addr;  /* --listen ADDR:PORT, default 127.0.0.1:4566 */
    int listen_port;          /* 0: any free one */
    const char *data_dir;     /* --data DIR, absolute after load */
    bool ephemeral;           /* --ephemeral */
    bool durable;             /* --durable: synchronous=FULL */
    bool auth_strict;         /* --auth strict|lenient */
    const char *access_key;   /* --access-key, default test */
    const char *secret_key;   /* --secret-key, default test */
    const char *account;      /* --account, default 000000000000 */
    const char *region;       /* --region, default us-east-1 */
    double clock_scale;       /* --clock-scale */
    const char *log;          /* --log, see log_configure */
    int http_threads;         /* --http-threads, 0: one per core, at least 2 */
    int workers;              /* --workers: threads for bulk work */
    const char *python;       /* --python, default python3: for Lambda python3.x and pythonshell */
    const char *spark_master;   /* --spark-master, default local[*]: of glueetl jobs */
    const char *spark_home;     /* --spark-home DIR, or NULL: found, see glue_spark.h */
    const char *spark_endpoint; /* --spark-endpoint URL, or NULL: where executors reach us */
    const char *self_overwrite; /* --glue-self-overwrite merge|aws|spark */
    const char *mysqld;         /* --mysqld, or NULL: programs for RDS, separated by colons */
    const char *functions_file; /* --functions FILE: registered executables, name = command */
};

/* Fills *ret from argv (starting at the subcommand's first option) and the environment; argv wins.
 * On ST_INVALID the reason is written to `err`. */
enum status config_load(int argc, char **argv, struct config *ret, FILE *err) MUST_CHECK;
void config_help(FILE *out);
/* Replaces a text before the start: the folder that --ephemeral made. Copied. */
void config_set_text(const char **member, const char *value);
void config_fini(struct config *config);

#endif
