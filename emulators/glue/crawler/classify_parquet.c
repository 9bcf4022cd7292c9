/* Parquet: the schema and the number of rows stand at the front of the footer's FileMetaData
 * (parquet-format, src/main/thrift/parquet.thrift); row groups aren't looked at. The schema is a
 * flat list of elements in depth-first order. Types become Hive's as Spark and the crawler map
 * them; nanosecond timestamps have no converted type and stay bigint. */
#include "emulators/glue/crawler/classify.h"
#include "emulators/glue/crawler/thrift.h"

/* parquet::Type */
enum { P_BOOLEAN, P_INT32, P_INT64, P_INT96, P_FLOAT, P_DOUBLE, P_BYTE_ARRAY, P_FIXED };
/* parquet::ConvertedType */
enum {
    C_UTF8,
    C_MAP,
    C_MAP_KEY_VALUE,
    C_LIST,
    C_ENUM,
    C_DECIMAL,
    C_DATE,
    C_TIME_MILLIS,
    C_TIME_MICROS,
    C_TIMESTAMP_MILLIS,
    C_TIMESTAMP_MICROS,
    C_UINT_8,
    C_UINT_16,
    C_UINT_32,
    C_UINT_64,
    C_INT_8,
    C_INT_16,
    C_INT_32,
    C_INT_64,
    C_JSON,
    C_BSON,
    C_NONE = -1,
};
enum { REQUIRED, OPTIONAL, REPEATED };

struct element {
    struct str name;
    int64_t type, repetition, children, converted, scale, precision;
};

struct tree {
    struct arena *arena;
    struct element *v;
    size_t n, at; /* `at`: the next element to be taken */
    const char *bad;
};

/* --- reading ---------------------------------------------------------------------------------- */
/* INTEGER{bitWidth, isSigned} as its older name. */
static int64_t read_integer(struct thrift *t)
{
    int64_t last = 0, width = 32;
    bool is_signed = true;
    enum thrift_type type;
    while ((type = thrift_field(t, &last)) != THRIFT_STOP) {
        if (last == 1 && type == THRIFT_BYTE) {
            width = thrift_int(t, type);
        } else {
            is_signed = last == 2 ? type == THRIFT_TRUE : is_signed;
            thrift_skip(t, type);
        }
    }
    int64_t first = is_signed ? C_INT_8 : C_UINT_8;
    return first + (width == 8 ? 0 : width == 16 ? 1 : width == 64 ? 3 : 2);
}

/* TIMESTAMP{isAdjustedToUTC, unit{MILLIS|MICROS|NANOS}} */
static int64_t read_timestamp(struct thrift *t)
{
    int64_t last = 0, unit = 0;
    enum thrift_type type;
    while ((type = thrift_field(t, &last)) != THRIFT_STOP) {
        if (last != 2 || type != THRIFT_STRUCT) {
            thrift_skip(t, type);
            continue;
        }
        int64_t inner = 0;
        while ((type = thrift_field(t, &inner)) != THRIFT_STOP) {
            unit = inner;
            thrift_skip(t, type);
        }
    }
    return unit == 1 ? C_TIMESTAMP_MILLIS : unit == 2 ? C_TIMESTAMP_MICROS : C_NONE;
}

static void read_decimal(struct thrift *t, struct element *e)
{
    int64_t last = 0;
    enum thrift_type type;
    while ((type = thrift_field(t, &last)) != THRIFT_STOP) {
        if (type == THRIFT_I32 && last == 1) {
            e->scale = thrift_int(t, type);
        } else if (type == THRIFT_I32 && last == 2) {
            e->precision = thrift_int(t, type);
        } else {
            thrift_skip(t, type);
        }
    }
    e->converted = C_DECIMAL;
}

/* LogicalType: a union, one member of which is set. Its number says which. */
static void read_logical(struct thrift *t, struct element *e)
{
    static const int64_t plain[] = {
        [1] = C_UTF8, [2] = C_MAP, [3] = C_LIST, [4] = C_ENUM, [6] = C_DATE, [12] = C_JSON
    };
    int64_t last = 0;
    enum thrift_type type;
    while ((type = thrift_field(t, &last)) != THRIFT_STOP) {
        if (type == THRIFT_STRUCT && last == 5) {
            read_decimal(t, e);
        } else if (type == THRIFT_STRUCT && last == 8) {
            e->converted = read_timestamp(t);
        } else if (type == THRIFT_STRUCT && last == 10) {
            e->converted = read_integer(t);
        } else {
            bool named = last == 6 || last == 12 || (last >= 1 && last <= 4);
            e->converted = named ? plain[last] : e->converted;
            thrift_skip(t, type);
        }
    }
}

