/* Delimited text. First the delimiter: the candidate under which the first rows have the same
 * number of columns, at least two; the most columns win. Then one pass over the whole sample for
 * the types. The header rule is the built-in classifier's ("Built-in CSV classifier" in the
 * developer guide): every cell of the first row is text of less than 150 characters (the last may
 * be empty), and some column below holds other than text. Dates stay text, as the built-in
 * classifier leaves them. */
#include <csv.h>

#include "emulators/glue/crawler/classify.h"
#include "server/base/mem.h"

#define PROBE_ROWS 100
#define PROBE_BYTES (256u << 10)
#define PIECE_BYTES 4096
#define HEADER_CELL_MAX 150
#define RAGGED_SHARE 10 /* one row in so many may have another number of columns */

static const char delimiters[] = { ',', '|', '\t', ';', '\x01' };

/* --- reading rows: libcsv behind a callback per cell and per row ------------------------------ */
struct reader {
    void (*cell)(struct reader *r, struct str cell);
    void (*row)(struct reader *r); /* r->column cells came */
    void *arg;
    size_t column, rows, rows_max;
};

static void on_cell(void *p, size_t n, void *arg)
{
    struct reader *r = arg;
    if (r->rows < r->rows_max) {
        r->cell(r, (struct str){ p ? p : "", n });
        r->column++;
    }
}

static void on_row(int end, void *arg)
{
    struct reader *r = arg;
    (void)end;
    if (r->rows < r->rows_max) {
        r->row(r);
        r->rows++;
        r->column = 0;
    }
}

static int no_space(unsigned char c)
{
    (void)c;
    return 0;
}

struct dialect {
    char delimiter, quote;
    bool no_trim;
};

/* Returns the bytes taken, all unless rows_max stopped it. A row that the sample cuts off isn't
 * reported. */
static size_t read_rows(const struct dialect *d, struct str text, bool whole, struct reader *r)
{
    struct csv_parser p;
    if (csv_init(&p, CSV_EMPTY_IS_NULL) != 0) {
        return 0;
    }
    csv_set_delim(&p, (unsigned char)d->delimiter);
    csv_set_quote(&p, (unsigned char)d->quote);
    if (d->no_trim) {
        csv_set_space_func(&p, no_space);
    }
    size_t at = 0;
    while (at < text.n && r->rows < r->rows_max) {
        size_t n = text.n - at < PIECE_BYTES ? text.n - at : PIECE_BYTES;
        if (csv_parse(&p, text.p + at, n, on_cell, on_row, r) != n) {
            break;
        }
        at += n;
    }
    if (whole && at == text.n) {
        (void)csv_fini(&p, on_cell, on_row, r); /* not strict: there is nothing to refuse */
    }
    csv_free(&p);
    return at;
}

/* --- which delimiter -------------------------------------------------------------------------- */
struct probe {
    size_t counts[PROBE_ROWS];
};

static void probe_cell(struct reader *r, struct str cell)
{
    (void)r;
    (void)cell;
}

static void probe_row(struct reader *r)
{
    struct probe *p = r->arg;
    p->counts[r->rows] = r->column;
}

/* Columns under this dialect, 0 when the rows don't agree. */
static size_t probe_columns(const struct dialect *d, struct str text, bool whole, size_t *ret_rows)
{
    struct probe p;
    struct reader r = { .cell = probe_cell, .row = probe_row, .arg = &p, .rows_max = PROBE_ROWS };
    (void)read_rows(d, str_sub(text, 0, PROBE_BYTES), whole && text.n <= PROBE_BYTES, &r);
    *ret_rows = r.rows;
    size_t other = 0;
    for (size_t i = 1; i < r.rows; i++) {
        other += p.counts[i] != p.counts[0];
    }
    return r.rows && other * RAGGED_SHARE <= r.rows ? p.counts[0] : 0;
}

