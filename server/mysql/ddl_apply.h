/* What a table looks like after a CREATE TABLE or ALTER TABLE statement, worked out from the
 * statement's text: the binary log has the statements in order, while the server only knows how the
 * table looks now. */
#ifndef CISTERN_MYSQL_DDL_APPLY_H
#define CISTERN_MYSQL_DDL_APPLY_H

#include <stdbool.h>

#include "server/mysql/schema.h"

struct mysql_ddl_dialect {
    bool ansi_quotes;
    bool no_escapes; /* a backslash stands for itself */
    bool mariadb;
    struct str charset; /* CREATE TABLE: the database's default; absent: utf8mb4 */
};

/* `before`: the table before an ALTER; of CREATE TABLE … LIKE the other table; else NULL. The
 * result lives in `a` and borrows nothing but `text`; its type_text is only roughly as the server
 * writes it, and keys other than the primary one are not followed. NULL: the statement says too
 * little (CREATE TABLE … SELECT without columns, system versioning, an unknown type or column). */
struct mysql_table *mysql_ddl_apply(struct arena *a, struct str text,
                                    const struct mysql_ddl_dialect *dialect,
                                    const struct mysql_table *before, struct str schema,
                                    struct str name);

/* Would rows of both be read and named alike, and have the same keys? (No matter the lengths, comments, or how the types
 * are written.) */
bool mysql_table_alike(const struct mysql_table *a, const struct mysql_table *b);

#endif
