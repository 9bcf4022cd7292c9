/* The longest text of every value is summed up first, room for the whole row reserved once, and
 * then everything is written without further checks. */
#include "emulators/dms/file/csv.h"

#include "emulators/dms/file/number.h"
#include "server/base/mem.h"

#define FIXED_MAX ((size_t)32) /* longest text of a value of fixed size */
_Static_assert(FIXED_MAX >= DMS_DOUBLE_MAX && FIXED_MAX >= DMS_TIME_MAX, "room for every kind");

void dms_csv_prepare(struct dms_csv_format *f)
{
    static const char plain[] = "0123456789ABCDEFe+-.: "; /* in numbers, times, and hex digits */
    f->first = (char)(f->delimiter.n > 0 ? f->delimiter.p[0] : ',');
    f->scan_all = f->rfc4180 && memchr(plain, f->first, sizeof(plain) - 1) != NULL;
    if (!f->no_value_text.p) {
        f->no_value_text = f->null_text;
    }
}

bool dms_csv_is_lob(const struct mysql_column *c)
{
    switch (c->family) {
    case MYSQL_F_MEDIUMTEXT:
    case MYSQL_F_LONGTEXT:
    case MYSQL_F_MEDIUMBLOB:
    case MYSQL_F_LONGBLOB:
    case MYSQL_F_JSON:
    case MYSQL_F_GEOMETRY:
        return true;
    default:
        return false;
    }
}

struct plan_maker {
    const struct mysql_table *t;
    struct dms_csv_column *columns;
    size_t n;
    bool *taken;
    bool support_lobs;
    uint32_t lob_max_bytes;
};

static void take(struct plan_maker *m, size_t i)
{
    enum mysql_family family = m->t->columns[i].family;
    bool lob = dms_csv_is_lob(&m->t->columns[i]);
    if (m->taken[i] || (lob && !m->support_lobs)) {
        return;
    }
    m->taken[i] = true;
    m->columns[m->n++] = (struct dms_csv_column){
        .index = (uint32_t)i,
        .source = (uint32_t)i,
        .like = (uint32_t)i,
        .name = m->t->columns[i].name,
        .max_bytes = lob ? m->lob_max_bytes : 0,
        .chars = family == MYSQL_F_CHAR ? (uint32_t)m->t->columns[i].chars : 0,
        .text =
            family == MYSQL_F_MEDIUMTEXT || family == MYSQL_F_LONGTEXT || family == MYSQL_F_JSON,
    };
}

void dms_csv_plan(struct arena *a, const struct mysql_table *t, bool support_lobs,
                  uint32_t lob_max_bytes, struct dms_csv_order order, struct dms_csv_plan *ret)
{
    struct plan_maker m = { .t = t,
                            .columns = ARENA_ARRAY(a, struct dms_csv_column, t->columns_n + 1),
                            .taken = ARENA_ARRAY(a, bool, t->columns_n + 1),
                            .support_lobs = support_lobs,
                            .lob_max_bytes = lob_max_bytes };
    for (size_t i = 0; i < order.n; i++) {
        int at = mysql_table_find(t, order.names[i]);
        if (at >= 0) {
            take(&m, (size_t)at);
        }
    }
    for (size_t i = 0; i < t->columns_n; i++) {
        take(&m, i);
    }
    *ret = (struct dms_csv_plan){ m.columns, m.n };
}

struct dms_csv_order dms_csv_plan_order(struct arena *a, const struct dms_csv_plan *plan,
                                        const struct mysql_table *t)
{
    struct str *names = ARENA_ARRAY(a, struct str, plan->n + 1);
    size_t n = 0;
    for (size_t i = 0; i < plan->n; i++) {
        if (plan->columns[i].source != DMS_CSV_NO_SOURCE) {
            names[n++] = t->columns[plan->columns[i].source].name;
        } else if (str_set(plan->columns[i].gone)) {
            names[n++] = arena_str(a, plan->columns[i].gone);
        }
    }
    return (struct dms_csv_order){ names, n };
}

/* --- quoting ---------------------------------------------------------------------------------- */

