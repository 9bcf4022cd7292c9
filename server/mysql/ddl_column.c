#include "server/mysql/ddl_column.h"

#include "server/base/buf.h"
#include "server/base/mem.h"

#define LABELS_BYTES_MAX (4u << 20)

/* --- types ------------------------------------------------------------------------------------ */

/* Names that stand for one family each; the others are read by hand. */
static const struct {
    const char *name;
    enum mysql_family family;
} simple[] = {
    { "TINYINT", MYSQL_F_TINYINT },
    { "INT1", MYSQL_F_TINYINT },
    { "BOOL", MYSQL_F_TINYINT },
    { "BOOLEAN", MYSQL_F_TINYINT },
    { "SMALLINT", MYSQL_F_SMALLINT },
    { "INT2", MYSQL_F_SMALLINT },
    { "MEDIUMINT", MYSQL_F_MEDIUMINT },
    { "MIDDLEINT", MYSQL_F_MEDIUMINT },
    { "INT3", MYSQL_F_MEDIUMINT },
    { "INT", MYSQL_F_INT },
    { "INTEGER", MYSQL_F_INT },
    { "INT4", MYSQL_F_INT },
    { "BIGINT", MYSQL_F_BIGINT },
    { "INT8", MYSQL_F_BIGINT },
    { "SERIAL", MYSQL_F_BIGINT },
    { "DECIMAL", MYSQL_F_DECIMAL },
    { "DEC", MYSQL_F_DECIMAL },
    { "NUMERIC", MYSQL_F_DECIMAL },
    { "FIXED", MYSQL_F_DECIMAL },
    { "FLOAT", MYSQL_F_FLOAT },
    { "FLOAT4", MYSQL_F_FLOAT },
    { "DOUBLE", MYSQL_F_DOUBLE },
    { "FLOAT8", MYSQL_F_DOUBLE },
    { "REAL", MYSQL_F_DOUBLE },
    { "BIT", MYSQL_F_BIT },
    { "DATE", MYSQL_F_DATE },
    { "TIME", MYSQL_F_TIME },
    { "DATETIME", MYSQL_F_DATETIME },
    { "TIMESTAMP", MYSQL_F_TIMESTAMP },
    { "YEAR", MYSQL_F_YEAR },
    { "CHAR", MYSQL_F_CHAR },
    { "CHARACTER", MYSQL_F_CHAR },
    { "NCHAR", MYSQL_F_CHAR },
    { "VARCHAR", MYSQL_F_VARCHAR },
    { "VARCHARACTER", MYSQL_F_VARCHAR },
    { "NVARCHAR", MYSQL_F_VARCHAR },
    { "TINYTEXT", MYSQL_F_TINYTEXT },
    { "TEXT", MYSQL_F_TEXT },
    { "MEDIUMTEXT", MYSQL_F_MEDIUMTEXT },
    { "LONGTEXT", MYSQL_F_LONGTEXT },
    { "BINARY", MYSQL_F_BINARY },
    { "VARBINARY", MYSQL_F_VARBINARY },
    { "TINYBLOB", MYSQL_F_TINYBLOB },
    { "BLOB", MYSQL_F_BLOB },
    { "MEDIUMBLOB", MYSQL_F_MEDIUMBLOB },
    { "LONGBLOB", MYSQL_F_LONGBLOB },
    { "ENUM", MYSQL_F_ENUM },
    { "SET", MYSQL_F_SET },
    { "GEOMETRY", MYSQL_F_GEOMETRY },
    { "POINT", MYSQL_F_GEOMETRY },
    { "LINESTRING", MYSQL_F_GEOMETRY },
    { "POLYGON", MYSQL_F_GEOMETRY },
    { "MULTIPOINT", MYSQL_F_GEOMETRY },
    { "MULTILINESTRING", MYSQL_F_GEOMETRY },
    { "MULTIPOLYGON", MYSQL_F_GEOMETRY },
    { "GEOMETRYCOLLECTION", MYSQL_F_GEOMETRY },
    { "GEOMCOLLECTION", MYSQL_F_GEOMETRY },
    { "UUID", MYSQL_F_UUID },
    { "INET4", MYSQL_F_INET4 },
    { "INET6", MYSQL_F_INET6 },
};

