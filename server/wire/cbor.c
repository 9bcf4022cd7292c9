#include "server/wire/cbor.h"

#include <math.h>

#include "server/wire/utf8.h"

#define BREAK 0xFF
#define INDEFINITE 31

struct reader {
    struct arena *arena;
    struct str in;
    size_t at;
    unsigned nodes;
    unsigned depth;
    const char *why; /* set: failed */
};

static struct json_value *read_item(struct reader *r);

static bool failed(struct reader *r, const char *why)
{
    if (!r->why) {
        r->why = why;
    }
    return true;
}

static bool have(struct reader *r, size_t n)
{
    if (r->in.n - r->at < n) {
        failed(r, "ends too early");
        return false;
    }
    return true;
}

/* The head's argument: 0 to 23 lie in it, 24 to 27 follow in 1, 2, 4, 8 bytes. */
static uint64_t read_argument(struct reader *r, unsigned info)
{
    if (info < 24) {
        return info;
    }
    if (info > 27) {
        failed(r, "reserved length");
        return 0;
    }
    size_t n = (size_t)1 << (info - 24);
    uint64_t v = 0;
    if (have(r, n)) {
        for (size_t i = 0; i < n; i++) {
            v = v << 8 | (unsigned char)r->in.p[r->at++];
        }
    }
    return v;
}

/* Takes the stop code that ends an item of indefinite length. */
static bool take_break(struct reader *r)
{
    if (r->at < r->in.n && (unsigned char)r->in.p[r->at] == BREAK) {
        r->at++;
        return true;
    }
    return false;
}

static struct str take_bytes(struct reader *r, uint64_t n)
{
    if (n > r->in.n - r->at) {
        failed(r, "ends inside a string");
        return STR("");
    }
    struct str s = str_sub(r->in, r->at, r->at + (size_t)n);
    r->at += (size_t)n;
    return s;
}

/* Chunks of the same major type up to a stop code. */
static struct str take_chunks(struct reader *r, unsigned major)
{
    struct buf b = BUF_INIT(r->in.n);
    while (!r->why && !take_break(r)) {
        if (!have(r, 1)) {
            break;
        }
        unsigned head = (unsigned char)r->in.p[r->at++];
        if (head >> 5 != major || (head & 31) == INDEFINITE) {
            failed(r, "wrong chunk in a string");
            break;
        }
        buf_str_add(&b, take_bytes(r, read_argument(r, head & 31)));
    }
    struct str s = arena_str(r->arena, buf_str(&b));
    buf_fini(&b);
    return s;
}

static void read_string(struct reader *r, unsigned major, unsigned info, struct json_value *v)
{
    v->str = info == INDEFINITE ? take_chunks(r, major) : take_bytes(r, read_argument(r, info));
    v->kind = major == 2 ? JSON_BYTES : JSON_STRING;
    if (major == 3 && !str_utf8(v->str)) {
        failed(r, "text is not UTF-8");
    }
}

static void read_integer(struct reader *r, unsigned major, unsigned info, struct json_value *v)
{
    uint64_t n = read_argument(r, info);
    if (n > INT64_MAX) {
        v->kind = JSON_FLOAT;
        v->f = major == 0 ? (double)n : -1.0 - (double)n;
        return;
    }
    v->kind = JSON_INT;
    v->i = major == 0 ? (int64_t)n : -1 - (int64_t)n;
}

static void read_children(struct reader *r, unsigned major, unsigned info, struct json_value *v)
{
    uint64_t n = info == INDEFINITE ? UINT64_MAX : read_argument(r, info);
    struct json_value **end = &v->first;
    v->kind = major == 4 ? JSON_ARRAY : JSON_OBJECT;
    for (; n > 0 && !r->why; n--) {
        if (info == INDEFINITE && take_break(r)) {
            return;
        }
        struct json_value *key = major == 5 ? read_item(r) : NULL;
        struct json_value *child = read_item(r);
        if (r->why) {
            return;
        }
        if (key && key->kind != JSON_STRING) {
            failed(r, "a map's key is no text");
            return;
        }
        child->key = key ? key->str : STR_NONE;
        *end = child;
        end = &child->next;
        v->n++;
    }
}

static double half_float(uint64_t bits)
{
    int exponent = (int)(bits >> 10 & 0x1F);
    double mantissa = (double)(bits & 0x3FF);
    double v = exponent == 0    ? ldexp(mantissa, -24)
               : exponent == 31 ? (mantissa > 0 ? __builtin_nan("") : __builtin_inf())
                                : ldexp(mantissa + 1024, exponent - 25);
    return bits & 0x8000 ? -v : v;
}

static void read_simple(struct reader *r, unsigned info, struct json_value *v)
{
    uint64_t bits = read_argument(r, info);
    uint32_t bits32 = (uint32_t)bits;
    float single;
    v->kind = JSON_FLOAT;
    switch (info) {
    case 20:
    case 21:
        v->kind = JSON_BOOL;
        v->b = info == 21;
        return;
    case 22:
    case 23:
        v->kind = JSON_NULL;
        return;
    case 25:
        v->f = half_float(bits);
        return;
    case 26:
        memcpy(&single, &bits32, sizeof(single));
        v->f = (double)single;
        return;
    case 27:
        memcpy(&v->f, &bits, sizeof(v->f));
        return;
    default:
        failed(r, "unknown simple value");
    }
}

static void read_body(struct reader *r, unsigned major, unsigned info, struct json_value *v)
{
    switch (major) {
    case 0:
    case 1:
        read_integer(r, major, info, v);
        break;
    case 2:
    case 3:
        read_string(r, major, info, v);
        break;
    case 4:
    case 5:
        read_children(r, major, info, v);
        break;
    default:
        read_simple(r, info, v);
        break;
    }
}

