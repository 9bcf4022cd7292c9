#include "server/wire/rest.h"

#include "server/base/digest.h"
#include "server/wire/aws_error.h"
#include "server/wire/json_codec.h"
#include "server/wire/op_match.h"
#include "server/wire/xml_codec.h"

/* S3 names the parameter that it does not like. */
static enum status bad_parameter(struct decoder *d, const struct field *f, struct str value)
{
    if (d->req->protocol != PROTO_REST_XML) {
        return ST_AWS;
    }
    struct wire_extra *extras = ARENA_ARRAY(d->arena, struct wire_extra, 2);
    extras[0] = (struct wire_extra){ "ArgumentName", str_z(f->wire) };
    extras[1] = (struct wire_extra){ "ArgumentValue", value };
    bool integer = f->shape->kind == SHAPE_INT;
    struct str text =
        integer
            ? arena_printf(d->arena, "Provided %s not an integer or within integer range", f->wire)
            : arena_printf(d->arena, "Invalid value for %s", f->wire);
    *d->failure = (struct wire_failure){ &wire_InvalidArgument, text, extras, 2 };
    return ST_AWS;
}

/* One scalar of a parameter or header. */
static enum status decode_part(struct decoder *d, const struct field *owner, const struct field *f,
                               struct str text, void *dst)
{
    struct path frame = path_member(NULL, owner->name);
    /* HTTP says to ignore dates that cannot be read, and S3 does. */
    if (owner->loc == LOC_HEADER && f->shape->kind == SHAPE_TIME &&
        d->req->protocol == PROTO_REST_XML) {
        struct opt_time time = { 0 };
        struct wire_failure ignored = { 0 };
        struct decoder probe = { d->req, d->arena, &ignored };
        if (decode_text(&probe, f, text, &time, &frame) == ST_OK) {
            *(struct opt_time *)dst = time;
        }
        return ST_OK;
    }
    enum status st = decode_text(d, f, text, dst, &frame);
    return st == ST_AWS ? bad_parameter(d, owner, text) : st;
}

/* --- URI labels ------------------------------------------------------------------------------- */

static enum status decode_label(struct decoder *d, const struct field *f, void *in)
{
    const struct wire_request *r = d->req;
    for (size_t i = 0; i < r->n_labels; i++) {
        if (strcmp(r->labels[i].name, f->wire) == 0) {
            return decode_part(d, f, f, r->labels[i].value, decode_slot(d, f, in));
        }
    }
    struct str raw = STR_NONE;
    unsigned literals;
    if (!uri_match(r->op->uri, r->path, f->wire, &raw, &literals) || !str_set(raw)) {
        return ST_OK; /* a required one is missed by the validation */
    }
    return decode_part(d, f, f, url_decode(d->arena, raw, false), decode_slot(d, f, in));
}

/* --- query parameters ------------------------------------------------------------------------- */

static enum status decode_query_list(struct decoder *d, const struct field *f, void *slot)
{
    const struct shape *shape = f->shape;
    struct str key, value;
    size_t n = 0;
    for (size_t it = 0; query_each(d->req->query, &it, &key, &value);) {
        n += str_eqz(key, f->wire);
    }
    struct shape_seq seq = { 0, n ? decode_array(d, n, shape->size) : NULL };
    if (!seq.v) {
        return n ? ST_NOMEM : ST_OK;
    }
    for (size_t it = 0; query_each(d->req->query, &it, &key, &value);) {
        if (!str_eqz(key, f->wire)) {
            continue;
        }
        enum status st = decode_part(d, f, shape->value, url_decode(d->arena, value, true),
                                     (char *)seq.v + seq.n++ * shape->size);
        if (st != ST_OK) {
            return st;
        }
    }
    shape_seq_store(slot, seq);
    return ST_OK;
}

static bool bound_elsewhere(const struct shape *in, struct str key)
{
    for (size_t i = 0; i < in->n_fields; i++) {
        const struct field *f = &in->fields[i];
        if (f->loc == LOC_QUERY && f->shape->kind != SHAPE_MAP && str_eqz(key, f->wire)) {
            return true;
        }
    }
    return false;
}