unsigned ddl_charset_width(struct str charset)
{
    static const struct {
        const char *name;
        unsigned width;
    } wide[] = {
        { "utf8mb4", 4 }, { "utf8mb3", 3 }, { "utf8", 3 }, { "utf16", 4 },
        { "utf16le", 4 }, { "utf32", 4 },   { "ucs2", 2 }, { "gb18030", 4 },
        { "gbk", 2 },     { "gb2312", 2 },  { "big5", 2 }, { "sjis", 2 },
        { "cp932", 2 },   { "euckr", 2 },   { "ujis", 3 }, { "eucjpms", 3 },
    };
    for (size_t i = 0; i < ARRAY_LEN(wide); i++) {
        if (str_ieqz(charset, wide[i].name)) {
            return wide[i].width;
        }
    }
    return 1;
}

void ddl_skip_parens(struct ddl_scan *s)
{
    int depth = 0;
    do {
        depth += ddl_is_sign(s, '(') - ddl_is_sign(s, ')');
        if (depth == 0 && !ddl_is_sign(s, ')')) {
            return;
        }
        ddl_next(s);
    } while (depth > 0 && s->token.kind != TOKEN_END);
}

static struct str word_or_string(struct ddl_scan *s)
{
    struct str text = s->token.text;
    ddl_next(s);
    return text;
}

bool ddl_charset(struct ddl_scan *s, struct arena *a, struct str *ret)
{
    struct ddl_scan before = *s;
    bool collation = ddl_accept(s, "COLLATE");
    if (!collation && !ddl_accept(s, "CHARSET")) {
        if ((!ddl_accept(s, "CHARACTER") && !ddl_accept(s, "CHAR")) || !ddl_accept(s, "SET")) {
            *s = before;
            return false;
        }
    }
    if (ddl_is_sign(s, '=')) {
        ddl_next(s);
    }
    struct str name = word_or_string(s);
    ptrdiff_t end = collation ? str_find(name, '_', 0) : -1;
    name = arena_lower(a, end < 0 ? name : str_sub(name, 0, (size_t)end));
    /* MariaDB: a collation that goes with any character set says nothing about it. */
    bool any = collation && str_eqz(name, "uca1400");
    *ret = any || str_eqz(name, "default") ? STR_NONE : name;
    return true;
}

/* "(10)", "(10,2)": up to two numbers. */
static unsigned numbers(struct ddl_scan *s, uint64_t *first, uint64_t *second)
{
    unsigned n = 0;
    if (!ddl_is_sign(s, '(')) {
        return 0;
    }
    ddl_next(s);
    while (s->token.kind != TOKEN_END && !ddl_is_sign(s, ')')) {
        uint64_t v = 0;
        if (s->token.kind == TOKEN_WORD && str_u64(s->token.text, &v) == ST_OK && n < 2) {
            *(n == 0 ? first : second) = v;
            n++;
        }
        ddl_next(s);
    }
    ddl_next(s);
    return n;
}

/* One label of ENUM or SET, quotes and backslashes undone. */
static struct str label(struct ddl_scan *s)
{
    struct str raw = s->token.text;
    char quote = s->token.quote;
    char *out = arena_alloc(s->arena, raw.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.p[i];
        if (c == quote) {
            i++; /* doubled */
        } else if (c == '\\' && !s->no_escapes && i + 1 < raw.n) {
            c = raw.p[++i];
            c = (char)(c == 'n'   ? '\n'
                       : c == 'r' ? '\r'
                       : c == 't' ? '\t'
                       : c == 'b' ? '\b'
                       : c == 'Z' ? '\x1A'
                       : c == '0' ? '\0'
                                  : c);
        }
        out[n++] = c;
    }
    while (n > 0 && out[n - 1] == ' ') {
        n--; /* as the server keeps it */
    }
    return (struct str){ out, n };
}