static size_t find_dialect(struct str text, bool whole, const struct classifier *custom,
                           struct dialect *d)
{
    size_t rows, best = 0;
    d->quote = '"';
    if (custom && custom->quote) {
        d->quote = custom->quote;
    }
    d->no_trim = custom && custom->no_trim;
    size_t at_least = custom && custom->single_column ? 1 : 2;
    for (size_t i = 0; i < sizeof(delimiters); i++) {
        struct dialect with = *d;
        with.delimiter = delimiters[i];
        if (custom && custom->delimiter) {
            with.delimiter = custom->delimiter;
        }
        size_t n = probe_columns(&with, text, whole, &rows);
        bool two_rows = rows >= 2 || custom;
        if (n >= at_least && n <= HIVE_FIELDS_MAX && n > best && two_rows) {
            best = n;
            d->delimiter = with.delimiter;
        }
        if (custom && custom->delimiter) {
            break;
        }
    }
    return best;
}

/* --- types ------------------------------------------------------------------------------------ */
static enum hive_kind kind_of(struct str cell)
{
    int64_t i;
    double f;
    if (str_empty(cell)) {
        return HIVE_UNKNOWN;
    }
    if (str_ieqz(cell, "true") || str_ieqz(cell, "false")) {
        return HIVE_BOOLEAN;
    }
    bool digits = cell.p[cell.n - 1] >= '0' && cell.p[cell.n - 1] <= '9';
    bool sign = cell.p[0] == '-' || cell.p[0] == '+';
    char first = cell.p[sign && cell.n > 1]; /* no "inf", no "nan" */
    bool numeric = (digits || cell.p[cell.n - 1] == '.') &&
                   ((first >= '0' && first <= '9') || (first == '.' && cell.n > 1));
    if (!numeric || str_find(cell, 'x', 0) >= 0 || str_find(cell, 'X', 0) >= 0) {
        return HIVE_STRING;
    }
    struct str unsigned_part = cell.p[0] == '+' ? str_sub(cell, 1, cell.n) : cell;
    if (digits && str_i64(unsigned_part, &i) == ST_OK) {
        return HIVE_BIGINT;
    }
    return str_f64(unsigned_part, &f) == ST_OK ? HIVE_DOUBLE : HIVE_STRING;
}

struct columns {
    struct arena *arena;
    size_t n;
    struct str *first;          /* cells of the first row */
    enum hive_kind *first_kind; /* of those */
    enum hive_kind *kind;       /* of all further rows */
};

static void type_cell(struct reader *r, struct str cell)
{
    struct columns *c = r->arg;
    size_t i = r->column;
    if (i >= c->n) {
        return;
    }
    if (r->rows == 0) {
        c->first[i] = arena_str(c->arena, cell);
        c->first_kind[i] = kind_of(cell);
    } else if (c->kind[i] != HIVE_STRING) {
        c->kind[i] = hive_merge(c->arena, hive_simple(c->kind[i]), hive_simple(kind_of(cell))).kind;
    }
}

static void type_row(struct reader *r)
{
    (void)r;
}

static bool looks_like_header(const struct columns *c)
{
    bool differs = false;
    for (size_t i = 0; i < c->n; i++) {
        bool last = i + 1 == c->n;
        bool empty = last && c->first_kind[i] == HIVE_UNKNOWN;
        if (!empty && c->first_kind[i] != HIVE_STRING) {
            return false;
        }
        if (!last && c->first[i].n >= HEADER_CELL_MAX) {
            return false;
        }
        differs |= c->kind[i] != HIVE_STRING && c->kind[i] != HIVE_UNKNOWN;
    }
    return differs;
}

/* Does the first row repeat the names that the custom classifier gives? */
static bool repeats_names(const struct columns *c, const struct classifier *custom)
{
    for (size_t i = 0; i < c->n; i++) {
        if (!str_ieq(str_trim(c->first[i]), str_trim(custom->header[i]))) {
            return false;
        }
    }
    return true;
}

