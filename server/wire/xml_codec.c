#include "server/wire/xml_codec.h"

#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/wire/json.h"

static enum status decode_node(struct decoder *d, const struct field *f,
                               const struct xml_node *node, void *dst, const struct path *path);

static bool named(const struct xml_node *node, const char *name)
{
    return !name || str_eqz(node->name, name);
}

/* Counts `node` and its later siblings of this name (NULL: all). */
static size_t count(const struct xml_node *node, const char *name)
{
    size_t n = 0;
    for (; node; node = node->next) {
        n += named(node, name);
    }
    return n;
}

/* `first` and its siblings of this name are the elements. */
static enum status decode_list(struct decoder *d, const struct shape *shape,
                               const struct xml_node *first, const char *name, void *dst,
                               const struct path *path)
{
    struct shape_seq seq = { 0, decode_array(d, count(first, name), shape->size) };
    if (!seq.v) {
        return ST_NOMEM;
    }
    for (const struct xml_node *c = first; c; c = c->next) {
        if (!named(c, name)) {
            continue;
        }
        struct path frame = path_index(path, seq.n + 1);
        enum status st =
            decode_node(d, shape->value, c, (char *)seq.v + seq.n * shape->size, &frame);
        if (st != ST_OK) {
            return st;
        }
        seq.n++;
    }
    shape_seq_store(dst, seq);
    return ST_OK;
}

static enum status decode_entry(struct decoder *d, const struct shape *shape,
                                const struct xml_node *node, char *entry, const struct path *path)
{
    const struct xml_node *key = node->first, *value = key ? key->next : NULL;
    if (!value) {
        return decode_bad_value(d, path, "must hold a key and a value");
    }
    if (named(value, shape->key->wire ? shape->key->wire : "key")) {
        const struct xml_node *swap = key;
        key = value;
        value = swap;
    }
    struct path frame = path_key(path, key->text);
    enum status st = decode_text(d, shape->key, key->text, entry + shape->key->off, &frame);
    return st == ST_OK ? decode_node(d, shape->value, value, entry + shape->value->off, &frame)
                       : st;
}

static enum status decode_map(struct decoder *d, const struct shape *shape,
                              const struct xml_node *first, const char *name, void *dst,
                              const struct path *path)
{
    struct shape_seq seq = { 0, decode_array(d, count(first, name), shape->size) };
    if (!seq.v) {
        return ST_NOMEM;
    }
    for (const struct xml_node *c = first; c; c = c->next) {
        if (!named(c, name)) {
            continue;
        }
        enum status st = decode_entry(d, shape, c, (char *)seq.v + seq.n * shape->size, path);
        if (st != ST_OK) {
            return st;
        }
        seq.n++;
    }
    shape_seq_store(dst, seq);
    return ST_OK;
}

static enum status decode_node(struct decoder *d, const struct field *f,
                               const struct xml_node *node, void *dst, const struct path *path)
{
    switch ((enum shape_kind)f->shape->kind) {
    case SHAPE_STRUCT:
        return xml_decode_struct(d, f->shape, node, dst, path);
    case SHAPE_LIST:
        return decode_list(d, f->shape, node->first, NULL, dst, path);
    case SHAPE_MAP:
        return decode_map(d, f->shape, node->first, NULL, dst, path);
    default:
        break;
    }
    if (node->n > 0) {
        return decode_bad_value(d, path, "must be text, not elements");
    }
    return decode_text(d, f, node->text, dst, path);
}

static enum status decode_attribute(struct decoder *d, const struct field *f,
                                    const struct xml_node *node, void *dst, const struct path *path)
{
    const char *colon = strchr(f->wire, ':');
    for (const struct xml_attr *a = node->attrs; a; a = a->next) {
        if (str_eqz(a->name, colon ? colon + 1 : f->wire)) {
            return decode_text(d, f, a->value, decode_slot(d, f, dst), path);
        }
    }
    return ST_OK;
}

static enum status decode_member(struct decoder *d, const struct field *f,
                                 const struct xml_node *node, void *dst, const struct path *path)
{
    if (f->flags & FIELD_XML_ATTR) {
        return decode_attribute(d, f, node, dst, path);
    }
    bool flat = (f->flags & FIELD_FLAT) != 0;
    const char *name = f->wire;
    if (flat && f->shape->kind == SHAPE_LIST && f->shape->value->wire) {
        name = f->shape->value->wire;
    }
    const struct xml_node *c = node->first;
    while (c && !named(c, name)) {
        c = c->next;
    }
    if (!c) {
        return ST_OK;
    }
    void *slot = decode_slot(d, f, dst);
    if (flat && f->shape->kind == SHAPE_LIST) {
        return decode_list(d, f->shape, c, name, slot, path);
    }
    if (flat && f->shape->kind == SHAPE_MAP) {
        return decode_map(d, f->shape, c, name, slot, path);
    }
    return decode_node(d, f, c, slot, path);
}

