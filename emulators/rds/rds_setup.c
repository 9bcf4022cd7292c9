/* The SQL that makes a database server RDS's: its administrator, the master user, the procedures.
 */
#include "emulators/rds/rds_internal.h"
#include "server/base/mem.h"
#include "server/mysql/conn.h"

/* --- versions of MySQL ------------------------------------------------------------------------ */
/* Is it MySQL of at least this version? An attached or unknown one isn't. */
static bool is_mysql(const struct rds_instance *i, uint64_t major, uint64_t minor)
{
    struct str a, b, rest = i->doc->EngineVersion;
    uint64_t x, y;
    return str_eqz(i->engine, "mysql") && str_next(&rest, '.', &a) && str_next(&rest, '.', &b) &&
           str_u64(a, &x) == ST_OK && str_u64(b, &y) == ST_OK &&
           (x > major || (x == major && y >= minor));
}

/* --- every start ------------------------------------------------------------------------------ */
/* A fresh data folder has root without a password under several hosts. */
#define NO_ROOT_MARIADB "DELETE FROM mysql.global_priv WHERE User IN ('root', '');\n"
#define NO_ROOT_MYSQL "DELETE FROM mysql.user WHERE User IN ('root', '');\n"

struct str rds_setup_init(struct arena *a, struct str engine, struct str password)
{
    bool mariadb = str_eqz(engine, "mariadb");
    return arena_printf(a,
                        "SET SESSION sql_log_bin=0, sql_log_off=1, long_query_time=31536000;\n"
                        "CREATE USER IF NOT EXISTS '" RDS_ADMIN "'@'127.0.0.1';\n"
                        "ALTER USER '" RDS_ADMIN "'@'127.0.0.1' IDENTIFIED BY '%.*s';\n"
                        "GRANT ALL PRIVILEGES ON *.* TO '" RDS_ADMIN
                        "'@'127.0.0.1' WITH GRANT OPTION;\n"
                        "%sFLUSH PRIVILEGES;\n",
                        STR_ARG(password), mariadb ? NO_ROOT_MARIADB : NO_ROOT_MYSQL);
}

struct str rds_setup_value(struct arena *a, const struct rds_known *k, struct str value)
{
    int64_t number;
    if (!str_set(value)) {
        return STR("DEFAULT");
    }
    if (strcmp(k->name, "time_zone") == 0 && str_ieqz(value, "UTC")) {
        /* A server that was made without tables of names knows it by its offset. */
        return STR("IFNULL((SELECT Name FROM mysql.time_zone_name WHERE Name = 'UTC'), '+00:00')");
    }
    return str_i64(value, &number) == ST_OK ? value : mysql_quote(a, value);
}

struct str rds_setup_globals(struct arena *a, const struct rds_settings *settings)
{
    struct str text = STR("");
    for (size_t i = 0; i < settings->n; i++) {
        const struct rds_known *k = rds_known_parameter(settings->v[i].name);
        if (k && !rds_known_is_option(k)) {
            struct str value = rds_setup_value(a, k, settings->v[i].value);
            text = arena_printf(a, "%.*sSET GLOBAL %s = %.*s\n", STR_ARG(text), k->name,
                                STR_ARG(value));
        }
    }
    return text;
}

/* --- the first start: the master user --------------------------------------------------------- */
/* What RDS grants to the master user: everything but SUPER and the file system. */
#define MASTER_GRANTS                                                                           \
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, " \
    "SHOW DATABASES, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, "        \
    "REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, "  \
    "EVENT, TRIGGER"
/* MySQL 8's, and what replaced its SET_USER_ID in 8.4. */
#define MYSQL8_GRANTS \
    ", CREATE ROLE, DROP ROLE, APPLICATION_PASSWORD_ADMIN, ROLE_ADMIN, XA_RECOVER_ADMIN"
#define MYSQL80_GRANTS MYSQL8_GRANTS ", SET_USER_ID"
#define MYSQL84_GRANTS                                                                    \
    MYSQL8_GRANTS                                                                         \
    ", SET_ANY_DEFINER, ALLOW_NONEXISTENT_DEFINER, SHOW_ROUTINE, FLUSH_OPTIMIZER_COSTS, " \
    "FLUSH_STATUS, FLUSH_TABLES, FLUSH_USER_RESOURCES, SENSITIVE_VARIABLES_OBSERVER, "    \
    "SESSION_VARIABLES_ADMIN"
#define MASTER_ROLE "rds_superuser_role"

