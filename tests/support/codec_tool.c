/* Drives the codecs from outside: reads JSON lines, answers one JSON line each.
 *
 *   {"service","protocol","op","mode":"encode","value":{…}}   -> {"status","headers","body"}
 *   {"service","protocol","op","mode":"decode","request":{"method","path","query","headers","body"}}
 *                                                              -> {"op","value"} or {"error":{…}}
 *   {"service","protocol","mode":"error","error":{"code","shape","status","text"},"extras":{…}}
 *                                                              -> {"status","headers","body"}
 *
 * Bodies are base64. Values go by member name, times are ISO 8601 text, blobs "b64:…". */
#include <stdio.h>
#include <stdlib.h>

#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/wire/codec.h"
#include "server/wire/json.h"
#include "server/wire/shape_def.h"

#define TOOL_ARENA_MAX (512u << 20)

extern const struct service *const wire_services[];

static void die(const char *what, struct str name)
{
    fprintf(stderr, "codec_tool: %s '%.*s'\n", what, STR_ARG(name));
    exit(1);
}

/* --- values from JSON ------------------------------------------------------------------------- */

static void value_in(struct arena *a, const struct field *f, const struct json_value *v, void *dst);

static void struct_in(struct arena *a, const struct shape *shape, const struct json_value *v,
                      void *dst)
{
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        const struct json_value *member = json_get(v, f->name);
        if (!member || member->kind == JSON_NULL) {
            continue;
        }
        char *slot = (char *)dst + f->off;
        if (f->shape->kind == SHAPE_STRUCT) {
            void *p = arena_alloc(a, f->shape->size);
            shape_ptr_store(slot, p);
            slot = p;
        }
        value_in(a, f, member, slot);
    }
}

static void seq_in(struct arena *a, const struct shape *shape, const struct json_value *v,
                   void *dst)
{
    struct shape_seq seq = { 0, arena_array(a, v->n + 1, shape->size) };
    for (const struct json_value *c = v->first; c; c = c->next, seq.n++) {
        char *item = (char *)seq.v + seq.n * shape->size;
        if (shape->kind == SHAPE_MAP) {
            *(struct str *)(void *)(item + shape->key->off) = c->key;
            item += shape->value->off;
        }
        value_in(a, shape->value, c, item);
    }
    shape_seq_store(dst, seq);
}

static struct str bytes_in(struct arena *a, const struct json_value *v)
{
    struct str bytes = STR_NONE;
    if (!str_starts(v->str, STR("b64:")) ||
        base64_decode(a, str_sub(v->str, 4, v->str.n), &bytes) != ST_OK) {
        die("not a blob", v->str);
    }
    return bytes;
}

static void value_in(struct arena *a, const struct field *f, const struct json_value *v, void *dst)
{
    int64_t ms = 0;
    switch ((enum shape_kind)f->shape->kind) {
    case SHAPE_STRUCT:
        struct_in(a, f->shape, v, dst);
        break;
    case SHAPE_LIST:
    case SHAPE_MAP:
        seq_in(a, f->shape, v, dst);
        break;
    case SHAPE_INT:
        *(struct opt_i64 *)dst = OPT_I64(v->i);
        break;
    case SHAPE_FLOAT:
        *(struct opt_f64 *)dst = OPT_F64(v->kind == JSON_INT ? (double)v->i : v->f);
        break;
    case SHAPE_BOOL:
        *(struct opt_bool *)dst = OPT_BOOL(v->b);
        break;
    case SHAPE_TIME:
        if (clock_parse(v->str, &ms) != ST_OK) {
            die("not a time", v->str);
        }
        *(struct opt_time *)dst = OPT_TIME(ms);
        break;
    case SHAPE_BLOB:
        *(struct str *)dst = bytes_in(a, v);
        break;
    case SHAPE_STRING:
        *(struct str *)dst = v->str;
        break;
    case SHAPE_DOC: {
        struct buf b = BUF_INIT(1u << 20);
        struct json_out o;
        json_out_init(&o, &b);
        json_tree(&o, v);
        *(struct str *)dst = arena_str(a, buf_str(&b));
        buf_fini(&b);
        break;
    }
    }
}

/* --- values to JSON --------------------------------------------------------------------------- */

static void value_out(struct json_out *o, struct arena *a, const struct field *f,
                      const void *value);

static void struct_out(struct json_out *o, struct arena *a, const struct shape *shape,
                       const void *base)
{
    json_open(o, '{');
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        if (shape_is_set(f, base)) {
            json_keyz(o, f->name);
            value_out(o, a, f, shape_member(f, base));
        }
    }
    json_close(o, '}');
}

