#include "emulators/dms/control/assess_checks.h"

#include "server/base/mem.h"

#define OBJECTS_MAX 200 /* named in one result */

static const struct str status_names[] = {
    [DMS_CHECK_PASSED] = STR_INIT("passed"),
    [DMS_CHECK_WARNING] = STR_INIT("warning"),
    [DMS_CHECK_FAILED] = STR_INIT("failed"),
    [DMS_CHECK_ERROR] = STR_INIT("error"),
};

struct str dms_check_status_name(enum dms_check_status status)
{
    return status_names[status];
}

enum status dms_check_prepare(struct dms_check_scene *s, struct mysql_err *err)
{
    struct mysql_table_list all;
    enum status st = mysql_schema_source(s->conn, s->arena, &s->source, err);
    if (st == ST_OK) {
        st = mysql_schema_tables(s->conn, s->arena, &all, err);
    }
    if (st != ST_OK) {
        return st;
    }
    struct mysql_table_name *selected = ARENA_ARRAY(s->arena, struct mysql_table_name, all.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < all.n; i++) {
        if (dms_mapping_selects(&s->mapping, all.items[i].schema, all.items[i].name, NULL)) {
            selected[n++] = all.items[i];
        }
    }
    s->tables = (struct mysql_table_list){ selected, n };
    return ST_OK;
}

/* --- helpers ---------------------------------------------------------------------------------- */

static struct dms_check_result passed(void)
{
    return (struct dms_check_result){ .status = DMS_CHECK_PASSED };
}

static struct dms_check_result found(enum dms_check_status status, struct str text)
{
    return (struct dms_check_result){ .status = status, .text = text };
}

static struct dms_check_result not_asked(struct dms_check_scene *s, const struct mysql_err *err)
{
    return found(DMS_CHECK_ERROR,
                 arena_printf(s->arena, "The source didn't answer: %s", err->text));
}

static bool is_on(struct str v)
{
    return str_ieqz(v, "ON") || str_eqz(v, "1");
}

/* What the same settings would say at the start of a task. */
static struct dms_check_result setting(struct dms_check_scene *s, const char *name)
{
    struct mysql_checks checks = { 0 };
    mysql_schema_check_cdc(&s->source, s->arena, &checks);
    for (size_t i = 0; i < checks.n; i++) {
        if (strcmp(checks.items[i].name, name) == 0) {
            return found(checks.items[i].fatal ? DMS_CHECK_FAILED : DMS_CHECK_WARNING,
                         checks.items[i].text);
        }
    }
    return passed();
}

/* A finding about the selected tables that the query (schema, table) lists. */
static struct dms_check_result about_tables(struct dms_check_scene *s, const char *sql,
                                            const char *text)
{
    struct mysql_cells cells;
    struct mysql_err err = { 0 };
    if (mysql_conn_collect(s->conn, s->arena, sql, &cells, &err) != ST_OK) {
        return not_asked(s, &err);
    }
    struct str *objects = ARENA_ARRAY(s->arena, struct str, OBJECTS_MAX);
    size_t n = 0;
    for (size_t i = 0; i < cells.rows && n < OBJECTS_MAX; i++) {
        const struct str *row = &cells.cells[i * cells.cols];
        if (dms_mapping_selects(&s->mapping, row[0], row[1], NULL)) {
            objects[n++] = arena_printf(s->arena, "%.*s.%.*s", STR_ARG(row[0]), STR_ARG(row[1]));
        }
    }
    if (n == 0) {
        return passed();
    }
    struct dms_check_result r = found(DMS_CHECK_WARNING, str_z(text));
    r.objects = objects;
    r.objects_n = n;
    return r;
}

/* --- the checks ------------------------------------------------------------------------------- */

static struct dms_check_result version(struct dms_check_scene *s)
{
    unsigned low = s->source.flavour == MYSQL_FLAVOUR_MARIADB ? 100024 : 50500;
    return s->source.version_number >= low
               ? passed()
               : found(DMS_CHECK_FAILED,
                       arena_printf(s->arena, "The version %.*s is not supported as a source.",
                                    STR_ARG(s->source.version)));
}

