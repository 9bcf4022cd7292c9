/* Avro: the header of an object container file holds the schema as JSON. Types as the Avro SerDe
 * maps them; a union with null is its other branch, any other union becomes text. */
#include "emulators/glue/crawler/classify.h"
#include "server/base/mem.h"
#include "server/wire/json.h"

#define METADATA_MAX 64 /* pairs in the header */
#define SCHEMA_ARENA_MAX (64u << 20)

struct reader {
    struct str in;
    size_t at;
    bool bad;
};

static int64_t read_long(struct reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (r->at >= r->in.n) {
            break;
        }
        uint8_t b = (uint8_t)r->in.p[r->at++];
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
        }
    }
    r->bad = true;
    return 0;
}

static struct str read_bytes(struct reader *r)
{
    int64_t n = read_long(r);
    if (r->bad || n < 0 || (uint64_t)n > r->in.n - r->at) {
        r->bad = true;
        return STR("");
    }
    struct str s = { r->in.p + r->at, (size_t)n };
    r->at += (size_t)n;
    return s;
}

/* The header's "avro.schema"; absent when the header is broken. */
static struct str find_schema(struct str head)
{
    struct reader r = { .in = head, .at = 4 };
    struct str schema = STR_NONE;
    for (int64_t blocks = 0; blocks < METADATA_MAX; blocks++) {
        int64_t n = read_long(&r);
        if (n < 0) {
            (void)read_long(&r); /* the block's size in bytes */
            n = n < -METADATA_MAX ? METADATA_MAX + 1 : -n;
        }
        if (r.bad || n == 0 || n > METADATA_MAX) {
            break;
        }
        for (int64_t i = 0; i < n && !r.bad; i++) {
            struct str key = read_bytes(&r), value = read_bytes(&r);
            schema = str_eqz(key, "avro.schema") && !r.bad ? value : schema;
        }
    }
    return r.bad ? STR_NONE : schema;
}

static struct hive_type type_of(struct arena *a, const struct json_value *v, int depth);

static struct hive_type named_type(struct str name)
{
    return str_eqz(name, "boolean")  ? hive_simple(HIVE_BOOLEAN)
           : str_eqz(name, "int")    ? hive_simple(HIVE_INT)
           : str_eqz(name, "long")   ? hive_simple(HIVE_BIGINT)
           : str_eqz(name, "float")  ? hive_other(STR("float"))
           : str_eqz(name, "double") ? hive_simple(HIVE_DOUBLE)
           : str_eqz(name, "bytes")  ? hive_other(STR("binary"))
                                     : hive_simple(HIVE_STRING); /* string, or a type by its name */
}

static struct hive_type union_type(struct arena *a, const struct json_value *v, int depth)
{
    const struct json_value *other = NULL;
    size_t n = 0;
    for (const struct json_value *c = v->first; c; c = c->next) {
        if (c->kind != JSON_STRING || !str_eqz(c->str, "null")) {
            other = c;
            n++;
        }
    }
    return n == 1 ? type_of(a, other, depth + 1) : hive_simple(HIVE_STRING);
}

static struct hive_type record_type(struct arena *a, const struct json_value *v, int depth)
{
    const struct json_value *fields = json_get(v, "fields");
    struct hive_type type = { .kind = HIVE_STRUCT };
    if (!fields || fields->kind != JSON_ARRAY || fields->n > HIVE_FIELDS_MAX) {
        return hive_simple(HIVE_STRING);
    }
    type.fields = ARENA_ARRAY(a, struct hive_field, fields->n + 1);
    for (const struct json_value *f = fields->first; f; f = f->next) {
        struct str name = json_get_str(f, "name");
        const struct json_value *of = json_get(f, "type");
        if (str_set(name) && of) {
            type.fields[type.n++] =
                (struct hive_field){ arena_str(a, name), type_of(a, of, depth + 1) };
        }
    }
    return type;
}

static struct hive_type logical_type(struct arena *a, const struct json_value *v, struct str name,
                                     struct str logical)
{
    if (str_eqz(logical, "decimal")) {
        int64_t precision = json_get_i64(v, "precision", 0), scale = json_get_i64(v, "scale", 0);
        if (precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision) {
            return hive_other(arena_printf(a, "decimal(%d,%d)", (int)precision, (int)scale));
        }
    }
    if (str_eqz(logical, "date")) {
        return hive_other(STR("date"));
    }
    if (str_eqz(logical, "timestamp-millis")) {
        return hive_other(STR("timestamp"));
    }
    return str_eqz(name, "fixed") ? hive_other(STR("binary")) : named_type(name);
}

static struct hive_type object_type(struct arena *a, const struct json_value *v, int depth)
{
    const struct json_value *type = json_get(v, "type");
    struct str name = json_get_str(v, "type");
    if (!str_set(name)) {
        return type ? type_of(a, type, depth + 1) : hive_simple(HIVE_STRING);
    }
    if (str_eqz(name, "record")) {
        return record_type(a, v, depth);
    }
    if (str_eqz(name, "array")) {
        const struct json_value *items = json_get(v, "items");
        return hive_array(a, items ? type_of(a, items, depth + 1) : hive_simple(HIVE_STRING));
    }
    if (str_eqz(name, "map")) {
        const struct json_value *values = json_get(v, "values");
        return hive_map(a, hive_simple(HIVE_STRING),
                        values ? type_of(a, values, depth + 1) : hive_simple(HIVE_STRING));
    }
    return logical_type(a, v, name, json_get_str(v, "logicalType"));
}

static struct hive_type type_of(struct arena *a, const struct json_value *v, int depth)
{
    if (depth >= HIVE_DEPTH_MAX) {
        return hive_simple(HIVE_STRING);
    }
    switch (v->kind) {
    case JSON_STRING:
        return named_type(v->str);
    case JSON_ARRAY:
        return union_type(a, v, depth);
    case JSON_OBJECT:
        return object_type(a, v, depth);
    default:
        return hive_simple(HIVE_STRING);
    }
}

bool classify_avro(struct arena *a, const struct sample *s, struct schema *ret, struct str *ret_why)
{
    CLEANUP(arena_freep) struct arena *scratch = arena_new(SCHEMA_ARENA_MAX);
    struct str text = find_schema(s->head), why;
    struct json_value *v;
    if (!str_set(text) || json_parse(scratch, text, &v, &why) != ST_OK) {
        *ret_why = STR("it begins like an Avro file, but its header holds no readable schema");
        return false;
    }
    struct hive_type root = type_of(a, v, 0);
    if (root.kind != HIVE_STRUCT || root.n == 0) {
        *ret_why = STR("it is an Avro file whose schema is no record");
        return false;
    }
    *ret = (struct schema){ .classification = STR("avro"),
                            .columns = root.fields,
                            .n = root.n,
                            .avro_schema = arena_str(a, text) };
    return true;
}
