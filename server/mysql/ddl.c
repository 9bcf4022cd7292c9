/* A scanner for SQL tokens and a reader for the heads of statements. The text was accepted by the
 * server, so only as much grammar is known here as leads to the tables' names. */
#include "server/mysql/ddl.h"

#include <string.h>

#include "server/base/mem.h"

#define ITEMS_MAX 4096u

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_NAME, TOKEN_STRING, TOKEN_SIGN };

struct token {
    enum token_kind kind;
    struct str text; /* WORD, SIGN: as written; NAME: between its quotes, not unescaped */
    char quote;      /* NAME */
};

struct scan {
    struct arena *arena;
    struct str text;
    size_t at;
    bool ansi_quotes;
    struct token token; /* the current one */
    struct str schema;
    struct mysql_ddl *out;
    struct mysql_ddl_item *items;
    size_t cap;
};

/* --- tokens
 * ----------------------------------------------------------------------------------------- */

static char ch(const struct scan *s, size_t offset)
{
    return (char)(s->at + offset < s->text.n ? s->text.p[s->at + offset] : '\0');
}

static void skip_line(struct scan *s)
{
    while (s->at < s->text.n && s->text.p[s->at] != '\n') {
        s->at++;
    }
}

/* A plain comment is skipped; of one that the server executes, only its opening, with the version
 * number: its end is skipped when it comes. */
static void skip_comment(struct scan *s)
{
    size_t open = ch(s, 2) == '!' ? 3 : ch(s, 2) == 'M' && ch(s, 3) == '!' ? 4 : 0;
    if (open) {
        s->at += open;
        while (ch(s, 0) >= '0' && ch(s, 0) <= '9') {
            s->at++;
        }
        return;
    }
    ptrdiff_t end = str_find_str(str_sub(s->text, s->at + 2, s->text.n), STR("*/"));
    s->at = end < 0 ? s->text.n : s->at + 2 + (size_t)end + 2;
}

static void skip_blanks(struct scan *s)
{
    while (s->at < s->text.n) {
        char c = ch(s, 0);
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            s->at++;
        } else if (c == '#' || (c == '-' && ch(s, 1) == '-' && (ch(s, 2) <= ' '))) {
            skip_line(s);
        } else if (c == '/' && ch(s, 1) == '*') {
            skip_comment(s);
        } else if (c == '*' && ch(s, 1) == '/') {
            s->at += 2;
        } else {
            return;
        }
    }
}

static bool word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static void quoted(struct scan *s, char quote)
{
    bool name = quote == '`' || (quote == '"' && s->ansi_quotes);
    size_t from = ++s->at;
    while (s->at < s->text.n) {
        char c = ch(s, 0);
        if ((c == '\\' && !name) || (c == quote && ch(s, 1) == quote)) {
            s->at += 2;
        } else if (c == quote) {
            break;
        } else {
            s->at++;
        }
    }
    s->token = (struct token){ .kind = name ? TOKEN_NAME : TOKEN_STRING,
                               .text = str_sub(s->text, from, s->at),
                               .quote = quote };
    s->at = s->at < s->text.n ? s->at + 1 : s->text.n;
}

static void next(struct scan *s)
{
    skip_blanks(s);
    char c = ch(s, 0);
    size_t from = s->at;
    if (s->at >= s->text.n) {
        s->token = (struct token){ .kind = TOKEN_END, .text = STR("") };
    } else if (c == '`' || c == '"' || c == '\'') {
        quoted(s, c);
    } else if (word_char(c)) {
        while (s->at < s->text.n && word_char(ch(s, 0))) {
            s->at++;
        }
        s->token = (struct token){ .kind = TOKEN_WORD, .text = str_sub(s->text, from, s->at) };
    } else {
        s->at++;
        s->token = (struct token){ .kind = TOKEN_SIGN, .text = str_sub(s->text, from, s->at) };
    }
}

static bool is_word(const struct scan *s, const char *word)
{
    return s->token.kind == TOKEN_WORD && str_ieqz(s->token.text, word);
}

