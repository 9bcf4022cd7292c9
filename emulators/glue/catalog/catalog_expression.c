#include "emulators/glue/catalog/catalog_expression.h"

#include "emulators/glue/catalog/catalog_expression_tree.h"
#include "server/base/list.h"
#include "server/base/mem.h"

/* --- words ------------------------------------------------------------------------------------ */
enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_NAME, /* in quotes: never a keyword */
    TOKEN_TEXT,
    TOKEN_NUMBER,
    TOKEN_ORDER,
    TOKEN_SIGN, /* ( ) , */
    TOKEN_BAD,
};
struct token {
    enum token_kind kind;
    struct str text;
    enum order order;
    size_t at;
};

struct reader {
    struct arena *arena;
    struct str text;
    const struct glue_column_list *keys;
    size_t at;
    struct token now;
    unsigned depth;
    struct str *ret_why;
};

static bool word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static bool digit(const struct reader *r, size_t at)
{
    return at < r->text.n && r->text.p[at] >= '0' && r->text.p[at] <= '9';
}

/* 'it''s': the quote doubled stands for itself. */
static enum token_kind read_quoted(struct reader *r, char quote, struct str *ret)
{
    char *out = arena_alloc(r->arena, r->text.n - r->at + 1);
    size_t n = 0;
    for (size_t i = r->at + 1; i < r->text.n; i++) {
        if (r->text.p[i] == quote) {
            if (i + 1 >= r->text.n || r->text.p[i + 1] != quote) {
                r->at = i + 1;
                *ret = (struct str){ out, n };
                return quote == '\'' ? TOKEN_TEXT : TOKEN_NAME;
            }
            i++;
        }
        out[n++] = r->text.p[i];
    }
    return TOKEN_BAD;
}

static enum token_kind read_number(struct reader *r, struct str *ret)
{
    size_t start = r->at++;
    while (digit(r, r->at) || (r->at < r->text.n && r->text.p[r->at] == '.')) {
        r->at++;
    }
    if (r->at < r->text.n && char_lower(r->text.p[r->at]) == 'e') {
        bool sign =
            r->at + 1 < r->text.n && (r->text.p[r->at + 1] == '-' || r->text.p[r->at + 1] == '+');
        if (digit(r, r->at + 1 + sign)) {
            r->at += 1u + sign;
            while (digit(r, r->at)) {
                r->at++;
            }
        }
    }
    *ret = str_sub(r->text, start, r->at);
    return r->at < r->text.n && word_char(r->text.p[r->at]) ? TOKEN_BAD : TOKEN_NUMBER;
}

static bool read_order(struct reader *r, enum order *ret)
{
    static const struct {
        struct str text;
        enum order order;
    } known[] = {
        { STR_INIT("<>"), ORDER_NE }, { STR_INIT("!="), ORDER_NE }, { STR_INIT("<="), ORDER_LE },
        { STR_INIT(">="), ORDER_GE }, { STR_INIT("<"), ORDER_LT },  { STR_INIT(">"), ORDER_GT },
        { STR_INIT("="), ORDER_EQ },
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (str_starts(str_sub(r->text, r->at, r->text.n), known[i].text)) {
            r->at += known[i].text.n;
            *ret = known[i].order;
            return true;
        }
    }
    return false;
}

static enum token_kind read_token(struct reader *r, struct token *t)
{
    char c = r->text.p[r->at];
    if (c == '\'' || c == '"' || c == '`') {
        return read_quoted(r, c, &t->text);
    }
    if (digit(r, r->at) || ((c == '-' || c == '+' || c == '.') && digit(r, r->at + 1))) {
        return read_number(r, &t->text);
    }
    if (word_char(c)) {
        while (r->at < r->text.n && word_char(r->text.p[r->at])) {
            r->at++;
        }
        t->text = str_sub(r->text, t->at, r->at);
        return TOKEN_WORD;
    }
    if (read_order(r, &t->order)) {
        return TOKEN_ORDER;
    }
    if (c == '(' || c == ')' || c == ',') {
        t->text = str_sub(r->text, t->at, ++r->at);
        return TOKEN_SIGN;
    }
    return TOKEN_BAD;
}

