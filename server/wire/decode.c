#include "server/wire/decode.h"

#include <stdarg.h>

#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/wire/aws_error.h"

#define SHOWN_MAX 100 /* bytes of a client's value in a message */

struct path path_member(const struct path *up, const char *name)
{
    return (struct path){ .up = up, .name = name, .depth = up ? up->depth + 1 : 1 };
}

struct path path_index(const struct path *up, size_t index)
{
    return (struct path){ .up = up, .index = index, .depth = up ? up->depth + 1 : 1 };
}

struct path path_key(const struct path *up, struct str key)
{
    return (struct path){ .up = up, .key = key, .depth = up ? up->depth + 1 : 1 };
}

static void path_add(struct buf *b, const struct path *frame)
{
    if (frame->index) {
        buf_printf(b, "%s%zu.member", b->n ? "." : "", frame->index);
        return;
    }
    if (b->n) {
        buf_putc(b, '.');
    }
    if (frame->name) {
        buf_putc(b, char_lower(frame->name[0]));
        buf_puts(b, frame->name + 1);
        return;
    }
    buf_str_add(b, str_sub(frame->key, 0, SHOWN_MAX));
}

struct str path_text(struct arena *a, const struct path *path)
{
    const struct path *frames[DECODE_DEPTH_MAX + 2];
    size_t n = 0;
    for (; path && n < sizeof(frames) / sizeof(frames[0]); path = path->up) {
        frames[n++] = path;
    }
    struct buf b = BUF_INIT(64u << 10);
    while (n > 0) {
        path_add(&b, frames[--n]);
    }
    struct str text = b.n ? arena_str(a, buf_str(&b)) : STR("(top level)");
    buf_fini(&b);
    return text;
}

static enum status record(struct decoder *d, const struct aws_error *error, struct str text)
{
    if (!d->failure->error) {
        d->failure->error = error;
        d->failure->text = text;
    }
    return ST_AWS;
}

enum status decode_bad_document(struct decoder *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = arena_vprintf(d->arena, fmt, ap);
    va_end(ap);
    return record(d, aws_error_bad_document(d->req->protocol), text);
}

enum status decode_bad_value(struct decoder *d, const struct path *path, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str what = arena_vprintf(d->arena, fmt, ap);
    va_end(ap);
    struct str where = path_text(d->arena, path);
    struct str text = arena_printf(d->arena, "Value at '%.*s' %.*s", STR_ARG(where), STR_ARG(what));
    return record(d, aws_error_bad_value(d->req->protocol), text);
}

enum status decode_refuse(struct decoder *d, const struct aws_error *error, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = arena_vprintf(d->arena, fmt, ap);
    va_end(ap);
    return record(d, error, text);
}

void *decode_slot(struct decoder *d, const struct field *f, void *base)
{
    char *slot = (char *)base + f->off;
    if (f->shape->kind != SHAPE_STRUCT) {
        return slot;
    }
    void *p = arena_alloc(d->arena, f->shape->size);
    shape_ptr_store(slot, p);
    return p;
}

void *decode_array(struct decoder *d, size_t n, size_t size)
{
    if (arena_over(d->arena) || (size && n > DECODE_SEQ_MAX / size)) {
        return NULL;
    }
    return arena_array(d->arena, n ? n : 1, size);
}

enum status decode_int(struct decoder *d, const struct field *f, int64_t v, void *dst,
                       const struct path *path)
{
    if ((f->shape->flags & SHAPE_INT32) && (v < INT32_MIN || v > INT32_MAX)) {
        return decode_bad_value(d, path, "is %lld: it must be an integer of 32 bits", (long long)v);
    }
    *(struct opt_i64 *)dst = OPT_I64(v);
    return ST_OK;
}

static enum status decode_text_float(struct decoder *d, struct str text, struct opt_f64 *dst,
                                     const struct path *path)
{
    dst->set = true;
    if (str_f64(text, &dst->v) == ST_OK) {
        return ST_OK;
    }
    if (str_eqz(text, "NaN")) {
        dst->v = __builtin_nan("");
    } else if (str_eqz(text, "Infinity")) {
        dst->v = __builtin_inf();
    } else if (str_eqz(text, "-Infinity")) {
        dst->v = -__builtin_inf();
    } else {
        return decode_bad_value(d, path, "is '%.*s': it must be a number",
                                STR_ARG(str_sub(text, 0, SHOWN_MAX)));
    }
    return ST_OK;
}

static enum status decode_text_bytes(struct decoder *d, const struct field *f, struct str text,
                                     struct str *dst, const struct path *path)
{
    if (f->shape->kind == SHAPE_BLOB || (f->flags & FIELD_JSON_HEADER)) {
        if (base64_decode(d->arena, text, dst) != ST_OK) {
            return decode_bad_value(d, path, "must be base64 text");
        }
    } else {
        if (!str_utf8(text)) {
            return decode_bad_value(d, path, "must be text in UTF-8");
        }
        *dst = text;
    }
    if (!dst->p) {
        *dst = STR("");
    }
    return ST_OK;
}

enum status decode_text(struct decoder *d, const struct field *f, struct str text, void *dst,
                        const struct path *path)
{
    struct str shown = str_sub(text, 0, SHOWN_MAX);
    int64_t i = 0;
    bool b = false;
    switch ((enum shape_kind)f->shape->kind) {
    case SHAPE_INT:
        if (str_i64(str_trim(text), &i) != ST_OK) {
            return decode_bad_value(d, path, "is '%.*s': it must be an integer", STR_ARG(shown));
        }
        return decode_int(d, f, i, dst, path);
    case SHAPE_FLOAT:
        return decode_text_float(d, str_trim(text), dst, path);
    case SHAPE_BOOL:
        b = str_ieqz(str_trim(text), "true");
        if (!b && !str_ieqz(str_trim(text), "false")) {
            return decode_bad_value(d, path, "is '%.*s': it must be true or false", STR_ARG(shown));
        }
        *(struct opt_bool *)dst = OPT_BOOL(b);
        return ST_OK;
    case SHAPE_TIME:
        if (clock_parse(str_trim(text), &i) != ST_OK) {
            return decode_bad_value(d, path,
                                    "is '%.*s': it must be a time such as 2026-01-31T12:00:00Z",
                                    STR_ARG(shown));
        }
        *(struct opt_time *)dst = OPT_TIME(i);
        return ST_OK;
    case SHAPE_STRING:
    case SHAPE_BLOB:
    case SHAPE_DOC:
        return decode_text_bytes(d, f, text, dst, path);
    case SHAPE_STRUCT:
    case SHAPE_LIST:
    case SHAPE_MAP:
        break;
    }
    return decode_bad_value(d, path, "must not be plain text");
}
