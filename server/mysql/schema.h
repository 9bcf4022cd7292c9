/* What tables there are, how their columns are typed, and whether the server is set up for change
 * capture. All results live in the caller's arena. Same thread as the connection. */
#ifndef CISTERN_MYSQL_SCHEMA_H
#define CISTERN_MYSQL_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"
#include "server/mysql/conn.h"

/* The declared type; character sets and lengths are separate members. */
enum mysql_family {
    MYSQL_F_OTHER, /* a type that we do not know: reading such a column is refused */
    MYSQL_F_TINYINT,
    MYSQL_F_SMALLINT,
    MYSQL_F_MEDIUMINT,
    MYSQL_F_INT,
    MYSQL_F_BIGINT,
    MYSQL_F_DECIMAL,
    MYSQL_F_FLOAT,
    MYSQL_F_DOUBLE,
    MYSQL_F_BIT,
    MYSQL_F_DATE,
    MYSQL_F_TIME,
    MYSQL_F_DATETIME,
    MYSQL_F_TIMESTAMP,
    MYSQL_F_YEAR,
    MYSQL_F_CHAR,
    MYSQL_F_VARCHAR,
    MYSQL_F_TINYTEXT,
    MYSQL_F_TEXT,
    MYSQL_F_MEDIUMTEXT,
    MYSQL_F_LONGTEXT, /* also MariaDB's JSON */
    MYSQL_F_BINARY,
    MYSQL_F_VARBINARY,
    MYSQL_F_TINYBLOB,
    MYSQL_F_BLOB,
    MYSQL_F_MEDIUMBLOB,
    MYSQL_F_LONGBLOB,
    MYSQL_F_ENUM,
    MYSQL_F_SET,
    MYSQL_F_JSON, /* MySQL's binary JSON */
    MYSQL_F_GEOMETRY,
    MYSQL_F_UUID,  /* MariaDB */
    MYSQL_F_INET4, /* MariaDB */
    MYSQL_F_INET6, /* MariaDB */
};

enum mysql_generated { MYSQL_GEN_NO, MYSQL_GEN_VIRTUAL, MYSQL_GEN_STORED };

struct mysql_column {
    struct str name;
    struct str was; /* from mysql_ddl_apply(): its name before the statement; absent: it is new */
    struct str type_text; /* COLUMN_TYPE: "int(10) unsigned", "enum('a','b')" */
    struct str charset;   /* "utf8mb4", "latin1"; absent for types without one */
    struct str collation;
    const struct str *labels; /* ENUM, SET: in UTF-8, unescaped, in index order */
    size_t labels_n;
    uint64_t chars; /* CHARACTER_MAXIMUM_LENGTH: characters, bytes for binary types */
    uint64_t bytes; /* CHARACTER_OCTET_LENGTH */
    enum mysql_family family;
    enum mysql_generated generated;
    unsigned precision; /* DECIMAL, FLOAT(M,D); BIT(n): n */
    unsigned scale;     /* DECIMAL */
    unsigned fraction;  /* TIME, DATETIME, TIMESTAMP: digits 0–6 */
    unsigned pk;        /* place in the primary key from 1; 0: not in it */
    bool is_unsigned;
    bool zerofill;
    bool nullable;
    bool invisible;
    bool auto_increment;
    bool compressed; /* MariaDB COMPRESSED */
};

struct mysql_table {
    struct str schema, name, engine;
    struct str charset; /* the default of new columns */
    const struct mysql_column
        *columns; /* in ordinal order, all of them: also generated, invisible */
    size_t columns_n;
    const unsigned *pk; /* indexes into columns, in key order */
    size_t pk_n;
    uint64_t approx_rows; /* the server's estimate; 0 if unknown */
    bool versioned;       /* MariaDB WITH SYSTEM VERSIONING */
    unsigned hidden; /* columns that the binlog has after ours (MariaDB's hash, row_start…) */
};