static void advance(struct reader *r)
{
    while (r->at < r->text.n && (r->text.p[r->at] == ' ' || r->text.p[r->at] == '\t' ||
                                 r->text.p[r->at] == '\n' || r->text.p[r->at] == '\r')) {
        r->at++;
    }
    r->now = (struct token){ .kind = TOKEN_END, .at = r->at };
    if (r->at < r->text.n) {
        r->now.kind = read_token(r, &r->now);
    }
}

static bool is_word(const struct reader *r, const char *word)
{
    return r->now.kind == TOKEN_WORD && str_ieqz(r->now.text, word);
}

static bool take_word(struct reader *r, const char *word)
{
    bool there = is_word(r, word);
    if (there) {
        advance(r);
    }
    return there;
}

static bool take_sign(struct reader *r, char sign)
{
    bool there = r->now.kind == TOKEN_SIGN && r->now.text.p[0] == sign;
    if (there) {
        advance(r);
    }
    return there;
}

/* --- grammar ---------------------------------------------------------------------------------- */
static enum status refuse(struct reader *r, const char *expected)
{
    *r->ret_why = arena_printf(r->arena,
                               "Unsupported expression '%.*s': expected %s at character "
                               "%zu.",
                               STR_ARG(str_sub(r->text, 0, 200)), expected, r->now.at + 1);
    return ST_INVALID;
}

static struct node *new_node(struct reader *r, enum node_kind kind)
{
    struct node *n = ARENA_NEW(r->arena, struct node);
    n->kind = kind;
    return n;
}

static bool is_operand(const struct node *n)
{
    return n->kind == NODE_KEY || n->kind == NODE_LITERAL;
}

static enum status read_key(struct reader *r, struct node **ret)
{
    *ret = new_node(r, NODE_KEY);
    for (size_t i = 0; i < r->keys->n; i++) {
        if (str_ieq(r->keys->v[i].Name, r->now.text)) {
            (*ret)->key = i;
            advance(r);
            return ST_OK;
        }
    }
    *r->ret_why = arena_printf(r->arena,
                               "Invalid partition expression! '%.*s' isn't a partition key of the "
                               "table.",
                               STR_ARG(r->now.text));
    return ST_INVALID;
}

static enum status read_or(struct reader *r, struct node **ret);

/* A key, a literal, or what stands in parentheses: an operand or a whole expression. */
static enum status read_operand(struct reader *r, struct node **ret)
{
    if (take_sign(r, '(')) {
        if (++r->depth > CATALOG_EXPRESSION_DEPTH) {
            return refuse(r, "fewer parentheses within each other");
        }
        enum status st = read_or(r, ret);
        r->depth--;
        return st != ST_OK ? st : take_sign(r, ')') ? ST_OK : refuse(r, "')'");
    }
    bool typed = is_word(r, "DATE") || is_word(r, "TIMESTAMP");
    if (typed) {
        struct token word = r->now;
        advance(r);
        if (r->now.kind != TOKEN_TEXT) { /* a key of that name */
            struct token behind = r->now;
            size_t at = r->at;
            r->now = word;
            enum status st = read_key(r, ret);
            r->now = behind;
            r->at = at;
            return st;
        }
    }
    if (r->now.kind == TOKEN_TEXT || r->now.kind == TOKEN_NUMBER) {
        *ret = new_node(r, NODE_LITERAL);
        (*ret)->text = r->now.text;
        advance(r);
        return ST_OK;
    }
    return r->now.kind == TOKEN_WORD || r->now.kind == TOKEN_NAME
               ? read_key(r, ret)
               : refuse(r, "a partition key, a 'text' or a number");
}

