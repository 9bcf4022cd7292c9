/* The library's handle is used from one thread. For aborting, a duplicate of the socket's
 * descriptor is kept until the connection is freed: shutting it down ends any wait on the socket,
 * whatever the library does with its own descriptor meanwhile, and its number cannot be reused. */
#include "server/mysql/conn.h"

#include <fcntl.h>
#include <mysql.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/base/buf.h"
#include "server/base/mem.h"
#include "server/mysql/conn_raw.h"

#define CONNECT_MS 10000u
#define MAX_PACKET (1024ul * 1024 * 1024) /* the protocol's own limit for one row or event */
/* Ways to log in that don't give a server the password. */
#define AUTH_PLUGINS                                                                          \
    "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password,auth_gssapi_" \
    "client"
#define SQL_MAX ((size_t)16 * 1024 * 1024)

struct mysql_conn {
    MYSQL *my; /* NULL: not connected */
    bool logged_in;
    atomic_int fd;
    atomic_bool aborted;
    _Atomic uint64_t received; /* written by its own thread only */
    char *host, *unix_socket, *user, *password, *database, *tls_ca, *plugin_dir, *program_name;
    char *script;
    char *place; /* "host:port" or the socket's path */
    char **init;
    size_t init_n;
    unsigned port, connect_ms, read_ms, write_ms;
    enum mysql_tls tls;
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void library_start(void)
{
    mysql_server_init(0, NULL, NULL);
}

static char *copy(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

struct mysql_conn *mysql_conn_new(const struct mysql_conn_options *o)
{
    pthread_once(&library_once, library_start);
    struct mysql_conn *c = xcalloc(1, sizeof(*c));
    atomic_init(&c->fd, -1);
    atomic_init(&c->aborted, false);
    c->unix_socket = copy(o->unix_socket);
    c->host = copy(o->unix_socket ? NULL : o->host ? o->host : "127.0.0.1");
    c->port = o->port ? o->port : 3306;
    c->place = c->unix_socket ? xstrdup(c->unix_socket) : xasprintf("%s:%u", c->host, c->port);
    c->user = copy(o->user);
    c->password = copy(o->password);
    c->database = copy(o->database);
    c->tls_ca = copy(o->tls_ca);
    c->plugin_dir = copy(o->plugin_dir);
    c->program_name = copy(o->program_name ? o->program_name : "cistern");
    c->tls = o->tls;
    c->connect_ms = o->connect_ms ? o->connect_ms : CONNECT_MS;
    c->read_ms = o->read_ms;
    c->write_ms = o->write_ms;
    c->script = copy(o->script);
    c->init_n = o->init_n;
    c->init = xcalloc(o->init_n + 1, sizeof(*c->init));
    for (size_t i = 0; i < o->init_n; i++) {
        c->init[i] = xstrdup(o->init[i]);
    }
    return c;
}

struct mysql_conn *mysql_conn_twin(const struct mysql_conn *c)
{
    struct mysql_conn_options o = {
        .host = c->host,
        .port = c->port,
        .unix_socket = c->unix_socket,
        .user = c->user,
        .password = c->password,
        .database = c->database,
        .tls = c->tls,
        .tls_ca = c->tls_ca,
        .plugin_dir = c->plugin_dir,
        .connect_ms = c->connect_ms,
        .read_ms = c->read_ms,
        .write_ms = c->write_ms,
        .script = c->script,
        .init = (const char *const *)c->init,
        .init_n = c->init_n,
        .program_name = c->program_name,
    };
    return mysql_conn_new(&o);
}

static void disconnect(struct mysql_conn *c)
{
    c->logged_in = false;
    if (c->my) {
        mysql_close(TAKE(c->my));
    }
}

void mysql_conn_free(struct mysql_conn *c)
{
    if (!c) {
        return;
    }
    disconnect(c);
    int fd = atomic_load(&c->fd);
    if (fd >= 0) {
        close(fd);
    }
    for (size_t i = 0; i < c->init_n; i++) {
        free(c->init[i]);
    }
    free(c->init);
    free(c->script);
    free(c->host);
    free(c->unix_socket);
    free(c->place);
    free(c->user);
    if (c->password) {
        explicit_bzero(c->password, strlen(c->password));
    }
    free(c->password);
    free(c->database);
    free(c->tls_ca);
    free(c->plugin_dir);
    free(c->program_name);
    free(c);
}

void mysql_conn_freep(struct mysql_conn **c)
{
    mysql_conn_free(TAKE(*c));
}

void mysql_conn_abort(struct mysql_conn *c)
{
    atomic_store(&c->aborted, true);
    int fd = atomic_load(&c->fd);
    if (fd >= 0) {
        shutdown(fd, SHUT_RDWR);
    }
}

void mysql_conn_cut(struct mysql_conn *c)
{
    int fd = atomic_load(&c->fd);
    if (fd >= 0) {
        shutdown(fd, SHUT_RDWR);
    }
}

/* --- errors ----------------------------------------------------------------------------------- */

/* Words the library's last error: what we were doing, what the other side said. */
static enum status fail(struct mysql_conn *c, const char *doing, struct mysql_err *err)
{
    unsigned code = mysql_errno(c->my);
    const char *text = mysql_error(c->my);
    if (code == MYSQL_CODE_PLUGIN_NOT_ALLOWED) { /* the library names whatever its buffer holds */
        text =
            "the server asks to log in in a way that isn't allowed here, such as with the password "
            "in clear text";
    }
    if (atomic_load(&c->aborted)) {
        return mysql_err_set(err, ST_IO, MYSQL_ERR_ABORTED, "%s %s was aborted.", doing, c->place);
    }
    enum mysql_err_kind kind = code ? mysql_conn_kind(code, text, c->logged_in) : MYSQL_ERR_LOST;
    char state[6];
    snprintf(state, sizeof(state), "%s", mysql_sqlstate(c->my));
    enum status st = mysql_err_set(err, ST_IO, kind, "%s %s failed: error %u (%s): %s", doing,
                                   c->place, code, state, *text ? text : "no details");
    err->code = code;
    memcpy(err->sqlstate, state, sizeof(state));
    return st;
}

static enum status not_connected(const struct mysql_conn *c, struct mysql_err *err)
{
    if (atomic_load(&c->aborted)) {
        return mysql_err_set(err, ST_IO, MYSQL_ERR_ABORTED, "The connection to %s was aborted.",
                             c->place);
    }
    return mysql_err_set(err, ST_IO, MYSQL_ERR_LOST, "There is no connection to %s.", c->place);
}

/* --- connecting ------------------------------------------------------------------------------- */

static unsigned seconds(unsigned ms)
{
    return ms / 1000 + (ms % 1000 != 0);
}

static void set_tls(struct mysql_conn *c)
{
    if (c->tls == MYSQL_TLS_NONE) {
        return;
    }
    my_bool yes = 1;
    my_bool verify = (my_bool)(c->tls == MYSQL_TLS_VERIFY);
    mysql_optionsv(c->my, MYSQL_OPT_SSL_ENFORCE, &yes);
    mysql_optionsv(c->my, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    /* With an authority the library checks the chain, and with "verify" the name, too. */
    if (c->tls_ca && c->tls != MYSQL_TLS_REQUIRE) {
        mysql_optionsv(c->my, MYSQL_OPT_SSL_CA, c->tls_ca);
    }
}

static void set_options(struct mysql_conn *c)
{
    unsigned connect_s = seconds(c->connect_ms);
    unsigned read_s = seconds(c->read_ms);
    unsigned write_s = seconds(c->write_ms);
    unsigned no = 0;
    size_t max_packet = MAX_PACKET;
    mysql_optionsv(c->my, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    if (read_s) {
        mysql_optionsv(c->my, MYSQL_OPT_READ_TIMEOUT, &read_s);
    }
    if (write_s) {
        mysql_optionsv(c->my, MYSQL_OPT_WRITE_TIMEOUT, &write_s);
    }
    mysql_optionsv(c->my, MYSQL_OPT_MAX_ALLOWED_PACKET, &max_packet);
    mysql_optionsv(c->my, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (!c->unix_socket) { /* also for "localhost", which would be a socket file's name else */
        unsigned tcp = MYSQL_PROTOCOL_TCP;
        mysql_optionsv(c->my, MYSQL_OPT_PROTOCOL, &tcp);
    }
    /* A hostile server could otherwise ask for any file of ours. */
    mysql_optionsv(c->my, MYSQL_OPT_LOCAL_INFILE, &no);
    mysql_optionsv(c->my, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", c->program_name);
    /* And with other plugins, for the password as it is. */
    mysql_optionsv(c->my, MARIADB_OPT_RESTRICTED_AUTH, AUTH_PLUGINS);
    if (c->plugin_dir) {
        mysql_optionsv(c->my, MYSQL_PLUGIN_DIR, c->plugin_dir);
    }
    set_tls(c);
}

/* Keeps a duplicate of the new socket; false when that is impossible or we were aborted. */
static bool keep_socket(struct mysql_conn *c)
{
    int fd = fcntl(mysql_get_socket(c->my), F_DUPFD_CLOEXEC, 3);
    int old = atomic_exchange(&c->fd, fd);
    if (old >= 0) {
        close(old);
    }
    return fd >= 0 && !atomic_load(&c->aborted);
}

static enum status start_session(struct mysql_conn *c, struct mysql_err *err)
{
    enum status st = c->script ? mysql_conn_script(c, c->script, err) : ST_OK;
    if (st) {
        return st;
    }
    st = mysql_conn_exec(c, "SET SESSION time_zone = '+00:00', sql_mode = ''", err);
    if (st) {
        return st;
    }
    /* A global limit on the time of statements would cut long reads. */
    struct mysql_err ignored;
    if (mysql_conn_flavour(c) == MYSQL_FLAVOUR_MARIADB) {
        status_ignore(mysql_conn_exec(c, "SET SESSION max_statement_time = 0", &ignored));
    } else if (mysql_conn_version(c) >= 50708) {
        status_ignore(mysql_conn_exec(c, "SET SESSION max_execution_time = 0", &ignored));
    }
    for (size_t i = 0; i < c->init_n && !st; i++) {
        st = mysql_conn_exec(c, c->init[i], err);
    }
    return st;
}

enum status mysql_conn_connect(struct mysql_conn *c, struct mysql_err *err)
{
    mysql_err_clear(err);
    disconnect(c);
    if (atomic_load(&c->aborted)) {
        return not_connected(c, err);
    }
    if (c->tls == MYSQL_TLS_VERIFY_CA && !c->tls_ca) {
        return mysql_err_set(err, ST_INVALID, MYSQL_ERR_TLS,
                             "To verify the certificate of %s, the certificate of the authority "
                             "that signed it is needed.",
                             c->place);
    }
    c->my = mysql_init(NULL);
    if (!c->my) {
        return mysql_err_set(err, ST_IO, MYSQL_ERR_LIMIT, "No memory for a connection.");
    }
    set_options(c);
    enum status st = ST_OK;
    if (!mysql_real_connect(c->my, c->host, c->user, c->password, c->database, c->port,
                            c->unix_socket, 0)) {
        st = fail(c, "Connecting to", err);
    } else if (c->tls != MYSQL_TLS_NONE && !mysql_get_ssl_cipher(c->my)) {
        /* The library takes "enforce" as a wish if the certificate is not to be verified. */
        st = mysql_err_set(err, ST_IO, MYSQL_ERR_TLS,
                           "%s does not offer TLS, which was required: set ssl_cert and ssl_key on "
                           "the server, or do without TLS.",
                           c->place);
    } else if (!keep_socket(c)) {
        st = not_connected(c, err);
    } else {
        c->logged_in = true;
        st = start_session(c, err);
    }
    if (st) {
        disconnect(c);
    }
    return st;
}

enum status mysql_conn_open(const struct mysql_conn_options *options, struct mysql_conn **ret,
                            struct mysql_err *err)
{
    struct mysql_conn *c = mysql_conn_new(options);
    enum status st = mysql_conn_connect(c, err);
    if (st) {
        mysql_conn_free(c);
        c = NULL;
    }
    *ret = c;
    return st;
}

enum mysql_flavour mysql_conn_flavour(const struct mysql_conn *c)
{
    return c->my && mariadb_connection(c->my) ? MYSQL_FLAVOUR_MARIADB : MYSQL_FLAVOUR_MYSQL;
}

const char *mysql_conn_version_text(const struct mysql_conn *c)
{
    const char *text = c->my ? mysql_get_server_info(c->my) : NULL;
    return text ? text : "";
}

unsigned mysql_conn_version(const struct mysql_conn *c)
{
    return c->my ? (unsigned)mysql_get_server_version(c->my) : 0;
}

unsigned long mysql_conn_thread_id(const struct mysql_conn *c)
{
    return c->my ? mysql_thread_id(c->my) : 0;
}

const char *mysql_conn_host_text(const struct mysql_conn *c)
{
    return c->place;
}

const char *mysql_conn_user(const struct mysql_conn *c)
{
    return c->user ? c->user : "";
}

/* --- statements ------------------------------------------------------------------------------- */

/* Delivers rows until the end or the first refusal; the caller frees `res`, which reads the rest.
 */
static enum status each_row(struct mysql_conn *c, MYSQL_RES *res, mysql_cells_fn fn, void *ctx,
                            struct mysql_err *err)
{
    unsigned n = mysql_num_fields(res);
    CLEANUP(free_ptr) struct str *cells = xcalloc(n + 1, sizeof(*cells));
    enum status st = ST_OK;
    MYSQL_ROW row;
    while (!st && (row = mysql_fetch_row(res))) {
        const unsigned long *lengths = mysql_fetch_lengths(res);
        for (unsigned i = 0; i < n; i++) {
            cells[i] = row[i] ? (struct str){ row[i], lengths[i] } : STR_NONE;
        }
        st = fn(ctx, cells, n);
    }
    if (!st && mysql_errno(c->my)) {
        st = fail(c, "Reading a result from", err);
    }
    return st;
}

static enum status run(struct mysql_conn *c, const char *sql, MYSQL_RES **ret,
                       struct mysql_err *err)
{
    mysql_err_clear(err);
    *ret = NULL;
    if (!c->my || atomic_load(&c->aborted)) {
        return not_connected(c, err);
    }
    if (mysql_real_query(c->my, sql, strlen(sql))) {
        enum status st = fail(c, "A statement on", err);
        if (strlen(sql) <= 160) {
            mysql_err_prefix(err, "%s: ", sql);
        }
        return st;
    }
    *ret = mysql_use_result(c->my);
    if (!*ret && mysql_errno(c->my)) {
        return fail(c, "Reading a result from", err);
    }
    return ST_OK;
}

enum status mysql_conn_query(struct mysql_conn *c, const char *sql, mysql_cells_fn fn, void *ctx,
                             struct mysql_err *err)
{
    MYSQL_RES *res;
    enum status st = run(c, sql, &res, err);
    if (!st && res) {
        st = each_row(c, res, fn, ctx, err);
    }
    mysql_free_result(res);
    return st;
}

static enum status drop_row(void *ctx, const struct str *cells, size_t n)
{
    (void)ctx;
    (void)cells;
    (void)n;
    return ST_OK;
}

enum status mysql_conn_exec(struct mysql_conn *c, const char *sql, struct mysql_err *err)
{
    return mysql_conn_query(c, sql, drop_row, NULL, err);
}

enum status mysql_conn_execf(struct mysql_conn *c, struct mysql_err *err, const char *fmt, ...)
{
    CLEANUP(free_ptr) char *sql = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&sql, fmt, ap);
    va_end(ap);
    if (n < 0) {
        sql = NULL;
        return mysql_err_set(err, ST_NOMEM, MYSQL_ERR_LIMIT, "No memory for a statement.");
    }
    return mysql_conn_exec(c, sql, err);
}

struct collecting {
    struct arena *a;
    struct str *cells;
    size_t n, cap;
};

static enum status collect_row(void *ctx, const struct str *cells, size_t n)
{
    struct collecting *k = ctx;
    if (k->n + n > k->cap) {
        k->cap = (k->n + n) * 2;
        k->cells = xrealloc(k->cells, k->cap * sizeof(*k->cells));
    }
    for (size_t i = 0; i < n; i++) {
        k->cells[k->n++] = arena_str(k->a, cells[i]);
    }
    return arena_over(k->a) ? ST_NOMEM : ST_OK;
}

static const struct str *copy_names(struct arena *a, MYSQL_RES *res, size_t n)
{
    struct str *names = ARENA_ARRAY(a, struct str, n);
    const MYSQL_FIELD *fields = mysql_fetch_fields(res);
    for (size_t i = 0; i < n; i++) {
        names[i] = arena_strz(a, fields[i].name);
    }
    return names;
}

enum status mysql_conn_collect(struct mysql_conn *c, struct arena *a, const char *sql,
                               struct mysql_cells *ret, struct mysql_err *err)
{
    *ret = (struct mysql_cells){ 0 };
    MYSQL_RES *res;
    enum status st = run(c, sql, &res, err);
    if (st || !res) {
        return st;
    }
    struct collecting k = { .a = a };
    ret->cols = mysql_num_fields(res);
    ret->names = copy_names(a, res, ret->cols);
    st = each_row(c, res, collect_row, &k, err);
    mysql_free_result(res);
    if (st == ST_NOMEM) {
        st = mysql_err_set(err, ST_NOMEM, MYSQL_ERR_LIMIT,
                           "The result of a query on %s is larger than our limit.", c->place);
    } else if (!st) {
        struct str *cells = ARENA_ARRAY(a, struct str, k.n);
        if (k.n) {
            memcpy(cells, k.cells, k.n * sizeof(*cells));
        }
        ret->cells = cells;
        ret->rows = ret->cols ? k.n / ret->cols : 0;
    }
    free(k.cells);
    return st;
}

enum status mysql_conn_value(struct mysql_conn *c, struct arena *a, const char *sql,
                             struct str *ret, struct mysql_err *err)
{
    struct mysql_cells t;
    *ret = STR_NONE;
    enum status st = mysql_conn_collect(c, a, sql, &t, err);
    if (!st && t.rows && t.cols) {
        *ret = t.cells[0];
    }
    return st;
}

struct str mysql_cells_get(const struct mysql_cells *t, size_t r, const char *column)
{
    for (size_t i = 0; i < t->cols && r < t->rows; i++) {
        if (str_ieqz(t->names[i], column)) {
            return t->cells[r * t->cols + i];
        }
    }
    return STR_NONE;
}

/* Between `quote` marks, with the marks doubled; backslashes too where they escape. */
static struct str quoted(struct arena *a, struct str s, char quote, bool backslash)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(SQL_MAX);
    buf_putc(&b, quote);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == quote || (backslash && s.p[i] == '\\')) {
            buf_putc(&b, s.p[i]);
        }
        buf_putc(&b, s.p[i]);
    }
    buf_putc(&b, quote);
    return arena_str(a, buf_str(&b));
}

struct str mysql_quote(struct arena *a, struct str s)
{
    return quoted(a, s, '\'', true);
}

struct str mysql_quote_name(struct arena *a, struct str s)
{
    return quoted(a, s, '`', false);
}

uint64_t mysql_conn_received(const struct mysql_conn *c)
{
    return atomic_load_explicit(&c->received, memory_order_relaxed);
}

/* --- packets ---------------------------------------------------------------------------------- */

enum status mysql_conn_send(struct mysql_conn *c, enum mysql_command command, const void *p,
                            size_t n, struct mysql_err *err)
{
    mysql_err_clear(err);
    if (!c->my || atomic_load(&c->aborted)) {
        return not_connected(c, err);
    }
    if (c->my->methods->db_command(c->my, (enum enum_server_command)command, p, n, 1, NULL)) {
        return fail(c, "Sending a command to", err);
    }
    return ST_OK;
}

enum status mysql_conn_recv(struct mysql_conn *c, const uint8_t **ret_p, size_t *ret_n,
                            struct mysql_err *err)
{
    unsigned long n = mysql_net_read_packet(c->my);
    if (n == packet_error) {
        return fail(c, "Reading from", err);
    }
    *ret_p = c->my->net.read_pos;
    *ret_n = n;
    uint64_t received = atomic_load_explicit(&c->received, memory_order_relaxed);
    atomic_store_explicit(&c->received, received + n, memory_order_relaxed);
    return ST_OK;
}