static struct element read_element(struct thrift *t)
{
    struct element e = { .name = STR(""), .type = -1, .converted = C_NONE };
    int64_t last = 0;
    enum thrift_type type;
    while ((type = thrift_field(t, &last)) != THRIFT_STOP) {
        int64_t *number = last == 1   ? &e.type
                          : last == 3 ? &e.repetition
                          : last == 5 ? &e.children
                          : last == 6 ? &e.converted
                          : last == 7 ? &e.scale
                          : last == 8 ? &e.precision
                                      : NULL;
        if (number && type == THRIFT_I32) {
            *number = thrift_int(t, type);
        } else if (last == 4 && type == THRIFT_BINARY) {
            e.name = thrift_binary(t);
        } else if (last == 10 && type == THRIFT_STRUCT) {
            read_logical(t, &e);
        } else {
            thrift_skip(t, type);
        }
    }
    return e;
}

static void read_elements(struct thrift *t, struct tree *tree)
{
    enum thrift_type type;
    uint64_t n = thrift_list(t, &type);
    if (type != THRIFT_STRUCT || n > HIVE_FIELDS_MAX * (uint64_t)4) {
        t->bad = "its schema is no list of columns, or too long a one";
        return;
    }
    tree->v = ARENA_ARRAY(tree->arena, struct element, (size_t)n + 1);
    for (tree->n = 0; tree->n < n && !t->bad; tree->n++) {
        tree->v[tree->n] = read_element(t);
    }
}

/* --- types ------------------------------------------------------------------------------------ */
static struct hive_type decimal(struct arena *a, const struct element *e)
{
    bool fits =
        e->precision >= 1 && e->precision <= 38 && e->scale >= 0 && e->scale <= e->precision;
    return fits ? hive_other(arena_printf(a, "decimal(%d,%d)", (int)e->precision, (int)e->scale))
                : hive_other(STR("binary"));
}

static struct hive_type int32_type(struct arena *a, const struct element *e)
{
    switch (e->converted) {
    case C_DECIMAL:
        return decimal(a, e);
    case C_DATE:
        return hive_other(STR("date"));
    case C_INT_8:
        return hive_other(STR("tinyint"));
    case C_INT_16:
    case C_UINT_8:
        return hive_other(STR("smallint"));
    case C_UINT_32:
        return hive_simple(HIVE_BIGINT);
    default:
        return hive_simple(HIVE_INT);
    }
}

static struct hive_type int64_type(struct arena *a, const struct element *e)
{
    switch (e->converted) {
    case C_DECIMAL:
        return decimal(a, e);
    case C_TIMESTAMP_MILLIS:
    case C_TIMESTAMP_MICROS:
        return hive_other(STR("timestamp"));
    case C_UINT_64:
        return hive_other(STR("decimal(20,0)"));
    default:
        return hive_simple(HIVE_BIGINT);
    }
}

static struct hive_type bytes_type(struct arena *a, const struct element *e)
{
    switch (e->converted) {
    case C_UTF8:
    case C_ENUM:
    case C_JSON:
        return hive_simple(HIVE_STRING);
    case C_DECIMAL:
        return decimal(a, e);
    default:
        return hive_other(STR("binary"));
    }
}

static struct hive_type leaf_type(struct tree *t, const struct element *e)
{
    switch (e->type) {
    case P_BOOLEAN:
        return hive_simple(HIVE_BOOLEAN);
    case P_INT32:
        return int32_type(t->arena, e);
    case P_INT64:
        return int64_type(t->arena, e);
    case P_INT96:
        return hive_other(STR("timestamp"));
    case P_FLOAT:
        return hive_other(STR("float"));
    case P_DOUBLE:
        return hive_simple(HIVE_DOUBLE);
    case P_BYTE_ARRAY:
    case P_FIXED:
        return bytes_type(t->arena, e);
    default:
        t->bad = "a column's type is unknown";
        return hive_simple(HIVE_STRING);
    }
}