/* 16 bytes at once, whatever the machine calls it. */
typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef int8_t mask16 __attribute__((vector_size(16)));
typedef uint64_t words2 __attribute__((vector_size(16)));

static bytes16 all16(char c)
{
    return (bytes16){ 0 } + (uint8_t)c;
}

/* Those of them that may ask for quotes. */
static mask16 suspicious(bytes16 v, char first)
{
    return (mask16)((v == all16('"')) | (v == all16('\r')) | (v == all16('\n')) |
                    (v == all16(first)));
}

static bool any16(mask16 m)
{
    words2 w = (words2)m;
    return (w[0] | w[1]) != 0;
}

/* Fewer than 16 bytes; those that are missing are 0 or some of the others once more. */
static bytes16 load_few(const char *p, size_t n)
{
    words2 w = { 0, 0 };
    if (n >= 8) {
        memcpy(&w, p, 8);
        memcpy((char *)&w + 8, p + n - 8, 8);
    } else if (n >= 4) {
        memcpy(&w, p, 4);
        memcpy((char *)&w + 4, p + n - 4, 4);
    } else if (n > 0) {
        uint8_t few[4] = { (uint8_t)p[0], (uint8_t)p[n / 2], (uint8_t)p[n - 1] };
        memcpy(&w, few, 4);
    }
    return (bytes16)w;
}

static void copy_few(char *to, const char *p, size_t n)
{
    if (n >= 8) {
        uint64_t head, tail;
        memcpy(&head, p, 8);
        memcpy(&tail, p + n - 8, 8);
        memcpy(to, &head, 8);
        memcpy(to + n - 8, &tail, 8);
    } else if (n >= 4) {
        uint32_t head, tail;
        memcpy(&head, p, 4);
        memcpy(&tail, p + n - 4, 4);
        memcpy(to, &head, 4);
        memcpy(to + n - 4, &tail, 4);
    } else if (n > 0) {
        char head = p[0], middle = p[n / 2], tail = p[n - 1];
        to[0] = head;
        to[n / 2] = middle;
        to[n - 1] = tail;
    }
}

/* Short texts are the rule, and a call for each would cost more than the bytes. */
static inline char *put_raw(char *p, struct str s)
{
    if (s.n < 16) {
        copy_few(p, s.p, s.n);
    } else {
        memcpy(p, s.p, s.n);
    }
    return p + s.n;
}

/* Copies the text; is anything in it that may ask for quotes? */
static bool copy_looking(char *to, struct str s, char first)
{
    if (s.n < 16) {
        copy_few(to, s.p, s.n);
        return any16(suspicious(load_few(s.p, s.n), first));
    }
    mask16 found = { 0 };
    for (size_t i = 0; i < s.n; i += 16) {
        size_t at = i + 16 <= s.n ? i : s.n - 16;
        bytes16 v;
        memcpy(&v, s.p + at, 16);
        memcpy(to + at, &v, 16);
        found |= suspicious(v, first);
    }
    return any16(found);
}

/* For a text that has something suspicious: is it a delimiter of several bytes that isn't whole? */
static bool needs_quotes(const struct dms_csv_format *f, struct str s)
{
    if (f->delimiter.n <= 1) {
        return true;
    }
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '"' || c == '\r' || c == '\n' || str_starts(str_sub(s, i, s.n), f->delimiter)) {
            return true;
        }
    }
    return false;
}

static char *put_doubling(char *p, struct str s)
{
    const char *quote;
    while (s.n > 0 && (quote = memchr(s.p, '"', s.n)) != NULL) {
        size_t n = (size_t)(quote - s.p) + 1;
        p = put_raw(p, (struct str){ s.p, n });
        *p++ = '"';
        s = (struct str){ s.p + n, s.n - n };
    }
    return put_raw(p, s);
}

size_t dms_csv_blanks(const struct dms_csv_format *f, const struct dms_csv_column *c, struct str s)
{
    if (!f->pad || c->chars == 0) {
        return 0;
    }
    size_t chars = 0;
    for (size_t i = 0; i < s.n; i++) {
        chars += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    }
    return chars < c->chars ? c->chars - chars : 0;
}

