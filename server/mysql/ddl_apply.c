#include "server/mysql/ddl_apply.h"

#include <string.h>

#include "server/base/mem.h"
#include "server/mysql/ddl_column.h"

#define COLUMNS_MAX 4096u

/* The table while the statement is read. Its columns carry their place in the key. */
struct shape {
    struct ddl_scan s;
    const struct mysql_ddl_dialect *dialect;
    struct str charset; /* the table's default */
    struct mysql_column *columns;
    size_t n;
    bool unknown;
};

static int find(const struct shape *h, struct str name)
{
    for (size_t i = 0; i < h->n; i++) {
        if (str_ieq(h->columns[i].name, name)) {
            return (int)i;
        }
    }
    return -1;
}

/* What a statement changes or drops it names as before, also when another part renames it. */
static int find_before(const struct shape *h, struct str name)
{
    for (size_t i = 0; i < h->n; i++) {
        if (str_set(h->columns[i].was) && str_ieq(h->columns[i].was, name)) {
            return (int)i;
        }
    }
    return -1;
}

/* --- columns ---------------------------------------------------------------------------------- */

static void remove_at(struct shape *h, size_t at)
{
    memmove(&h->columns[at], &h->columns[at + 1], (h->n - at - 1) * sizeof(*h->columns));
    h->n--;
}

static void insert_at(struct shape *h, size_t at, const struct mysql_column *c)
{
    if (h->n >= COLUMNS_MAX) {
        h->unknown = true;
        return;
    }
    ARENA_GROW(h->s.arena, h->columns, h->n);
    memmove(&h->columns[at + 1], &h->columns[at], (h->n - at) * sizeof(*h->columns));
    h->columns[at] = *c;
    h->n++;
}

/* FIRST, AFTER x, or `otherwise`. */
static size_t place(struct shape *h, size_t otherwise)
{
    if (ddl_accept(&h->s, "FIRST")) {
        return 0;
    }
    if (!ddl_accept(&h->s, "AFTER")) {
        return otherwise;
    }
    int after = find(h, ddl_identifier(&h->s));
    h->unknown |= after < 0;
    return after < 0 ? otherwise : (size_t)after + 1;
}

static void only_key(struct shape *h, const struct ddl_column *col)
{
    for (size_t i = 0; col->primary && i < h->n; i++) {
        h->columns[i].pk = 0;
    }
}

static void read_new(struct shape *h, struct ddl_column *ret)
{
    if (!ddl_column_read(&h->s, h->dialect, h->charset, ret)) {
        h->unknown = true;
        return;
    }
    only_key(h, ret);
    ret->c.pk = ret->primary ? 1 : 0;
}

static void add_column(struct shape *h, bool if_not_exists)
{
    struct ddl_column col;
    read_new(h, &col);
    if (h->unknown) {
        return;
    }
    size_t at = place(h, h->n);
    if (find(h, col.c.name) < 0) {
        insert_at(h, at, &col.c);
    } else {
        h->unknown |= !if_not_exists;
    }
}

/* MODIFY a …, CHANGE a b …: `old` is where it stands now. */
static void replace_column(struct shape *h, struct str old)
{
    struct ddl_column col;
    read_new(h, &col);
    int at = find_before(h, old);
    if (h->unknown || at < 0) {
        h->unknown = true;
        return;
    }
    col.c.was = h->columns[at].was;
    col.c.pk = col.primary ? 1 : h->columns[at].pk;
    remove_at(h, (size_t)at);
    insert_at(h, place(h, (size_t)at), &col.c);
}

static void drop_column(struct shape *h, bool if_exists)
{
    int at = find_before(h, ddl_identifier(&h->s));
    if (at >= 0) {
        remove_at(h, (size_t)at);
    } else {
        h->unknown |= !if_exists;
    }
}

/* Texts that might no longer fit become the next larger kind. */
static void widen(struct mysql_column *c, struct str charset)
{
    if (c->family >= MYSQL_F_TINYTEXT && c->family < MYSQL_F_LONGTEXT &&
        ddl_charset_width(charset) > ddl_charset_width(c->charset)) {
        c->family = (enum mysql_family)(c->family + 1);
    }
}

