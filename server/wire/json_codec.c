#include "server/wire/json_codec.h"

#include <math.h>

#include "server/base/clock.h"
#include "server/base/digest.h"

static enum status decode_value(struct decoder *d, const struct field *f,
                                const struct json_value *v, void *dst, const struct path *path);

static enum status wrong_kind(struct decoder *d, const struct json_value *v, const char *wanted,
                              const struct path *path)
{
    return decode_bad_value(d, path, "is %s: it must be %s", json_kind_name(v->kind), wanted);
}

static enum status decode_list(struct decoder *d, const struct shape *shape,
                               const struct json_value *v, void *dst, const struct path *path)
{
    if (v->kind != JSON_ARRAY) {
        return wrong_kind(d, v, "an array", path);
    }
    struct shape_seq seq = { 0, decode_array(d, v->n, shape->size) };
    if (!seq.v) {
        return ST_NOMEM;
    }
    size_t index = 0;
    for (const struct json_value *c = v->first; c; c = c->next) {
        struct path frame = path_index(path, ++index);
        if (c->kind == JSON_NULL) {
            continue;
        }
        enum status st =
            decode_value(d, shape->value, c, (char *)seq.v + seq.n * shape->size, &frame);
        if (st != ST_OK) {
            return st;
        }
        seq.n++;
    }
    shape_seq_store(dst, seq);
    return ST_OK;
}

static enum status decode_map(struct decoder *d, const struct shape *shape,
                              const struct json_value *v, void *dst, const struct path *path)
{
    if (v->kind != JSON_OBJECT) {
        return wrong_kind(d, v, "an object", path);
    }
    struct shape_seq seq = { 0, decode_array(d, v->n, shape->size) };
    if (!seq.v) {
        return ST_NOMEM;
    }
    for (const struct json_value *c = v->first; c; c = c->next) {
        struct path frame = path_key(path, c->key);
        if (c->kind == JSON_NULL) {
            continue;
        }
        char *entry = (char *)seq.v + seq.n * shape->size;
        enum status st = decode_text(d, shape->key, c->key, entry + shape->key->off, &frame);
        if (st == ST_OK) {
            st = decode_value(d, shape->value, c, entry + shape->value->off, &frame);
        }
        if (st != ST_OK) {
            return st;
        }
        seq.n++;
    }
    shape_seq_store(dst, seq);
    return ST_OK;
}

static enum status decode_time(struct decoder *d, const struct json_value *v, struct opt_time *dst,
                               const struct path *path)
{
    dst->set = true;
    if (v->kind == JSON_INT && v->i <= INT64_MAX / 1000 && v->i >= INT64_MIN / 1000) {
        dst->ms = v->i * 1000;
        return ST_OK;
    }
    /* Up to the year 9999: beyond it no text form exists. */
    if (v->kind == JSON_FLOAT && fabs(v->f) < 253402300800.0) {
        dst->ms = (int64_t)llround(v->f * 1000);
        return ST_OK;
    }
    if (v->kind == JSON_STRING && clock_parse(v->str, &dst->ms) == ST_OK) {
        return ST_OK;
    }
    return decode_bad_value(d, path, "is %s: it must be a time in seconds since 1970",
                            json_kind_name(v->kind));
}

static enum status decode_number(struct decoder *d, const struct field *f,
                                 const struct json_value *v, void *dst, const struct path *path)
{
    bool integral = f->shape->kind == SHAPE_INT;
    if (integral && v->kind == JSON_INT) {
        return decode_int(d, f, v->i, dst, path);
    }
    if (integral) {
        return wrong_kind(d, v, "an integer of 64 bits", path);
    }
    struct opt_f64 *number = dst;
    if (v->kind == JSON_INT || v->kind == JSON_FLOAT) {
        *number = OPT_F64(v->kind == JSON_INT ? (double)v->i : v->f);
        return ST_OK;
    }
    bool word = v->kind == JSON_STRING && (str_eqz(v->str, "NaN") || str_eqz(v->str, "Infinity") ||
                                           str_eqz(v->str, "-Infinity"));
    return word ? decode_text(d, f, v->str, dst, path) : wrong_kind(d, v, "a number", path);
}

static enum status decode_doc(struct decoder *d, const struct json_value *v, struct str *dst)
{
    struct buf text = BUF_INIT(CODEC_BODY_MAX);
    struct json_out o;
    json_out_init(&o, &text);
    json_tree(&o, v);
    enum status st = buf_ok(&text) ? ST_OK : ST_NOMEM;
    *dst = arena_str(d->arena, buf_str(&text));
    buf_fini(&text);
    return st;
}

static enum status decode_bytes(struct decoder *d, const struct field *f,
                                const struct json_value *v, struct str *dst,
                                const struct path *path)
{
    if (v->kind == JSON_BYTES && f->shape->kind == SHAPE_BLOB) {
        *dst = v->str;
        return ST_OK;
    }
    if (v->kind != JSON_STRING) {
        return wrong_kind(d, v, f->shape->kind == SHAPE_BLOB ? "base64 text" : "a string", path);
    }
    if (f->shape->kind == SHAPE_BLOB) {
        return decode_text(d, f, v->str, dst, path);
    }
    *dst = v->str; /* parsed from checked UTF-8; a base64 header is no matter of bodies */
    return ST_OK;
}

