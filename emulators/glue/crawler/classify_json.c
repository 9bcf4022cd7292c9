/* JSON: one object after the other (usually one per line), or one array. A record is cut out by its
 * brackets and parsed alone, so a sample may end in the middle of one. An array at the top becomes
 * one column named "array", as the built-in classifier makes it; a custom classifier's path
 * ("$[*]") reaches the objects inside. */
#include "emulators/glue/crawler/classify.h"
#include "server/base/mem.h"
#include "server/wire/json.h"

#define RECORD_ARENA_MAX (256u << 20)
#define PATH_STEPS_MAX 32

/* --- cutting records -------------------------------------------------------------------------- */
static size_t skip_blanks(struct str text, size_t at)
{
    while (at < text.n &&
           (text.p[at] == ' ' || text.p[at] == '\t' || text.p[at] == '\n' || text.p[at] == '\r')) {
        at++;
    }
    return at;
}

/* End of the string that begins at `at`; text.n when it is cut off. */
static size_t string_end(struct str text, size_t at)
{
    for (size_t i = at + 1; i < text.n; i++) {
        if (text.p[i] == '\\') {
            i++;
        } else if (text.p[i] == '"') {
            return i + 1;
        }
    }
    return text.n;
}

/* One past the value that begins at `at`, 0 when it is cut off. Only brackets and strings are
 * looked at: the parser judges the rest. */
static size_t value_end(struct str text, size_t at)
{
    size_t depth = 0;
    for (size_t i = at; i < text.n;) {
        char c = text.p[i];
        if (c == '"') {
            i = string_end(text, i);
            if (depth == 0) {
                return i <= text.n && text.p[i - 1] == '"' ? i : 0;
            }
            continue;
        }
        if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            if (depth <= 1) {
                return depth ? i + 1 : i; /* a bare value ends before the bracket around it */
            }
            depth--;
        } else if (depth == 0 && (c == ',' || c == '\n' || c == ' ' || c == '\r' || c == '\t')) {
            return i;
        }
        i++;
    }
    return 0;
}

/* --- types ------------------------------------------------------------------------------------ */
static struct hive_type type_of(struct arena *a, const struct json_value *v, int depth)
{
    if (depth >= HIVE_DEPTH_MAX) {
        return hive_simple(HIVE_STRING);
    }
    struct hive_type element = hive_simple(HIVE_UNKNOWN), type = { .kind = HIVE_STRUCT };
    switch (v->kind) {
    case JSON_NULL:
        return element;
    case JSON_BOOL:
        return hive_simple(HIVE_BOOLEAN);
    case JSON_INT:
        return hive_simple(v->i >= INT32_MIN && v->i <= INT32_MAX ? HIVE_INT : HIVE_BIGINT);
    case JSON_FLOAT:
        return hive_simple(HIVE_DOUBLE);
    case JSON_STRING:
    case JSON_BYTES:
        return hive_simple(HIVE_STRING);
    case JSON_ARRAY:
        for (const struct json_value *e = v->first; e; e = e->next) {
            element = hive_merge(a, element, type_of(a, e, depth + 1));
        }
        return hive_array(a, element);
    case JSON_OBJECT:
        break;
    }
    struct hive_field *fields = ARENA_ARRAY(a, struct hive_field, v->n + 1);
    size_t n = 0;
    for (const struct json_value *m = v->first; m; m = m->next) {
        fields[n++] = (struct hive_field){ arena_str(a, m->key), type_of(a, m, depth + 1) };
    }
    /* through the union, so that a name counts once; {} says nothing about its fields */
    hive_unite(a, &type.fields, &type.n, fields, n);
    return type.n ? type : element;
}

/* --- paths ------------------------------------------------------------------------------------ */
struct step {
    enum { STEP_NAME, STEP_INDEX, STEP_ALL } kind;
    struct str name;
    uint64_t index;
};
struct path {
    struct step steps[PATH_STEPS_MAX];
    size_t n;
};

