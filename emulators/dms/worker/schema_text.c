#include "emulators/dms/worker/schema_text.h"

#include "server/base/mem.h"
#include "server/wire/json.h"

#define TEXT_MAX (8u << 20)
#define COLUMNS_MAX 5000 /* MySQL allows 4096 */
#define LABELS_MAX 70000 /* ENUM: 65535 */

/* Members that are plain numbers or flags, by name. */
#define NUMBERS(X) \
    X(family)      \
    X(generated)   \
    X(chars)       \
    X(bytes)       \
    X(precision)   \
    X(scale)       \
    X(fraction)    \
    X(pk)
#define FLAGS(X)      \
    X(is_unsigned)    \
    X(zerofill)       \
    X(nullable)       \
    X(invisible)      \
    X(auto_increment) \
    X(compressed)

static void write_column(struct json_out *o, const struct mysql_column *c)
{
    json_open(o, '{');
    json_pair(o, "name", c->name);
    json_pair(o, "type", c->type_text);
    json_pair(o, "charset", c->charset);
    json_pair(o, "collation", c->collation);
#define PUT(member)        \
    json_keyz(o, #member); \
    json_i64(o, (int64_t)c->member);
    NUMBERS(PUT)
#undef PUT
#define PUT(member)            \
    if (c->member) {           \
        json_keyz(o, #member); \
        json_bool(o, true);    \
    }
    FLAGS(PUT)
#undef PUT
    if (c->labels) {
        json_keyz(o, "labels");
        json_open(o, '[');
        for (size_t i = 0; i < c->labels_n; i++) {
            json_str(o, c->labels[i]);
        }
        json_close(o, ']');
    }
    json_close(o, '}');
}

enum status dms_schema_write(struct arena *a, const struct mysql_table *t,
                             struct dms_csv_order order, struct str *ret)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(TEXT_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_pair(&o, "schema", t->schema);
    json_pair(&o, "name", t->name);
    json_pair(&o, "engine", t->engine);
    json_pair(&o, "charset", t->charset);
    json_keyz(&o, "hidden");
    json_i64(&o, t->hidden);
    json_keyz(&o, "versioned");
    json_bool(&o, t->versioned);
    json_keyz(&o, "pk");
    json_open(&o, '[');
    for (size_t i = 0; i < t->pk_n; i++) {
        json_i64(&o, t->pk[i]);
    }
    json_close(&o, ']');
    json_keyz(&o, "order");
    json_open(&o, '[');
    for (size_t i = 0; i < order.n; i++) {
        json_str(&o, order.names[i]);
    }
    json_close(&o, ']');
    json_keyz(&o, "columns");
    json_open(&o, '[');
    for (size_t i = 0; i < t->columns_n; i++) {
        write_column(&o, &t->columns[i]);
    }
    json_close(&o, ']');
    json_close(&o, '}');
    if (!buf_ok(&b)) {
        return ST_NOMEM;
    }
    *ret = arena_str(a, buf_str(&b));
    return ST_OK;
}

static const struct json_value *list(const struct json_value *v, const char *key, size_t max)
{
    const struct json_value *l = json_get(v, key);
    return l && l->kind == JSON_ARRAY && l->n <= max ? l : NULL;
}

static void read_column(struct arena *a, const struct json_value *v, struct mysql_column *c)
{
    *c = (struct mysql_column){
        .name = json_get_str(v, "name"),
        .type_text = json_get_str(v, "type"),
        .charset = json_get_str(v, "charset"),
        .collation = json_get_str(v, "collation"),
    };
    int64_t number;
#define GET(member)                       \
    number = json_get_i64(v, #member, 0); \
    c->member = (__typeof__(c->member))number;
    NUMBERS(GET)
#undef GET
#define GET(member) c->member = json_get_bool(v, #member, false);
    FLAGS(GET)
#undef GET
    const struct json_value *labels = list(v, "labels", LABELS_MAX);
    if (labels) {
        struct str *copy = ARENA_ARRAY(a, struct str, labels->n);
        for (const struct json_value *l = labels->first; l; l = l->next) {
            copy[c->labels_n++] = l->kind == JSON_STRING ? l->str : STR("");
        }
        c->labels = copy;
    }
}

static struct dms_csv_order read_order(struct arena *a, const struct json_value *doc)
{
    const struct json_value *names = list(doc, "order", COLUMNS_MAX);
    struct dms_csv_order order = { 0 };
    if (names) {
        struct str *copy = ARENA_ARRAY(a, struct str, names->n + 1);
        for (const struct json_value *v = names->first; v; v = v->next) {
            copy[order.n++] = v->kind == JSON_STRING ? v->str : STR("");
        }
        order.names = copy;
    }
    return order;
}

enum status dms_schema_read(struct arena *a, struct str text, struct mysql_table **ret,
                            struct dms_csv_order *ret_order)
{
    struct json_value *doc;
    struct str why;
    if (text.n > TEXT_MAX || json_parse(a, text, &doc, &why) != ST_OK) {
        return ST_INVALID;
    }
    const struct json_value *columns = list(doc, "columns", COLUMNS_MAX);
    const struct json_value *pk = list(doc, "pk", COLUMNS_MAX);
    if (!columns || !pk) {
        return ST_INVALID;
    }
    struct mysql_table *t = ARENA_NEW(a, struct mysql_table);
    *t = (struct mysql_table){
        .schema = json_get_str(doc, "schema"),
        .name = json_get_str(doc, "name"),
        .engine = json_get_str(doc, "engine"),
        .charset = json_get_str(doc, "charset"),
        .hidden = (unsigned)json_get_i64(doc, "hidden", 0),
        .versioned = json_get_bool(doc, "versioned", false),
    };
    struct mysql_column *copy = ARENA_ARRAY(a, struct mysql_column, columns->n);
    for (const struct json_value *c = columns->first; c; c = c->next) {
        read_column(a, c, &copy[t->columns_n++]);
    }
    unsigned *key = ARENA_ARRAY(a, unsigned, pk->n);
    for (const struct json_value *k = pk->first; k; k = k->next) {
        if (k->kind != JSON_INT || k->i < 0 || (size_t)k->i >= t->columns_n) {
            return ST_INVALID;
        }
        key[t->pk_n++] = (unsigned)k->i;
    }
    t->columns = copy;
    t->pk = key;
    *ret = t;
    *ret_order = read_order(a, doc);
    return ST_OK;
}
