/* The parameters that a group may set: those that matter to a pipeline and its server. Names,
 * ranges and what is dynamic are those of MariaDB and MySQL; a server that doesn't know one refuses
 * to start with it, which its status then says. */
#include "emulators/rds/rds_internal.h"
#include "server/base/mem.h"

static const struct rds_known known[] = {
    { "autocommit", "1", true, "boolean", "0,1", "Commits each statement by itself" },
    { "binlog_checksum", "CRC32", true, "string", "NONE,CRC32", "Checksum of binary log events" },
    { "binlog_format", "MIXED", true, "string", "ROW,STATEMENT,MIXED",
      "Format of the binary log; change data capture needs ROW" },
    { "binlog_row_image", "FULL", true, "string", "FULL,MINIMAL,NOBLOB",
      "Columns that row events carry" },
    { "binlog_row_metadata", NULL, true, "string", "NO_LOG,MINIMAL,FULL",
      "Column names and types in the binary log" },
    { "character_set_client", NULL, true, "string", NULL, "Character set of statements" },
    { "character_set_connection", NULL, true, "string", NULL, "Character set of literals" },
    { "character_set_database", NULL, true, "string", NULL, "Character set of the database" },
    { "character_set_results", NULL, true, "string", NULL, "Character set of results" },
    { "character_set_server", NULL, true, "string", NULL, "Character set of new databases" },
    { "collation_connection", NULL, true, "string", NULL, "Collation of literals" },
    { "collation_server", NULL, true, "string", NULL, "Collation of new databases" },
    { "connect_timeout", NULL, true, "integer", "2-31536000", "Seconds for a connect packet" },
    { "default_time_zone", NULL, false, "string", NULL, "Time zone at start" },
    { "event_scheduler", "OFF", true, "string", "ON,OFF", "Runs scheduled events" },
    { "expire_logs_days", NULL, true, "integer", "0-99", "Days that binary logs are kept" },
    { "binlog_expire_logs_seconds", NULL, true, "integer", "0-4294967295",
      "Seconds that binary logs are kept" },
    { "general_log", "0", true, "boolean", "0,1", "Writes every statement to general.log" },
    { "group_concat_max_len", NULL, true, "integer", "4-18446744073709551615",
      "Longest result of GROUP_CONCAT" },
    { "gtid_mode", NULL, false, "string", "OFF,OFF_PERMISSIVE,ON_PERMISSIVE,ON,OFF-PERMISSIVE",
      "Global transaction identifiers (MySQL)" },
    { "enforce_gtid_consistency", NULL, false, "string", "OFF,WARN,ON",
      "Refuses what GTIDs can't log (MySQL)" },
    { "innodb_buffer_pool_size", NULL, true, "integer", "5242880-18446744073709551615",
      "Bytes of InnoDB's cache" },
    { "innodb_file_per_table", "1", true, "boolean", "0,1", "One file for each table" },
    { "innodb_flush_log_at_trx_commit", "2", true, "integer", "0-2",
      "When the redo log is flushed" },
    { "innodb_lock_wait_timeout", NULL, true, "integer", "1-1073741824",
      "Seconds that a row lock is waited for" },
    { "innodb_strict_mode", NULL, true, "boolean", "0,1", "Errors instead of warnings" },
    { "interactive_timeout", NULL, true, "integer", "1-31536000",
      "Seconds before an idle client is dropped" },
    { "local_infile", NULL, true, "boolean", "0,1", "LOAD DATA LOCAL" },
    { "log_bin_trust_function_creators", "0", true, "boolean", "0,1",
      "Lets users without SUPER create functions" },
    { "log_bin_compress", NULL, true, "boolean", "0,1", "Compressed binary log (MariaDB)" },
    { "binlog_transaction_compression", NULL, true, "boolean", "0,1",
      "Compressed transactions in the binary log (MySQL)" },
    { "log_output", "FILE", true, "string", "TABLE,FILE,NONE", "Where query logs go" },
    { "long_query_time", NULL, true, "string", NULL, "Seconds from which a query is slow" },
    { "lower_case_table_names", NULL, false, "integer", "0,1", "Case of table names" },
    { "max_allowed_packet", NULL, true, "integer", "1024-1073741824", "Largest packet in bytes" },
    { "max_connections", NULL, true, "integer", "10-100000", "Clients at a time" },
    { "net_read_timeout", NULL, true, "integer", "1-31536000", "Seconds for more data to come" },
    { "net_write_timeout", NULL, true, "integer", "1-31536000", "Seconds for data to be taken" },
    { "performance_schema", NULL, false, "boolean", "0,1", "Instruments the server" },
    { "read_only", NULL, true, "boolean", "0,1", "Refuses writes" },
    { "require_secure_transport", NULL, true, "boolean", "0,1", "Refuses clients without TLS" },
    { "slow_query_log", "0", true, "boolean", "0,1", "Writes slow queries to slow.log" },
    { "sql_mode", NULL, true, "string", NULL, "Strictness and dialect" },
    { "time_zone", NULL, true, "string", NULL, "Time zone of sessions" },
    { "transaction_isolation", NULL, true, "string",
      "READ-UNCOMMITTED,READ-COMMITTED,REPEATABLE-READ,SERIALIZABLE", "Isolation of transactions" },
    { "tx_isolation", NULL, true, "string",
      "READ-UNCOMMITTED,READ-COMMITTED,REPEATABLE-READ,SERIALIZABLE", "Isolation of transactions" },
    { "wait_timeout", NULL, true, "integer", "1-31536000",
      "Seconds before an idle connection is dropped" },
};

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