/* "[*]", "[0]", "['a b']" from *rest. */
static bool bracket_step(struct str *rest, struct step *s)
{
    ptrdiff_t end = str_find(*rest, ']', 0);
    if (end < 0) {
        return false;
    }
    struct str inside = str_sub(*rest, 1, (size_t)end);
    *rest = str_sub(*rest, (size_t)end + 1, rest->n);
    if (str_eqz(inside, "*")) {
        s->kind = STEP_ALL;
        return true;
    }
    if (inside.n > 2 && (inside.p[0] == '\'' || inside.p[0] == '"') &&
        inside.p[inside.n - 1] == inside.p[0]) {
        *s = (struct step){ STEP_NAME, str_sub(inside, 1, inside.n - 1), 0 };
        return true;
    }
    s->kind = STEP_INDEX;
    return str_u64(inside, &s->index) == ST_OK;
}

static bool name_step(struct str *rest, struct step *s)
{
    size_t n = 1;
    while (n < rest->n && rest->p[n] != '.' && rest->p[n] != '[') {
        n++;
    }
    *s = (struct step){ STEP_NAME, str_sub(*rest, 1, n), 0 };
    *rest = str_sub(*rest, n, rest->n);
    if (str_eqz(s->name, "*")) {
        s->kind = STEP_ALL;
    }
    return s->name.n > 0;
}

static bool parse_path(struct str text, struct path *p)
{
    p->n = 0;
    if (!str_starts(text, STR("$"))) {
        return false;
    }
    struct str rest = str_sub(text, 1, text.n);
    while (rest.n) {
        if (p->n == PATH_STEPS_MAX) {
            return false;
        }
        p->steps[p->n] = (struct step){ 0 };
        bool ok = rest.p[0] == '['   ? bracket_step(&rest, &p->steps[p->n])
                  : rest.p[0] == '.' ? name_step(&rest, &p->steps[p->n])
                                     : false;
        if (!ok) {
            return false;
        }
        p->n++;
    }
    return true;
}

bool classify_json_path_ok(struct str path)
{
    struct path p;
    return parse_path(path, &p);
}

/* --- records to columns ----------------------------------------------------------------------- */
struct rows {
    struct arena *arena;
    struct arena *scratch; /* of the record at hand */
    struct path path;
    struct hive_field *columns;
    size_t n;
    int64_t records;
    bool array; /* the top is an array, and no path goes into it */
    struct hive_field *element;
    size_t n_element; /* 1 when there was one */
};

/* The row's type is built in memory that goes with the row, and copied when it says something new.
 */
static void add_row(struct rows *r, const struct json_value *v)
{
    struct hive_type type = type_of(r->scratch, v, 0);
    struct hive_field column = { STR("array"), type };
    if (v->kind == JSON_OBJECT) {
        hive_unite_copy(r->arena, &r->columns, &r->n, type.fields, type.n);
        r->records++;
    } else if (v->kind == JSON_ARRAY) {
        hive_unite_copy(r->arena, &r->columns, &r->n, &column, 1);
        r->records++;
    }
}

static void follow(struct rows *r, const struct json_value *v, size_t step)
{
    if (step == r->path.n) {
        add_row(r, v);
        return;
    }
    const struct step *s = &r->path.steps[step];
    if (v->kind != JSON_ARRAY && v->kind != JSON_OBJECT) {
        return;
    }
    uint64_t i = 0;
    for (const struct json_value *c = v->first; c; c = c->next, i++) {
        bool fits = s->kind == STEP_ALL ||
                    (s->kind == STEP_INDEX && v->kind == JSON_ARRAY && i == s->index) ||
                    (s->kind == STEP_NAME && v->kind == JSON_OBJECT && str_eq(c->key, s->name));
        if (fits) {
            follow(r, c, step + 1);
        }
    }
}