/* A literal as a value of the test's key. */
static enum status add_value(struct reader *r, struct node *test, const struct node *literal)
{
    if (literal->kind != NODE_LITERAL) {
        return refuse(r, "a 'text' or a number before");
    }
    struct str type_text = r->keys->v[test->key].Type;
    enum catalog_type type = str_set(type_text) ? catalog_type_of(type_text) : CATALOG_STRING;
    if (type == CATALOG_NO_TYPE) {
        *r->ret_why = arena_printf(r->arena, "Unknown type : '%.*s'", STR_ARG(type_text));
        return ST_INVALID;
    }
    ARENA_GROW(r->arena, test->v, test->n_values);
    struct catalog_value *v = &test->v[test->n_values++];
    if (catalog_value_read(type, literal->text, v) != ST_OK ||
        (v->null && type != CATALOG_STRING)) {
        *r->ret_why = arena_printf(r->arena, "\"%.*s\" is not %s.", STR_ARG(literal->text),
                                   catalog_type_article(type));
        return ST_INVALID;
    }
    return ST_OK;
}

static enum status read_value(struct reader *r, struct node *test)
{
    struct node *literal;
    enum status st = read_operand(r, &literal);
    return st == ST_OK ? add_value(r, test, literal) : st;
}

/* Behind the comparison sign. A literal may stand first: it is turned round. */
static enum status read_compare(struct reader *r, struct node *left, struct node **ret)
{
    static const enum order turned[] = {
        ORDER_EQ, ORDER_NE, ORDER_GT, ORDER_GE, ORDER_LT, ORDER_LE
    };
    struct node *test = new_node(r, NODE_COMPARE), *right;
    test->order = r->now.order;
    advance(r);
    enum status st = read_operand(r, &right);
    if (st != ST_OK) {
        return st;
    }
    if (left->kind == NODE_LITERAL && right->kind == NODE_KEY) {
        struct node *swap = left;
        left = right;
        right = swap;
        test->order = turned[test->order];
    }
    if (left->kind != NODE_KEY) {
        return refuse(r, "a partition key on one side of the comparison before");
    }
    test->key = left->key;
    *ret = test;
    return add_value(r, test, right);
}

static enum status read_in(struct reader *r, struct node *test)
{
    if (!take_sign(r, '(')) {
        return refuse(r, "'('");
    }
    enum status st;
    do {
        st = read_value(r, test);
    } while (st == ST_OK && take_sign(r, ','));
    return st != ST_OK ? st : take_sign(r, ')') ? ST_OK : refuse(r, "',' or ')'");
}

static enum status read_like(struct reader *r, struct node *test)
{
    static const char *const names[] = { "", "String", "Integral", "Decimal", "Date", "Timestamp" };
    struct node *pattern;
    enum status st = read_operand(r, &pattern);
    if (st == ST_OK && pattern->kind != NODE_LITERAL) {
        st = refuse(r, "a 'text' before");
    }
    if (st != ST_OK) {
        return st;
    }
    struct str type_text = r->keys->v[test->key].Type;
    enum catalog_type type = str_set(type_text) ? catalog_type_of(type_text) : CATALOG_STRING;
    if (type != CATALOG_STRING && type != CATALOG_NO_TYPE) {
        *r->ret_why =
            arena_printf(r->arena, "%s data type doesn't support operation 'LIKE'", names[type]);
        return ST_INVALID;
    }
    test->text = pattern->text;
    return add_value(r, test, pattern);
}

/* What may follow a key besides a comparison. */
static enum status read_word_test(struct reader *r, const struct node *key, struct node **ret)
{
    struct node *test = new_node(r, NODE_NULL);
    *ret = test;
    test->key = key->key;
    if (take_word(r, "IS")) {
        test->negated = take_word(r, "NOT");
        return take_word(r, "NULL") ? ST_OK : refuse(r, "NULL");
    }
    test->negated = take_word(r, "NOT");
    if (take_word(r, "IN")) {
        test->kind = NODE_IN;
        return read_in(r, test);
    }
    if (take_word(r, "LIKE")) {
        test->kind = NODE_LIKE;
        return read_like(r, test);
    }
    if (take_word(r, "BETWEEN")) {
        test->kind = NODE_BETWEEN;
        enum status st = read_value(r, test);
        if (st == ST_OK && !take_word(r, "AND")) {
            return refuse(r, "AND");
        }
        return st == ST_OK ? read_value(r, test) : st;
    }
    return refuse(r, "=, <>, <, <=, >, >=, BETWEEN, IN, LIKE or IS NULL");
}