struct mysql_table_name {
    struct str schema, name, engine;
    uint64_t approx_rows;
};
struct mysql_table_list {
    const struct mysql_table_name *items;
    size_t n;
};
/* All base tables outside the server's own schemas (mysql, sys, information_schema,
 * performance_schema), by schema and name. Views and sequences are left out. */
enum status mysql_schema_tables(struct mysql_conn *c, struct arena *a, struct mysql_table_list *ret,
                                struct mysql_err *err) MUST_CHECK;

/* All views outside of them, by schema and name; engine absent. */
enum status mysql_schema_views(struct mysql_conn *c, struct arena *a, struct mysql_table_list *ret,
                               struct mysql_err *err) MUST_CHECK;

/* Columns and key of one table, as they were together at one moment, whatever alters it meanwhile
 * (MYSQL_ERR_BUSY: that goes on and on). ST_NOT_FOUND when there is no such base table (or we may
 * not see it). */
enum status mysql_schema_describe(struct mysql_conn *c, struct arena *a, struct str schema,
                                  struct str name, struct mysql_table *ret,
                                  struct mysql_err *err) MUST_CHECK;
/* Default character set of a database; absent if there is no such database. */
enum status mysql_schema_charset(struct mysql_conn *c, struct arena *a, struct str schema,
                                 struct str *ret, struct mysql_err *err) MUST_CHECK;
/* The same for a view: it has columns only. ST_NOT_FOUND when there is no such view. */
enum status mysql_schema_describe_view(struct mysql_conn *c, struct arena *a, struct str schema,
                                       struct str name, struct mysql_table *ret,
                                       struct mysql_err *err) MUST_CHECK;
/* Deep copy, to keep a table longer than the arena it was described in. */
struct mysql_table *mysql_table_copy(struct arena *a, const struct mysql_table *t)
    __attribute__((returns_nonnull));
/* Index of the column (ASCII case ignored, as MySQL does), or -1. */
int mysql_table_find(const struct mysql_table *t, struct str column);
bool mysql_family_text(enum mysql_family family);   /* CHAR … LONGTEXT */
bool mysql_family_binary(enum mysql_family family); /* BINARY … LONGBLOB */

/* Settings of the server that change capture depends on; absent when it has no such variable. */
struct mysql_source {
    struct str version;
    enum mysql_flavour flavour;
    unsigned version_number;
    struct str server_id;
    struct str log_bin;       /* "ON", "OFF" (or "1", "0") */
    struct str binlog_format; /* "ROW" … */
    struct str row_image;     /* "FULL" … */
    struct str row_metadata;  /* "NO_LOG", "MINIMAL", "FULL" */
    struct str checksum;      /* "CRC32", "NONE" */
    struct str row_value_options;
    struct str log_slave_updates;
    struct str read_only;
    struct str lower_case_table_names;
    struct str expire_logs_seconds; /* 0 = kept for ever */
    bool is_replica;                /* it has a replication source of its own, as far as visible */
    bool expires_soon;              /* binlogs are kept less than a day */
};
enum status mysql_schema_source(struct mysql_conn *c, struct arena *a, struct mysql_source *ret,
                                struct mysql_err *err) MUST_CHECK;

/* One finding about the settings, with the remedy in the text. */
struct mysql_check {
    bool fatal;       /* change capture cannot work; else a warning */
    const char *name; /* "log_bin", "binlog_format", … */
    struct str text;
};
struct mysql_checks {
    struct mysql_check items[12];
    size_t n; /* 0: everything is as it should be */
};
void mysql_schema_check_cdc(const struct mysql_source *s, struct arena *a,
                            struct mysql_checks *ret);
/* Tries what change capture needs REPLICATION SLAVE for, on this (afterwards unusable) connection:
 * registers as a replica. MYSQL_ERR_PRIVILEGE with the server's text when it may not. */
enum status mysql_schema_check_replication(struct mysql_conn *c, uint32_t server_id,
                                           struct mysql_err *err) MUST_CHECK;

#endif