static struct dms_check_result selected(struct dms_check_scene *s)
{
    return s->tables.n > 0
               ? passed()
               : found(DMS_CHECK_FAILED, STR("The table mappings select no table that the "
                                             "endpoint's user may see; grant it SELECT."));
}

static struct dms_check_result may_select(struct dms_check_scene *s)
{
    struct str *objects = ARENA_ARRAY(s->arena, struct str, OBJECTS_MAX);
    size_t n = 0;
    for (size_t i = 0; i < s->tables.n && n < OBJECTS_MAX; i++) {
        const struct mysql_table_name *t = &s->tables.items[i];
        struct str schema = mysql_quote_name(s->arena, t->schema);
        struct str name = mysql_quote_name(s->arena, t->name);
        struct mysql_err err = { 0 };
        if (mysql_conn_execf(s->conn, &err, "SELECT * FROM %.*s.%.*s LIMIT 0", STR_ARG(schema),
                             STR_ARG(name)) != ST_OK) {
            if (err.kind != MYSQL_ERR_PRIVILEGE) {
                return not_asked(s, &err);
            }
            objects[n++] =
                arena_printf(s->arena, "%.*s.%.*s", STR_ARG(t->schema), STR_ARG(t->name));
        }
    }
    struct dms_check_result r =
        n == 0 ? passed()
               : found(DMS_CHECK_FAILED, STR("The endpoint's user may not read these tables: "
                                             "grant it SELECT on them."));
    r.objects = objects;
    r.objects_n = n;
    return r;
}

static struct dms_check_result log_bin(struct dms_check_scene *s)
{
    return setting(s, "log_bin");
}

static struct dms_check_result server_id(struct dms_check_scene *s)
{
    return setting(s, "server_id");
}

static struct dms_check_result binlog_format(struct dms_check_scene *s)
{
    return setting(s, "binlog_format");
}

static struct dms_check_result row_image(struct dms_check_scene *s)
{
    return setting(s, "binlog_row_image");
}

static struct dms_check_result retention(struct dms_check_scene *s)
{
    return setting(s, "binlog_expire_logs_seconds");
}

static struct dms_check_result compression(struct dms_check_scene *s)
{
    struct mysql_err err = { 0 };
    struct mysql_cells cells;
    if (mysql_conn_collect(s->conn, s->arena,
                           "SHOW GLOBAL VARIABLES LIKE 'binlog_transaction_compression'", &cells,
                           &err) != ST_OK) {
        return not_asked(s, &err);
    }
    return cells.rows > 0 && cells.cols > 1 && is_on(cells.cells[1])
               ? found(DMS_CHECK_FAILED, STR("binlog_transaction_compression is ON, which the "
                                             "service doesn't support: set it to OFF."))
               : passed();
}

static struct dms_check_result replica(struct dms_check_scene *s)
{
    return setting(s, "log_slave_updates");
}

static struct dms_check_result engines(struct dms_check_scene *s)
{
    struct str *objects = ARENA_ARRAY(s->arena, struct str, OBJECTS_MAX);
    size_t n = 0;
    for (size_t i = 0; i < s->tables.n && n < OBJECTS_MAX; i++) {
        const struct mysql_table_name *t = &s->tables.items[i];
        if (!str_ieqz(t->engine, "InnoDB")) {
            objects[n++] =
                arena_printf(s->arena, "%.*s.%.*s", STR_ARG(t->schema), STR_ARG(t->name));
        }
    }
    struct dms_check_result r =
        n == 0
            ? passed()
            : found(DMS_CHECK_WARNING,
                    STR("These tables are not InnoDB: a snapshot of them is not exact while they "
                        "are written."));
    r.objects = objects;
    r.objects_n = n;
    return r;
}