/* All parameters that no other member takes. */
static enum status decode_query_map(struct decoder *d, const struct field *f, void *slot)
{
    const struct shape *shape = f->shape;
    struct str key, value;
    size_t n = 0;
    for (size_t it = 0; query_each(d->req->query, &it, &key, &value);) {
        n += !bound_elsewhere(d->req->op->in, key);
    }
    struct shape_seq seq = { 0, n ? decode_array(d, n, shape->size) : NULL };
    if (!seq.v) {
        return n ? ST_NOMEM : ST_OK;
    }
    for (size_t it = 0; query_each(d->req->query, &it, &key, &value);) {
        if (bound_elsewhere(d->req->op->in, key)) {
            continue;
        }
        char *entry = (char *)seq.v + seq.n++ * shape->size;
        enum status st =
            decode_part(d, f, shape->key, url_decode(d->arena, key, true), entry + shape->key->off);
        if (st == ST_OK) {
            st = decode_part(d, f, shape->value, url_decode(d->arena, value, true),
                             entry + shape->value->off);
        }
        if (st != ST_OK) {
            return st;
        }
    }
    shape_seq_store(slot, seq);
    return ST_OK;
}

static enum status decode_parameter(struct decoder *d, const struct field *f, void *in)
{
    void *slot = (char *)in + f->off;
    if (f->shape->kind == SHAPE_LIST) {
        return decode_query_list(d, f, slot);
    }
    if (f->shape->kind == SHAPE_MAP) {
        return decode_query_map(d, f, slot);
    }
    struct str value;
    if (!query_has(d->req->query, f->wire, &value)) {
        return ST_OK;
    }
    return decode_part(d, f, f, url_decode(d->arena, value, true), slot);
}

/* --- headers ---------------------------------------------------------------------------------- */

static enum status decode_header_list(struct decoder *d, const struct field *f, struct str text,
                                      void *slot)
{
    const struct shape *shape = f->shape;
    struct str rest = text, item;
    size_t n = 0;
    while (str_next(&rest, ',', &item)) {
        n++;
    }
    struct shape_seq seq = { 0, decode_array(d, n, shape->size) };
    if (!seq.v) {
        return ST_NOMEM;
    }
    for (rest = text; str_next(&rest, ',', &item);) {
        enum status st =
            decode_part(d, f, shape->value, str_trim(item), (char *)seq.v + seq.n++ * shape->size);
        if (st != ST_OK) {
            return st;
        }
    }
    shape_seq_store(slot, seq);
    return ST_OK;
}

static enum status decode_header(struct decoder *d, const struct field *f, void *in)
{
    struct str value = d->req->header ? d->req->header(d->req->arg, f->wire) : STR_NONE;
    void *slot = (char *)in + f->off;
    if (!str_set(value)) {
        return ST_OK;
    }
    return f->shape->kind == SHAPE_LIST ? decode_header_list(d, f, value, slot)
                                        : decode_part(d, f, f, value, slot);
}

static bool has_prefix(struct str name, const char *prefix)
{
    return str_ieqz(str_sub(name, 0, strlen(prefix)), prefix);
}

/* Sent twice, a header's values are joined by a comma. */
static bool join_header(struct decoder *d, const struct shape *shape, struct shape_seq seq,
                        struct str key, struct str value)
{
    for (size_t i = 0; i < seq.n; i++) {
        char *entry = (char *)seq.v + i * shape->size;
        struct str *old = (struct str *)(void *)(entry + shape->value->off);
        if (str_eq(*(struct str *)(void *)(entry + shape->key->off), key)) {
            *old = arena_printf(d->arena, "%.*s,%.*s", STR_ARG(*old), STR_ARG(value));
            return true;
        }
    }
    return false;
}

