/* What a pattern may say. The reasons are those that AWS gives, with the place added. */
#include "emulators/events/event_pattern.h"

#include "server/base/mem.h"

struct checker {
    struct arena *arena;
    struct str why; /* of the first fault */
    struct str where;
};

static bool refuse(struct checker *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool refuse(struct checker *k, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = arena_vprintf(k->arena, fmt, ap);
    va_end(ap);
    k->why = str_empty(k->where)
                 ? text
                 : arena_printf(k->arena, "%.*s (at %.*s)", STR_ARG(text), STR_ARG(k->where));
    return false;
}

static bool is_number(const struct json_value *v)
{
    return v->kind == JSON_INT || v->kind == JSON_FLOAT;
}

/* --- operators -------------------------------------------------------------------------------- */
static bool check_wildcard(struct checker *k, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool escape = s.p[i] == '\\';
        if (escape && (i + 1 == s.n || (s.p[i + 1] != '*' && s.p[i + 1] != '\\'))) {
            return refuse(k, "Invalid escape character at pos %zu", i);
        }
        if (s.p[i] == '*' && i + 1 < s.n && s.p[i + 1] == '*') {
            return refuse(k, "Consecutive wildcard characters at pos %zu", i);
        }
        i += escape;
    }
    return true;
}

/* The text of a string operator. */
static bool check_text(struct checker *k, const struct json_value *v, enum event_operator op,
                       struct str name)
{
    if (v->kind != JSON_STRING) {
        return refuse(k, "%.*s match pattern must be a string", STR_ARG(name));
    }
    return op != EVENT_OP_WILDCARD || check_wildcard(k, v->str);
}

static bool check_end(struct checker *k, const struct json_value *v)
{
    if (v->kind != JSON_OBJECT) {
        return check_text(k, v, EVENT_OP_PREFIX, v->key);
    }
    if (v->n != 1 || event_operator_of(v->first->key) != EVENT_OP_IGNORE_CASE) {
        return refuse(k, "Unsupported %.*s pattern: %.*s", STR_ARG(v->key),
                      STR_ARG(v->n ? v->first->key : STR("{}")));
    }
    return check_text(k, v->first, EVENT_OP_IGNORE_CASE, v->first->key);
}

static bool check_numeric(struct checker *k, const struct json_value *v)
{
    double bottom = 0;
    char before = 0;
    if (v->kind != JSON_ARRAY) {
        return refuse(k, "Value of numeric must be an array.");
    }
    if (v->n == 0) {
        return refuse(k, "Invalid member in numeric match: ]");
    }
    for (const struct json_value *op = v->first; op; op = op->next->next) {
        struct str s = op->kind == JSON_STRING ? op->str : STR("");
        const struct json_value *y = op->next;
        if (!str_eqz(s, "=") && !str_eqz(s, "<") && !str_eqz(s, "<=") && !str_eqz(s, ">") &&
            !str_eqz(s, ">=")) {
            return refuse(k, "Unrecognized numeric range operator: %.*s", STR_ARG(s));
        }
        if (!y || !is_number(y)) {
            return refuse(k, "Value of %.*s must be numeric", STR_ARG(s));
        }
        double x = y->kind == JSON_INT ? (double)y->i : y->f;
        if (x < -EVENT_PATTERN_NUMBER_MAX || x > EVENT_PATTERN_NUMBER_MAX) {
            return refuse(k, "Value must be between -5.0E9 and 5.0E9, inclusive");
        }
        if (before && !(before == '>' && s.p[0] == '<' && !y->next)) {
            return refuse(k, "Too many terms in numeric range expression");
        }
        if (before && x <= bottom) {
            return refuse(k, "Bottom must be less than top");
        }
        before = s.p[0];
        bottom = x;
    }
    return true;
}

/* A list of texts or of numbers. */
static bool check_but_list(struct checker *k, const struct json_value *v)
{
    if (v->n == 0) {
        return refuse(k, "Empty arrays are not allowed");
    }
    bool numbers = is_number(v->first);
    for (const struct json_value *one = v->first; one; one = one->next) {
        if (!is_number(one) && one->kind != JSON_STRING) {
            return refuse(k, "Inside anything but list, start|null|boolean is not supported.");
        }
        if (is_number(one) != numbers) {
            return refuse(k, "Inside anything but list, either all values are number or string, "
                             "mixed type is not supported");
        }
    }
    return true;
}

