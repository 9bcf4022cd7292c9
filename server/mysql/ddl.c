/* A reader for the heads of statements. The text was accepted by the
 * server, so only as much grammar is known here as leads to the tables' names. */
#include "server/mysql/ddl.h"

#include <string.h>

#include "server/base/mem.h"
#include "server/mysql/ddl_scan.h"

#define ITEMS_MAX 4096u

struct scan {
    struct ddl_scan t;
    struct str schema;
    struct mysql_ddl *out;
    struct mysql_ddl_item *items;
    size_t cap;
};

/* --- names ------------------------------------------------------------------------------------ */

static bool name(struct scan *s, struct str *ret_schema, struct str *ret_name)
{
    if (s->t.token.kind != TOKEN_WORD && s->t.token.kind != TOKEN_NAME) {
        return false;
    }
    *ret_schema = s->schema;
    *ret_name = ddl_identifier(&s->t);
    if (ddl_is_sign(&s->t, '.')) {
        ddl_next(&s->t);
        *ret_schema = *ret_name;
        *ret_name = ddl_identifier(&s->t);
    }
    return true;
}

static struct mysql_ddl_item *add_item(struct scan *s)
{
    if (s->out->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 4;
        struct mysql_ddl_item *items = ARENA_ARRAY(s->t.arena, struct mysql_ddl_item, cap);
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
    while (one_table(s) && ddl_is_sign(&s->t, ',')) {
        ddl_next(&s->t);
    }
}

static void database(struct scan *s, enum mysql_ddl_kind kind)
{
    ddl_accept_if(&s->t);
    s->out->kind = kind;
    if (s->t.token.kind == TOKEN_WORD || s->t.token.kind == TOKEN_NAME) {
        *add_item(s) = (struct mysql_ddl_item){ .schema = ddl_identifier(&s->t), .name = STR("") };
    }
}

/* --- CREATE, ALTER, DROP, RENAME, TRUNCATE ---------------------------------------------------- */

static bool at_database(struct scan *s)
{
    return ddl_accept(&s->t, "DATABASE") || ddl_accept(&s->t, "SCHEMA");
}

static void index_on(struct scan *s)
{
    while (s->t.token.kind != TOKEN_END && !ddl_is_word(&s->t, "ON")) {
        ddl_next(&s->t);
    }
    if (ddl_accept(&s->t, "ON")) {
        s->out->kind = MYSQL_DDL_ALTER_TABLE;
        one_table(s);
    }
}

/* LIKE other, (LIKE other) */
static void created_like(struct scan *s, struct mysql_ddl_item *item)
{
    if (ddl_is_sign(&s->t, '(')) {
        ddl_next(&s->t);
    }
    if (ddl_accept(&s->t, "LIKE")) {
        name(s, &item->like_schema, &item->like_name);
    }
}

static void create(struct scan *s)
{
    static const char *const index_words[] = { "ONLINE",  "OFFLINE", "UNIQUE", "FULLTEXT",
                                               "SPATIAL", "VECTOR",  NULL };
    if (ddl_accept(&s->t, "OR")) {
        ddl_accept(&s->t, "REPLACE");
    }
    if (ddl_is_word(&s->t, "TEMPORARY")) {
        return;
    }
    if (ddl_accept(&s->t, "TABLE")) {
        ddl_accept_if(&s->t);
        s->out->kind = MYSQL_DDL_CREATE_TABLE;
        if (one_table(s)) {
            created_like(s, &s->items[0]);
        }
    } else if (at_database(s)) {
        database(s, MYSQL_DDL_CREATE_DATABASE);
    } else {
        ddl_accept_any(&s->t, index_words);
        if (ddl_accept(&s->t, "INDEX")) {
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
        if (ddl_accept(&s->t, verbs[i])) {
            break;
        }
    }
    return ddl_is_word(&s->t, "PARTITION") || ddl_is_word(&s->t, "PARTITIONING");
}

/* RENAME [TO|AS|=] name among the other changes of a table. */
static void find_rename(struct scan *s)
{
    int depth = 0;
    while (s->t.token.kind != TOKEN_END) {
        depth += ddl_is_sign(&s->t, '(') - ddl_is_sign(&s->t, ')');
        bool rename = depth == 0 && ddl_is_word(&s->t, "RENAME");
        ddl_next(&s->t);
        if (!rename || ddl_is_word(&s->t, "COLUMN") || ddl_is_word(&s->t, "INDEX") ||
            ddl_is_word(&s->t, "KEY")) {
            continue;
        }
        if (!ddl_accept(&s->t, "TO") && !ddl_accept(&s->t, "AS") && ddl_is_sign(&s->t, '=')) {
            ddl_next(&s->t);
        }
        struct mysql_ddl_item *item = &s->items[0];
        name(s, &item->to_schema, &item->to_name);
    }
}

static void alter(struct scan *s)
{
    static const char *const words[] = { "ONLINE", "OFFLINE", "IGNORE", NULL };
    ddl_accept_any(&s->t, words);
    if (at_database(s)) {
        database(s, MYSQL_DDL_ALTER_DATABASE);
        return;
    }
    if (!ddl_accept(&s->t, "TABLE")) {
        return;
    }
    ddl_accept_if(&s->t);
    s->out->kind = MYSQL_DDL_ALTER_TABLE;
    if (!one_table(s)) {
        return;
    }
    ddl_accept_wait(&s->t);
    if (partition_clause(s)) {
        s->out->kind = MYSQL_DDL_ALTER_PARTITION;
    } else {
        find_rename(s);
    }
}

static void drop(struct scan *s)
{
    static const char *const words[] = { "ONLINE", "OFFLINE", NULL };
    if (ddl_is_word(&s->t, "TEMPORARY")) {
        return;
    }
    if (ddl_accept(&s->t, "TABLE") || ddl_accept(&s->t, "TABLES")) {
        ddl_accept_if(&s->t);
        tables(s, MYSQL_DDL_DROP_TABLE);
        return;
    }
    if (at_database(s)) {
        database(s, MYSQL_DDL_DROP_DATABASE);
        return;
    }
    ddl_accept_any(&s->t, words);
    if (ddl_accept(&s->t, "INDEX")) {
        index_on(s);
    }
}

static void rename_tables(struct scan *s)
{
    if (!ddl_accept(&s->t, "TABLE") && !ddl_accept(&s->t, "TABLES")) {
        return;
    }
    ddl_accept_if(&s->t);
    s->out->kind = MYSQL_DDL_RENAME_TABLE;
    while (one_table(s)) {
        struct mysql_ddl_item *item = &s->items[s->out->n - 1];
        ddl_accept_wait(&s->t);
        ddl_accept(&s->t, "TO");
        name(s, &item->to_schema, &item->to_name);
        if (!ddl_is_sign(&s->t, ',')) {
            return;
        }
        ddl_next(&s->t);
    }
}

static void truncate_table(struct scan *s)
{
    ddl_accept(&s->t, "TABLE");
    s->out->kind = MYSQL_DDL_TRUNCATE_TABLE;
    one_table(s);
}

/* --- statements about rows -------------------------------------------------------------------- */

static const char *const priorities[] = { "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED",
                                          "QUICK",        "IGNORE",        NULL };

static void insert(struct scan *s)
{
    s->out->kind = MYSQL_DDL_DML;
    ddl_accept_any(&s->t, priorities);
    ddl_accept(&s->t, "INTO");
    s->out->complete = one_table(s);
}

/* Several tables, or joins: not told apart. */
static void update(struct scan *s)
{
    s->out->kind = MYSQL_DDL_DML;
    ddl_accept_any(&s->t, priorities);
    bool one = one_table(s);
    if (ddl_accept(&s->t, "AS") ||
        (s->t.token.kind != TOKEN_SIGN && !ddl_is_word(&s->t, "SET") &&
         !ddl_is_word(&s->t, "PARTITION") && !ddl_is_word(&s->t, "FOR"))) {
        ddl_next(&s->t);
    }
    s->out->complete = one && (ddl_is_word(&s->t, "SET") || ddl_is_word(&s->t, "PARTITION") ||
                               ddl_is_word(&s->t, "FOR"));
}

static void delete_from(struct scan *s)
{
    s->out->kind = MYSQL_DDL_DML;
    ddl_accept_any(&s->t, priorities);
    bool one = ddl_accept(&s->t, "FROM") && one_table(s);
    s->out->complete =
        one && !ddl_is_sign(&s->t, ',') && !ddl_is_sign(&s->t, '.') && !ddl_is_word(&s->t, "USING");
}

static void load(struct scan *s)
{
    s->out->kind = MYSQL_DDL_DML;
    while (s->t.token.kind != TOKEN_END && !ddl_is_word(&s->t, "INTO")) {
        ddl_next(&s->t);
    }
    ddl_accept(&s->t, "INTO");
    s->out->complete = ddl_accept(&s->t, "TABLE") && one_table(s);
}

static void some_rows(struct scan *s)
{
    s->out->kind = MYSQL_DDL_DML;
    s->out->complete = false;
}

/* --- transactions ----------------------------------------------------------------------------- */

static void begin(struct scan *s)
{
    s->out->kind = MYSQL_DDL_BEGIN;
}

static void start(struct scan *s)
{
    s->out->kind = ddl_is_word(&s->t, "TRANSACTION") ? MYSQL_DDL_BEGIN : MYSQL_DDL_OTHER;
}

static void commit(struct scan *s)
{
    s->out->kind = MYSQL_DDL_COMMIT;
}

static void rollback(struct scan *s)
{
    ddl_accept(&s->t, "WORK");
    s->out->kind = ddl_is_word(&s->t, "TO") ? MYSQL_DDL_ROLLBACK_TO : MYSQL_DDL_ROLLBACK;
}

static void savepoint(struct scan *s)
{
    s->out->kind = MYSQL_DDL_SAVEPOINT;
}

static void release(struct scan *s)
{
    s->out->kind = ddl_is_word(&s->t, "SAVEPOINT") ? MYSQL_DDL_SAVEPOINT : MYSQL_DDL_OTHER;
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
    size_t at = s->t.at;
    struct token token = s->t.token;
    if (ddl_accept(&s->t, "SET") && ddl_accept(&s->t, "STATEMENT")) {
        while (s->t.token.kind != TOKEN_END && !ddl_accept(&s->t, "FOR")) {
            ddl_next(&s->t);
        }
        return;
    }
    s->t.at = at;
    s->t.token = token;
}

void mysql_ddl_parse(struct arena *a, struct str text, struct str schema, unsigned quoting,
                     struct mysql_ddl *ret)
{
    *ret = (struct mysql_ddl){ .kind = MYSQL_DDL_OTHER, .complete = true };
    struct scan s = {
        .t = { .arena = a,
               .text = text,
               .ansi_quotes = quoting & MYSQL_DDL_ANSI_QUOTES,
               .no_escapes = quoting & MYSQL_DDL_NO_ESCAPES },
        .schema = str_set(schema) ? schema : STR(""),
        .out = ret,
    };
    ddl_next(&s.t);
    skip_set_statement(&s);
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (ddl_accept(&s.t, verbs[i].word)) {
            verbs[i].read(&s);
            return;
        }
    }
}
