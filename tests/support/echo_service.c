#include "tests/support/echo_service.h"

#include <fcntl.h>

#include "server/base/list.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/http/call.h"
#include "server/loop/loop.h"
#include "server/service.h"
#include "server/store/db.h"

atomic_int echo_aborted;
atomic_int echo_hanging;

static const struct aws_error teapot = { "Teapot", NULL, 418, "I am a teapot" };

/* --- store: PUT and GET /bucket/key ----------------------------------------------------------- */

static enum status put_prepare(struct call *c)
{
    if (str_eqz(c->bucket, "forbidden")) {
        return call_fail(c, &teapot, "This bucket takes nothing.");
    }
    c->body.want = 1u << DIGEST_MD5;
    return ST_OK;
}

static enum status put_object(struct call *c, const void *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    struct str hex = hex_encode(c->arena, c->body.digest[DIGEST_MD5], 16);
    call_set_header(c, "ETag", arena_printf(c->arena, "\"%.*s\"", STR_ARG(hex)));
    call_set_header(c, "x-size", arena_printf(c->arena, "%lld", (long long)c->body.size));
    call_set_header(c, "x-encoding", call_header(c, "content-encoding"));
    call_set_header(c, "x-crc", call_header(c, "x-amz-checksum-crc32"));
    call_set_header(c, "x-verified", c->caller.verified ? STR("yes") : STR("no"));
    call_set_header(c, "x-account", c->caller.account);
    return db_exec(c->db, "INSERT OR REPLACE INTO echo(name, size) VALUES(?,?)", bs(c->key),
                   bi(c->body.size));
}

static enum status get_object(struct call *c, const void *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    struct str value;
    if (call_query(c, "size", &value)) {
        int64_t size;
        if (str_i64(value, &size) != ST_OK) {
            return call_fail(c, &teapot, "size is no number");
        }
        int fd = str_eqz(c->method, "HEAD") ? -1 : open("/dev/zero", O_RDONLY | O_CLOEXEC);
        call_reply_file(c, fd, 0, size);
        return ST_OK;
    }
    int64_t size;
    enum status st = db_get_i64(c->db, &size, "SELECT size FROM echo WHERE name=?", bs(c->key));
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &teapot, "No key %.*s", STR_ARG(c->key));
    }
    struct str text = arena_printf(c->arena, "%.*s|%.*s|%lld|%.*s", STR_ARG(c->bucket),
                                   STR_ARG(c->key), (long long)size, STR_ARG(c->caller.region));
    call_reply_bytes(c, STR("text/plain"), text);
    return st;
}

static const struct op store_ops[] = {
    { "GetObject", get_object, NULL, NULL, "GET", "/{Bucket}/{Key+}", 200, OP_READ, NULL },
    { "HeadObject", get_object, NULL, NULL, "HEAD", "/{Bucket}/{Key+}", 200, OP_READ, NULL },
    { "PutObject", put_object, NULL, NULL, "PUT", "/{Bucket}/{Key+}", 200, OP_STREAM_IN, NULL },
};

static const struct service store = {
    .name = "store",
    .signing_name = "s3",
    .protocols = PROTO_REST_XML,
    .ops = store_ops,
    .n_ops = ARRAY_LEN(store_ops),
    .schema_sql = "CREATE TABLE IF NOT EXISTS echo(name TEXT PRIMARY KEY, size INTEGER);",
    .prepare = put_prepare,
};

/* --- echo: JSON ------------------------------------------------------------------------------- */

static enum status say(struct call *c, const void *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    call_reply_bytes(c, STR("application/x-amz-json-1.1"), c->body.bytes);
    return ST_OK;
}

/* Writes a row, then fails: the row must not stay. */
static enum status half(struct call *c, const void *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    enum status st = db_exec(c->db, "INSERT INTO echo(name, size) VALUES('half', 1)");
    return st == ST_OK ? call_fail(c, &teapot, "changed my mind about \"%s\"", "<that>") : st;
}

struct later {
    struct timer *timer;
    struct call *call;
};

static void later_now(void *arg)
{
    struct later *l = arg;
    timer_free(l->timer);
    call_reply_bytes(l->call, STR("text/plain"), STR("later"));
    call_finish(l->call, ST_OK);
    free(l);
}

static enum status later(struct call *c, const void *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    struct later *l = xcalloc(1, sizeof(*l));
    l->call = c;
    l->timer = timer_new(core_loop(c->core), later_now, l);
    timer_start(l->timer, 20, 0);
    return ST_PENDING;
}

static void hang_aborted(void *arg)
{
    struct call *c = arg;
    atomic_fetch_add(&echo_aborted, 1);
    atomic_fetch_sub(&echo_hanging, 1);
    call_finish(c, call_fail(c, &teapot, "nobody listens"));
}

/* Until the client goes away, or the server. */
static enum status hang(struct call *c, const void *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    call_on_abort(c, hang_aborted, c);
    atomic_fetch_add(&echo_hanging, 1);
    return ST_PENDING;
}

static const struct op echo_ops[] = {
    { "Half", half, NULL, NULL, "POST", "/", 200, 0, NULL },
    { "Hang", hang, NULL, NULL, "POST", "/", 200, 0, NULL },
    { "Later", later, NULL, NULL, "POST", "/", 200, 0, NULL },
    { "Missing", NULL, NULL, NULL, "POST", "/", 200, 0, NULL },
    { "Say", say, NULL, NULL, "POST", "/", 200, 0, NULL },
};

static const struct service echo = {
    .name = "echo",
    .signing_name = "echo",
    .target_prefix = "Echo",
    .protocols = PROTO_JSON11,
    .ops = echo_ops,
    .n_ops = ARRAY_LEN(echo_ops),
};

const struct service *const services[] = { &echo, &store, NULL };