static void labels(struct ddl_scan *s, struct mysql_column *c)
{
    CLEANUP(buf_fini) struct buf text = BUF_INIT(LABELS_BYTES_MAX);
    struct str *items = NULL;
    buf_puts(&text, c->family == MYSQL_F_ENUM ? "enum" : "set");
    const char *before = "('";
    if (!ddl_is_sign(s, '(')) {
        return;
    }
    for (ddl_next(s); s->token.kind != TOKEN_END && !ddl_is_sign(s, ')'); ddl_next(s)) {
        if (s->token.kind != TOKEN_STRING && s->token.kind != TOKEN_NAME) {
            continue; /* a comma, an introducer */
        }
        ARENA_GROW(s->arena, items, c->labels_n);
        items[c->labels_n] = label(s);
        buf_puts(&text, before);
        buf_str_add(&text, items[c->labels_n++]);
        before = "','";
    }
    ddl_next(s);
    buf_puts(&text, "')");
    c->labels = items;
    c->type_text = arena_str(s->arena, buf_str(&text));
}

static void set_sizes(struct mysql_column *c, unsigned n, uint64_t first, uint64_t second)
{
    switch (c->family) {
    case MYSQL_F_DECIMAL:
        c->precision = n > 0 && first > 0 ? (unsigned)first : 10;
        c->scale = n > 1 ? (unsigned)second : 0;
        break;
    case MYSQL_F_FLOAT:
        if (n == 1 && first > 24) {
            c->family = MYSQL_F_DOUBLE;
        }
        break;
    case MYSQL_F_BIT:
        c->precision = n > 0 && first > 0 ? (unsigned)first : 1;
        break;
    case MYSQL_F_TIME:
    case MYSQL_F_DATETIME:
    case MYSQL_F_TIMESTAMP:
        c->fraction = n > 0 ? (unsigned)first : 0;
        break;
    case MYSQL_F_CHAR:
    case MYSQL_F_BINARY:
        c->chars = n > 0 ? first : 1;
        break;
    default:
        c->chars = n > 0 ? first : 0;
        break;
    }
}

/* TEXT(n) and BLOB(n) are the smallest that hold n characters. */
static void fit_blob(struct mysql_column *c)
{
    bool text = c->family == MYSQL_F_TEXT;
    if (c->chars == 0 || (!text && c->family != MYSQL_F_BLOB)) {
        return;
    }
    uint64_t bytes = c->chars * (text ? ddl_charset_width(c->charset) : 1);
    int up = bytes < 256 ? -1 : bytes < 65536 ? 0 : bytes < 16777216 ? 1 : 2;
    c->family = (enum mysql_family)((int)c->family + up);
}

/* MySQL's JSON has a type of its own, MariaDB's is a text. */
static bool json_type(struct ddl_scan *s, const struct mysql_ddl_dialect *d, struct ddl_column *col)
{
    if (!ddl_accept(s, "JSON")) {
        return false;
    }
    col->c.family = d->mariadb ? MYSQL_F_LONGTEXT : MYSQL_F_JSON;
    col->c.charset = d->mariadb ? STR("utf8mb4") : STR_NONE;
    col->own_charset = true;
    return true;
}

/* LONG, LONG VARCHAR, LONG VARBINARY */
static bool long_type(struct ddl_scan *s, struct mysql_column *c)
{
    if (!ddl_accept(s, "LONG")) {
        return false;
    }
    c->family = ddl_accept(s, "VARBINARY") ? MYSQL_F_MEDIUMBLOB : MYSQL_F_MEDIUMTEXT;
    if (ddl_accept(s, "CHAR") || ddl_accept(s, "CHARACTER")) {
        ddl_accept(s, "VARYING");
    }
    ddl_accept(s, "VARCHAR");
    return true;
}