static bool is_sign(const struct scan *s, char sign)
{
    return s->token.kind == TOKEN_SIGN && s->token.text.p[0] == sign;
}

static bool accept(struct scan *s, const char *word)
{
    bool yes = is_word(s, word);
    if (yes) {
        next(s);
    }
    return yes;
}

/* Skips any of the words of a list that ends with NULL, as often as they come. */
static void accept_any(struct scan *s, const char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        if (accept(s, words[i])) {
            i = (size_t)-1;
        }
    }
}

static void accept_if(struct scan *s)
{
    if (accept(s, "IF")) {
        accept(s, "NOT");
        accept(s, "EXISTS");
    }
}

/* MariaDB: WAIT n, NOWAIT */
static void accept_wait(struct scan *s)
{
    if (accept(s, "WAIT")) {
        next(s);
    }
    accept(s, "NOWAIT");
}

/* --- names
 * ------------------------------------------------------------------------------------------- */

static struct str identifier(struct scan *s)
{
    struct token t = s->token;
    next(s);
    if (t.kind != TOKEN_NAME || str_find(t.text, t.quote, 0) < 0) {
        return t.text;
    }
    char *copy = arena_alloc(s->arena, t.text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < t.text.n; i++) {
        copy[n++] = t.text.p[i];
        i += t.text.p[i] == t.quote; /* it is doubled */
    }
    return (struct str){ copy, n };
}

static bool name(struct scan *s, struct str *ret_schema, struct str *ret_name)
{
    if (s->token.kind != TOKEN_WORD && s->token.kind != TOKEN_NAME) {
        return false;
    }
    *ret_schema = s->schema;
    *ret_name = identifier(s);
    if (is_sign(s, '.')) {
        next(s);
        *ret_schema = *ret_name;
        *ret_name = identifier(s);
    }
    return true;
}

static struct mysql_ddl_item *add_item(struct scan *s)
{
    if (s->out->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 4;
        struct mysql_ddl_item *items = ARENA_ARRAY(s->arena, struct mysql_ddl_item, cap);
        if (s->cap) {
            memcpy(items, s->items, s->cap * sizeof(*items));
        }
        s->items = items;
        s->out->items = items;
        s->cap = cap;
    }
    return &s->items[s->out->n++];
}

static bool one_table(struct scan *s)
{
    struct str schema, table;
    if (s->out->n >= ITEMS_MAX || !name(s, &schema, &table)) {
        return false;
    }
    *add_item(s) = (struct mysql_ddl_item){ .schema = schema, .name = table };
    return true;
}

static void tables(struct scan *s, enum mysql_ddl_kind kind)
{
    s->out->kind = kind;
    while (one_table(s) && is_sign(s, ',')) {
        next(s);
    }
}

static void database(struct scan *s, enum mysql_ddl_kind kind)
{
    accept_if(s);
    s->out->kind = kind;
    if (s->token.kind == TOKEN_WORD || s->token.kind == TOKEN_NAME) {
        *add_item(s) = (struct mysql_ddl_item){ .schema = identifier(s), .name = STR("") };
    }
}

/* --- CREATE, ALTER, DROP, RENAME, TRUNCATE
 * ------------------------------------------------------------ */

static bool at_database(struct scan *s)
{
    return accept(s, "DATABASE") || accept(s, "SCHEMA");
}

static void index_on(struct scan *s)
{
    while (s->token.kind != TOKEN_END && !is_word(s, "ON")) {
        next(s);
    }
    if (accept(s, "ON")) {
        s->out->kind = MYSQL_DDL_ALTER_TABLE;
        one_table(s);
    }
}

static void create(struct scan *s)
{
    static const char *const index_words[] = { "ONLINE",  "OFFLINE", "UNIQUE", "FULLTEXT",
                                               "SPATIAL", "VECTOR",  NULL };
    if (accept(s, "OR")) {
        accept(s, "REPLACE");
    }
    if (is_word(s, "TEMPORARY")) {
        return;
    }
    if (accept(s, "TABLE")) {
        accept_if(s);
        s->out->kind = MYSQL_DDL_CREATE_TABLE;
        one_table(s);
    } else if (at_database(s)) {
        database(s, MYSQL_DDL_CREATE_DATABASE);
    } else {
        accept_any(s, index_words);
        if (accept(s, "INDEX")) {
            index_on(s);
        }
    }
}