/* The blanks behind the text count as part of it. Needs room for 2 * s.n + 2 + blanks bytes. */
static char *put_filled(char *p, const struct dms_csv_format *f, struct str s, size_t blanks)
{
    bool quote = (copy_looking(p, s, f->first) && f->rfc4180 && needs_quotes(f, s)) ||
                 (blanks > 0 && f->rfc4180 && f->first == ' ');
    if (quote) {
        *p++ = '"';
        p = put_doubling(p, s);
    } else {
        p += s.n;
    }
    if (blanks > 0) {
        memset(p, ' ', blanks);
        p += blanks;
    }
    if (quote) {
        *p++ = '"';
    }
    return p;
}

static char *put_text(char *p, const struct dms_csv_format *f, struct str s)
{
    return put_filled(p, f, s, 0);
}

/* --- values ----------------------------------------------------------------------------------- */

bool dms_csv_null(const struct mysql_value *v)
{
    switch (v->kind) {
    case MYSQL_V_ABSENT:
    case MYSQL_V_NULL:
        return true;
    case MYSQL_V_DATE:
    case MYSQL_V_DATETIME:
    case MYSQL_V_TIMESTAMP:
        return mysql_value_zero_date(v);
    default:
        return false;
    }
}

#define KIND(kind) (1u << MYSQL_V_##kind)

bool dms_csv_has_bytes(const struct mysql_value *v)
{
    const unsigned kinds = KIND(DECIMAL) | KIND(TEXT) | KIND(BYTES) | KIND(ENUM) | KIND(SET) |
                           KIND(JSON) | KIND(GEOMETRY);
    return kinds >> v->kind & 1;
}

struct str dms_csv_limited(struct str s, const struct dms_csv_column *c)
{
    if (c->max_bytes == 0 || s.n <= c->max_bytes) {
        return s;
    }
    size_t n = c->max_bytes;
    while (c->text && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80) {
        n--;
    }
    return (struct str){ s.p, n };
}

static char *put_bit(char *p, const struct mysql_value *v)
{
    if (v->bits <= 1) {
        *p++ = v->u ? '1' : '0';
        return p;
    }
    unsigned bytes = (v->bits + 7u) / 8;
    for (unsigned i = bytes; i-- > 0;) {
        unsigned char b = (unsigned char)(v->u >> (8 * i));
        p = dms_put_hex(p, &b, 1);
    }
    return p;
}

/* Values of fixed size: at most FIXED_MAX bytes. */
static char *put_fixed(char *p, const struct dms_csv_format *f, const struct mysql_value *v)
{
    switch (v->kind) {
    case MYSQL_V_INT:
        return dms_put_i64(p, v->i);
    case MYSQL_V_UINT:
    case MYSQL_V_YEAR:
        return dms_put_u64(p, v->u);
    case MYSQL_V_FLOAT:
        return dms_put_double(p, (double)v->f);
    case MYSQL_V_DOUBLE:
        return dms_put_double(p, v->d);
    case MYSQL_V_DATE:
        return dms_put_date(p, &v->t);
    case MYSQL_V_TIMESTAMP:
        if (f->zone) {
            struct mysql_time t = dms_local_time(f->zone, &v->t);
            return dms_put_datetime(p, &t, v->digits);
        }
        return dms_put_datetime(p, &v->t, v->digits);
    case MYSQL_V_DATETIME:
        return dms_put_datetime(p, &v->t, v->digits);
    case MYSQL_V_TIME:
        return dms_put_time(p, &v->t, v->digits);
    case MYSQL_V_BIT:
        return put_bit(p, v);
    default:
        return p;
    }
}

static char *put_bytes(char *p, const struct dms_csv_format *f, const struct dms_csv_column *c,
                       const struct mysql_value *v, uint64_t *ret_cut)
{
    struct str s = dms_csv_limited(v->s, c);
    if (s.n < v->s.n && ret_cut) {
        ++*ret_cut;
    }
    if (v->kind == MYSQL_V_BYTES || v->kind == MYSQL_V_GEOMETRY) {
        return dms_put_hex(p, s.p, s.n);
    }
    if (v->kind == MYSQL_V_DECIMAL && !f->scan_all) {
        return put_raw(p, s);
    }
    return put_filled(p, f, s, f->pad ? dms_csv_blanks(f, c, s) : 0);
}