/* x-amz-meta-*: the keys are what follows the prefix, in lower case. */
static enum status decode_header_map(struct decoder *d, const struct field *f, void *in)
{
    const struct wire_request *r = d->req;
    const struct shape *shape = f->shape;
    struct str name, value;
    size_t n = 0;
    for (size_t it = 0; r->each_header && r->each_header(r->arg, &it, &name, &value);) {
        n += has_prefix(name, f->wire);
    }
    struct shape_seq seq = { 0, n ? decode_array(d, n, shape->size) : NULL };
    if (!seq.v) {
        return n ? ST_NOMEM : ST_OK;
    }
    for (size_t it = 0; r->each_header(r->arg, &it, &name, &value);) {
        struct str key = has_prefix(name, f->wire)
                             ? arena_lower(d->arena, str_sub(name, strlen(f->wire), name.n))
                             : STR_NONE;
        if (!str_set(key) || join_header(d, shape, seq, key, value)) {
            continue;
        }
        char *entry = (char *)seq.v + seq.n++ * shape->size;
        *(struct str *)(void *)(entry + shape->key->off) = key;
        enum status st = decode_part(d, f, shape->value, value, entry + shape->value->off);
        if (st != ST_OK) {
            return st;
        }
    }
    shape_seq_store((char *)in + f->off, seq);
    return ST_OK;
}

/* --- body ------------------------------------------------------------------------------------- */

/* `root`: the name of an XML document's root element; NULL: any. */
static enum status decode_document(struct decoder *d, const struct shape *shape, const char *root,
                                   void *dst)
{
    if (d->req->protocol == PROTO_REST_XML) {
        return xml_decode(d, shape, root, d->req->body, dst);
    }
    return json_decode(d, shape, d->req->body, dst);
}

static enum status decode_payload(struct decoder *d, const struct field *f, void *in)
{
    struct str body = d->req->body;
    if (f->shape->kind == SHAPE_STRUCT) {
        return str_empty(body) ? ST_OK
                               : decode_document(d, f->shape, f->wire, decode_slot(d, f, in));
    }
    struct str *slot = (struct str *)(void *)((char *)in + f->off);
    if (f->shape->kind != SHAPE_BLOB && !str_utf8(body)) {
        return decode_bad_document(d, "The request body is not UTF-8 text.");
    }
    *slot = body;
    return ST_OK;
}

static bool has_body_members(const struct shape *shape)
{
    for (size_t i = 0; i < shape->n_fields; i++) {
        if (shape->fields[i].loc == LOC_BODY) {
            return true;
        }
    }
    return false;
}

static enum status decode_member(struct decoder *d, const struct field *f, void *in)
{
    switch ((enum field_loc)f->loc) {
    case LOC_URI:
        return decode_label(d, f, in);
    case LOC_QUERY:
        return decode_parameter(d, f, in);
    case LOC_HEADER:
        return decode_header(d, f, in);
    case LOC_HEADERS:
        return decode_header_map(d, f, in);
    case LOC_BODY:
    case LOC_STATUS:
        break;
    }
    return ST_OK;
}