/* anything-but's own operator: one text or a list of texts. */
static bool check_but_operator(struct checker *k, const struct json_value *v)
{
    const struct json_value *inner = v->first;
    enum event_operator op = v->n == 1 ? event_operator_of(inner->key) : EVENT_OP_NONE;
    if (op != EVENT_OP_PREFIX && op != EVENT_OP_SUFFIX && op != EVENT_OP_IGNORE_CASE &&
        op != EVENT_OP_WILDCARD) {
        return refuse(k, "Unsupported anything-but pattern: %.*s",
                      STR_ARG(v->n ? inner->key : STR("{}")));
    }
    if (inner->kind != JSON_ARRAY) {
        return check_text(k, inner, op, inner->key);
    }
    if (inner->n == 0) {
        return refuse(k, "Empty arrays are not allowed");
    }
    for (const struct json_value *one = inner->first; one; one = one->next) {
        if (!check_text(k, one, op, inner->key)) {
            return false;
        }
    }
    return true;
}

static bool check_anything_but(struct checker *k, const struct json_value *v)
{
    switch (v->kind) {
    case JSON_STRING:
    case JSON_INT:
    case JSON_FLOAT:
        return true;
    case JSON_ARRAY:
        return check_but_list(k, v);
    case JSON_OBJECT:
        return check_but_operator(k, v);
    default:
        return refuse(k, "Value of anything-but must be an array or single string/number value.");
    }
}

static bool check_cidr(struct checker *k, const struct json_value *v)
{
    struct event_cidr cidr;
    if (v->kind != JSON_STRING) {
        return refuse(k, "prefix match pattern must be a string");
    }
    return event_cidr_parse(v->str, &cidr) ||
           refuse(k, "Malformed CIDR, one '/' required, or no IP address and mask: %.*s",
                  STR_ARG(v->str));
}

static bool check_operator(struct checker *k, const struct json_value *object)
{
    if (object->n != 1) {
        return refuse(k, object->n ? "Only one key allowed in match expression"
                                   : "Empty objects are not allowed");
    }
    const struct json_value *v = object->first;
    enum event_operator op = event_operator_of(v->key);
    switch (op) {
    case EVENT_OP_PREFIX:
    case EVENT_OP_SUFFIX:
        return check_end(k, v);
    case EVENT_OP_IGNORE_CASE:
    case EVENT_OP_WILDCARD:
        return check_text(k, v, op, v->key);
    case EVENT_OP_ANYTHING_BUT:
        return check_anything_but(k, v);
    case EVENT_OP_NUMERIC:
        return check_numeric(k, v);
    case EVENT_OP_CIDR:
        return check_cidr(k, v);
    case EVENT_OP_EXISTS:
        return v->kind == JSON_BOOL ||
               refuse(k, "exists match pattern must be either true or false.");
    default:
        return refuse(k, "Unrecognized match type %.*s", STR_ARG(v->key));
    }
}

/* --- fields ----------------------------------------------------------------------------------- */
static bool check_object(struct checker *k, const struct json_value *object);

static bool check_alternatives(struct checker *k, const struct json_value *list)
{
    if (list->n == 0) {
        return refuse(k, "Empty arrays are not allowed");
    }
    for (const struct json_value *one = list->first; one; one = one->next) {
        if (one->kind == JSON_ARRAY) {
            return refuse(k, "Match value must be String, number, true, false, or null");
        }
        if (one->kind == JSON_OBJECT && !check_operator(k, one)) {
            return false;
        }
    }
    return true;
}

static bool check_or(struct checker *k, const struct json_value *list)
{
    for (const struct json_value *one = list->first; one; one = one->next) {
        if (!check_object(k, one)) {
            return false;
        }
    }
    return true;
}

static bool check_member(struct checker *k, const struct json_value *m)
{
    if (event_pattern_is_or(m)) {
        return check_or(k, m);
    }
    if (m->kind == JSON_OBJECT) {
        return check_object(k, m);
    }
    if (m->kind == JSON_ARRAY) {
        return check_alternatives(k, m);
    }
    return refuse(k, "\"%.*s\" must be an object or an array", STR_ARG(m->key));
}

static bool check_object(struct checker *k, const struct json_value *object)
{
    struct str outer = k->where;
    if (object->n == 0) {
        return refuse(k, "Empty objects are not allowed");
    }
    for (const struct json_value *m = object->first; m; m = m->next) {
        k->where = str_empty(outer)
                       ? m->key
                       : arena_printf(k->arena, "%.*s.%.*s", STR_ARG(outer), STR_ARG(m->key));
        if (!check_member(k, m)) {
            return false;
        }
    }
    k->where = outer;
    return true;
}

enum status event_pattern_parse(struct arena *a, struct str text, const struct json_value **ret,
                                struct str *ret_why)
{
    struct checker k = { a, STR_NONE, STR("") };
    struct json_value *root;
    if (json_parse(a, text, &root, ret_why) != ST_OK) {
        return ST_INVALID;
    }
    bool good =
        root->kind == JSON_OBJECT ? check_object(&k, root) : refuse(&k, "Filter is not an object");
    *ret = root;
    *ret_why = k.why;
    return good ? ST_OK : ST_INVALID;
}