static char *put_value(char *p, const struct dms_csv_format *f, const struct dms_csv_column *c,
                       const struct mysql_value *v, uint64_t *ret_cut)
{
    if (dms_csv_has_bytes(v)) {
        return put_bytes(p, f, c, v, ret_cut);
    }
    if (dms_csv_null(v)) {
        return put_raw(p, v->kind == MYSQL_V_ABSENT ? f->no_value_text : f->null_text);
    }
    if (!f->scan_all) {
        return put_fixed(p, f, v);
    }
    char text[FIXED_MAX];
    return put_text(p, f, (struct str){ text, (size_t)(put_fixed(text, f, v) - text) });
}

static size_t row_bound(const struct dms_csv_format *f, const struct dms_csv_plan *plan,
                        const struct dms_csv_lead *lead, const struct mysql_value *values)
{
    size_t null_n = f->null_text.n > f->no_value_text.n ? f->null_text.n : f->no_value_text.n;
    size_t fixed = f->scan_all ? 2 * FIXED_MAX + 2 : FIXED_MAX;
    size_t each = f->delimiter.n + (fixed > null_n ? fixed : null_n);
    size_t n = f->row_end.n + 2 * (f->delimiter.n + 2 * FIXED_MAX + 2) + plan->n * each;
    for (size_t i = 0; i < plan->n; i++) {
        const struct mysql_value *v = &values[plan->columns[i].index];
        if (dms_csv_has_bytes(v)) {
            n += 2 * v->s.n + 2 + (f->pad ? plan->columns[i].chars : 0);
        }
    }
    if (str_set(lead->table)) {
        n += 2 * (f->delimiter.n + lead->table.n + lead->schema.n + 2);
    }
    return n;
}

void dms_csv_row(struct buf *out, const struct dms_csv_format *f, const struct dms_csv_plan *plan,
                 const struct dms_csv_lead *lead, const struct mysql_value *values,
                 uint64_t *ret_cut)
{
    char *start = buf_reserve(out, row_bound(f, plan, lead, values));
    if (!start) {
        return; /* the buffer is marked as failed */
    }
    char *p = start;
    bool more = false;
    if (lead->op) {
        *p++ = lead->op;
        more = true;
    }
    if (str_set(lead->table)) {
        p = more ? put_raw(p, f->delimiter) : p;
        p = put_text(p, f, lead->table);
        p = put_raw(p, f->delimiter);
        p = put_text(p, f, lead->schema);
        more = true;
    }
    if (lead->timestamp) {
        char text[DMS_TIME_MAX];
        struct str s = { text, (size_t)(dms_put_stamp(text, lead->time_us) - text) };
        p = more ? put_raw(p, f->delimiter) : p;
        p = f->scan_all ? put_text(p, f, s) : put_raw(p, s);
        more = true;
    }
    for (size_t i = 0; i < plan->n; i++) {
        p = more ? put_raw(p, f->delimiter) : p;
        p = put_value(p, f, &plan->columns[i], &values[plan->columns[i].index], ret_cut);
        more = true;
    }
    p = put_raw(p, f->row_end);
    buf_commit(out, (size_t)(p - start));
}

static void header_field(struct buf *out, const struct dms_csv_format *f, struct str name,
                         bool *more)
{
    char *start = buf_reserve(out, f->delimiter.n + 2 * name.n + 2);
    if (!start) {
        return;
    }
    char *p = *more ? put_raw(start, f->delimiter) : start;
    p = put_text(p, f, name);
    buf_commit(out, (size_t)(p - start));
    *more = true;
}

void dms_csv_header(struct buf *out, const struct dms_csv_format *f,
                    const struct dms_csv_plan *plan, bool with_op)
{
    bool more = false;
    if (with_op) {
        header_field(out, f, STR("Op"), &more);
    }
    if (f->timestamp_name.p) {
        header_field(out, f, f->timestamp_name, &more);
    }
    for (size_t i = 0; i < plan->n; i++) {
        header_field(out, f, plan->columns[i].name, &more);
    }
    buf_str_add(out, f->row_end);
}