/* *ret may be an operand alone, in parentheses: the caller knows whether that makes sense. */
static enum status read_test(struct reader *r, struct node **ret)
{
    struct node *left;
    enum status st = read_operand(r, &left);
    if (st != ST_OK || !is_operand(left)) {
        *ret = left;
        return st;
    }
    if (r->now.kind == TOKEN_ORDER) {
        return read_compare(r, left, ret);
    }
    if (left->kind == NODE_KEY && r->now.kind == TOKEN_WORD && !is_word(r, "AND") &&
        !is_word(r, "OR")) {
        return read_word_test(r, left, ret);
    }
    *ret = left;
    return ST_OK;
}

static enum status need_truth(struct reader *r, const struct node *n)
{
    return is_operand(n) ? refuse(r, "=, <>, <, <=, >, >=, BETWEEN, IN, LIKE or IS NULL") : ST_OK;
}

static enum status read_not(struct reader *r, struct node **ret)
{
    bool negated = false;
    size_t start = r->now.at;
    while (take_word(r, "NOT")) {
        negated = !negated;
    }
    bool any = r->now.at != start;
    enum status st = read_test(r, ret);
    st = st == ST_OK && any ? need_truth(r, *ret) : st;
    if (st == ST_OK && negated) {
        struct node *n = new_node(r, NODE_NOT);
        CHAIN_APPEND(n->first, n->end, *ret);
        *ret = n;
    }
    return st;
}

/* What is joined by one word; alone it stays what it is. */
static enum status read_joined(struct reader *r, enum node_kind kind, const char *word,
                               enum status (*read)(struct reader *r, struct node **ret),
                               struct node **ret)
{
    struct node *item, *all = NULL;
    enum status st = read(r, ret);
    while (st == ST_OK && is_word(r, word)) {
        st = need_truth(r, *ret);
        advance(r);
        if (!all) {
            all = new_node(r, kind);
            CHAIN_APPEND(all->first, all->end, *ret);
            *ret = all;
        }
        st = st == ST_OK ? read(r, &item) : st;
        st = st == ST_OK ? need_truth(r, item) : st;
        if (st == ST_OK) {
            CHAIN_APPEND(all->first, all->end, item);
        }
    }
    return st;
}

static enum status read_and(struct reader *r, struct node **ret)
{
    return read_joined(r, NODE_AND, "AND", read_not, ret);
}

static enum status read_or(struct reader *r, struct node **ret)
{
    return read_joined(r, NODE_OR, "OR", read_and, ret);
}

enum status catalog_expression_read(struct arena *a, struct str text,
                                    const struct glue_column_list *keys,
                                    struct catalog_expression **ret, struct str *ret_why)
{
    struct reader r = { .arena = a, .text = text, .keys = keys, .ret_why = ret_why };
    struct catalog_expression *e = ARENA_NEW(a, struct catalog_expression);
    if (text.n > CATALOG_EXPRESSION_MAX) {
        *ret_why = arena_printf(a, "The expression has %zu bytes, more than %d.", text.n,
                                CATALOG_EXPRESSION_MAX);
        return ST_INVALID;
    }
    advance(&r);
    enum status st = read_or(&r, &e->root);
    st = st == ST_OK ? need_truth(&r, e->root) : st;
    if (st == ST_OK && r.now.kind != TOKEN_END) {
        st = refuse(&r, "AND, OR or the end");
    }
    e->keys = keys;
    *ret = e;
    return st;
}
