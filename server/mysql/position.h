/* Places in a server's binary log. Plain data. */
#ifndef CISTERN_MYSQL_POSITION_H
#define CISTERN_MYSQL_POSITION_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"
#include "server/mysql/conn.h"

#define MYSQL_BINLOG_NAME 256

struct mysql_position {
    uint64_t pos;                 /* bytes from the start of the file; the first event is at 4 */
    char file[MYSQL_BINLOG_NAME]; /* "mysql-bin-changelog.000024"; "" = nowhere */
};

/* <0, 0, >0. Files are compared by the number after their last dot ("….1000000" is after
 * "….999999"); different base names by their bytes. Nowhere is before everything. */
int mysql_position_cmp(const struct mysql_position *a, const struct mysql_position *b);
/* "file:123" ↔ position. ST_INVALID for anything else, and for names with '/' or controls. */
enum status mysql_position_parse(struct str s, struct mysql_position *ret) MUST_CHECK;
struct str mysql_position_text(struct arena *a, const struct mysql_position *p);
enum status mysql_position_set(struct mysql_position *p, struct str file, uint64_t pos) MUST_CHECK;

/* Where the next transaction will be written: everything committed before this call lies before
 * *ret. Needs REPLICATION CLIENT / BINLOG MONITOR on MySQL, nothing on MariaDB.
 * MYSQL_ERR_CONFIG when the binary log is off. */
enum status mysql_position_end(struct mysql_conn *c, struct mysql_position *ret,
                               struct mysql_err *err) MUST_CHECK;
/* Start of the oldest binlog file that the server still has. Needs the privilege on both. */
enum status mysql_position_oldest(struct mysql_conn *c, struct mysql_position *ret,
                                  struct mysql_err *err) MUST_CHECK;

#endif
