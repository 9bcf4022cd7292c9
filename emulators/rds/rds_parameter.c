/* The parameters that a group may set: those that matter to a pipeline and its server. Names,
 * ranges and what is dynamic are those of MariaDB and MySQL; a server that doesn't know one refuses
 * to start with it, which its status then says. */
#include "emulators/rds/rds_internal.h"
#include "server/base/mem.h"

/* Versions that know a parameter: MariaDB from, below, MySQL from, below; as 1011 for 10.11. */
#define ALWAYS 0, 10000
#define NEVER 0, 0
#define EVERYWHERE     \
    {                  \
        ALWAYS, ALWAYS \
    }
#define IN_MARIADB    \
    {                 \
        ALWAYS, NEVER \
    }
#define IN_MYSQL      \
    {                 \
        NEVER, ALWAYS \
    }
#define IN_MYSQL8         \
    {                     \
        NEVER, 800, 10000 \
    }
#define SINCE_MYSQL8       \
    {                      \
        ALWAYS, 800, 10000 \
    }
#define BEFORE_MYSQL8  \
    {                  \
        ALWAYS, 0, 800 \
    }
#define BEFORE_MYSQL84 \
    {                  \
        ALWAYS, 0, 804 \
    }

static const struct rds_known known[] = {
    { "autocommit", "1", true, "boolean", "0,1", "Commits each statement by itself", EVERYWHERE },
    { "binlog_checksum", "CRC32", true, "string", "NONE,CRC32", "Checksum of binary log events",
      EVERYWHERE },
    { "binlog_format", NULL, true, "string", "ROW,STATEMENT,MIXED",
      "Format of the binary log; change data capture needs ROW", EVERYWHERE },
    { "binlog_row_image", "FULL", true, "string", "FULL,MINIMAL,NOBLOB",
      "Columns that row events carry", EVERYWHERE },
    { "binlog_row_metadata", NULL, true, "string", "NO_LOG,MINIMAL,FULL",
      "Column names and types in the binary log", SINCE_MYSQL8 },
    { "binlog_row_value_options", NULL, true, "string", "PARTIAL_JSON",
      "Logs changes of JSON values by their parts; change capture can't read that", IN_MYSQL8 },
    { "character_set_client", NULL, true, "string", NULL, "Character set of statements",
      EVERYWHERE },
    { "character_set_connection", NULL, true, "string", NULL, "Character set of literals",
      EVERYWHERE },
    { "character_set_database", NULL, true, "string", NULL, "Character set of the database",
      EVERYWHERE },
    { "character_set_results", NULL, true, "string", NULL, "Character set of results", EVERYWHERE },
    { "character_set_server", NULL, true, "string", NULL, "Character set of new databases",
      EVERYWHERE },
    { "collation_connection", NULL, true, "string", NULL, "Collation of literals", EVERYWHERE },
    { "collation_server", NULL, true, "string", NULL, "Collation of new databases", EVERYWHERE },
    { "connect_timeout", NULL, true, "integer", "2-31536000", "Seconds for a connect packet",
      EVERYWHERE },
    { "default_time_zone", NULL, false, "string", NULL, "Time zone at start", EVERYWHERE },
    { "event_scheduler", "OFF", true, "string", "ON,OFF", "Runs scheduled events", EVERYWHERE },
    { "expire_logs_days", NULL, true, "integer", "0-99", "Days that binary logs are kept",
      BEFORE_MYSQL84 },
    { "binlog_expire_logs_seconds", NULL, true, "integer", "0-4294967295",
      "Seconds that binary logs are kept", SINCE_MYSQL8 },
    { "general_log", "0", true, "boolean", "0,1", "Writes every statement to general.log",
      EVERYWHERE },
    { "group_concat_max_len", NULL, true, "integer", "4-18446744073709551615",
      "Longest result of GROUP_CONCAT", EVERYWHERE },
    { "gtid_mode", NULL, false, "string", "OFF,OFF_PERMISSIVE,ON_PERMISSIVE,ON,OFF-PERMISSIVE",
      "Global transaction identifiers (MySQL)", IN_MYSQL },
    { "enforce_gtid_consistency", NULL, false, "string", "OFF,WARN,ON",
      "Refuses what GTIDs can't log (MySQL)", IN_MYSQL },
    { "innodb_buffer_pool_size", NULL, true, "integer", "5242880-18446744073709551615",
      "Bytes of InnoDB's cache", EVERYWHERE },
    { "innodb_file_per_table", "1", true, "boolean", "0,1", "One file for each table", EVERYWHERE },
    { "innodb_flush_log_at_trx_commit", "2", true, "integer", "0-2", "When the redo log is flushed",
      EVERYWHERE },
    { "innodb_lock_wait_timeout", NULL, true, "integer", "1-1073741824",
      "Seconds that a row lock is waited for", EVERYWHERE },
    { "innodb_strict_mode", NULL, true, "boolean", "0,1", "Errors instead of warnings",
      EVERYWHERE },
    { "interactive_timeout", NULL, true, "integer", "1-31536000",
      "Seconds before an idle client is dropped", EVERYWHERE },
    { "local_infile", NULL, true, "boolean", "0,1", "LOAD DATA LOCAL", EVERYWHERE },
    { "log_bin_trust_function_creators", "0", true, "boolean", "0,1",
      "Lets users without SUPER create functions", EVERYWHERE },
    { "log_bin_compress", NULL, true, "boolean", "0,1", "Compressed binary log (MariaDB)",
      IN_MARIADB },
    { "binlog_transaction_compression", NULL, true, "boolean", "0,1",
      "Compressed transactions in the binary log (MySQL)", IN_MYSQL8 },
    { "log_output", "FILE", true, "string", "TABLE,FILE,NONE", "Where query logs go", EVERYWHERE },
    { "long_query_time", NULL, true, "string", NULL, "Seconds from which a query is slow",
      EVERYWHERE },
    { "lower_case_table_names", NULL, false, "integer", "0,1", "Case of table names", EVERYWHERE },
    { "max_allowed_packet", NULL, true, "integer", "1024-1073741824", "Largest packet in bytes",
      EVERYWHERE },
    { "max_connections", NULL, true, "integer", "10-100000", "Clients at a time", EVERYWHERE },
    { "net_read_timeout", NULL, true, "integer", "1-31536000", "Seconds for more data to come",
      EVERYWHERE },
    { "net_write_timeout", NULL, true, "integer", "1-31536000", "Seconds for data to be taken",
      EVERYWHERE },
    { "performance_schema", NULL, false, "boolean", "0,1", "Instruments the server", EVERYWHERE },
    { "read_only", NULL, true, "boolean", "0,1", "Refuses writes", EVERYWHERE },
    { "require_secure_transport", NULL, true, "boolean", "0,1", "Refuses clients without TLS",
      EVERYWHERE },
    { "slow_query_log", "0", true, "boolean", "0,1", "Writes slow queries to slow.log",
      EVERYWHERE },
    { "sql_mode", NULL, true, "string", NULL, "Strictness and dialect", EVERYWHERE },
    { "time_zone", NULL, true, "string", NULL, "Time zone of sessions", EVERYWHERE },
    { "transaction_isolation", NULL, true, "string",
      "READ-UNCOMMITTED,READ-COMMITTED,REPEATABLE-READ,SERIALIZABLE", "Isolation of transactions",
      IN_MYSQL },
    { "tx_isolation", NULL, true, "string",
      "READ-UNCOMMITTED,READ-COMMITTED,REPEATABLE-READ,SERIALIZABLE", "Isolation of transactions",
      BEFORE_MYSQL8 },
    { "wait_timeout", NULL, true, "integer", "1-31536000",
      "Seconds before an idle connection is dropped", EVERYWHERE },
    { "innodb_print_all_deadlocks", "0", true, "boolean", "0,1",
      "Writes all deadlocks to error.log", EVERYWHERE },
    { "lock_wait_timeout", NULL, true, "integer", "1-31536000",
      "Seconds that the lock of a table's definition is waited for", EVERYWHERE },
    { "log_queries_not_using_indexes", "0", true, "boolean", "0,1",
      "Takes queries without an index for slow", EVERYWHERE },
    { "log_slave_updates", NULL, false, "boolean", "0,1", "Logs what replication applies",
      BEFORE_MYSQL84 },
    { "max_heap_table_size", NULL, true, "integer", "16384-4294966272", "Largest table in memory",
      EVERYWHERE },
    { "sort_buffer_size", NULL, true, "integer", "32768-4294967295", "Bytes for a sort",
      EVERYWHERE },
    { "table_open_cache", NULL, true, "integer", "1-524288", "Open tables, all clients together",
      EVERYWHERE },
    { "tmp_table_size", NULL, true, "integer", "1024-4294967295",
      "Largest temporary table in memory", EVERYWHERE },
};

