/* What the server's settings mean for change capture. */
#include <string.h>

#include "server/base/mem.h"
#include "server/mysql/conn_raw.h"
#include "server/mysql/schema.h"

static struct str variable(const struct mysql_cells *t, const char *name)
{
    for (size_t r = 0; r < t->rows; r++) {
        if (str_ieqz(t->cells[r * t->cols], name)) {
            return t->cells[r * t->cols + 1];
        }
    }
    return STR_NONE;
}

static bool is_on(struct str s)
{
    return str_ieqz(s, "ON") || str_eqz(s, "1");
}

/* Seconds that binlogs are kept: MySQL 8 and MariaDB 10.6 have seconds, older ones days. */
static struct str expiry(struct arena *a, const struct mysql_cells *t)
{
    struct str s = variable(t, "binlog_expire_logs_seconds");
    double days = 0;
    if (str_set(s) && !str_eqz(s, "0")) {
        return s;
    }
    struct str d = variable(t, "expire_logs_days");
    if (str_set(d) && str_f64(d, &days) == ST_OK && days > 0) {
        return arena_printf(a, "%.0f", days * 86400);
    }
    return s;
}

static bool is_replica(struct mysql_conn *c, struct arena *a)
{
    const char *sql = mysql_conn_flavour(c) == MYSQL_FLAVOUR_MYSQL && mysql_conn_version(c) >= 80022
                          ? "SHOW REPLICA STATUS"
                          : "SHOW SLAVE STATUS";
    struct mysql_cells t;
    struct mysql_err ignored; /* without the privilege we cannot know, and warn about nothing */
    return mysql_conn_collect(c, a, sql, &t, &ignored) == ST_OK && t.rows > 0;
}

enum status mysql_schema_source(struct mysql_conn *c, struct arena *a, struct mysql_source *ret,
                                struct mysql_err *err)
{
    *ret = (struct mysql_source){ 0 };
    struct mysql_cells t;
    enum status st = mysql_conn_collect(
        c, a,
        "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_id', 'log_bin', 'binlog_format', "
        "'binlog_row_image', 'binlog_row_metadata', 'binlog_checksum', 'binlog_row_value_options', "
        "'log_slave_updates', 'log_replica_updates', 'read_only', 'lower_case_table_names', "
        "'binlog_expire_logs_seconds', 'expire_logs_days')",
        &t, err);
    if (st) {
        return st;
    }
    ret->version = arena_strz(a, mysql_conn_version_text(c));
    ret->flavour = mysql_conn_flavour(c);
    ret->version_number = mysql_conn_version(c);
    ret->server_id = variable(&t, "server_id");
    ret->log_bin = variable(&t, "log_bin");
    ret->binlog_format = variable(&t, "binlog_format");
    ret->row_image = variable(&t, "binlog_row_image");
    ret->row_metadata = variable(&t, "binlog_row_metadata");
    ret->checksum = variable(&t, "binlog_checksum");
    ret->row_value_options = variable(&t, "binlog_row_value_options");
    ret->log_slave_updates = variable(&t, "log_slave_updates");
    if (!str_set(ret->log_slave_updates)) {
        ret->log_slave_updates = variable(&t, "log_replica_updates");
    }
    ret->read_only = variable(&t, "read_only");
    ret->lower_case_table_names = variable(&t, "lower_case_table_names");
    ret->expire_logs_seconds = expiry(a, &t);
    uint64_t expire = 0;
    ret->expires_soon = str_set(ret->expire_logs_seconds) &&
                        str_u64(ret->expire_logs_seconds, &expire) == ST_OK && expire > 0 &&
                        expire < 86400;
    ret->is_replica = is_replica(c, a);
    return ST_OK;
}

static void finding(struct mysql_checks *k, bool fatal, const char *name, struct str text)
{
    if (k->n < ARRAY_LEN(k->items)) {
        k->items[k->n++] = (struct mysql_check){ .fatal = fatal, .name = name, .text = text };
    }
}