static bool read_type(struct ddl_scan *s, const struct mysql_ddl_dialect *d, struct ddl_column *col)
{
    struct mysql_column *c = &col->c;
    uint64_t first = 0, second = 0;
    if (json_type(s, d, col) || long_type(s, c)) {
        return true;
    }
    bool national =
        ddl_accept(s, "NATIONAL") || ddl_is_word(s, "NCHAR") || ddl_is_word(s, "NVARCHAR");
    c->is_unsigned = ddl_is_word(s, "SERIAL");
    c->family = MYSQL_F_OTHER;
    for (size_t i = 0; i < ARRAY_LEN(simple); i++) {
        if (ddl_accept(s, simple[i].name)) {
            c->family = simple[i].family;
            break;
        }
    }
    if (c->family == MYSQL_F_OTHER) {
        return false;
    }
    if (c->family == MYSQL_F_DOUBLE) {
        ddl_accept(s, "PRECISION");
    }
    if (c->family == MYSQL_F_CHAR &&
        (ddl_accept(s, "VARYING") || ddl_accept(s, "VARCHAR") || ddl_accept(s, "VARCHARACTER"))) {
        c->family = MYSQL_F_VARCHAR;
    }
    if (national) {
        c->charset = STR("utf8mb3");
        col->own_charset = true;
    }
    if (c->family == MYSQL_F_ENUM || c->family == MYSQL_F_SET) {
        labels(s, c);
        return true;
    }
    unsigned n = numbers(s, &first, &second);
    set_sizes(c, n, first, second);
    return true;
}

/* --- attributes ------------------------------------------------------------------------------- */

static void skip_default(struct ddl_scan *s)
{
    if (ddl_is_sign(s, '(')) {
        ddl_skip_parens(s);
        return;
    }
    if (ddl_is_sign(s, '-') || ddl_is_sign(s, '+')) {
        ddl_next(s);
    }
    bool word = s->token.kind == TOKEN_WORD;
    ddl_next(s);
    if (word && s->token.kind == TOKEN_STRING) { /* x'00', _latin1'…' */
        ddl_next(s);
    } else if (word) {
        ddl_skip_parens(s);
    }
}

static void generated(struct ddl_scan *s, struct mysql_column *c)
{
    ddl_skip_parens(s);
    c->generated = ddl_accept(s, "STORED") || ddl_accept(s, "PERSISTENT") ? MYSQL_GEN_STORED
                                                                          : MYSQL_GEN_VIRTUAL;
}

static void own_charset(struct ddl_column *col, struct str charset)
{
    if (str_set(charset)) {
        col->c.charset = charset;
        col->own_charset = true;
    }
}

/* ASCII, UNICODE, BYTE; CHARACTER SET and COLLATE. */
static bool charset_attribute(struct ddl_scan *s, struct ddl_column *col)
{
    static const struct {
        const char *word;
        struct str charset;
    } words[] = {
        { "UNICODE", STR_INIT("ucs2") },
        { "ASCII", STR_INIT("latin1") },
        { "BYTE", STR_INIT("binary") },
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (ddl_accept(s, words[i].word)) {
            own_charset(col, words[i].charset);
            return true;
        }
    }
    struct str charset;
    if (!ddl_charset(s, s->arena, &charset)) {
        return false;
    }
    own_charset(col, charset);
    return true;
}

/* Words that stand alone. */
static bool flag(struct ddl_scan *s, struct ddl_column *col)
{
    struct {
        const char *word;
        bool *flag;
    } flags[] = {
        { "UNSIGNED", &col->c.is_unsigned },  { "INVISIBLE", &col->c.invisible },
        { "COMPRESSED", &col->c.compressed }, { "AUTO_INCREMENT", &col->c.auto_increment },
        { "PRIMARY", &col->primary },         { "KEY", &col->primary },
        { "ZEROFILL", &col->c.zerofill },
    };
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (ddl_accept(s, flags[i].word)) {
            *flags[i].flag = true;
            return true;
        }
    }
    return false;
}

static void one_attribute(struct ddl_scan *s, struct ddl_column *col)
{
    if (flag(s, col) || charset_attribute(s, col)) {
        return;
    }
    if (ddl_accept(s, "NOT")) {
        col->c.nullable = !ddl_accept(s, "NULL");
    } else if (ddl_accept(s, "UNIQUE")) {
        ddl_accept(s, "KEY");
    } else if (ddl_accept(s, "DEFAULT")) {
        skip_default(s);
    } else if (ddl_accept(s, "AS")) {
        generated(s, &col->c);
    } else if (ddl_is_sign(s, '(')) {
        ddl_skip_parens(s);
    } else {
        bool comment = ddl_is_word(s, "COMMENT");
        ddl_next(s);
        if (comment) {
            ddl_next(s);
        }
    }
}

static bool at_end(const struct ddl_scan *s)
{
    return s->token.kind == TOKEN_END || ddl_is_sign(s, ',') || ddl_is_sign(s, ')') ||
           ddl_is_word(s, "FIRST") || ddl_is_word(s, "AFTER");
}

