/* The part of JSONPath that EventBridge knows. */
#include "emulators/events/event_input.h"
#include "server/base/mem.h"

/* One step of a path. */
struct step {
    struct str name; /* absent: an index */
    int64_t index;
    bool all; /* .* or [*] */
};

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '/' || c == ':' || c == '$' || c == '@' || (unsigned char)c >= 0x80;
}

static bool next_name(struct str *rest, struct step *ret)
{
    size_t n = 1;
    if (rest->n > 1 && rest->p[1] == '*') {
        *rest = str_sub(*rest, 2, rest->n);
        ret->all = true;
        return true;
    }
    while (n < rest->n && name_char(rest->p[n])) {
        n++;
    }
    ret->name = str_sub(*rest, 1, n);
    *rest = str_sub(*rest, n, rest->n);
    return ret->name.n > 0;
}

static bool next_bracket(struct str *rest, struct step *ret)
{
    ptrdiff_t end = str_find(*rest, ']', 1);
    if (end < 0) {
        return false;
    }
    struct str inner = str_sub(*rest, 1, (size_t)end);
    *rest = str_sub(*rest, (size_t)end + 1, rest->n);
    if (str_eqz(inner, "*")) {
        ret->all = true;
        return true;
    }
    char quote = '\0';
    if (inner.n > 2) {
        quote = inner.p[0];
    }
    if ((quote == '\'' || quote == '"') && inner.p[inner.n - 1] == quote) {
        ret->name = str_sub(inner, 1, inner.n - 1);
        return true;
    }
    return str_i64(inner, &ret->index) == ST_OK && ret->index >= 0;
}

/* false: the path is broken. At its end *rest is empty. */
static bool next_step(struct str *rest, struct step *ret)
{
    *ret = (struct step){ STR_NONE, 0, false };
    return rest->p[0] == '.' ? next_name(rest, ret) : rest->p[0] == '[' && next_bracket(rest, ret);
}

bool event_path_valid(struct str path)
{
    struct step step;
    if (path.n == 0 || path.p[0] != '$') {
        return false;
    }
    for (struct str rest = str_sub(path, 1, path.n); rest.n > 0;) {
        if (!next_step(&rest, &step)) {
            return false;
        }
    }
    return true;
}

struct found {
    struct json_out out;
    size_t n;
};

static bool leads_to(const struct step *step, const struct json_value *child, int64_t place,
                     enum json_kind parent)
{
    return step->all ||
           (str_set(step->name) ? parent == JSON_OBJECT && str_eq(child->key, step->name)
                                : parent == JSON_ARRAY && place == step->index);
}

static void walk(struct str rest, const struct json_value *v, struct found *f)
{
    struct step step;
    int64_t place = 0;
    if (rest.n == 0) {
        json_tree(&f->out, v);
        f->n++;
        return;
    }
    if (!next_step(&rest, &step) || (v->kind != JSON_OBJECT && v->kind != JSON_ARRAY)) {
        return;
    }
    for (const struct json_value *child = v->first; child; child = child->next) {
        if (leads_to(&step, child, place++, v->kind)) {
            walk(rest, child, f);
        }
    }
}

struct str event_path_read(struct arena *a, struct str path, const struct json_value *event)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(EVENT_INPUT_MAX);
    struct found f = { .n = 0 };
    bool list = str_find(path, '*', 0) >= 0;
    json_out_init(&f.out, &b);
    if (list) {
        json_open(&f.out, '[');
    }
    walk(str_sub(path, 1, path.n), event, &f);
    if (list) {
        json_close(&f.out, ']');
    }
    return buf_ok(&b) && (list || f.n == 1) ? arena_str(a, buf_str(&b)) : STR_NONE;
}