/* The two places where a setting can be mended. */
static struct str remedy(struct arena *a, const char *name, const char *value)
{
    return arena_printf(a,
                        "On RDS set %s to '%s' in the parameter group of the instance, one of your "
                        "own, and reboot the instance while the group is pending-reboot. On a "
                        "server of your own: SET GLOBAL %s = '%s', and %s=%s below [mysqld] of "
                        "my.cnf.",
                        name, value, name, value, name, value);
}

static void check_log(const struct mysql_source *s, struct arena *a, struct mysql_checks *k)
{
    if (!is_on(s->log_bin)) {
        finding(k, true, "log_bin",
                arena_printf(a,
                             "Binary logging must be enabled (log_bin is %.*s). On RDS set the "
                             "backup retention period (BackupRetentionPeriod) to at least one day: "
                             "0 turns the binary log off. Start a server of your own with "
                             "--log-bin --server-id=1 --binlog-format=ROW, or with log_bin, "
                             "server_id=1 and binlog_format=ROW below [mysqld] of my.cnf.",
                             STR_ARG(str_set(s->log_bin) ? s->log_bin : STR("OFF"))));
    }
    if (str_eqz(s->server_id, "0")) {
        finding(k, true, "server_id",
                STR("server_id is 0, and such a server serves no replica: set it to 1 or more."));
    }
    if (!str_ieqz(s->binlog_format, "ROW")) {
        finding(k, true, "binlog_format",
                arena_printf(a,
                             "binlog_format must be ROW, it is %.*s. %.*s Then reconnect the "
                             "applications: open sessions keep the old format.",
                             STR_ARG(s->binlog_format),
                             STR_ARG(remedy(a, "binlog_format", "ROW"))));
    }
}

void mysql_schema_check_cdc(const struct mysql_source *s, struct arena *a, struct mysql_checks *ret)
{
    *ret = (struct mysql_checks){ 0 };
    check_log(s, a, ret);
    if (str_set(s->row_image) && !str_ieqz(s->row_image, "FULL")) {
        finding(ret, false, "binlog_row_image",
                arena_printf(a,
                             "binlog_row_image should be FULL, it is %.*s: changed rows will lack "
                             "columns. %.*s",
                             STR_ARG(s->row_image),
                             STR_ARG(remedy(a, "binlog_row_image", "FULL"))));
    }
    if (str_set(s->row_value_options) && !str_empty(s->row_value_options)) {
        finding(ret, true, "binlog_row_value_options",
                arena_printf(a,
                             "binlog_row_value_options is %.*s: partial JSON updates cannot be "
                             "captured. On RDS reset it in the parameter group of the instance; on "
                             "a server of your own SET GLOBAL binlog_row_value_options = '', and "
                             "take it out of my.cnf.",
                             STR_ARG(s->row_value_options)));
    }
    if (s->is_replica && str_set(s->log_slave_updates) && !is_on(s->log_slave_updates)) {
        finding(ret, true, "log_slave_updates",
                STR("This server is a replica with log_slave_updates OFF: changes that it receives "
                    "are not in its own binary log. Start it with --log-slave-updates."));
    }
    if (s->expires_soon) {
        finding(ret, false, "binlog_expire_logs_seconds",
                arena_printf(a,
                             "Binary logs are kept for %.*s seconds only; a task that is stopped "
                             "longer cannot resume. Keep them for at least a day: on RDS CALL "
                             "mysql.rds_set_configuration('binlog retention hours', 24), on a "
                             "server of your own SET GLOBAL binlog_expire_logs_seconds = 86400 "
                             "(before MySQL 8.0 and MariaDB 10.6: expire_logs_days = 1).",
                             STR_ARG(s->expire_logs_seconds)));
    }
}

enum status mysql_schema_check_replication(struct mysql_conn *c, uint32_t server_id,
                                           struct mysql_err *err)
{
    return mysql_conn_register(c, server_id, err);
}