static void seq_out(struct json_out *o, struct arena *a, const struct shape *shape,
                    struct shape_seq seq)
{
    bool map = shape->kind == SHAPE_MAP;
    json_open(o, map ? '{' : '[');
    for (size_t i = 0; i < seq.n; i++) {
        const char *item = (const char *)seq.v + i * shape->size;
        if (map) {
            json_key(o, *(const struct str *)(const void *)(item + shape->key->off));
        }
        value_out(o, a, shape->value, item + shape->value->off);
    }
    json_close(o, map ? '}' : ']');
}

static void value_out(struct json_out *o, struct arena *a, const struct field *f, const void *value)
{
    struct json_value *doc;
    struct str why, s;
    switch ((enum shape_kind)f->shape->kind) {
    case SHAPE_STRUCT:
        struct_out(o, a, f->shape, value);
        break;
    case SHAPE_LIST:
    case SHAPE_MAP:
        seq_out(o, a, f->shape, shape_seq_load(value));
        break;
    case SHAPE_INT:
        json_i64(o, ((const struct opt_i64 *)value)->v);
        break;
    case SHAPE_FLOAT:
        json_f64(o, ((const struct opt_f64 *)value)->v);
        break;
    case SHAPE_BOOL:
        json_bool(o, ((const struct opt_bool *)value)->v);
        break;
    case SHAPE_TIME:
        json_str(o, clock_iso_ms(a, ((const struct opt_time *)value)->ms));
        break;
    case SHAPE_BLOB:
        s = *(const struct str *)value;
        json_str(o, arena_printf(a, "b64:%.*s", STR_ARG(base64_encode(a, s.p, s.n))));
        break;
    case SHAPE_STRING:
        json_str(o, *(const struct str *)value);
        break;
    case SHAPE_DOC:
        if (json_parse(a, *(const struct str *)value, &doc, &why) != ST_OK) {
            die("not JSON", *(const struct str *)value);
        }
        json_tree(o, doc);
        break;
    }
}

/* --- one line --------------------------------------------------------------------------------- */

static const struct service *find_service(struct str name)
{
    for (size_t i = 0; wire_services[i]; i++) {
        if (str_eqz(name, wire_services[i]->name)) {
            return wire_services[i];
        }
    }
    die("no service", name);
    return NULL;
}

static enum protocol find_protocol(struct str name)
{
    static const struct {
        const char *name;
        enum protocol protocol;
    } names[] = {
        { "json10", PROTO_JSON10 },     { "json11", PROTO_JSON11 },
        { "json", PROTO_JSON11 },       { "query", PROTO_QUERY },
        { "ec2", PROTO_EC2 },           { "rest-json", PROTO_REST_JSON },
        { "rest-xml", PROTO_REST_XML }, { "smithy-rpc-v2-cbor", PROTO_CBOR },
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eqz(name, names[i].name)) {
            return names[i].protocol;
        }
    }
    die("no protocol", name);
    return PROTO_JSON10;
}

static bool each_header(const void *arg, size_t *it, struct str *ret_name, struct str *ret_value)
{
    const struct json_value *c = arg ? ((const struct json_value *)arg)->first : NULL;
    for (size_t i = 0; c && i < *it; i++) {
        c = c->next;
    }
    if (!c) {
        return false;
    }
    ++*it;
    *ret_name = c->key;
    *ret_value = c->str;
    return true;
}

static struct str header(const void *arg, const char *name)
{
    struct str key, value;
    for (size_t it = 0; each_header(arg, &it, &key, &value);) {
        if (str_ieqz(key, name)) {
            return value;
        }
    }
    return STR_NONE;
}

static void put_reply(struct json_out *o, struct wire_reply *reply)
{
    json_open(o, '{');
    json_keyz(o, "status");
    json_i64(o, reply->http_status);
    json_keyz(o, "headers");
    json_open(o, '{');
    if (str_set(reply->content_type)) {
        json_pair(o, "content-type", reply->content_type);
    }
    for (size_t i = 0; i < reply->n_headers; i++) {
        json_key(o, reply->headers[i].name);
        json_str(o, reply->headers[i].value);
    }
    json_close(o, '}');
    json_keyz(o, "body");
    json_blob(o, buf_str(&reply->body));
    json_close(o, '}');
    wire_reply_fini(reply);
}

static void run_encode(const struct wire_request *r, const struct json_value *line,
                       struct json_out *o)
{
    void *out = codec_new_out(r->op, r->arena);
    if (out) {
        struct_in(r->arena, r->op->out, json_get(line, "value"), out);
    }
    struct wire_reply reply;
    if (codec_encode(r, out, &reply) != ST_OK) {
        die("cannot encode", str_z(r->op->name));
    }
    put_reply(o, &reply);
}