static bool partition_clause(struct scan *s)
{
    static const char *const verbs[] = { "ADD",      "DROP",       "TRUNCATE", "EXCHANGE",
                                         "COALESCE", "REORGANIZE", "REBUILD",  "OPTIMIZE",
                                         "ANALYZE",  "CHECK",      "REPAIR",   "REMOVE",
                                         "DISCARD",  "IMPORT",     "CONVERT",  NULL };
    for (size_t i = 0; verbs[i]; i++) {
        if (accept(s, verbs[i])) {
            break;
        }
    }
    return is_word(s, "PARTITION") || is_word(s, "PARTITIONING");
}

/* RENAME [TO|AS|=] name among the other changes of a table. */
static void find_rename(struct scan *s)
{
    int depth = 0;
    while (s->token.kind != TOKEN_END) {
        depth += is_sign(s, '(') - is_sign(s, ')');
        bool rename = depth == 0 && is_word(s, "RENAME");
        next(s);
        if (!rename || is_word(s, "COLUMN") || is_word(s, "INDEX") || is_word(s, "KEY")) {
            continue;
        }
        if (!accept(s, "TO") && !accept(s, "AS") && is_sign(s, '=')) {
            next(s);
        }
        struct mysql_ddl_item *item = &s->items[0];
        name(s, &item->to_schema, &item->to_name);
    }
}

static void alter(struct scan *s)
{
    static const char *const words[] = { "ONLINE", "OFFLINE", "IGNORE", NULL };
    accept_any(s, words);
    if (at_database(s)) {
        database(s, MYSQL_DDL_ALTER_DATABASE);
        return;
    }
    if (!accept(s, "TABLE")) {
        return;
    }
    accept_if(s);
    s->out->kind = MYSQL_DDL_ALTER_TABLE;
    if (!one_table(s)) {
        return;
    }
    accept_wait(s);
    if (partition_clause(s)) {
        s->out->kind = MYSQL_DDL_ALTER_PARTITION;
    } else {
        find_rename(s);
    }
}

static void drop(struct scan *s)
{
    static const char *const words[] = { "ONLINE", "OFFLINE", NULL };
    if (is_word(s, "TEMPORARY")) {
        return;
    }
    if (accept(s, "TABLE") || accept(s, "TABLES")) {
        accept_if(s);
        tables(s, MYSQL_DDL_DROP_TABLE);
        return;
    }
    if (at_database(s)) {
        database(s, MYSQL_DDL_DROP_DATABASE);
        return;
    }
    accept_any(s, words);
    if (accept(s, "INDEX")) {
        index_on(s);
    }
}

static void rename_tables(struct scan *s)
{
    if (!accept(s, "TABLE") && !accept(s, "TABLES")) {
        return;
    }
    accept_if(s);
    s->out->kind = MYSQL_DDL_RENAME_TABLE;
    while (one_table(s)) {
        struct mysql_ddl_item *item = &s->items[s->out->n - 1];
        accept_wait(s);
        accept(s, "TO");
        name(s, &item->to_schema, &item->to_name);
        if (!is_sign(s, ',')) {
            return;
        }
        next(s);
    }
}

static void truncate_table(struct scan *s)
{
    accept(s, "TABLE");
    s->out->kind = MYSQL_DDL_TRUNCATE_TABLE;
    one_table(s);
}

/* --- statements about rows
 * ---------------------------------------------------------------------------- */

static const char *const priorities[] = { "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED",
                                          "QUICK",        "IGNORE",        NULL };

static void insert(struct scan *s)
{
    s->out->kind = MYSQL_DDL_DML;
    accept_any(s, priorities);
    accept(s, "INTO");
    s->out->complete = one_table(s);
}