/* One record's text; false when it is no JSON. `step`: from where the path goes on. */
static bool add_record(struct rows *r, struct str text, size_t step, bool objects_only)
{
    CLEANUP(arena_freep) struct arena *scratch = arena_new(RECORD_ARENA_MAX);
    struct json_value *v;
    struct str why;
    if (json_parse(scratch, text, &v, &why) != ST_OK ||
        (objects_only && v->kind != JSON_OBJECT && v->kind != JSON_ARRAY)) {
        return false;
    }
    r->scratch = scratch;
    if (r->array) {
        struct hive_field element = { STR("element"), type_of(scratch, v, 1) };
        hive_unite_copy(r->arena, &r->element, &r->n_element, &element, 1);
    } else {
        follow(r, v, step);
    }
    return true;
}

/* The elements of the array that begins at `at`; those that the sample holds. *ret_end: behind it,
 * or 0 when the sample ends before. */
static bool read_array(struct rows *r, const struct sample *s, size_t at, size_t *ret_end)
{
    struct str text = s->head;
    const struct step *first = r->path.n ? &r->path.steps[0] : NULL;
    r->array = first == NULL;
    *ret_end = 0;
    uint64_t i = 0;
    at = skip_blanks(text, at + 1);
    while (at < text.n && text.p[at] != ']') {
        size_t end = value_end(text, at);
        if (end == 0) {
            return !s->whole && i > 0;
        }
        bool wanted =
            !first || first->kind == STEP_ALL || (first->kind == STEP_INDEX && first->index == i);
        if (wanted && !add_record(r, str_sub(text, at, end), 1, false)) {
            return false;
        }
        i++;
        at = skip_blanks(text, end);
        if (at < text.n && text.p[at] == ',') {
            at = skip_blanks(text, at + 1);
        } else if (at < text.n && text.p[at] != ']') {
            return false;
        }
    }
    *ret_end = at < text.n ? at + 1 : 0;
    return *ret_end || !s->whole;
}

static bool read_objects(struct rows *r, const struct sample *s, size_t at, size_t *ret_taken)
{
    struct str text = s->head;
    size_t n = 0;
    while ((at = skip_blanks(text, at)) < text.n) {
        size_t end = value_end(text, at);
        if (end == 0) {
            return !s->whole && n > 0;
        }
        if (end == at || !add_record(r, str_sub(text, at, end), 0, true)) {
            return false;
        }
        n++;
        *ret_taken = at = end;
    }
    return n > 0;
}

bool classify_json(struct arena *a, const struct sample *s, struct str json_path,
                   struct schema *ret)
{
    struct rows r = { .arena = a };
    struct str text = s->head;
    size_t at = str_starts(text, STR("\xef\xbb\xbf")) ? 3 : 0, end = 0;
    at = skip_blanks(text, at);
    bool opens = at < text.n && (text.p[at] == '{' || text.p[at] == '[');
    if (!opens || (str_set(json_path) && !parse_path(json_path, &r.path))) {
        return false;
    }
    bool ok, one_array = false;
    if (text.p[at] == '[') {
        size_t first = value_end(text, at);
        one_array = first == 0 || skip_blanks(text, first) == text.n;
    }
    ok = one_array ? read_array(&r, s, at, &end) : read_objects(&r, s, at, &end);
    if (ok && r.array) {
        struct hive_type element = r.n_element ? r.element->type : hive_simple(HIVE_UNKNOWN);
        struct hive_field column = { STR("array"), hive_array(a, element) };
        hive_unite(a, &r.columns, &r.n, &column, 1);
        r.records = 1;
    }
    if (!ok || r.n == 0) {
        return false;
    }
    *ret = (struct schema){ .classification = STR("json"),
                            .columns = r.columns,
                            .n = r.n,
                            .json_path = json_path,
                            .records = r.records,
                            .exact = s->whole,
                            .sampled_bytes = s->whole ? 0 : (int64_t)(end ? end : text.n) };
    return true;
}