static void convert(struct shape *h)
{
    struct str charset = STR_NONE, collation;
    if (!ddl_accept(&h->s, "TO") || !ddl_charset(&h->s, h->s.arena, &charset)) {
        h->unknown = true;
        return;
    }
    ddl_charset(&h->s, h->s.arena, &collation);
    if (!str_set(charset) || str_eqz(charset, "binary")) {
        h->unknown = true;
        return;
    }
    h->charset = charset;
    for (size_t i = 0; i < h->n; i++) {
        if (str_set(h->columns[i].charset)) {
            widen(&h->columns[i], charset);
            h->columns[i].charset = charset;
        }
    }
}

/* --- keys ------------------------------------------------------------------------------------- */

/* PRIMARY KEY … (a, b(10) DESC): from behind PRIMARY on. */
static void primary_key(struct shape *h)
{
    unsigned k = 0;
    for (size_t i = 0; i < h->n; i++) {
        h->columns[i].pk = 0;
    }
    while (h->s.token.kind != TOKEN_END && !ddl_is_sign(&h->s, '(')) {
        ddl_next(&h->s);
    }
    ddl_next(&h->s);
    while (h->s.token.kind != TOKEN_END && !ddl_is_sign(&h->s, ')')) {
        int at = find(h, ddl_identifier(&h->s));
        if (at >= 0) {
            h->columns[at].pk = ++k;
            h->columns[at].nullable = false;
        }
        while (h->s.token.kind != TOKEN_END && !ddl_is_sign(&h->s, ',') &&
               !ddl_is_sign(&h->s, ')')) {
            if (ddl_is_sign(&h->s, '(')) {
                ddl_skip_parens(&h->s);
            } else {
                ddl_next(&h->s);
            }
        }
        if (ddl_is_sign(&h->s, ',')) {
            ddl_next(&h->s);
        }
    }
    ddl_next(&h->s);
}

static void skip_to_comma(struct ddl_scan *s)
{
    while (s->token.kind != TOKEN_END && !ddl_is_sign(s, ',') && !ddl_is_sign(s, ')')) {
        if (ddl_is_sign(s, '(')) {
            ddl_skip_parens(s);
        } else {
            ddl_next(s);
        }
    }
}

/* A key, a constraint or another thing that is no column. Only the primary key matters. */
static bool other_item(struct shape *h)
{
    static const char *const words[] = { "UNIQUE",  "INDEX", "KEY",       "FULLTEXT", "SPATIAL",
                                         "FOREIGN", "CHECK", "PARTITION", "PERIOD",   NULL };
    struct ddl_scan *s = &h->s;
    if (ddl_accept(s, "CONSTRAINT")) {
        if (!ddl_is_word(s, "PRIMARY") && !ddl_is_word(s, "UNIQUE") && !ddl_is_word(s, "FOREIGN") &&
            !ddl_is_word(s, "CHECK")) {
            ddl_identifier(s);
        }
    }
    if (ddl_accept(s, "PRIMARY")) {
        primary_key(h);
        skip_to_comma(s);
        return true;
    }
    for (size_t i = 0; words[i]; i++) {
        if (ddl_is_word(s, words[i])) {
            skip_to_comma(s);
            return true;
        }
    }
    return false;
}

static bool versioning(struct shape *h)
{
    h->unknown |= ddl_is_word(&h->s, "SYSTEM");
    return h->unknown;
}

/* --- ALTER ------------------------------------------------------------------------------------ */

/* "(a INT, b INT, KEY (a))": behind the opening parenthesis. */
static void column_list(struct shape *h)
{
    while (!h->unknown && h->s.token.kind != TOKEN_END && !ddl_is_sign(&h->s, ')')) {
        if (!other_item(h)) {
            add_column(h, false);
        }
        if (ddl_is_sign(&h->s, ',')) {
            ddl_next(&h->s);
        }
    }
    ddl_next(&h->s);
}

static bool if_exists(struct ddl_scan *s)
{
    bool yes = ddl_is_word(s, "IF");
    ddl_accept_if(s);
    return yes;
}

static void add(struct shape *h)
{
    if (versioning(h) || other_item(h)) {
        return;
    }
    ddl_accept(&h->s, "COLUMN");
    bool careful = if_exists(&h->s);
    if (ddl_is_sign(&h->s, '(')) {
        ddl_next(&h->s);
        column_list(h);
    } else {
        add_column(h, careful);
    }
}

