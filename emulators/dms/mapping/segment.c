#include "emulators/dms/mapping/segment.h"

#include "server/base/buf.h"
#include "server/base/mem.h"

#define WHERE_MAX (1u << 20)
#define COLUMNS_MAX 16

struct maker {
    struct arena *a;
    const struct dms_segment_wish *wish;
    struct dms_segment *segments;
    size_t n;
    struct str *why;
    struct dms_operand boundary[COLUMNS_MAX], last[COLUMNS_MAX]; /* this one and the one before */
};

static enum status refuse(struct maker *k, struct str text)
{
    *k->why = arena_printf(k->a, "The rule with ruleId = %.*s can't be followed: %.*s.",
                           STR_ARG(k->wish->settings->id), STR_ARG(text));
    return ST_INVALID;
}

static void add(struct maker *k, struct str partition, struct str where, struct str name)
{
    struct str filter = k->wish->where;
    if (str_set(filter) && str_set(where)) {
        where = arena_printf(k->a, "%.*s AND %.*s", STR_ARG(filter), STR_ARG(where));
    } else if (str_set(filter)) {
        where = filter;
    }
    ARENA_GROW(k->a, k->segments, k->n);
    k->segments[k->n++] = (struct dms_segment){ partition, where, name };
}

static bool has_partition(const struct dms_segment_wish *w, struct str name)
{
    for (size_t i = 0; i < w->partitions_n; i++) {
        if (str_ieq(w->partitions[i], name)) {
            return true;
        }
    }
    return false;
}

static enum status by_partition(struct maker *k)
{
    const struct dms_table_settings *s = k->wish->settings;
    const struct str *names = s->names_n ? s->names : k->wish->partitions;
    size_t n = s->names_n ? s->names_n : k->wish->partitions_n;
    for (size_t i = 0; i < n; i++) {
        if (!has_partition(k->wish, names[i])) {
            return refuse(k, arena_printf(k->a, "table %.*s.%.*s has no partition '%.*s'",
                                          STR_ARG(k->wish->def->schema),
                                          STR_ARG(k->wish->def->name), STR_ARG(names[i])));
        }
        add(k, names[i], STR_NONE, arena_join(k->a, names[i], STR("/")));
    }
    if (n == 0) { /* the table has no partitions: one load as ever */
        add(k, STR_NONE, STR_NONE, STR(""));
    }
    return ST_OK;
}

/* "((A < 1) OR ((A = 1) AND (B < 2)))": the rows below a boundary, as the user guide gives it. */
static enum status below(struct maker *k, const struct str *values, struct buf *out)
{
    const struct dms_table_settings *s = k->wish->settings;
    struct str names[COLUMNS_MAX], literals[COLUMNS_MAX];
    for (size_t i = 0; i < s->columns_n; i++) {
        int at = mysql_table_find(k->wish->def, s->columns[i]);
        if (at < 0) {
            return refuse(k, arena_printf(k->a, "table %.*s.%.*s has no column '%.*s'",
                                          STR_ARG(k->wish->def->schema),
                                          STR_ARG(k->wish->def->name), STR_ARG(s->columns[i])));
        }
        const struct mysql_column *c = &k->wish->def->columns[at];
        struct str why;
        if (c->family == MYSQL_F_FLOAT || c->family == MYSQL_F_DOUBLE) {
            return refuse(k, arena_printf(k->a, "column '%.*s' (%.*s) can't bound a range",
                                          STR_ARG(c->name), STR_ARG(c->type_text)));
        }
        if (dms_operand_parse(k->a, c, values[i], &k->boundary[i], &why) != ST_OK) {
            return refuse(k, why);
        }
        names[i] = mysql_quote_name(k->a, c->name);
        literals[i] = dms_operand_sql(k->a, &k->boundary[i]);
    }
    buf_putc(out, '(');
    for (size_t i = 0; i < s->columns_n; i++) {
        buf_puts(out, i ? " OR (" : "");
        for (size_t j = 0; j < i; j++) {
            buf_printf(out, "(%.*s = %.*s) AND ", STR_ARG(names[j]), STR_ARG(literals[j]));
        }
        buf_printf(out, "(%.*s < %.*s)%s", STR_ARG(names[i]), STR_ARG(literals[i]), i ? ")" : "");
    }
    buf_putc(out, ')');
    return ST_OK;
}

/* Ranges whose boundaries don't rise would overlap, and load rows twice. */
static bool rises(struct maker *k)
{
    int order = 0;
    for (size_t i = 0; i < k->wish->settings->columns_n && order == 0; i++) {
        order = dms_operand_order(&k->last[i], &k->boundary[i]);
    }
    memcpy(k->last, k->boundary, sizeof(k->last));
    return order < 0;
}

static struct str range_name(struct maker *k, size_t i)
{
    const struct dms_table_settings *s = k->wish->settings;
    return s->names_n ? arena_join(k->a, s->names[i], STR("/"))
                      : arena_printf(k->a, "SEGMENT%zu_", i + 1);
}

/* Rows that have NULL in a column of the ranges are in none, as on AWS. */
static enum status by_range(struct maker *k)
{
    const struct dms_table_settings *s = k->wish->settings;
    struct str last = STR_NONE;
    for (size_t i = 0; i <= s->boundaries_n; i++) {
        CLEANUP(buf_fini) struct buf b = BUF_INIT(WHERE_MAX);
        CLEANUP(buf_fini) struct buf where = BUF_INIT(WHERE_MAX);
        if (i < s->boundaries_n) {
            enum status st = below(k, s->boundaries + i * s->columns_n, &b);
            if (st != ST_OK) {
                return st;
            }
            if (!rises(k) && i > 0) {
                return refuse(k, arena_printf(k->a,
                                              "its 'boundaries' must rise, and number %zu isn't "
                                              "above the one before",
                                              i + 1));
            }
        }
        buf_putc(&where, '(');
        if (str_set(last)) {
            buf_printf(&where, "NOT %.*s%s", STR_ARG(last), b.n ? " AND " : "");
        }
        buf_str_add(&where, buf_str(&b));
        buf_putc(&where, ')');
        if (!buf_ok(&b) || !buf_ok(&where)) {
            return refuse(k, STR("its boundaries are too long"));
        }
        last = arena_str(k->a, buf_str(&b));
        add(k, STR_NONE, arena_str(k->a, buf_str(&where)), range_name(k, i));
    }
    return ST_OK;
}

enum status dms_segments_make(struct arena *a, const struct dms_segment_wish *wish,
                              const struct dms_segment **ret, size_t *ret_n, struct str *ret_why)
{
    struct maker k = { .a = a, .wish = wish, .why = ret_why };
    enum status st = ST_OK;
    if (wish->settings && wish->settings->parallel == DMS_PARALLEL_PARTITIONS) {
        st = by_partition(&k);
    } else if (wish->settings && wish->settings->parallel == DMS_PARALLEL_RANGES) {
        st = by_range(&k);
    } else {
        add(&k, STR_NONE, STR_NONE, STR(""));
    }
    *ret = k.segments;
    *ret_n = k.n;
    return st;
}
