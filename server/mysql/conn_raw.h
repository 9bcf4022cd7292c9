/* The connection below statements, for this folder only: commands and packets as they are on the
 * wire (the library does framing, TLS and error packets), and the sorting of errors. */
#ifndef CISTERN_MYSQL_CONN_RAW_H
#define CISTERN_MYSQL_CONN_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/mysql/conn.h"

enum mysql_command {
    MYSQL_COMMAND_QUERY = 0x03,
    MYSQL_COMMAND_BINLOG_DUMP = 0x12,
    MYSQL_COMMAND_REGISTER_SLAVE = 0x15,
    MYSQL_COMMAND_STMT_PREPARE = 0x16,
    MYSQL_COMMAND_STMT_EXECUTE = 0x17,
    MYSQL_COMMAND_STMT_CLOSE = 0x19,
};

/* Sends a command without waiting for an answer. */
enum status mysql_conn_send(struct mysql_conn *c, enum mysql_command command, const void *p,
                            size_t n, struct mysql_err *err) MUST_CHECK;
/* Next packet; valid until the next call. An error packet is ST_IO with the server's words. */
enum status mysql_conn_recv(struct mysql_conn *c, const uint8_t **ret_p, size_t *ret_n,
                            struct mysql_err *err) MUST_CHECK;
/* Breaks the connection off, from its own thread: mysql_conn_connect() makes it usable again. */
void mysql_conn_cut(struct mysql_conn *c);
const char *mysql_conn_host_text(const struct mysql_conn *c); /* "127.0.0.1:3306", for errors */
const char *mysql_conn_user(const struct mysql_conn *c);

/* The next statement of a script (between semicolons that aren't quoted or in a comment), without
 * blanks around it; false at the end. */
bool mysql_script_next(struct str *rest, struct str *ret);
/* Runs them all; failures are logged and left. Then puts right what they may have changed and no
 * later statement of ours sets. */
enum status mysql_conn_script(struct mysql_conn *c, const char *script,
                              struct mysql_err *err) MUST_CHECK;

/* Registers as a replica of this id (COM_REGISTER_SLAVE): what REPLICATION SLAVE is needed for. */
enum status mysql_conn_register(struct mysql_conn *c, uint32_t server_id,
                                struct mysql_err *err) MUST_CHECK;

/* The two sources of mysql_position_end(): MariaDB's binlog_snapshot_* status of this session, and
 * SHOW MASTER STATUS in the server's spelling. */
struct mysql_position;
enum status mysql_position_snapshot(struct mysql_conn *c, struct mysql_position *ret,
                                    struct mysql_err *err) MUST_CHECK;
enum status mysql_position_master(struct mysql_conn *c, struct mysql_position *ret,
                                  struct mysql_err *err) MUST_CHECK;

/* Fills err with an own finding and returns the status that goes with it. */
enum status mysql_err_set(struct mysql_err *err, enum status st, enum mysql_err_kind kind,
                          const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Prefixes the text that is already in err. */
void mysql_err_prefix(struct mysql_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void mysql_err_clear(struct mysql_err *err);

/* The library's: a way to log in that we don't allow. */
#define MYSQL_CODE_PLUGIN_NOT_ALLOWED 5010u
/* Kind of an error by its code, and by its text where one code says several things. logged_in: the
 * session was there before. */
enum mysql_err_kind mysql_conn_kind(unsigned code, const char *text, bool logged_in);

#endif
