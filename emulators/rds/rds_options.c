/* What a database server is told at its start, and the SQL that makes it RDS's. */
#include <unistd.h>

#include "emulators/rds/rds_internal.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/mysql/conn.h"

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

static size_t mysql_words(const char **argv, size_t n)
{
    argv[n++] = "--mysqlx=OFF";
    argv[n++] = "--performance-schema=OFF";
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

/* --- SQL -----------------------------------------------------------------------------------------
 */
/* A fresh data folder has root without a password under several hosts. */
#define NO_ROOT_MARIADB "DELETE FROM mysql.global_priv WHERE User IN ('root', '');\n"
#define NO_ROOT_MYSQL "DELETE FROM mysql.user WHERE User IN ('root', '');\n"

struct str rds_options_init(struct arena *a, struct str engine, struct str password)
{
    bool mariadb = str_eqz(engine, "mariadb");
    return arena_printf(a,
                        "SET SESSION sql_log_bin=0;\n"
                        "CREATE USER IF NOT EXISTS '" RDS_ADMIN "'@'127.0.0.1';\n"
                        "ALTER USER '" RDS_ADMIN "'@'127.0.0.1' IDENTIFIED BY '%.*s';\n"
                        "GRANT ALL PRIVILEGES ON *.* TO '" RDS_ADMIN
                        "'@'127.0.0.1' WITH GRANT OPTION;\n"
                        "%sFLUSH PRIVILEGES;\n",
                        STR_ARG(password), mariadb ? NO_ROOT_MARIADB : NO_ROOT_MYSQL);
}

/* What RDS grants to the master user: everything but SUPER and the file system. */
#define MASTER_GRANTS                                                                           \
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, " \
    "SHOW DATABASES, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, "        \
    "REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, "  \
    "EVENT, TRIGGER"

/* The procedures of RDS that a pipeline's author calls; one statement per line. */
static const char procedures[] =
    "CREATE TABLE IF NOT EXISTS mysql.rds_configuration(name VARCHAR(100) NOT NULL PRIMARY KEY, "
    "value VARCHAR(100), description VARCHAR(300) NOT NULL)\n"
    "INSERT IGNORE INTO mysql.rds_configuration VALUES('binlog retention hours', NULL, 'binlog "
    "retention hours specifies the duration in hours before binary logs are automatically "
    "deleted.')\n"
    "CREATE OR REPLACE PROCEDURE mysql.rds_show_configuration() READS SQL DATA "
    "SELECT name, value, description FROM mysql.rds_configuration\n"
    "CREATE OR REPLACE PROCEDURE mysql.rds_set_configuration(IN p_name VARCHAR(30), IN p_value "
    "INT) "
    "MODIFIES SQL DATA BEGIN "
    "IF NOT EXISTS (SELECT 1 FROM mysql.rds_configuration WHERE name = p_name) THEN "
    "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Unknown configuration parameter: use "
    "''binlog retention hours''.'; END IF; "
    "IF p_value IS NOT NULL AND (p_value < 1 OR p_value > 168) THEN "
    "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'For binlog retention hours the value must be "
    "between 1 and 168 inclusive or be NULL'; END IF; "
    "UPDATE mysql.rds_configuration SET value = p_value WHERE name = p_name; END\n"
    "CREATE OR REPLACE PROCEDURE mysql.rds_kill(IN p_thread BIGINT) MODIFIES SQL DATA "
    "KILL p_thread\n"
    "CREATE OR REPLACE PROCEDURE mysql.rds_kill_query(IN p_thread BIGINT) MODIFIES SQL DATA "
    "KILL QUERY p_thread\n";

/* MySQL has no CREATE OR REPLACE PROCEDURE, and KILL there takes no variable in all versions. */
static struct str procedures_of(struct arena *a, struct str engine)
{
    struct str all = str_z(procedures), line, text = STR("");
    bool mariadb = str_eqz(engine, "mariadb");
    while (all.n && str_next(&all, '\n', &line)) {
        struct str head = STR("CREATE OR REPLACE PROCEDURE ");
        if (!mariadb && str_starts(line, head)) {
            struct str rest = str_sub(line, head.n, line.n), name, tail;
            if (!str_cut(rest, '(', &name, &tail)) {
                continue;
            }
            text = arena_printf(a, "%.*sDROP PROCEDURE IF EXISTS %.*s\nCREATE PROCEDURE %.*s\n",
                                STR_ARG(text), STR_ARG(name), STR_ARG(rest));
            continue;
        }
        text = arena_printf(a, "%.*s%.*s\n", STR_ARG(text), STR_ARG(line));
    }
    return text;
}

struct str rds_options_setup(struct arena *a, const struct rds_instance *i, struct str password)
{
    struct str user = mysql_quote(a, i->doc->MasterUsername);
    struct str pw = mysql_quote(a, password), text = procedures_of(a, i->engine);
    text = arena_printf(a,
                        "%.*sCREATE USER IF NOT EXISTS %.*s@'%%' IDENTIFIED BY %.*s\n"
                        "GRANT " MASTER_GRANTS " ON *.* TO %.*s@'%%' WITH GRANT OPTION\n",
                        STR_ARG(text), STR_ARG(user), STR_ARG(pw), STR_ARG(user));
    if (str_set(i->doc->DBName) && i->doc->DBName.n) {
        struct str name = mysql_quote_name(a, i->doc->DBName);
        text = arena_printf(a, "%.*sCREATE DATABASE IF NOT EXISTS %.*s\n", STR_ARG(text),
                            STR_ARG(name));
    }
    return text;
}

struct str rds_options_password(struct arena *a, const struct rds_instance *i, struct str password)
{
    struct str user = mysql_quote(a, i->doc->MasterUsername), pw = mysql_quote(a, password);
    return arena_printf(a, "ALTER USER %.*s@'%%' IDENTIFIED BY %.*s\n", STR_ARG(user), STR_ARG(pw));
}