enum status rest_decode(struct decoder *d, void *in)
{
    const struct shape *shape = d->req->op->in;
    for (size_t i = 0; i < shape->n_fields; i++) {
        enum status st = decode_member(d, &shape->fields[i], in);
        if (st != ST_OK) {
            return st;
        }
    }
    if (shape->payload) {
        return decode_payload(d, shape->payload, in);
    }
    if (str_empty(d->req->body) || !has_body_members(shape)) {
        return ST_OK;
    }
    return decode_document(d, shape, NULL, in);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void encode_header_list(const struct wire_request *r, const struct field *f,
                               struct shape_seq seq, struct wire_reply *reply)
{
    const struct shape *shape = f->shape;
    struct buf all = BUF_INIT(64u << 10);
    for (size_t i = 0; i < seq.n; i++) {
        const char *item = (const char *)seq.v + i * shape->size;
        if (i > 0) {
            buf_putc(&all, ',');
        }
        buf_str_add(&all,
                    wire_scalar_text(r->arena, shape->value, item, TIME_RFC822, XML_TIMES_PLAIN));
    }
    wire_reply_header(reply, r->arena, str_z(f->wire), buf_str(&all));
    buf_fini(&all);
}

static void encode_header_map(const struct wire_request *r, const struct field *f,
                              struct shape_seq seq, struct wire_reply *reply)
{
    const struct shape *shape = f->shape;
    for (size_t i = 0; i < seq.n; i++) {
        const char *entry = (const char *)seq.v + i * shape->size;
        struct str key = *(const struct str *)(const void *)(entry + shape->key->off);
        struct str name = arena_printf(r->arena, "%s%.*s", f->wire, STR_ARG(key));
        wire_reply_header(reply, r->arena, name,
                          *(const struct str *)(const void *)(entry + shape->value->off));
    }
}

static void encode_bound(const struct wire_request *r, const struct field *f, const void *value,
                         struct wire_reply *reply)
{
    if (f->loc == LOC_STATUS) {
        reply->http_status = (int)((const struct opt_i64 *)value)->v;
    } else if (f->loc == LOC_HEADERS) {
        encode_header_map(r, f, shape_seq_load(value), reply);
    } else if (f->loc == LOC_HEADER && f->shape->kind == SHAPE_LIST) {
        encode_header_list(r, f, shape_seq_load(value), reply);
    } else if (f->loc == LOC_HEADER) {
        wire_reply_header(reply, r->arena, str_z(f->wire),
                          wire_scalar_text(r->arena, f, value, TIME_RFC822, XML_TIMES_PLAIN));
    }
}

/* The only member's text is the root's text (S3's GetBucketLocation). */
static void encode_text_root(const struct shape *shape, const void *out, struct xml_out *x)
{
    const struct field *f = &shape->fields[0];
    struct str text = *(const struct str *)shape_member(f, out);
    if (!str_empty(text)) {
        xml_text(x, text);
    }
}

static enum status encode_xml(const struct wire_request *r, const struct shape *shape,
                              const char *root, const void *out, struct wire_reply *reply)
{
    struct xml_out x;
    xml_begin(&x, &reply->body);
    xml_open(&x, root);
    if (r->service && r->service->xmlns) {
        xml_attr(&x, "xmlns", str_z(r->service->xmlns));
    }
    if (shape->flags & SHAPE_TEXT_ROOT) {
        encode_text_root(shape, out, &x);
    } else {
        xml_encode_struct(&x, shape, out, XML_TIMES_MS);
    }
    xml_close(&x);
    return xml_ok(&x) ? ST_OK : ST_NOMEM;
}

static enum status encode_document(const struct wire_request *r, const struct shape *shape,
                                   const char *root, const void *out, struct wire_reply *reply)
{
    reply->content_type = str_z(codec_content_type(r->protocol));
    if (r->protocol == PROTO_REST_XML) {
        return encode_xml(r, shape, root, out, reply);
    }
    struct json_out o;
    json_out_init(&o, &reply->body);
    json_encode_struct(&o, shape, out);
    return buf_ok(&reply->body) ? ST_OK : ST_NOMEM;
}

static enum status encode_payload(const struct wire_request *r, const struct field *f,
                                  const void *out, struct wire_reply *reply)
{
    if (!shape_is_set(f, out)) {
        return ST_OK;
    }
    if (f->shape->kind == SHAPE_STRUCT) {
        return encode_document(r, f->shape, f->wire, shape_member(f, out), reply);
    }
    /* Lambda's payloads and S3's bucket policies are JSON; object bodies set their own type. */
    bool json = r->protocol == PROTO_REST_JSON || f->shape->kind == SHAPE_STRING;
    reply->content_type = json ? STR("application/json") : STR("binary/octet-stream");
    buf_str_add(&reply->body, *(const struct str *)shape_member(f, out));
    return buf_ok(&reply->body) ? ST_OK : ST_NOMEM;
}

enum status rest_encode(const struct wire_request *r, const void *out, struct wire_reply *reply)
{
    const struct shape *shape = r->op->out;
    if (!shape || !out) {
        return ST_OK;
    }
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        if (f->loc != LOC_BODY && shape_is_set(f, out)) {
            encode_bound(r, f, shape_member(f, out), reply);
        }
    }
    if (reply->http_status == 204 || reply->http_status == 304 || str_eqz(r->method, "HEAD")) {
        return ST_OK;
    }
    if (shape->payload) {
        return encode_payload(r, shape->payload, out, reply);
    }
    if (!has_body_members(shape) && r->protocol == PROTO_REST_XML) {
        return ST_OK;
    }
    return encode_document(r, shape, shape->root ? shape->root : shape->name, out, reply);
}
