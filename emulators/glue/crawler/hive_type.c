#include "emulators/glue/crawler/hive_type.h"

#include "server/base/map.h"
#include "server/base/mem.h"

#define SCAN_MAX 16 /* up to so many fields are searched one by one */

struct hive_type hive_simple(enum hive_kind kind)
{
    return (struct hive_type){ .kind = kind };
}

struct hive_type hive_other(struct str text)
{
    return (struct hive_type){ .kind = HIVE_OTHER, .text = text };
}

struct hive_type hive_array(struct arena *a, struct hive_type element)
{
    struct hive_field *field = ARENA_NEW(a, struct hive_field);
    field->type = element;
    return (struct hive_type){ .kind = HIVE_ARRAY, .fields = field, .n = 1 };
}

struct hive_type hive_map(struct arena *a, struct hive_type key, struct hive_type value)
{
    struct hive_field *fields = ARENA_ARRAY(a, struct hive_field, 2);
    fields[0].type = key;
    fields[1].type = value;
    return (struct hive_type){ .kind = HIVE_MAP, .fields = fields, .n = 2 };
}

size_t hive_find(const struct hive_field *fields, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_ieq(fields[i].name, name)) {
            return i;
        }
    }
    return n;
}

static bool number(enum hive_kind kind)
{
    return kind == HIVE_INT || kind == HIVE_BIGINT || kind == HIVE_DOUBLE;
}

static struct hive_type merge_at(struct arena *a, struct hive_type x, struct hive_type y,
                                 int depth);

/* Names to positions, for structs that are too wide to be searched one by one. */
struct index {
    struct map map;
    struct arena *arena;
    bool used;
};

static void index_add(struct index *x, const struct hive_field *fields, size_t i)
{
    if (x->used) {
        size_t *at = ARENA_NEW(x->arena, size_t);
        *at = i;
        struct str key = arena_lower(x->arena, fields[i].name);
        (void)map_put(&x->map, key, at);
    }
}

static size_t index_find(struct index *x, const struct hive_field *fields, size_t n,
                         struct str name)
{
    if (!x->used) {
        return hive_find(fields, n, name);
    }
    const size_t *at = map_get(&x->map, arena_lower(x->arena, name));
    return at ? *at : n;
}

/* Rows of one file mostly look alike: would `x` stay as it is when `y` is merged into it? May say
 * no where a closer look would say yes. */
static bool covers(const struct hive_type *x, const struct hive_type *y, int depth)
{
    if (y->kind == HIVE_UNKNOWN) {
        return true;
    }
    if (x->kind != y->kind || y->n > x->n || depth >= HIVE_DEPTH_MAX ||
        (x->kind == HIVE_OTHER && !str_eq(x->text, y->text))) {
        return false;
    }
    for (size_t i = 0; i < y->n; i++) {
        if (!str_eq(x->fields[i].name, y->fields[i].name) ||
            !covers(&x->fields[i].type, &y->fields[i].type, depth + 1)) {
            return false;
        }
    }
    return true;
}

static void unite_at(struct arena *a, struct hive_type *s, const struct hive_field *more,
                     size_t n_more, int depth)
{
    struct index index = { .arena = a, .used = s->n + n_more > SCAN_MAX };
    map_init(&index.map);
    /* a copy: the old fields may be shared */
    struct hive_field *fields = ARENA_ARRAY(a, struct hive_field, s->n + n_more + 1);
    if (s->n) {
        memcpy(fields, s->fields, s->n * sizeof(*fields));
    }
    for (size_t i = 0; i < s->n; i++) {
        index_add(&index, fields, i);
    }
    for (size_t i = 0; i < n_more; i++) {
        size_t at = index_find(&index, fields, s->n, more[i].name);
        if (at < s->n) {
            fields[at].type = merge_at(a, fields[at].type, more[i].type, depth + 1);
        } else if (s->n < HIVE_FIELDS_MAX) {
            fields[s->n] = more[i];
            index_add(&index, fields, s->n++);
        }
    }
    s->fields = fields;
    map_fini(&index.map);
}

struct hive_field *hive_copy(struct arena *a, const struct hive_field *fields, size_t n)
{
    struct hive_field *copy = ARENA_ARRAY(a, struct hive_field, n + 1);
    for (size_t i = 0; i < n; i++) {
        copy[i].name = arena_str(a, fields[i].name);
        copy[i].type = fields[i].type;
        copy[i].type.text = arena_str(a, fields[i].type.text);
        copy[i].type.fields = hive_copy(a, fields[i].type.fields, fields[i].type.n);
    }
    return copy;
}