unsigned rds_family_version(struct str family, struct str engine)
{
    struct str a, b, rest = family;
    uint64_t major, minor = 0;
    if (!str_starts(family, engine)) {
        return 0;
    }
    rest = str_sub(family, engine.n, family.n);
    if (!str_next(&rest, '.', &a) || str_u64(a, &major) != ST_OK || major > 99 ||
        (rest.n && (!str_next(&rest, '.', &b) || str_u64(b, &minor) != ST_OK || minor > 99))) {
        return 0;
    }
    return (unsigned)(major * 100 + minor);
}

/* RDS's, and the engines' later versions: what is installed here may be newer than RDS. */
bool rds_is_family(struct str family)
{
    static const char *const families[] = { "mariadb10.3", "mariadb10.4",  "mariadb10.5",
                                            "mariadb10.6", "mariadb10.11", "mysql5.7",
                                            "mysql8.0",    "mysql8.4" };
    unsigned mysql = rds_family_version(family, STR("mysql")),
             mariadb = rds_family_version(family, STR("mariadb"));
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        if (str_eqz(family, families[i])) {
            return true;
        }
    }
    return mysql > 804 || mariadb > 1011;
}

bool rds_known_in(const struct rds_known *k, struct str family)
{
    unsigned mysql = rds_family_version(family, STR("mysql")),
             mariadb = rds_family_version(family, STR("mariadb"));
    return mysql ? mysql >= k->in.mysql_from && mysql < k->in.mysql_below
                 : mariadb >= k->in.mariadb_from && mariadb < k->in.mariadb_below;
}