enum status xml_decode_struct(struct decoder *d, const struct shape *shape,
                              const struct xml_node *node, void *dst, const struct path *path)
{
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        if (f->loc != LOC_BODY) {
            continue;
        }
        struct path frame = path_member(path, f->name);
        enum status st = arena_over(d->arena) ? ST_NOMEM : decode_member(d, f, node, dst, &frame);
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

enum status xml_decode(struct decoder *d, const struct shape *shape, const char *root,
                       struct str text, void *dst)
{
    struct xml_node *top = NULL;
    struct str why = STR("");
    enum status st = xml_parse(d->arena, text, &top, &why);
    if (st == ST_OK && (!root || named(top, root))) {
        return xml_decode_struct(d, shape, top, dst, NULL);
    }
    if (st == ST_OK) {
        why = arena_printf(d->arena, "the root element must be %s, not %.*s", root,
                           STR_ARG(top->name));
    }
    if (arena_over(d->arena)) {
        return ST_NOMEM;
    }
    return decode_bad_document(d,
                               "The XML you provided was not well-formed or did not validate "
                               "against our published schema: %.*s.",
                               STR_ARG(why));
}

/* --- encoding --------------------------------------------------------------------------------- */

struct str wire_scalar_text(struct arena *a, const struct field *f, const void *value,
                            enum time_format otherwise, enum xml_times times)
{
    struct buf b = BUF_INIT(64);
    struct str text;
    int64_t ms = 0;
    switch ((enum shape_kind)f->shape->kind) {
    case SHAPE_INT:
        return arena_i64(a, ((const struct opt_i64 *)value)->v);
    case SHAPE_BOOL:
        return ((const struct opt_bool *)value)->v ? STR("true") : STR("false");
    case SHAPE_FLOAT:
        json_number(&b, ((const struct opt_f64 *)value)->v);
        text = arena_str(a, buf_str(&b));
        buf_fini(&b);
        return text;
    case SHAPE_BLOB:
        text = *(const struct str *)value;
        return base64_encode(a, text.p, text.n);
    case SHAPE_TIME:
        ms = ((const struct opt_time *)value)->ms;
        break;
    default:
        text = *(const struct str *)value;
        return (f->flags & FIELD_JSON_HEADER) ? base64_encode(a, text.p, text.n) : text;
    }
    switch (f->time == TIME_DEFAULT ? otherwise : (enum time_format)f->time) {
    case TIME_RFC822:
        return clock_rfc822(a, ms);
    case TIME_UNIX:
        return arena_i64(a, ms / 1000);
    case TIME_ISO:
    case TIME_DEFAULT:
        break;
    }
    return times == XML_TIMES_MS || ms % 1000 ? clock_iso_ms(a, ms) : clock_iso(a, ms);
}

struct encoder {
    struct xml_out *x;
    enum xml_times times;
    struct arena *scratch; /* texts of scalars */
};

static void encode_value(struct encoder *e, const struct field *f, const void *value,
                         const char *name);
static void encode_members(struct encoder *e, const struct shape *shape, const void *base);

static void encode_scalar(struct encoder *e, const struct field *f, const void *value,
                          const char *name)
{
    if (f->shape->kind == SHAPE_STRING) {
        xml_leaf(e->x, name, *(const struct str *)value);
        return;
    }
    xml_leaf(e->x, name, wire_scalar_text(e->scratch, f, value, TIME_ISO, e->times));
}

static void encode_list(struct encoder *e, const struct field *f, struct shape_seq seq,
                        const char *name)
{
    const struct shape *shape = f->shape;
    bool flat = (f->flags & FIELD_FLAT) != 0;
    const char *item = shape->value->wire ? shape->value->wire : flat ? name : "member";
    if (!flat) {
        xml_open(e->x, name);
    }
    for (size_t i = 0; i < seq.n; i++) {
        encode_value(e, shape->value, (const char *)seq.v + i * shape->size, item);
    }
    if (!flat) {
        xml_close(e->x);
    }
}

static void encode_map(struct encoder *e, const struct field *f, struct shape_seq seq,
                       const char *name)
{
    const struct shape *shape = f->shape;
    bool flat = (f->flags & FIELD_FLAT) != 0;
    if (!flat) {
        xml_open(e->x, name);
    }
    for (size_t i = 0; i < seq.n; i++) {
        const char *entry = (const char *)seq.v + i * shape->size;
        xml_open(e->x, flat ? name : "entry");
        encode_value(e, shape->key, entry + shape->key->off,
                     shape->key->wire ? shape->key->wire : "key");
        encode_value(e, shape->value, entry + shape->value->off,
                     shape->value->wire ? shape->value->wire : "value");
        xml_close(e->x);
    }
    if (!flat) {
        xml_close(e->x);
    }
}

static void encode_value(struct encoder *e, const struct field *f, const void *value,
                         const char *name)
{
    switch ((enum shape_kind)f->shape->kind) {
    case SHAPE_STRUCT:
        xml_open(e->x, name);
        encode_members(e, f->shape, value);
        xml_close(e->x);
        break;
    case SHAPE_LIST:
        encode_list(e, f, shape_seq_load(value), name);
        break;
    case SHAPE_MAP:
        encode_map(e, f, shape_seq_load(value), name);
        break;
    default:
        encode_scalar(e, f, value, name);
        break;
    }
}

/* Attributes like xsi:type bring their prefix along; XMLSchema-instance is the only one in use. */
static void encode_attribute(struct encoder *e, const struct field *f, const void *value)
{
    if (strncmp(f->wire, "xsi:", 4) == 0) {
        xml_attr(e->x, "xmlns:xsi", STR("http://www.w3.org/2001/XMLSchema-instance"));
    }
    xml_attr(e->x, f->wire, *(const struct str *)value);
}

static void encode_members(struct encoder *e, const struct shape *shape, const void *base)
{
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        if ((f->flags & FIELD_XML_ATTR) && shape_is_set(f, base)) {
            encode_attribute(e, f, shape_member(f, base));
        }
    }
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        if (f->loc == LOC_BODY && !(f->flags & FIELD_XML_ATTR) && shape_is_set(f, base)) {
            encode_value(e, f, shape_member(f, base), f->wire);
        }
    }
}

void xml_encode_struct(struct xml_out *x, const struct shape *shape, const void *base,
                       enum xml_times times)
{
    struct encoder e = { x, times, arena_new(CODEC_BODY_MAX) };
    encode_members(&e, shape, base);
    arena_free(e.scratch);
}