static struct hive_type take(struct tree *t, int depth);

static void take_children(struct tree *t, int64_t n, int depth, struct hive_type *ret)
{
    *ret = (struct hive_type){ .kind = HIVE_STRUCT };
    if (n < 0 || (uint64_t)n > t->n - t->at || depth >= HIVE_DEPTH_MAX) {
        t->bad = "its schema is nested wrongly";
        return;
    }
    ret->fields = ARENA_ARRAY(t->arena, struct hive_field, (size_t)n + 1);
    while (ret->n < (size_t)n && !t->bad) {
        if (t->at >= t->n) {
            t->bad = "its schema ends too early";
            return;
        }
        struct str name = arena_str(t->arena, t->v[t->at].name);
        ret->fields[ret->n++] = (struct hive_field){ name, take(t, depth) };
    }
}

/* "Backward-compatibility rules" of LIST: what stands for the element itself? */
static bool is_element(const struct element *list, const struct element *repeated)
{
    return repeated->children != 1 || str_eqz(repeated->name, "array") ||
           (repeated->name.n == list->name.n + 6 && str_starts(repeated->name, list->name) &&
            str_ends(repeated->name, STR("_tuple")));
}

/* The next element without regard to its own repetition. */
static struct hive_type take_plain(struct tree *t, int depth)
{
    const struct element *e = &t->v[t->at++];
    struct hive_type type;
    if (e->type >= 0 && e->children == 0) {
        return leaf_type(t, e);
    }
    const struct element *only = e->children == 1 && t->at < t->n ? &t->v[t->at] : NULL;
    bool repeats = only && only->repetition == REPEATED;
    if (e->converted == C_LIST && repeats) {
        bool element = only->type >= 0 || is_element(e, only);
        t->at += !element;
        type = depth + 2 < HIVE_DEPTH_MAX && t->at < t->n
                   ? (element ? take_plain(t, depth + 1) : take(t, depth + 1))
                   : (t->bad = "its schema is nested wrongly", hive_simple(HIVE_STRING));
        return hive_array(t->arena, type);
    }
    bool map = (e->converted == C_MAP || e->converted == C_MAP_KEY_VALUE) && repeats;
    if (map && only->children == 2) {
        t->at++;
        take_children(t, 2, depth + 1, &type);
        return t->bad ? type : hive_map(t->arena, type.fields[0].type, type.fields[1].type);
    }
    take_children(t, e->children, depth + 1, &type);
    return type;
}

static struct hive_type take(struct tree *t, int depth)
{
    bool repeated = t->v[t->at].repetition == REPEATED;
    struct hive_type type = take_plain(t, depth);
    return repeated ? hive_array(t->arena, type) : type;
}

bool classify_parquet(struct arena *a, const struct sample *s, struct schema *ret,
                      struct str *ret_why)
{
    struct thrift t = { .in = s->footer };
    struct tree tree = { .arena = a };
    int64_t last = 0, rows = 0;
    enum thrift_type type;
    if (!str_set(s->footer)) {
        *ret_why = STR("it begins like a Parquet file, but has no footer: was it cut off?");
        return false;
    }
    while (last < 3 && (type = thrift_field(&t, &last)) != THRIFT_STOP) {
        if (last == 2 && type == THRIFT_LIST) {
            read_elements(&t, &tree);
        } else if (last == 3 && type == THRIFT_I64) {
            rows = thrift_int(&t, type);
        } else {
            thrift_skip(&t, type);
        }
    }
    struct hive_type root = { .kind = HIVE_STRUCT };
    if (!t.bad && tree.n) {
        tree.at = 1; /* the first element is the message itself */
        take_children(&tree, tree.v[0].children, 0, &root);
    }
    const char *bad = t.bad ? t.bad : tree.bad ? tree.bad : root.n ? NULL : "it has no columns";
    if (bad || rows < 0) {
        *ret_why = arena_printf(a, "its Parquet footer can't be read: %s",
                                bad ? bad : "the number of rows is negative");
        return false;
    }
    *ret = (struct schema){ .classification = STR("parquet"),
                            .columns = root.fields,
                            .n = root.n,
                            .records = rows,
                            .exact = true };
    return true;
}
