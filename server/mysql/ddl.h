/* Reads from a statement's text what it does to which tables: enough to follow CREATE, ALTER,
 * DROP, RENAME and TRUNCATE, and to tell row changes in statement format from the rest. */
#ifndef CISTERN_MYSQL_DDL_H
#define CISTERN_MYSQL_DDL_H

#include <stdbool.h>
#include <stddef.h>

#include "server/base/arena.h"
#include "server/base/str.h"

enum mysql_ddl_kind {
    MYSQL_DDL_OTHER,           /* users, views, routines, indexes of no table, … */
    MYSQL_DDL_CREATE_TABLE,    /* also CREATE TABLE … SELECT, LIKE; not TEMPORARY (OTHER) */
    MYSQL_DDL_ALTER_TABLE,     /* also CREATE/DROP INDEX … ON; `to` set when it also renames */
    MYSQL_DDL_ALTER_PARTITION, /* ALTER TABLE … {ADD|DROP|TRUNCATE|…} PARTITION */
    MYSQL_DDL_DROP_TABLE,
    MYSQL_DDL_RENAME_TABLE,
    MYSQL_DDL_TRUNCATE_TABLE,
    MYSQL_DDL_CREATE_DATABASE,
    MYSQL_DDL_ALTER_DATABASE,
    MYSQL_DDL_DROP_DATABASE, /* all of its tables are gone: items[0].schema */
    MYSQL_DDL_DML, /* INSERT, UPDATE, DELETE, REPLACE, LOAD DATA, CALL in statement format */
    MYSQL_DDL_BEGIN,
    MYSQL_DDL_COMMIT,
    MYSQL_DDL_ROLLBACK,
    MYSQL_DDL_ROLLBACK_TO,
    MYSQL_DDL_SAVEPOINT, /* also RELEASE SAVEPOINT */
    MYSQL_DDL_XA,        /* XA START, END, PREPARE, COMMIT, ROLLBACK */
};

struct mysql_ddl_item {
    struct str schema, name;           /* unquoted; schema is the default one if none is written */
    struct str to_schema, to_name;     /* new name; absent when it is not renamed */
    struct str like_schema, like_name; /* CREATE TABLE … LIKE this one; else absent */
};

struct mysql_ddl {
    enum mysql_ddl_kind kind;
    const struct mysql_ddl_item *items;
    size_t n;
    bool complete; /* false: a DML statement whose tables we could not all tell */
};

/* How texts are quoted, by sql_mode: flags. */
enum mysql_ddl_quoting {
    MYSQL_DDL_ANSI_QUOTES = 1, /* "x" is a name, not a string */
    MYSQL_DDL_NO_ESCAPES = 2,  /* a backslash stands for itself */
};

/* Everything in *ret lives in `a` or borrows
 * from `text` and `schema`. Never fails: what it does not understand is OTHER. */
void mysql_ddl_parse(struct arena *a, struct str text, struct str schema, unsigned quoting,
                     struct mysql_ddl *ret);

#endif
