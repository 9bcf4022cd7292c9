/* What a database server is told at its start. */
#include <unistd.h>

#include "emulators/rds/rds_internal.h"
#include "server/base/mem.h"
#include "server/core.h"

#define WORDS_MAX 64

/* Small, for a laptop, and safe against the end of the process (not of the machine): what is
 * committed has left the server's memory. RDS's own defaults where they matter to a pipeline:
 * binlog_format MIXED on engines before MySQL 8.4, file names of the binary log. */
static const char *const small[] = {
    "--innodb-buffer-pool-size=32M",
    "--innodb-flush-log-at-trx-commit=2",
    "--sync-binlog=0",
    "--skip-name-resolve",
    "--innodb-buffer-pool-dump-at-shutdown=0",
    "--innodb-buffer-pool-load-at-startup=0",
    "--innodb-use-native-aio=0", /* the kernel's queues are few, for all processes together */
    "--pid-file=pid",
    "--socket=mysql.sock",
    "--bind-address=127.0.0.1",
    "--slow-query-log-file=slow.log",
    "--general-log-file=general.log",
};

static size_t mariadb_words(const char **argv, size_t n)
{
    argv[n++] = "--innodb-log-file-size=8M";
    argv[n++] = "--key-buffer-size=64K";
    argv[n++] = "--aria-pagecache-buffer-size=1M";
    return n;
}

/* Some came with 8.0. */
static size_t mysql_words(const char **argv, size_t n)
{
    argv[n++] = "--loose-mysqlx=OFF";
    argv[n++] = "--loose-innodb-redo-log-capacity=64M";
    argv[n++] = "--performance-schema=OFF";
    argv[n++] = "--secure-file-priv=NULL"; /* the place that was built in needn't be there */
    return n;
}

static bool has_setting(const struct rds_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->n; i++) {
        if (str_eqz(settings->v[i].name, name)) {
            return true;
        }
    }
    return false;
}

static size_t binlog_words(struct arena *a, const struct rds_instance *i,
                           const struct rds_settings *settings, const char **argv, size_t n)
{
    if (i->doc->BackupRetentionPeriod.v == 0) {
        argv[n++] = "--skip-log-bin"; /* RDS: without backups there is no binary log */
        return n;
    }
    argv[n++] = "--log-bin=mysql-bin-changelog";
    argv[n++] = arena_printf(a, "--server-id=%u", 1000000000u + (unsigned)i->port).p;
    bool old = str_eqz(i->engine, "mariadb") || str_starts(i->doc->EngineVersion, STR("5.")) ||
               str_starts(i->doc->EngineVersion, STR("8.0"));
    if (old && !has_setting(settings, "binlog_format")) {
        argv[n++] = "--binlog-format=MIXED";
    }
    return n;
}

const char *const *rds_options_argv(const struct rds *r, struct arena *a,
                                    const struct rds_instance *i, const char *init_file,
                                    const struct rds_settings *settings)
{
    const struct rds_engine *e = rds_engine(r, i->engine);
    const char *dir = rds_instance_dir(r, a, i->id);
    const char **argv = ARENA_ARRAY(a, const char *, WORDS_MAX + settings->n);
    size_t n = 0;
    argv[n++] = e->program;
    argv[n++] = "--no-defaults";
    argv[n++] = arena_printf(a, "--datadir=%s/data", dir).p;
    argv[n++] = arena_printf(a, "--tmpdir=%s/tmp", dir).p;
    argv[n++] = arena_printf(a, "--log-error=%s/error.log", dir).p;
    argv[n++] = arena_printf(a, "--port=%lld", (long long)i->port).p;
    argv[n++] = arena_printf(a, "--init-file=%s", init_file).p;
    for (size_t k = 0; k < ARRAY_LEN(small); k++) {
        argv[n++] = small[k];
    }
    n = str_eqz(i->engine, "mariadb") ? mariadb_words(argv, n) : mysql_words(argv, n);
    n = binlog_words(a, i, settings, argv, n);
    for (size_t k = 0; k < settings->n; k++) {
        const struct rds_known *known = rds_known_parameter(settings->v[k].name);
        if (known && !rds_known_is_option(known)) {
            continue;
        }
        argv[n++] = arena_printf(a, "--%.*s=%.*s", STR_ARG(settings->v[k].name),
                                 STR_ARG(settings->v[k].value))
                        .p;
    }
    if (geteuid() == 0 && !r->uid) {
        argv[n++] = "--user=root"; /* else it refuses to run as root */
    }
    argv[n] = NULL;
    return argv;
}