static enum status decode_value(struct decoder *d, const struct field *f,
                                const struct json_value *v, void *dst, const struct path *path)
{
    switch ((enum shape_kind)f->shape->kind) {
    case SHAPE_STRUCT:
        return json_decode_struct(d, f->shape, v, dst, path);
    case SHAPE_LIST:
        return decode_list(d, f->shape, v, dst, path);
    case SHAPE_MAP:
        return decode_map(d, f->shape, v, dst, path);
    case SHAPE_STRING:
    case SHAPE_BLOB:
        return decode_bytes(d, f, v, dst, path);
    case SHAPE_INT:
    case SHAPE_FLOAT:
        return decode_number(d, f, v, dst, path);
    case SHAPE_BOOL:
        if (v->kind != JSON_BOOL) {
            return wrong_kind(d, v, "true or false", path);
        }
        *(struct opt_bool *)dst = OPT_BOOL(v->b);
        return ST_OK;
    case SHAPE_TIME:
        return decode_time(d, v, dst, path);
    case SHAPE_DOC:
        break;
    }
    return decode_doc(d, v, dst);
}

static const struct field *find_field(const struct decoder *d, const struct shape *shape,
                                      struct str key)
{
    bool own_name = d->req->protocol == PROTO_CBOR;
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        if (f->loc == LOC_BODY && str_eqz(key, own_name ? f->name : f->wire)) {
            return f;
        }
    }
    return NULL;
}

enum status json_decode_struct(struct decoder *d, const struct shape *shape,
                               const struct json_value *v, void *dst, const struct path *path)
{
    if (v->kind != JSON_OBJECT) {
        return wrong_kind(d, v, "an object", path);
    }
    for (const struct json_value *c = v->first; c; c = c->next) {
        const struct field *f = find_field(d, shape, c->key);
        if (!f || c->kind == JSON_NULL) {
            continue;
        }
        struct path frame = path_member(path, f->name);
        enum status st = arena_over(d->arena) ? ST_NOMEM : ST_OK;
        if (st == ST_OK) {
            st = decode_value(d, f, c, decode_slot(d, f, dst), &frame);
        }
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

enum status json_decode(struct decoder *d, const struct shape *shape, struct str text, void *dst)
{
    if (str_empty(str_trim(text))) {
        return ST_OK;
    }
    struct json_value *v;
    struct str why = STR("");
    enum status st = json_parse(d->arena, text, &v, &why);
    if (st == ST_OK) {
        return json_decode_struct(d, shape, v, dst, NULL);
    }
    if (arena_over(d->arena)) {
        return ST_NOMEM;
    }
    return decode_bad_document(d, "The request body is not valid JSON: %.*s.", STR_ARG(why));
}

/* --- encoding --------------------------------------------------------------------------------- */

static void encode_value(struct json_out *o, const struct field *f, const void *value);

static void encode_list(struct json_out *o, const struct shape *shape, struct shape_seq seq)
{
    json_open(o, '[');
    for (size_t i = 0; i < seq.n; i++) {
        encode_value(o, shape->value, (const char *)seq.v + i * shape->size);
    }
    json_close(o, ']');
}

static void encode_map(struct json_out *o, const struct shape *shape, struct shape_seq seq)
{
    json_open(o, '{');
    for (size_t i = 0; i < seq.n; i++) {
        const char *entry = (const char *)seq.v + i * shape->size;
        json_key(o, *(const struct str *)(const void *)(entry + shape->key->off));
        encode_value(o, shape->value, entry + shape->value->off);
    }
    json_close(o, '}');
}

static void encode_time(struct json_out *o, const struct field *f, int64_t ms)
{
    if (f->time == TIME_DEFAULT || f->time == TIME_UNIX) {
        json_time(o, ms);
        return;
    }
    struct arena *a = arena_new(4096);
    if (f->time == TIME_RFC822) {
        json_str(o, clock_rfc822(a, ms));
    } else {
        json_str(o, ms % 1000 ? clock_iso_ms(a, ms) : clock_iso(a, ms));
    }
    arena_free(a);
}

static void encode_doc(struct json_out *o, struct str text)
{
    struct arena *a = arena_new(CODEC_BODY_MAX);
    struct json_value *v;
    struct str why;
    if (json_parse(a, text, &v, &why) == ST_OK) {
        json_tree(o, v);
    } else {
        json_str(o, text); /* no JSON: then it is shown as the text that it is */
    }
    arena_free(a);
}

static void encode_value(struct json_out *o, const struct field *f, const void *value)
{
    const struct shape *shape = f->shape;
    switch ((enum shape_kind)shape->kind) {
    case SHAPE_STRUCT:
        json_encode_struct(o, shape, value);
        break;
    case SHAPE_LIST:
        encode_list(o, shape, shape_seq_load(value));
        break;
    case SHAPE_MAP:
        encode_map(o, shape, shape_seq_load(value));
        break;
    case SHAPE_STRING:
        json_str(o, *(const struct str *)value);
        break;
    case SHAPE_BLOB:
        json_blob(o, *(const struct str *)value);
        break;
    case SHAPE_DOC:
        encode_doc(o, *(const struct str *)value);
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
        encode_time(o, f, ((const struct opt_time *)value)->ms);
        break;
    }
}

void json_encode_struct(struct json_out *o, const struct shape *shape, const void *base)
{
    json_open(o, '{');
    for (size_t i = 0; base && i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        if (f->loc == LOC_BODY && shape_is_set(f, base)) {
            json_keyz(o, f->wire);
            encode_value(o, f, shape_member(f, base));
        }
    }
    json_close(o, '}');
}