static void put_failure(struct json_out *o, const struct wire_failure *failure)
{
    json_open(o, '{');
    json_keyz(o, "error");
    json_open(o, '{');
    json_pair(o, "code", str_z(failure->error->code));
    json_keyz(o, "status");
    json_i64(o, failure->error->http_status);
    json_pair(o, "text", failure->text);
    for (size_t i = 0; i < failure->n_extras; i++) {
        json_pair(o, failure->extras[i].name, failure->extras[i].value);
    }
    json_close(o, '}');
    json_close(o, '}');
}

static void run_decode(struct wire_request *r, const struct json_value *line, struct json_out *o)
{
    const struct json_value *request = json_get(line, "request");
    r->method = json_get_str(request, "method");
    r->path = json_get_str(request, "path");
    r->query = json_get_str(request, "query");
    r->arg = json_get(request, "headers");
    r->header = header;
    r->each_header = each_header;
    if (base64_decode(r->arena, json_get_str(request, "body"), &r->body) != ST_OK) {
        die("bad body for", str_z(r->op->name));
    }
    const struct op *op = r->op;
    if (r->protocol & (PROTO_REST_JSON | PROTO_REST_XML)) {
        op = op_match_rest(r->service->ops, r->service->n_ops, r->method, r->path, r->query);
    } else if (r->protocol & (PROTO_QUERY | PROTO_EC2)) {
        op = op_find(r->service->ops, r->service->n_ops,
                     codec_form_value(r->arena, r->query, r->body, "Action"));
    }
    void *in;
    struct wire_failure failure;
    enum status st = codec_decode(r, &in, &failure);
    if (st == ST_AWS) {
        put_failure(o, &failure);
        return;
    }
    if (st != ST_OK) {
        die(status_name(st), str_z(r->op->name));
    }
    json_open(o, '{');
    json_pair(o, "op", str_z(op ? op->name : NULL));
    json_keyz(o, "value");
    if (in) {
        struct_out(o, r->arena, r->op->in, in);
    } else {
        json_open(o, '{');
        json_close(o, '}');
    }
    json_close(o, '}');
}

static void run_error(struct wire_request *r, const struct json_value *line, struct json_out *o)
{
    const struct json_value *e = json_get(line, "error"), *extras = json_get(line, "extras");
    struct str shape = json_get_str(e, "shape"), text = json_get_str(e, "text");
    struct aws_error error = { .code = arena_cstr(r->arena, json_get_str(e, "code")),
                               .shape = str_set(shape) ? arena_cstr(r->arena, shape) : NULL,
                               .http_status = (int)json_get_i64(e, "status", 400) };
    struct wire_failure failure = { .error = &error, .text = text };
    if (extras) {
        struct wire_extra *v = ARENA_ARRAY(r->arena, struct wire_extra, extras->n);
        for (const struct json_value *c = extras->first; c; c = c->next) {
            v[failure.n_extras++] = (struct wire_extra){ arena_cstr(r->arena, c->key), c->str };
        }
        failure.extras = v;
    }
    r->method = json_get_str(line, "method");
    r->query_mode = json_get_bool(line, "query_mode", false);
    r->host_id = STR("host-0");
    struct wire_reply reply;
    if (codec_encode_error(r, &failure, &reply) != ST_OK) {
        die("cannot encode the error", str_z(error.code));
    }
    put_reply(o, &reply);
}

static void run_line(struct str text)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(TOOL_ARENA_MAX);
    struct json_value *line;
    struct str why;
    if (json_parse(a, text, &line, &why) != ST_OK) {
        die("bad line:", why);
    }
    struct wire_request r = { .arena = a, .request_id = STR("req-0") };
    r.service = find_service(json_get_str(line, "service"));
    r.protocol = find_protocol(json_get_str(line, "protocol"));
    struct str mode = json_get_str(line, "mode"), op = json_get_str(line, "op");
    r.op = op_find(r.service->ops, r.service->n_ops, op);
    if (!r.op && !str_eqz(mode, "error")) {
        die("no operation", op);
    }
    struct buf b = BUF_INIT(TOOL_ARENA_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    if (str_eqz(mode, "encode")) {
        run_encode(&r, line, &o);
    } else if (str_eqz(mode, "decode")) {
        run_decode(&r, line, &o);
    } else {
        run_error(&r, line, &o);
    }
    puts(b.p);
    buf_fini(&b);
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    for (ssize_t n; (n = getline(&line, &cap, stdin)) > 0;) {
        run_line((struct str){ line, (size_t)n });
    }
    free(line);
    return 0;
}
