/* A column's definition in CREATE TABLE and ALTER TABLE. */
#ifndef CISTERN_MYSQL_DDL_COLUMN_H
#define CISTERN_MYSQL_DDL_COLUMN_H

#include "server/mysql/ddl_apply.h"
#include "server/mysql/ddl_scan.h"

struct ddl_column {
    struct mysql_column c;
    bool primary;     /* … PRIMARY KEY */
    bool own_charset; /* else c.charset is the table's default */
};

/* From the name on, up to a comma, a closing parenthesis, FIRST, AFTER or the end. False: a type
 * that we do not know. */
bool ddl_column_read(struct ddl_scan *s, const struct mysql_ddl_dialect *d, struct str charset,
                     struct ddl_column *ret);
/* "( … )": behind the closing one. Does nothing if there is none. */
void ddl_skip_parens(struct ddl_scan *s);
/* CHARACTER SET x, CHARSET x, COLLATE x: *ret is the character set's name. False, and nothing
 * read, if it is something else. */
bool ddl_charset(struct ddl_scan *s, struct arena *a, struct str *ret);
/* A character of it takes up to so many bytes. */
unsigned ddl_charset_width(struct str charset);

#endif
