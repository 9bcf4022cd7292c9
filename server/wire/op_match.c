#include "server/wire/op_match.h"

#include "server/wire/shape_def.h"

/* What a fitting part is worth. A missing required parameter counts against an operation but does
 * not exclude it: then the client is told what is missing. */
enum {
    SCORE_HEADER = 1,
    SCORE_HANDLER = 2,
    SCORE_X_ID = 3, /* said aloud: more than having a handler */
    SCORE_REQUIRED = 4,
    SCORE_KEY = 32,
    SCORE_LITERAL = 256,
};

static struct str template_path(const char *uri)
{
    struct str all = str_z(uri), path, query;
    return str_cut(all, '?', &path, &query) ? path : all;
}

/* The segment of `s` behind the slash at `at`. */
static struct str segment_at(struct str s, size_t at)
{
    ptrdiff_t end = str_find(s, '/', at + 1);
    return str_sub(s, at + 1, end < 0 ? s.n : (size_t)end);
}

static bool is_label(struct str segment, const char *want)
{
    struct str name = str_sub(segment, 1, segment.n - 1);
    if (str_ends(name, STR("+"))) {
        name.n--;
    }
    return want && str_eqz(name, want);
}

bool uri_match(const char *uri, struct str path, const char *want, struct str *ret_value,
               unsigned *ret_literals)
{
    struct str t = template_path(uri);
    size_t i = 0, j = 0;
    *ret_literals = 0;
    while (t.n - i > 1) { /* a slash alone at the end counts for nothing, in either */
        if (j >= path.n || path.p[j] != '/') {
            return false;
        }
        struct str part = segment_at(t, i), have = segment_at(path, j);
        bool label = str_starts(part, STR("{"));
        if (str_ends(part, STR("+}"))) {
            have = str_sub(path, j + 1, path.n);
        }
        if (label ? str_empty(have) : !str_eq(part, have)) {
            return false;
        }
        if (label && is_label(part, want)) {
            *ret_value = have;
        }
        *ret_literals += !label;
        i += 1 + part.n;
        j += 1 + have.n;
    }
    return j >= path.n || (path.n - j == 1 && path.p[j] == '/');
}

bool query_each(struct str query, size_t *it, struct str *ret_key, struct str *ret_value)
{
    while (*it < query.n) {
        ptrdiff_t end = str_find(query, '&', *it);
        struct str item = str_sub(query, *it, end < 0 ? query.n : (size_t)end);
        *it += item.n + 1;
        if (!str_cut(item, '=', ret_key, ret_value)) {
            *ret_key = item;
            *ret_value = STR("");
        }
        if (!str_empty(item)) {
            return true;
        }
    }
    return false;
}

bool query_has(struct str query, const char *key, struct str *ret_value)
{
    struct str k, v;
    bool found = false;
    for (size_t it = 0; query_each(query, &it, &k, &v);) {
        if (str_eqz(k, key)) {
            *ret_value = v;
            found = true;
        }
    }
    return found;
}

/* Like query_has, for a key that is a view. */
static bool query_has_str(struct str query, struct str key, struct str *ret_value)
{
    struct str k, v;
    for (size_t it = 0; query_each(query, &it, &k, &v);) {
        if (str_eq(k, key)) {
            *ret_value = v;
            return true;
        }
    }
    return false;
}

/* The template's own query keys: all must be there, except x-id, which only decides. */
static bool match_keys(const char *uri, struct str query, int *score)
{
    const char *mark = strchr(uri, '?');
    struct str want = str_z(mark ? mark + 1 : ""), key, value, have = STR("");
    for (size_t it = 0; query_each(want, &it, &key, &value);) {
        bool found = query_has_str(query, key, &have);
        if (str_eqz(key, "x-id")) {
            *score += found && str_eq(have, value) ? SCORE_X_ID : 0;
            continue;
        }
        if (!found || (!str_empty(value) && !str_eq(have, value))) {
            return false;
        }
        *score += SCORE_KEY;
    }
    return true;
}

static int required_score(const struct shape *in, struct str query)
{
    int score = 0;
    struct str value;
    for (size_t i = 0; in && i < in->n_fields; i++) {
        const struct field *f = &in->fields[i];
        if (f->loc == LOC_QUERY && (f->flags & FIELD_REQUIRED)) {
            score += query_has(query, f->wire, &value) ? SCORE_REQUIRED : -SCORE_REQUIRED;
        } else if (f->loc == LOC_HEADER && (f->flags & FIELD_REQUIRED)) {
            score -= SCORE_HEADER; /* not seen here: the operation that needs none comes first */
        }
    }
    return score;
}

const struct op *op_match_rest(const struct op *ops, size_t n, struct str method, struct str path,
                               struct str query)
{
    const struct op *best = NULL;
    int best_score = 0;
    for (size_t i = 0; i < n; i++) {
        const struct op *op = &ops[i];
        unsigned literals = 0;
        if (!str_eqz(method, op->method) || !uri_match(op->uri, path, NULL, NULL, &literals)) {
            continue;
        }
        int score = SCORE_LITERAL * (int)literals;
        if (!match_keys(op->uri, query, &score)) {
            continue;
        }
        score += required_score(op->in, query) + (op->fn ? SCORE_HANDLER : 0);
        if (!best || score > best_score) {
            best = op;
            best_score = score;
        }
    }
    return best;
}

const struct op *op_find(const struct op *ops, size_t n, struct str name)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = str_cmp(str_z(ops[mid].name), name);
        if (c == 0) {
            return &ops[mid];
        }
        if (c < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}
