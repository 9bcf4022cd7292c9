/* The labels that information_schema can't show. */
#ifndef CISTERN_MYSQL_SCHEMA_LABELS_H
#define CISTERN_MYSQL_SCHEMA_LABELS_H

#include "server/mysql/schema.h"

/* Labels of ENUM and SET columns that have a '?' are read again, by a query that touches no row.
 * `columns` are t's. A server that can't tell them (before MySQL 8.0 and MariaDB 10.2) leaves them
 * as they are. Same thread as the connection; results live in `a`. */
enum status mysql_schema_labels(struct mysql_conn *conn, struct arena *a,
                                const struct mysql_table *t, struct mysql_column *columns,
                                struct mysql_err *err) MUST_CHECK;

/* `shown` was read from a statement in which the server shows the table: its labels that were
 * written with a '?' get the characters that the same column has `now`, where the rest of the label
 * agrees. The new labels live in `a`, and are copies. */
void mysql_labels_restore(struct arena *a, struct mysql_table *shown,
                          const struct mysql_table *now);

#endif