static const char *const family_names[] = {
    [MYSQL_F_TINYINT] = "tinyint",
    [MYSQL_F_SMALLINT] = "smallint",
    [MYSQL_F_MEDIUMINT] = "mediumint",
    [MYSQL_F_INT] = "int",
    [MYSQL_F_BIGINT] = "bigint",
    [MYSQL_F_DECIMAL] = "decimal",
    [MYSQL_F_FLOAT] = "float",
    [MYSQL_F_DOUBLE] = "double",
    [MYSQL_F_BIT] = "bit",
    [MYSQL_F_DATE] = "date",
    [MYSQL_F_TIME] = "time",
    [MYSQL_F_DATETIME] = "datetime",
    [MYSQL_F_TIMESTAMP] = "timestamp",
    [MYSQL_F_YEAR] = "year",
    [MYSQL_F_CHAR] = "char",
    [MYSQL_F_VARCHAR] = "varchar",
    [MYSQL_F_TINYTEXT] = "tinytext",
    [MYSQL_F_TEXT] = "text",
    [MYSQL_F_MEDIUMTEXT] = "mediumtext",
    [MYSQL_F_LONGTEXT] = "longtext",
    [MYSQL_F_BINARY] = "binary",
    [MYSQL_F_VARBINARY] = "varbinary",
    [MYSQL_F_TINYBLOB] = "tinyblob",
    [MYSQL_F_BLOB] = "blob",
    [MYSQL_F_MEDIUMBLOB] = "mediumblob",
    [MYSQL_F_LONGBLOB] = "longblob",
    [MYSQL_F_JSON] = "json",
    [MYSQL_F_GEOMETRY] = "geometry",
    [MYSQL_F_UUID] = "uuid",
    [MYSQL_F_INET4] = "inet4",
    [MYSQL_F_INET6] = "inet6",
};

static void set_type_text(struct arena *a, struct mysql_column *c)
{
    if (str_set(c->type_text) || (size_t)c->family >= ARRAY_LEN(family_names)) {
        return; /* labels; the other cannot be */
    }
    const char *name = family_names[c->family], *sign = c->is_unsigned ? " unsigned" : "";
    unsigned length = (unsigned)c->chars;
    if (c->family == MYSQL_F_DECIMAL) {
        c->type_text = arena_printf(a, "%s(%u,%u)%s", name, c->precision, c->scale, sign);
    } else if (c->family == MYSQL_F_BIT) {
        c->type_text = arena_printf(a, "%s(%u)", name, c->precision);
    } else if (c->fraction > 0) {
        c->type_text = arena_printf(a, "%s(%u)", name, c->fraction);
    } else if (length > 0) {
        c->type_text = arena_printf(a, "%s(%u)%s", name, length, sign);
    } else {
        c->type_text = arena_printf(a, "%s%s", name, sign);
    }
}

/* CHARACTER SET binary makes bytes of texts. */
static void settle_charset(struct mysql_column *c)
{
    bool labelled = c->family == MYSQL_F_ENUM || c->family == MYSQL_F_SET;
    if (!mysql_family_text(c->family) && !labelled) {
        c->charset = STR_NONE;
    } else if (str_eqz(c->charset, "binary") && !labelled) {
        /* Both kinds stand in the same order. */
        c->family = (enum mysql_family)(c->family + (MYSQL_F_BINARY - MYSQL_F_CHAR));
        c->charset = STR_NONE;
    }
}

bool ddl_column_read(struct ddl_scan *s, const struct mysql_ddl_dialect *d, struct str charset,
                     struct ddl_column *ret)
{
    *ret = (struct ddl_column){
        .c = { .name = ddl_identifier(s), .charset = charset, .nullable = true }
    };
    if (s->token.kind != TOKEN_WORD || !read_type(s, d, ret)) {
        return false;
    }
    while (!at_end(s)) {
        one_attribute(s, ret);
    }
    ret->c.is_unsigned |= ret->c.zerofill;
    settle_charset(&ret->c);
    fit_blob(&ret->c);
    set_type_text(s->arena, &ret->c);
    return true;
}