static void drop(struct shape *h)
{
    struct ddl_scan *s = &h->s;
    if (versioning(h)) {
        return;
    }
    if (ddl_accept(s, "PRIMARY")) {
        for (size_t i = 0; i < h->n; i++) {
            h->columns[i].pk = 0;
        }
    } else if (!ddl_is_word(s, "CONSTRAINT") && !other_item(h)) {
        ddl_accept(s, "COLUMN");
        bool careful = if_exists(s);
        drop_column(h, careful);
    }
}

static void change(struct shape *h)
{
    ddl_accept(&h->s, "COLUMN");
    ddl_accept_if(&h->s);
    replace_column(h, ddl_identifier(&h->s));
}

static void modify(struct shape *h)
{
    ddl_accept(&h->s, "COLUMN");
    ddl_accept_if(&h->s);
    struct ddl_scan at_name = h->s;
    struct str name = ddl_identifier(&h->s);
    h->s = at_name;
    replace_column(h, name);
}

static void rename_column(struct shape *h)
{
    if (!ddl_accept(&h->s, "COLUMN")) {
        return; /* the table itself, or an index */
    }
    ddl_accept_if(&h->s);
    int at = find_before(h, ddl_identifier(&h->s));
    ddl_accept(&h->s, "TO");
    struct str name = ddl_identifier(&h->s);
    if (at >= 0) {
        h->columns[at].name = name;
    } else {
        h->unknown = true;
    }
}

static void default_charset(struct shape *h)
{
    struct str charset;
    ddl_accept(&h->s, "DEFAULT");
    if (ddl_charset(&h->s, h->s.arena, &charset) && str_set(charset)) {
        h->charset = charset;
    }
}

static void one_change(struct shape *h)
{
    static const struct {
        const char *word;
        void (*read)(struct shape *h);
    } verbs[] = {
        { "ADD", add },
        { "DROP", drop },
        { "CHANGE", change },
        { "MODIFY", modify },
        { "RENAME", rename_column },
        { "CONVERT", convert },
    };
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (ddl_accept(&h->s, verbs[i].word)) {
            verbs[i].read(h);
            return;
        }
    }
}

/* Options stand side by side, without commas too. */
static void changes(struct shape *h)
{
    while (!h->unknown && h->s.token.kind != TOKEN_END) {
        one_change(h);
        while (h->s.token.kind != TOKEN_END && !ddl_is_sign(&h->s, ',')) {
            struct ddl_scan before = h->s;
            default_charset(h);
            if (h->s.at == before.at) {
                ddl_skip_parens(&h->s);
            }
            if (h->s.at == before.at) {
                ddl_next(&h->s);
            }
        }
        ddl_next(&h->s);
    }
}

/* --- CREATE ----------------------------------------------------------------------------------- */

/* What stands behind the columns counts for them: it is read first. */
static void options_after_list(struct shape *h)
{
    struct ddl_scan at_list = h->s;
    ddl_skip_parens(&h->s);
    while (h->s.token.kind != TOKEN_END && !ddl_is_word(&h->s, "PARTITION") &&
           !ddl_is_word(&h->s, "SELECT") && !ddl_is_word(&h->s, "AS")) {
        struct ddl_scan before = h->s;
        h->unknown |= ddl_is_word(&h->s, "VERSIONING");
        default_charset(h);
        if (h->s.at == before.at) {
            ddl_next(&h->s);
        }
    }
    h->s = at_list;
}

static void create(struct shape *h, const struct mysql_table *like)
{
    bool parens = ddl_is_sign(&h->s, '(');
    struct ddl_scan before = h->s;
    if (parens) {
        ddl_next(&h->s);
    }
    if (ddl_is_word(&h->s, "LIKE")) {
        h->unknown |= like == NULL;
        return;
    }
    h->s = before;
    h->n = 0;
    if (!parens) {
        h->unknown = true;
        return;
    }
    options_after_list(h);
    ddl_next(&h->s);
    column_list(h);
}

/* --- all of it -------------------------------------------------------------------------------- */

/* Behind "[schema.]table". */
static void skip_name(struct ddl_scan *s)
{
    ddl_accept_if(s);
    ddl_identifier(s);
    if (ddl_is_sign(s, '.')) {
        ddl_next(s);
        ddl_identifier(s);
    }
}

static void skip_to_table(struct ddl_scan *s)
{
    while (s->token.kind != TOKEN_END && !ddl_is_word(s, "TABLE")) {
        ddl_next(s);
    }
    ddl_next(s);
}