/* RDS gives all of it again with every new password: a way back for who took it from himself.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.MasterAccounts.html */
static struct str grants(struct arena *a, const struct rds_instance *i, struct str user)
{
    bool roles = is_mysql(i, 8, 0);
    const char *more = is_mysql(i, 8, 4) ? MYSQL84_GRANTS : roles ? MYSQL80_GRANTS : "";
    struct str text =
        arena_printf(a, "GRANT " MASTER_GRANTS "%s ON *.* TO %.*s@'%%' WITH GRANT OPTION\n", more,
                     STR_ARG(user));
    if (roles) {
        text = arena_printf(a,
                            "%.*sCREATE ROLE IF NOT EXISTS '" MASTER_ROLE "'@'%%'\n"
                            "GRANT " MASTER_GRANTS "%s ON *.* TO '" MASTER_ROLE
                            "'@'%%' WITH GRANT OPTION\n"
                            "GRANT '" MASTER_ROLE "'@'%%' TO %.*s@'%%' WITH ADMIN OPTION\n",
                            STR_ARG(text), more, STR_ARG(user));
    }
    return text;
}

/* --- procedures ------------------------------------------------------------------------------- */
/* The log tables, when log_output says TABLE: the present one becomes the backup. A log that is on
 * can't be moved. */
#define ROTATE(table, variable)                                                                    \
    "CREATE OR REPLACE PROCEDURE mysql.rds_rotate_" table "() MODIFIES SQL DATA BEGIN "            \
    "DECLARE was_on INT DEFAULT @@global." variable "; "                                           \
    "SET GLOBAL " variable " = 0; "                                                                \
    "DROP TABLE IF EXISTS mysql." table "_next, mysql." table "_backup; "                          \
    "CREATE TABLE mysql." table "_next LIKE mysql." table "; "                                     \
    "RENAME TABLE mysql." table " TO mysql." table "_backup, mysql." table "_next TO mysql." table \
    "; "                                                                                           \
    "SET GLOBAL " variable " = was_on; END\n"

/* Those of RDS that have something to do here; one statement per line. What is written to the
 * tables of `mysql` stays out of the binary log, as on RDS. */
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
    "KILL QUERY p_thread\n"
    "CREATE OR REPLACE PROCEDURE mysql.rds_innodb_buffer_pool_dump_now() MODIFIES SQL DATA "
    "SET GLOBAL innodb_buffer_pool_dump_now = ON\n"
    "CREATE OR REPLACE PROCEDURE mysql.rds_innodb_buffer_pool_load_now() MODIFIES SQL DATA "
    "SET GLOBAL innodb_buffer_pool_load_now = ON\n"
    "CREATE OR REPLACE PROCEDURE mysql.rds_innodb_buffer_pool_load_abort() MODIFIES SQL DATA "
    "SET GLOBAL innodb_buffer_pool_load_abort = ON\n"
    /* clang-format off */
    ROTATE("slow_log", "slow_query_log")
    ROTATE("general_log", "general_log");
/* clang-format on */

/* MySQL has no CREATE OR REPLACE PROCEDURE. */
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

/* --- together --------------------------------------------------------------------------------- */
struct str rds_setup_first(struct arena *a, const struct rds_instance *i, struct str password)
{
    struct str user = mysql_quote(a, i->doc->MasterUsername);
    struct str pw = mysql_quote(a, password), text = procedures_of(a, i->engine);
    struct str rights = grants(a, i, user);
    text = arena_printf(a, "%.*sCREATE USER IF NOT EXISTS %.*s@'%%' IDENTIFIED BY %.*s\n%.*s",
                        STR_ARG(text), STR_ARG(user), STR_ARG(pw), STR_ARG(rights));
    if (str_set(i->doc->DBName) && i->doc->DBName.n) {
        struct str name = mysql_quote_name(a, i->doc->DBName);
        text = arena_printf(a, "%.*sCREATE DATABASE IF NOT EXISTS %.*s\n", STR_ARG(text),
                            STR_ARG(name));
    }
    return text;
}

struct str rds_setup_password(struct arena *a, const struct rds_instance *i, struct str password)
{
    struct str user = mysql_quote(a, i->doc->MasterUsername), pw = mysql_quote(a, password);
    struct str rights = grants(a, i, user);
    return arena_printf(a,
                        "CREATE USER IF NOT EXISTS %.*s@'%%' IDENTIFIED BY %.*s\n"
                        "ALTER USER %.*s@'%%' IDENTIFIED BY %.*s\n%.*s",
                        STR_ARG(user), STR_ARG(pw), STR_ARG(user), STR_ARG(pw), STR_ARG(rights));
}