static bool decide_header(const struct columns *c, const struct classifier *custom)
{
    if (custom && custom->contains_header != CSV_HEADER_UNKNOWN) {
        return custom->contains_header == CSV_HEADER_PRESENT;
    }
    if (custom && custom->n_header) {
        return repeats_names(c, custom);
    }
    return looks_like_header(c);
}

/* A name that no column before has: empty ones and repeated ones get their position. */
static struct str column_name(struct arena *a, const struct schema *s, struct str wanted, size_t i)
{
    struct str name = str_trim(wanted);
    if (str_empty(name)) {
        return arena_printf(a, "col%zu", i);
    }
    return hive_find(s->columns, i, name) < i ? arena_printf(a, "%.*s_%zu", STR_ARG(name), i)
                                              : name;
}

static void fill_columns(struct arena *a, const struct columns *c, const struct classifier *custom,
                         struct schema *ret)
{
    bool given = custom && custom->n_header;
    ret->columns = ARENA_ARRAY(a, struct hive_field, c->n);
    for (size_t i = 0; i < c->n; i++) {
        struct str wanted = given ? custom->header[i] : ret->csv.header ? c->first[i] : STR_NONE;
        ret->columns[i].name = column_name(a, ret, wanted, i);
        enum hive_kind kind = c->kind[i];
        if (!ret->csv.header) {
            kind = hive_merge(a, hive_simple(kind), hive_simple(c->first_kind[i])).kind;
        }
        ret->columns[i].type =
            custom && i < custom->n_types ? hive_other(custom->types[i]) : hive_simple(kind);
    }
    ret->n = c->n;
}

/* Does any cell begin with the quote? */
static bool has_quotes(struct str text, const struct dialect *d)
{
    bool begins = true;
    for (size_t i = 0; i < text.n; i++) {
        if (begins && text.p[i] == d->quote) {
            return true;
        }
        begins = text.p[i] == d->delimiter || text.p[i] == '\n';
    }
    return false;
}

static bool custom_fits(const struct classifier *custom, size_t n)
{
    return !custom || ((!custom->n_header || custom->n_header == n) &&
                       (!custom->n_types || custom->n_types == n));
}

bool classify_csv(struct arena *a, const struct sample *s, const struct classifier *custom,
                  struct schema *ret)
{
    struct str text = s->head;
    if (str_starts(text, STR("\xef\xbb\xbf"))) {
        text = str_sub(text, 3, text.n);
    }
    struct dialect d = { 0 };
    size_t n = memchr(text.p, 0, text.n) ? 0 : find_dialect(text, s->whole, custom, &d);
    if (n == 0 || !custom_fits(custom, n)) {
        return false;
    }
    struct columns c = { .arena = a,
                         .n = n,
                         .first = ARENA_ARRAY(a, struct str, n),
                         .first_kind = ARENA_ARRAY(a, enum hive_kind, n),
                         .kind = ARENA_ARRAY(a, enum hive_kind, n) };
    struct reader r = { .cell = type_cell, .row = type_row, .arg = &c, .rows_max = SIZE_MAX };
    size_t taken = read_rows(&d, text, s->whole, &r);
    bool header = decide_header(&c, custom);
    struct str serde = custom ? custom->serde : STR_NONE;
    *ret = (struct schema){ .classification = STR("csv"),
                            .csv = { .delimiter = d.delimiter,
                                     .quote = d.quote,
                                     .quoted = has_quotes(text, &d),
                                     .header = header,
                                     .open_serde = str_eqz(serde, "OpenCSVSerDe") ||
                                                   (custom && custom->quote &&
                                                    !str_eqz(serde, "LazySimpleSerDe")) },
                            .records = (int64_t)r.rows - (header && r.rows ? 1 : 0),
                            .exact = s->whole,
                            .sampled_bytes = s->whole ? 0 : (int64_t)taken };
    fill_columns(a, &c, custom, ret);
    return true;
}