static void read_statement(struct shape *h, const struct mysql_table *before)
{
    struct ddl_scan *s = &h->s;
    ddl_next(s);
    if (ddl_accept(s, "SET")) { /* MariaDB: SET STATEMENT … FOR the real one */
        while (s->token.kind != TOKEN_END && !ddl_accept(s, "FOR")) {
            ddl_next(s);
        }
    }
    if (ddl_accept(s, "CREATE")) {
        skip_to_table(s);
        skip_name(s);
        create(h, before);
    } else if (ddl_accept(s, "ALTER") && before) {
        skip_to_table(s);
        skip_name(s);
        ddl_accept_wait(s);
        changes(h);
    } else {
        h->unknown |= before == NULL; /* CREATE INDEX, DROP INDEX: no column changes */
    }
}

static void number_key(struct arena *a, struct mysql_table *t, struct mysql_column *columns)
{
    unsigned *pk = ARENA_ARRAY(a, unsigned, t->columns_n + 1);
    for (unsigned k = 1; k <= COLUMNS_MAX && t->pk_n < t->columns_n; k++) {
        bool more = false;
        for (size_t i = 0; i < t->columns_n; i++) {
            more |= columns[i].pk > k;
            if (columns[i].pk == k) {
                pk[t->pk_n++] = (unsigned)i;
                break;
            }
        }
        if (!more) {
            break;
        }
    }
    for (size_t i = 0; i < t->pk_n; i++) {
        columns[pk[i]].pk = (unsigned)i + 1;
    }
    t->pk = pk;
}

struct mysql_table *mysql_ddl_apply(struct arena *a, struct str text,
                                    const struct mysql_ddl_dialect *dialect,
                                    const struct mysql_table *before, struct str schema,
                                    struct str name)
{
    struct mysql_table *t = before ? mysql_table_copy(a, before) : ARENA_NEW(a, struct mysql_table);
    struct shape h = { .s = { .arena = a,
                              .text = text,
                              .ansi_quotes = dialect->ansi_quotes,
                              .no_escapes = dialect->no_escapes },
                       .dialect = dialect };
    if (!before) {
        *t = (struct mysql_table){ .engine = STR("InnoDB") };
    }
    h.charset = before ? t->charset : dialect->charset;
    h.charset = str_empty(h.charset) ? STR("utf8mb4") : h.charset;
    for (size_t i = 0; i < t->columns_n; i++) {
        insert_at(&h, h.n, &t->columns[i]);
        h.columns[i].was = t->columns[i].name;
    }
    read_statement(&h, before);
    if (h.unknown || h.n == 0 || arena_over(a)) {
        return NULL;
    }
    t->schema = arena_str(a, schema);
    t->name = arena_str(a, name);
    t->charset = h.charset;
    t->columns = h.columns;
    t->columns_n = h.n;
    t->pk_n = 0;
    number_key(a, t, h.columns);
    return t;
}

/* --- comparison ------------------------------------------------------------------------------- */

static bool same_charset(struct str a, struct str b)
{
    struct str x = str_eqz(a, "utf8") ? STR("utf8mb3") : a;
    struct str y = str_eqz(b, "utf8") ? STR("utf8mb3") : b;
    return str_eq(x, y);
}

static bool same_labels(const struct mysql_column *a, const struct mysql_column *b)
{
    bool same = a->labels_n == b->labels_n;
    for (size_t i = 0; same && i < a->labels_n; i++) {
        same = str_eq(a->labels[i], b->labels[i]);
    }
    return same;
}

static bool column_alike(const struct mysql_column *a, const struct mysql_column *b)
{
    if (!str_eq(a->name, b->name) || a->family != b->family || a->is_unsigned != b->is_unsigned ||
        a->fraction != b->fraction || a->pk != b->pk || !same_labels(a, b)) {
        return false;
    }
    if (a->family == MYSQL_F_DECIMAL || a->family == MYSQL_F_BIT) {
        return a->precision == b->precision && a->scale == b->scale;
    }
    return !mysql_family_text(a->family) || same_charset(a->charset, b->charset);
}

bool mysql_table_alike(const struct mysql_table *a, const struct mysql_table *b)
{
    bool alike = a->columns_n == b->columns_n;
    for (size_t i = 0; alike && i < a->columns_n; i++) {
        alike = column_alike(&a->columns[i], &b->columns[i]);
    }
    return alike;
}