const char *rds_known_value(const struct rds_known *k, struct str family)
{
    unsigned mysql = rds_family_version(family, STR("mysql"));
    if (strcmp(k->name, "binlog_format") == 0) {
        return mysql >= 804 ? "ROW" : "MIXED";
    }
    return k->value;
}

bool rds_known_is_option(const struct rds_known *k)
{
    static const char *const variables[] = {
        "character_set_client",  "character_set_connection", "character_set_database",
        "character_set_results", "collation_connection",     "time_zone",
        "tx_isolation"
    };
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        if (strcmp(k->name, variables[i]) == 0) {
            return false;
        }
    }
    return true;
}

const struct rds_known *rds_known_parameters(size_t *ret_n)
{
    *ret_n = ARRAY_LEN(known);
    return known;
}

const struct rds_known *rds_known_parameter(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (str_ieqz(name, known[i].name)) {
            return &known[i];
        }
    }
    return NULL;
}

/* "2-31536000" */
static bool in_range(const char *allowed, struct str value)
{
    struct str low, high;
    uint64_t from, to, v;
    return str_cut(str_z(allowed), '-', &low, &high) && str_u64(low, &from) == ST_OK &&
           str_u64(high, &to) == ST_OK && str_u64(value, &v) == ST_OK && v >= from && v <= to;
}

bool rds_value_fits(const struct rds_known *k, struct str value)
{
    for (size_t i = 0; i < value.n; i++) {
        if ((unsigned char)value.p[i] < ' ') {
            return false;
        }
    }
    if (strcmp(k->name, "time_zone") == 0) {
        return str_eqz(value, "UTC") || rds_zone_is(value);
    }
    if (!k->allowed) {
        return true;
    }
    if (strcmp(k->type, "integer") == 0 && !strchr(k->allowed, ',')) {
        return in_range(k->allowed, value);
    }
    struct str rest = str_z(k->allowed), one;
    while (rest.n && str_next(&rest, ',', &one)) {
        if (str_ieq(one, value)) {
            return true;
        }
    }
    return false;
}
