/* One blocking connection to a MySQL or MariaDB server. It belongs to one thread at a time; only
 * mysql_conn_abort() may be called from another. Results are text in UTF-8 (SET NAMES utf8mb4), the
 * session's time zone is UTC and its sql_mode empty. */
#ifndef CISTERN_MYSQL_CONN_H
#define CISTERN_MYSQL_CONN_H

#include <stddef.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"
#include "server/mysql/err.h"

struct mysql_conn;

enum mysql_tls {
    MYSQL_TLS_NONE,      /* never */
    MYSQL_TLS_REQUIRE,   /* encrypt, trust any certificate (DMS: SslMode require) */
    MYSQL_TLS_VERIFY_CA, /* encrypt, certificate signed by tls_ca (verify-ca) */
    MYSQL_TLS_VERIFY,    /* and issued for this host name (verify-full) */
};

enum mysql_flavour { MYSQL_FLAVOUR_MYSQL, MYSQL_FLAVOUR_MARIADB };

/* Zero is the default of every member. Texts are copied by mysql_conn_new(). */
struct mysql_conn_options {
    const char *host;        /* NULL with unix_socket; "127.0.0.1" by default; always TCP, "localhost" too */
    unsigned port;           /* 3306 */
    const char *unix_socket; /* wins over host and port */
    const char *user;
    const char *password;
    const char *database; /* none */
    enum mysql_tls tls;
    const char *tls_ca;       /* PEM file; the system's store when NULL */
    const char *plugin_dir;   /* authentication plugins; the library's own place when NULL */
    unsigned connect_ms;      /* 10,000; all three are rounded up to seconds */
    unsigned read_ms;         /* 0 = for ever; for a binlog: several heartbeats */
    unsigned write_ms;        /* 0 = for ever */
    const char *const *init;  /* statements to run after logging in, */
    size_t init_n;            /* so many */
    const char *script;       /* SQL of the user's, run first; what fails in it is logged and left.
                               * Settings of the session that we need win over it. NULL: none */
    const char *program_name; /* connection attribute; "cistern" */
};

/* Remembers the options; no input or output. Free it with mysql_conn_free(). */
struct mysql_conn *mysql_conn_new(const struct mysql_conn_options *options)
    __attribute__((returns_nonnull));
/* A new, unconnected one with the same options. */
struct mysql_conn *mysql_conn_twin(const struct mysql_conn *c) __attribute__((returns_nonnull));
/* Closes. No other thread may still hold `c` (join first). NULL is fine. */
void mysql_conn_free(struct mysql_conn *c);
void mysql_conn_freep(struct mysql_conn **c); /* for CLEANUP */

/* Connects (again, if it was connected: the old session is closed first). ST_IO on failure. */
enum status mysql_conn_connect(struct mysql_conn *c, struct mysql_err *err) MUST_CHECK;
/* mysql_conn_new() and mysql_conn_connect() in one step. */
enum status mysql_conn_open(const struct mysql_conn_options *options, struct mysql_conn **ret,
                            struct mysql_err *err) MUST_CHECK;

/* Any thread, any time before mysql_conn_free(): whatever runs on `c` fails soon with
 * MYSQL_ERR_ABORTED, and so does everything started later (a connect that is waiting for the
 * network ends at its timeout). */
void mysql_conn_abort(struct mysql_conn *c);

/* Of the connected server: "10.11.19-MariaDB-0+deb12u1-log"; 101119 (major*10000+minor*100+patch).
 */
enum mysql_flavour mysql_conn_flavour(const struct mysql_conn *c);
const char *mysql_conn_version_text(const struct mysql_conn *c);
unsigned mysql_conn_version(const struct mysql_conn *c);
/* Any thread: bytes of the rows and log events that came over it so far, also before a reconnect. */
uint64_t mysql_conn_received(const struct mysql_conn *c);
/* The server's id of this session, for KILL and process lists. */
unsigned long mysql_conn_thread_id(const struct mysql_conn *c);

/* Runs one statement and discards its rows. */
enum status mysql_conn_exec(struct mysql_conn *c, const char *sql,
                            struct mysql_err *err) MUST_CHECK;
enum status mysql_conn_execf(struct mysql_conn *c, struct mysql_err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4))) MUST_CHECK;

/* One row of a text result: `cells[i]` is absent for NULL; valid during the call. Anything but
 * ST_OK stops, and mysql_conn_query() returns it (the rest of the result is read and dropped). */
typedef enum status (*mysql_cells_fn)(void *ctx, const struct str *cells, size_t n);
enum status mysql_conn_query(struct mysql_conn *c, const char *sql, mysql_cells_fn fn, void *ctx,
                             struct mysql_err *err) MUST_CHECK;

/* A whole text result in an arena: cell (r, k) is cells[r * cols + k]. */
struct mysql_cells {
    size_t rows, cols;
    const struct str *names; /* cols column names */
    const struct str *cells;
};
/* ST_NOMEM when the arena's limit is passed. */
enum status mysql_conn_collect(struct mysql_conn *c, struct arena *a, const char *sql,
                               struct mysql_cells *ret, struct mysql_err *err) MUST_CHECK;
/* First cell of the first row; absent for NULL or no row. */
enum status mysql_conn_value(struct mysql_conn *c, struct arena *a, const char *sql,
                             struct str *ret, struct mysql_err *err) MUST_CHECK;
/* The cell of row r in the column of this name (ASCII case ignored); absent if there is none. */
struct str mysql_cells_get(const struct mysql_cells *t, size_t r, const char *column);

/* 'text' and `name`, quoted for SQL text. Valid for any bytes in an utf8mb4 session. */
struct str mysql_quote(struct arena *a, struct str s);
struct str mysql_quote_name(struct arena *a, struct str s);

#endif