/* Several tables, or joins: not told apart. */
static void update(struct scan *s)
{
    s->out->kind = MYSQL_DDL_DML;
    accept_any(s, priorities);
    bool one = one_table(s);
    if (accept(s, "AS") || (s->token.kind != TOKEN_SIGN && !is_word(s, "SET") &&
                            !is_word(s, "PARTITION") && !is_word(s, "FOR"))) {
        next(s);
    }
    s->out->complete = one && (is_word(s, "SET") || is_word(s, "PARTITION") || is_word(s, "FOR"));
}

static void delete_from(struct scan *s)
{
    s->out->kind = MYSQL_DDL_DML;
    accept_any(s, priorities);
    bool one = accept(s, "FROM") && one_table(s);
    s->out->complete = one && !is_sign(s, ',') && !is_sign(s, '.') && !is_word(s, "USING");
}

static void load(struct scan *s)
{
    s->out->kind = MYSQL_DDL_DML;
    while (s->token.kind != TOKEN_END && !is_word(s, "INTO")) {
        next(s);
    }
    accept(s, "INTO");
    s->out->complete = accept(s, "TABLE") && one_table(s);
}

static void some_rows(struct scan *s)
{
    s->out->kind = MYSQL_DDL_DML;
    s->out->complete = false;
}

/* --- transactions
 * -------------------------------------------------------------------------------------- */

static void begin(struct scan *s)
{
    s->out->kind = MYSQL_DDL_BEGIN;
}

static void start(struct scan *s)
{
    s->out->kind = is_word(s, "TRANSACTION") ? MYSQL_DDL_BEGIN : MYSQL_DDL_OTHER;
}

static void commit(struct scan *s)
{
    s->out->kind = MYSQL_DDL_COMMIT;
}

static void rollback(struct scan *s)
{
    accept(s, "WORK");
    s->out->kind = is_word(s, "TO") ? MYSQL_DDL_ROLLBACK_TO : MYSQL_DDL_ROLLBACK;
}

static void savepoint(struct scan *s)
{
    s->out->kind = MYSQL_DDL_SAVEPOINT;
}

static void release(struct scan *s)
{
    s->out->kind = is_word(s, "SAVEPOINT") ? MYSQL_DDL_SAVEPOINT : MYSQL_DDL_OTHER;
}

static void xa(struct scan *s)
{
    s->out->kind = MYSQL_DDL_XA;
}

static const struct {
    const char *word;
    void (*read)(struct scan *s);
} verbs[] = {
    { "CREATE", create },
    { "ALTER", alter },
    { "DROP", drop },
    { "RENAME", rename_tables },
    { "TRUNCATE", truncate_table },
    { "INSERT", insert },
    { "REPLACE", insert },
    { "UPDATE", update },
    { "DELETE", delete_from },
    { "LOAD", load },
    { "WITH", some_rows },
    { "CALL", some_rows },
    { "SELECT", some_rows },
    { "DO", some_rows },
    { "BEGIN", begin },
    { "START", start },
    { "COMMIT", commit },
    { "ROLLBACK", rollback },
    { "SAVEPOINT", savepoint },
    { "RELEASE", release },
    { "XA", xa },
};

/* MariaDB: SET STATEMENT variable = value, … FOR the real one. */
static void skip_set_statement(struct scan *s)
{
    size_t at = s->at;
    struct token token = s->token;
    if (accept(s, "SET") && accept(s, "STATEMENT")) {
        while (s->token.kind != TOKEN_END && !accept(s, "FOR")) {
            next(s);
        }
        return;
    }
    s->at = at;
    s->token = token;
}

void mysql_ddl_parse(struct arena *a, struct str text, struct str schema, bool ansi_quotes,
                     struct mysql_ddl *ret)
{
    *ret = (struct mysql_ddl){ .kind = MYSQL_DDL_OTHER, .complete = true };
    struct scan s = {
        .arena = a,
        .text = text,
        .ansi_quotes = ansi_quotes,
        .schema = str_set(schema) ? schema : STR(""),
        .out = ret,
    };
    next(&s);
    skip_set_statement(&s);
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (accept(&s, verbs[i].word)) {
            verbs[i].read(&s);
            return;
        }
    }
}
