/* What went wrong with the server or its data, in words that can be shown to a user, and the class
 * that decides what a caller does next. Every fallible function of this folder takes a
 * `struct mysql_err *err` as its last argument and fills it whenever it returns anything but
 * ST_OK, except when it only passes a callback's own status on (then err->kind is
 * MYSQL_ERR_NONE). Plain data: copy it freely. */
#ifndef CISTERN_MYSQL_ERR_H
#define CISTERN_MYSQL_ERR_H

#include <stdbool.h>

enum mysql_err_kind {
    MYSQL_ERR_NONE,
    MYSQL_ERR_UNREACHABLE, /* nobody answers at that address: retry later */
    MYSQL_ERR_AUTH,        /* user, password or their plugin refused */
    MYSQL_ERR_TLS,         /* no common TLS, or a certificate that is not trusted */
    MYSQL_ERR_PRIVILEGE,   /* logged in, but not allowed */
    MYSQL_ERR_LOST,        /* the connection broke or timed out: reconnect and retry */
    MYSQL_ERR_ABORTED,     /* mysql_conn_abort() was called */
    MYSQL_ERR_BUSY,        /* lock wait timeout, deadlock, duplicate server id: retry later */
    MYSQL_ERR_MISSING,     /* no such database, table or column */
    MYSQL_ERR_CHANGED,     /* the table's definition is not the one that was described */
    MYSQL_ERR_CONFIG,      /* a server setting forbids it (log_bin, binlog_format, …) */
    MYSQL_ERR_PURGED,      /* error 1236: the binlog position does not exist (any more) */
    MYSQL_ERR_UNSUPPORTED, /* correct data that this reader refuses, with the reason */
    MYSQL_ERR_CORRUPT,     /* bytes that break the protocol or the binlog format */
    MYSQL_ERR_LIMIT,       /* one of our own limits (packet, row, transaction) was passed */
    MYSQL_ERR_FATAL,       /* everything else that the server refuses */
};

#define MYSQL_ERR_TEXT 1024

struct mysql_err {
    enum mysql_err_kind kind;
    unsigned code;             /* server or client library errno; 0 when it is our own finding */
    char sqlstate[6];          /* "" when there is none */
    char text[MYSQL_ERR_TEXT]; /* whole sentence(s): what, where, what to do; UTF-8, cut to fit */
};

/* Stable lower-case name ("unreachable") for logs. */
const char *mysql_err_name(enum mysql_err_kind kind);
/* Is it worth trying again with a new connection and unchanged settings? */
bool mysql_err_retryable(const struct mysql_err *err);

#endif
