/* cJSON builds the tree, but it keeps numbers as doubles and text as C strings, and it is lenient.
 * So a scan goes before it: it enforces the strict grammar of strings and numbers, depth and size,
 * and where cJSON would lose something it rewrites the text with bytes that no UTF-8 contains (the
 * input is checked to be UTF-8, so nobody can send them): a number longer than 15 characters
 * becomes the string "\xFF<number>", the escape \u0000 becomes \xFE. Copying the tree into the
 * arena turns both back. */
#include "server/wire/json.h"

#include <cjson/cJSON.h>
#include <math.h>

#include "server/base/mem.h"

#define NUMBER_PLAIN_MAX 15 /* digits that a double keeps, and less than cJSON's buffer */
#define MARK_NUMBER '\xFF'
#define MARK_NUL '\xFE'

struct scan {
    struct str text;
    size_t at;
    size_t kept; /* text before this is in `out`, when anything was rewritten */
    struct buf out;
    bool rewritten;
    unsigned depth;
    unsigned nodes;
    const char *why; /* set: stop */
};

static bool is_digit(const struct scan *s)
{
    return s->at < s->text.n && s->text.p[s->at] >= '0' && s->text.p[s->at] <= '9';
}

static bool is_char(const struct scan *s, char a, char b)
{
    return s->at < s->text.n && (s->text.p[s->at] == a || s->text.p[s->at] == b);
}

/* Everything up to `upto` goes over as it is, then `with`, and reading goes on at `next`. */
static void rewrite(struct scan *s, size_t upto, struct str with, size_t next)
{
    buf_add(&s->out, s->text.p + s->kept, upto - s->kept);
    buf_str_add(&s->out, with);
    s->kept = next;
    s->rewritten = true;
}

static bool scan_digits(struct scan *s)
{
    if (!is_digit(s)) {
        return false;
    }
    while (is_digit(s)) {
        s->at++;
    }
    return true;
}

static void scan_number(struct scan *s)
{
    size_t from = s->at;
    s->at += is_char(s, '-', '-');
    bool ok = true;
    if (is_char(s, '0', '0')) {
        s->at++;
    } else {
        ok = scan_digits(s);
    }
    if (ok && is_char(s, '.', '.')) {
        s->at++;
        ok = scan_digits(s);
    }
    if (ok && is_char(s, 'e', 'E')) {
        s->at++;
        s->at += is_char(s, '+', '-');
        ok = scan_digits(s);
    }
    if (!ok || is_digit(s)) {
        s->why = "malformed number";
        return;
    }
    if (s->at - from > NUMBER_PLAIN_MAX) {
        static const char open[] = { '"', MARK_NUMBER };
        rewrite(s, from, (struct str){ open, sizeof(open) }, from);
        rewrite(s, s->at, STR("\""), s->at);
    }
}

/* `at` is behind the opening quote; ends behind the closing one. */
static void scan_string(struct scan *s)
{
    static const char nul[] = { MARK_NUL };
    while (s->at < s->text.n) {
        unsigned char c = (unsigned char)s->text.p[s->at];
        if (c == '"') {
            s->at++;
            return;
        }
        if (c < 0x20) {
            s->why = "control character in a string";
            return;
        }
        if (c != '\\') {
            s->at++;
            continue;
        }
        if (str_starts(str_sub(s->text, s->at, s->at + 6), STR("\\u0000"))) {
            rewrite(s, s->at, (struct str){ nul, sizeof(nul) }, s->at + 6);
            s->at += 6;
            continue;
        }
        s->at += 2;
    }
    s->why = "string without end";
}

static void scan_token(struct scan *s)
{
    char c = s->text.p[s->at];
    switch (c) {
    case '"':
        s->at++;
        scan_string(s);
        return;
    case '{':
    case '[':
        s->depth++;
        s->nodes++;
        break;
    case '}':
    case ']':
        s->depth -= s->depth > 0;
        break;
    case ',':
        s->nodes++;
        break;
    case '\0':
        s->why = "zero byte";
        return;
    default:
        if (c == '-' || is_digit(s)) {
            scan_number(s);
            return;
        }
        break;
    }
    s->at++;
}

static enum status scan_all(struct scan *s)
{
    while (s->at < s->text.n) {
        scan_token(s);
        if (s->why) {
            return ST_INVALID;
        }
        if (s->depth > JSON_DEPTH_MAX || s->nodes > JSON_NODES_MAX) {
            s->why = s->depth > JSON_DEPTH_MAX ? "nested too deep" : "too many values";
            return ST_NOMEM;
        }
    }
    if (s->rewritten) {
        rewrite(s, s->text.n, STR(""), s->text.n);
    }
    return buf_ok(&s->out) ? ST_OK : ST_NOMEM;
}

static struct str restore(struct arena *a, const char *z)
{
    struct str s = arena_strz(a, z ? z : "");
    char *p = (char *)(uintptr_t)s.p;
    for (char *mark = p; (mark = memchr(mark, MARK_NUL, s.n - (size_t)(mark - p))) != NULL;) {
        *mark = '\0';
    }
    return s;
}

