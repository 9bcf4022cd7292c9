/* Whether a partition expression holds, in SQL's three-valued logic. */
#include "emulators/glue/catalog/catalog_expression_tree.h"

enum truth { TRUTH_NO, TRUTH_UNKNOWN, TRUTH_YES };

struct row {
    struct arena *arena;
    const struct glue_value_string_list *values;
    struct str *ret_why;
};

/* Length of the character at `at`. */
static size_t char_length(struct str s, size_t at)
{
    size_t n = 1;
    while (at + n < s.n && ((unsigned char)s.p[at + n] & 0xc0) == 0x80) {
        n++;
    }
    return n;
}

/* `%` is any text, `_` one character, a backslash takes the next one as it is. On a mismatch only
 * the last `%` is tried further on. */
static bool like(struct str pattern, struct str s)
{
    size_t p = 0, at = 0, retry_p = SIZE_MAX, retry_at = 0;
    while (at < s.n) {
        if (p < pattern.n && pattern.p[p] == '%') {
            retry_p = ++p;
            retry_at = at;
            continue;
        }
        if (p < pattern.n && pattern.p[p] == '_') {
            p++;
            at += char_length(s, at);
            continue;
        }
        size_t escape = p + 1 < pattern.n && pattern.p[p] == '\\';
        if (p < pattern.n && pattern.p[p + escape] == s.p[at]) {
            p += 1 + escape;
            at++;
            continue;
        }
        if (retry_p == SIZE_MAX) {
            return false;
        }
        p = retry_p;
        retry_at += char_length(s, retry_at);
        at = retry_at;
    }
    while (p < pattern.n && pattern.p[p] == '%') {
        p++;
    }
    return p == pattern.n;
}

static bool in_order(enum order order, int cmp)
{
    switch (order) {
    case ORDER_EQ:
        return cmp == 0;
    case ORDER_NE:
        return cmp != 0;
    case ORDER_LT:
        return cmp < 0;
    case ORDER_LE:
        return cmp <= 0;
    case ORDER_GT:
        return cmp > 0;
    case ORDER_GE:
        return cmp >= 0;
    }
    return false;
}

static bool test_holds(const struct node *n, const struct catalog_value *v)
{
    switch (n->kind) {
    case NODE_COMPARE:
        return in_order(n->order, catalog_value_cmp(v, &n->v[0]));
    case NODE_BETWEEN:
        return catalog_value_cmp(v, &n->v[0]) >= 0 && catalog_value_cmp(v, &n->v[1]) <= 0;
    case NODE_LIKE:
        return like(n->text, v->text);
    case NODE_IN:
        for (size_t i = 0; i < n->n_values; i++) {
            if (catalog_value_cmp(v, &n->v[i]) == 0) {
                return true;
            }
        }
        return false;
    default:
        return false;
    }
}

static enum status test_truth(const struct node *n, const struct row *row, enum truth *ret)
{
    struct str text = n->key < row->values->n ? row->values->v[n->key] : STR(CATALOG_NULL);
    if (n->kind == NODE_NULL) {
        *ret = str_eqz(text, CATALOG_NULL) != n->negated ? TRUTH_YES : TRUTH_NO;
        return ST_OK;
    }
    struct catalog_value v;
    if (catalog_value_read(n->v[0].type, text, &v) != ST_OK) {
        *row->ret_why = arena_printf(row->arena, "\"%.*s\" is not %s.", STR_ARG(text),
                                     catalog_type_article(n->v[0].type));
        return ST_INVALID;
    }
    /* A text compares as it is, also with the name of the partition without a value. */
    if (v.null && v.type != CATALOG_STRING) {
        *ret = TRUTH_UNKNOWN;
        return ST_OK;
    }
    *ret = test_holds(n, &v) != n->negated ? TRUTH_YES : TRUTH_NO;
    return ST_OK;
}

static enum status node_truth(const struct node *n, const struct row *row, enum truth *ret)
{
    enum status st = ST_OK;
    enum truth one = TRUTH_NO;
    if (n->kind == NODE_NOT) {
        st = node_truth(n->first, row, &one);
        *ret = (enum truth)(TRUTH_YES - one);
        return st;
    }
    if (n->kind != NODE_AND && n->kind != NODE_OR) {
        return test_truth(n, row, ret);
    }
    enum truth decided = n->kind == NODE_AND ? TRUTH_NO : TRUTH_YES;
    *ret = n->kind == NODE_AND ? TRUTH_YES : TRUTH_NO;
    for (const struct node *child = n->first; st == ST_OK && child && *ret != decided;
         child = child->next) {
        st = node_truth(child, row, &one);
        bool stronger = n->kind == NODE_AND ? one < *ret : one > *ret;
        *ret = stronger ? one : *ret;
    }
    return st;
}

enum status catalog_expression_holds(const struct catalog_expression *e, struct arena *a,
                                     const struct glue_value_string_list *values, bool *ret_holds,
                                     struct str *ret_why)
{
    const struct row row = { a, values, ret_why };
    enum truth truth = TRUTH_NO;
    enum status st = node_truth(e->root, &row, &truth);
    *ret_holds = truth == TRUTH_YES;
    return st;
}