static struct dms_check_result partitions(struct dms_check_scene *s)
{
    if (s->partition_ddl) {
        return passed();
    }
    return about_tables(
        s,
        "SELECT DISTINCT table_schema,table_name FROM "
        "information_schema.partitions WHERE partition_name IS NOT NULL",
        "These tables are partitioned: a change of their partitions suspends them, unless the "
        "source endpoint has the extra connection attribute "
        "skipTableSuspensionForPartitionDdl=true.");
}

static struct dms_check_result auto_increment(struct dms_check_scene *s)
{
    return about_tables(s,
                        "SELECT DISTINCT table_schema,table_name FROM information_schema.columns "
                        "WHERE extra LIKE '%auto_increment%'",
                        "These tables have a column with AUTO_INCREMENT: the target gets its "
                        "values, not the attribute.");
}

static struct dms_check_result cascades(struct dms_check_scene *s)
{
    return about_tables(
        s,
        "SELECT DISTINCT constraint_schema,table_name FROM "
        "information_schema.referential_constraints WHERE delete_rule IN ('CASCADE','SET NULL') OR "
        "update_rule IN ('CASCADE','SET NULL')",
        "Foreign keys of these tables change or delete their rows by cascade, which the binary log "
        "doesn't record: such changes never reach the target. Let the application make them, or "
        "reload the tables.");
}

static struct dms_check_result primary_keys(struct dms_check_scene *s)
{
    return about_tables(
        s,
        "SELECT t.table_schema,t.table_name FROM information_schema.tables t LEFT JOIN "
        "information_schema.table_constraints c ON c.table_schema=t.table_schema AND "
        "c.table_name=t.table_name AND c.constraint_type IN ('PRIMARY KEY','UNIQUE') "
        "WHERE t.table_type='BASE TABLE' AND c.constraint_name IS NULL",
        "These tables have neither a primary key nor a unique key: readers of the change files "
        "can't tell their rows apart.");
}

static struct dms_check_result lobs(struct dms_check_scene *s)
{
    return about_tables(s,
                        "SELECT DISTINCT table_schema,table_name FROM information_schema.columns "
                        "WHERE data_type IN ('mediumtext','longtext','mediumblob','longblob',"
                        "'json','geometry')",
                        "These tables have LOB columns: values longer than LobMaxSize are "
                        "truncated.");
}

/* The last of all: it spends the connection. */
static struct dms_check_result replication(struct dms_check_scene *s)
{
    struct mysql_err err = { 0 };
    enum status st = mysql_schema_check_replication(s->conn, s->server_id, &err);
    if (st == ST_OK) {
        return passed();
    }
    return err.kind == MYSQL_ERR_PRIVILEGE ? found(DMS_CHECK_FAILED, arena_strz(s->arena, err.text))
                                           : not_asked(s, &err);
}

/* By the service's keys; there is none for values that are truncated. */
const struct dms_check dms_checks[] = {
    { "mysql-check-supported-version", false, version },
    { "all-check-source-selection-rules", false, selected },
    { "mysql-check-select-privileges", false, may_select },
    { "mysql-check-table-storage-engine", false, engines },
    { "mysql-check-skip-table-suspension-partition-ddl", true, partitions },
    { "table-with-no-primary-key-or-unique-constraint", true, primary_keys },
    { "mysql-check-limited-lob-truncation", false, lobs },
    { "mysql-check-auto-increment", false, auto_increment },
    { "mysql-check-cascade-constraints", true, cascades },
    { "mysql-check-binlog-enabled", true, log_bin },
    { "mysql-check-server-id", true, server_id },
    { "mysql-check-binlog-format", true, binlog_format },
    { "mysql-check-binlog-image", true, row_image },
    { "mysql-check-binlog-retention-time", true, retention },
    { "mysql-check-binlog-compression", true, compression },
    { "mysql-check-database-role", true, replica },
    { "mysql-check-replication-privileges", true, replication },
};
const size_t dms_checks_n = ARRAY_LEN(dms_checks);