static void set_number(struct json_value *v, double f)
{
    if (f == floor(f) && fabs(f) < 9007199254740992.0) {
        v->kind = JSON_INT;
        v->i = (int64_t)f;
    } else {
        v->kind = JSON_FLOAT;
        v->f = f;
    }
}

static void set_long_number(struct arena *a, struct json_value *v, const char *z)
{
    v->kind = JSON_INT;
    if (str_i64(str_z(z), &v->i) != ST_OK) {
        v->kind = JSON_FLOAT;
        v->f = strtod(z, NULL);
    }
    (void)a;
}

static void copy_tree(struct arena *a, const cJSON *from, struct json_value *to);

static void copy_children(struct arena *a, const cJSON *from, struct json_value *to)
{
    struct json_value **end = &to->first;
    bool object = cJSON_IsObject(from);
    for (const cJSON *c = from->child; c; c = c->next) {
        struct json_value *v = ARENA_NEW(a, struct json_value);
        if (object) {
            v->key = restore(a, c->string);
        }
        copy_tree(a, c, v);
        *end = v;
        end = &v->next;
        to->n++;
    }
}

static void copy_tree(struct arena *a, const cJSON *from, struct json_value *to)
{
    if (cJSON_IsObject(from) || cJSON_IsArray(from)) {
        to->kind = cJSON_IsObject(from) ? JSON_OBJECT : JSON_ARRAY;
        copy_children(a, from, to);
    } else if (cJSON_IsString(from)) {
        if (from->valuestring[0] == MARK_NUMBER) {
            set_long_number(a, to, from->valuestring + 1);
        } else {
            to->kind = JSON_STRING;
            to->str = restore(a, from->valuestring);
        }
    } else if (cJSON_IsNumber(from)) {
        set_number(to, from->valuedouble);
    } else if (cJSON_IsBool(from)) {
        to->kind = JSON_BOOL;
        to->b = cJSON_IsTrue(from);
    }
}

static enum status parse_scanned(struct arena *a, struct str text, struct json_value **ret,
                                 struct str *ret_why)
{
    const char *end = NULL;
    cJSON *tree = cJSON_ParseWithLengthOpts(text.p, text.n, &end, false);
    if (!tree) {
        *ret_why = arena_printf(a, "syntax error near byte %td", end ? end - text.p : 0);
        return ST_INVALID;
    }
    if (!str_empty(str_trim(str_sub(text, (size_t)(end - text.p), text.n)))) {
        *ret_why = arena_printf(a, "more text behind the document at byte %td", end - text.p);
        cJSON_Delete(tree);
        return ST_INVALID;
    }
    *ret = ARENA_NEW(a, struct json_value);
    copy_tree(a, tree, *ret);
    cJSON_Delete(tree);
    if (arena_over(a)) {
        *ret_why = STR("the document is too large");
        return ST_NOMEM;
    }
    return ST_OK;
}

enum status json_parse(struct arena *a, struct str text, struct json_value **ret,
                       struct str *ret_why)
{
    if (!text.p || !str_utf8(text)) {
        *ret_why = text.p ? STR("not UTF-8 text") : STR("empty document");
        return ST_INVALID;
    }
    struct scan s = { .text = text, .out = BUF_INIT(0) };
    /* A rewritten number grows by 3 bytes for at least 16. */
    buf_init(&s.out, text.n + text.n / 4 + 8);
    enum status st = scan_all(&s);
    if (st != ST_OK) {
        *ret_why = arena_printf(a, "%s at byte %zu", s.why ? s.why : "too large", s.at);
    } else {
        st = parse_scanned(a, s.rewritten ? buf_str(&s.out) : text, ret, ret_why);
    }
    buf_fini(&s.out);
    return st;
}

const struct json_value *json_get(const struct json_value *v, const char *key)
{
    const struct json_value *found = NULL;
    if (v && v->kind == JSON_OBJECT) {
        for (const struct json_value *c = v->first; c; c = c->next) {
            if (str_eqz(c->key, key)) {
                found = c;
            }
        }
    }
    return found;
}

struct str json_get_str(const struct json_value *v, const char *key)
{
    const struct json_value *c = json_get(v, key);
    return c && c->kind == JSON_STRING ? c->str : STR_NONE;
}

int64_t json_get_i64(const struct json_value *v, const char *key, int64_t otherwise)
{
    const struct json_value *c = json_get(v, key);
    return c && c->kind == JSON_INT ? c->i : otherwise;
}

bool json_get_bool(const struct json_value *v, const char *key, bool otherwise)
{
    const struct json_value *c = json_get(v, key);
    return c && c->kind == JSON_BOOL ? c->b : otherwise;
}

const char *json_kind_name(enum json_kind kind)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",      [JSON_BOOL] = "a boolean",   [JSON_INT] = "an integer",
        [JSON_FLOAT] = "a number", [JSON_STRING] = "a string",  [JSON_BYTES] = "bytes",
        [JSON_ARRAY] = "an array", [JSON_OBJECT] = "an object",
    };
    return names[kind];
}