static struct json_value *read_item(struct reader *r)
{
    struct json_value *v = ARENA_NEW(r->arena, struct json_value);
    unsigned head = 6u << 5;
    while (!r->why && head >> 5 == 6) { /* tags say nothing that the shapes do not */
        if (!have(r, 1)) {
            return v;
        }
        head = (unsigned char)r->in.p[r->at++];
        if (head >> 5 == 6) {
            read_argument(r, head & 31);
        }
    }
    if (++r->nodes > JSON_NODES_MAX || arena_over(r->arena)) {
        failed(r, "too many values");
    } else if (++r->depth > JSON_DEPTH_MAX) {
        failed(r, "nested too deep");
    } else if (!r->why) {
        read_body(r, head >> 5, head & 31, v);
        r->depth--;
    }
    return v;
}

enum status cbor_parse(struct arena *a, struct str bytes, struct json_value **ret,
                       struct str *ret_why)
{
    struct reader r = { .arena = a, .in = bytes.p ? bytes : STR("") };
    *ret = read_item(&r);
    if (!r.why && r.at != r.in.n) {
        failed(&r, "more bytes behind the document");
    }
    if (r.why) {
        *ret_why = arena_printf(a, "%s at byte %zu", r.why, r.at);
        return arena_over(a) ? ST_NOMEM : ST_INVALID;
    }
    return ST_OK;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void put_big_endian(struct buf *b, uint64_t v, unsigned bytes)
{
    while (bytes > 0) {
        buf_putc(b, (char)(unsigned char)(v >> (8 * --bytes) & 0xFF));
    }
}

static void put_head(struct buf *b, unsigned major, uint64_t n)
{
    unsigned info = n < 24            ? (unsigned)n
                    : n <= 0xFF       ? 24
                    : n <= 0xFFFF     ? 25
                    : n <= 0xFFFFFFFF ? 26
                                      : 27;
    buf_putc(b, (char)(unsigned char)(major << 5 | info));
    if (info >= 24) {
        put_big_endian(b, n, 1u << (info - 24));
    }
}

static void put_double(struct buf *b, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    buf_putc(b, (char)(unsigned char)0xFB);
    put_big_endian(b, bits, 8);
}

void cbor_map(struct buf *b, size_t n)
{
    put_head(b, 5, n);
}

/* Copies `s`, or with b == NULL only counts, bytes that are no UTF-8 being replaced. */
static size_t put_utf8(struct buf *b, struct str s)
{
    size_t total = 0;
    for (size_t at = 0; at < s.n;) {
        size_t n = utf8_len(s, at);
        if (b && n) {
            buf_add(b, s.p + at, n);
        } else if (b) {
            buf_puts(b, UTF8_REPLACEMENT);
        }
        total += n ? n : sizeof(UTF8_REPLACEMENT) - 1;
        at += n ? n : 1;
    }
    return total;
}

void cbor_text(struct buf *b, struct str s)
{
    put_head(b, 3, put_utf8(NULL, s));
    put_utf8(b, s);
}

static void encode_value(struct buf *b, const struct field *f, const void *value);

static void encode_list(struct buf *b, const struct shape *shape, struct shape_seq seq)
{
    put_head(b, 4, seq.n);
    for (size_t i = 0; i < seq.n; i++) {
        encode_value(b, shape->value, (const char *)seq.v + i * shape->size);
    }
}

static void encode_map(struct buf *b, const struct shape *shape, struct shape_seq seq)
{
    put_head(b, 5, seq.n);
    for (size_t i = 0; i < seq.n; i++) {
        const char *entry = (const char *)seq.v + i * shape->size;
        encode_value(b, shape->key, entry + shape->key->off);
        encode_value(b, shape->value, entry + shape->value->off);
    }
}

static void encode_scalar(struct buf *b, const struct field *f, const void *value)
{
    struct str s;
    int64_t i;
    switch ((enum shape_kind)f->shape->kind) {
    case SHAPE_INT:
        i = ((const struct opt_i64 *)value)->v;
        put_head(b, i < 0, i < 0 ? (uint64_t)(-1 - i) : (uint64_t)i);
        break;
    case SHAPE_FLOAT:
        put_double(b, ((const struct opt_f64 *)value)->v);
        break;
    case SHAPE_BOOL:
        buf_putc(b, (char)(unsigned char)(((const struct opt_bool *)value)->v ? 0xF5 : 0xF4));
        break;
    case SHAPE_TIME:
        put_head(b, 6, 1);
        put_double(b, (double)((const struct opt_time *)value)->ms / 1000.0);
        break;
    case SHAPE_BLOB:
        s = *(const struct str *)value;
        put_head(b, 2, s.n);
        buf_str_add(b, s);
        break;
    default:
        cbor_text(b, *(const struct str *)value);
        break;
    }
}

static void encode_value(struct buf *b, const struct field *f, const void *value)
{
    switch ((enum shape_kind)f->shape->kind) {
    case SHAPE_STRUCT:
        cbor_encode_struct(b, f->shape, value);
        break;
    case SHAPE_LIST:
        encode_list(b, f->shape, shape_seq_load(value));
        break;
    case SHAPE_MAP:
        encode_map(b, f->shape, shape_seq_load(value));
        break;
    default:
        encode_scalar(b, f, value);
        break;
    }
}

void cbor_encode_struct(struct buf *b, const struct shape *shape, const void *base)
{
    size_t n = 0;
    for (size_t i = 0; base && shape && i < shape->n_fields; i++) {
        n += shape_is_set(&shape->fields[i], base);
    }
    cbor_map(b, n);
    for (size_t i = 0; n > 0 && i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        if (shape_is_set(f, base)) {
            cbor_text(b, str_z(f->name));
            encode_value(b, f, shape_member(f, base));
        }
    }
}