static void unite(struct arena *a, struct hive_type *s, struct hive_type more, bool copy)
{
    if (!covers(s, &more, 0)) {
        struct hive_field *fields = copy ? hive_copy(a, more.fields, more.n) : more.fields;
        unite_at(a, s, fields, more.n, 0);
    }
}

static struct hive_type as_struct(const struct hive_field *fields, size_t n)
{
    return (struct hive_type){ .kind = HIVE_STRUCT,
                               .fields = (struct hive_field *)(uintptr_t)fields, /* only read */
                               .n = n };
}

void hive_unite(struct arena *a, struct hive_field **fields, size_t *n,
                const struct hive_field *more, size_t n_more)
{
    struct hive_type s = as_struct(*fields, *n);
    unite(a, &s, as_struct(more, n_more), false);
    *fields = s.fields;
    *n = s.n;
}

void hive_unite_copy(struct arena *a, struct hive_field **fields, size_t *n,
                     const struct hive_field *more, size_t n_more)
{
    struct hive_type s = as_struct(*fields, *n);
    unite(a, &s, as_struct(more, n_more), true);
    *fields = s.fields;
    *n = s.n;
}

static struct hive_type merge_nested(struct arena *a, struct hive_type x, struct hive_type y,
                                     int depth)
{
    if (depth >= HIVE_DEPTH_MAX) {
        return hive_simple(HIVE_STRING);
    }
    if (x.kind == HIVE_STRUCT) {
        unite_at(a, &x, y.fields, y.n, depth);
        return x;
    }
    struct hive_type merged = x;
    merged.fields = ARENA_ARRAY(a, struct hive_field, x.n);
    for (size_t i = 0; i < x.n; i++) {
        merged.fields[i].type = merge_at(a, x.fields[i].type, y.fields[i].type, depth + 1);
    }
    return merged;
}

static struct hive_type merge_at(struct arena *a, struct hive_type x, struct hive_type y, int depth)
{
    if (x.kind == HIVE_UNKNOWN || y.kind == HIVE_UNKNOWN) {
        return x.kind == HIVE_UNKNOWN ? y : x;
    }
    if (number(x.kind) && number(y.kind)) {
        return hive_simple(x.kind > y.kind ? x.kind : y.kind); /* listed from narrow to wide */
    }
    if (x.kind != y.kind || (x.kind == HIVE_OTHER && !str_eq(x.text, y.text))) {
        return hive_simple(HIVE_STRING);
    }
    if (x.kind == HIVE_STRUCT || x.kind == HIVE_ARRAY || x.kind == HIVE_MAP) {
        return merge_nested(a, x, y, depth);
    }
    return x;
}

struct hive_type hive_merge(struct arena *a, struct hive_type x, struct hive_type y)
{
    return covers(&x, &y, 0) ? x : merge_at(a, x, y, 0);
}

bool hive_compatible(struct hive_type x, struct hive_type y)
{
    return x.kind == HIVE_UNKNOWN || y.kind == HIVE_UNKNOWN || (number(x.kind) && number(y.kind)) ||
           (x.kind == y.kind && (x.kind != HIVE_OTHER || str_eq(x.text, y.text)));
}

static const char *simple_name(enum hive_kind kind)
{
    return kind == HIVE_BOOLEAN  ? "boolean"
           : kind == HIVE_INT    ? "int"
           : kind == HIVE_BIGINT ? "bigint"
           : kind == HIVE_DOUBLE ? "double"
                                 : "string";
}

static void print(struct buf *b, struct hive_type type, int depth)
{
    bool nested = type.kind == HIVE_STRUCT || type.kind == HIVE_ARRAY || type.kind == HIVE_MAP;
    if (!nested || depth >= HIVE_DEPTH_MAX) {
        buf_str_add(b, type.kind == HIVE_OTHER ? type.text : str_z(simple_name(type.kind)));
        return;
    }
    buf_puts(b, type.kind == HIVE_STRUCT ? "struct<" : type.kind == HIVE_ARRAY ? "array<" : "map<");
    for (size_t i = 0; i < type.n && buf_ok(b); i++) {
        buf_puts(b, i ? "," : "");
        if (type.kind == HIVE_STRUCT) {
            buf_str_add(b, type.fields[i].name);
            buf_putc(b, ':');
        }
        print(b, type.fields[i].type, depth + 1);
    }
    buf_putc(b, '>');
}

struct str hive_text(struct arena *a, struct hive_type type)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(HIVE_TYPE_TEXT_MAX);
    print(&b, type, 0);
    return buf_ok(&b) ? arena_str(a, buf_str(&b)) : STR("string");
}
