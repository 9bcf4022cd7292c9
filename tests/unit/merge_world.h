/* For the random test of the merge: a table as a list of rows of raw fields, which knows nothing of
 * parts, order or hashing, and the files that are made of it. Static functions, one includer. */
#ifndef CISTERN_TESTS_MERGE_WORLD_H
#define CISTERN_TESTS_MERGE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
/* cmocka.h needs the three above before it */
#include <cmocka.h>

#include "server/base/arena.h"
#include "tests/unit/merge_folder.h"

#define MAX_COLUMNS 7u
#define MAX_FILES 3u
#define ARENA_LIMIT (256u << 20)

struct field {
    struct str value;
    struct str raw; /* as it stands in the file */
};

struct row {
    struct field f[MAX_COLUMNS];
};

struct world {
    uint64_t random;
    unsigned seed;
    struct arena *arena;
    struct folder folder;
    /* the table */
    size_t n_columns;
    struct str names[MAX_COLUMNS];
    size_t key[2];
    size_t n_key;
    unsigned key_kind; /* 0 integers, 1 texts, 2 both */
    unsigned key_space;
    struct row *rows;
    size_t n_rows;
    size_t cap_rows;
    /* the dialect */
    char delim;
    bool header;
    bool out_header;
    bool time;
    bool load_op;
    bool change_op;
    enum merge_before before;
    struct str null_text;
    struct str *known; /* names that the caller knows */
    size_t n_known;
    uint64_t part_bytes;
    uint64_t memory_bytes;
    bool defines; /* the next file gives the data set its column order */
    bool long_fields;
    bool altered; /* a column was added since the last run */
    /* files of the current run */
    struct merge_input load[MAX_FILES];
    size_t n_loads;
    struct merge_input change[MAX_FILES];
    size_t n_changes;
    uint64_t load_rows;
    uint64_t change_rows;
};

static unsigned pick(struct world *w, unsigned n)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (unsigned)((w->random >> 24) % n);
}

static bool chance(struct world *w, unsigned percent)
{
    return pick(w, 100) < percent;
}

/* --- fields -------------------------------------------------------------------------------- */

static struct field quoted(struct world *w, struct str value, bool quote)
{
    for (size_t i = 0; i < value.n; i++) {
        quote = quote || value.p[i] == w->delim || value.p[i] == '"' || value.p[i] == '\r' ||
                value.p[i] == '\n';
    }
    if (!quote) {
        return (struct field){ value, value };
    }
    char *p = arena_alloc(w->arena, 2 * value.n + 2);
    size_t n = 0;
    p[n++] = '"';
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"') {
            p[n++] = '"';
        }
        p[n++] = value.p[i];
    }
    p[n++] = '"';
    return (struct field){ value, { p, n } };
}

static struct field any_field(struct world *w)
{
    static const char *const pieces[] = {
        "a",    "b",  "xyz",  " ",  ",", "\"",       "\n",
        "\r\n", "\r", ";",    "\t", "7", "\xc3\xa9", "\xf0\x9f\x98\x80",
        "\\",   "'",  "\"\"", "0.5"
    };
    struct buf b = BUF_INIT(1000000);
    unsigned n = chance(w, 15) ? 0 : pick(w, chance(w, 5) ? 60 : 8);
    if (w->long_fields && chance(w, 2)) {
        n = pick(w, 100000); /* longer than the windows and buffers of the engine */
    }
    unsigned kinds = chance(w, 50) ? 4 : ARRAY_LEN(pieces);
    for (unsigned i = 0; i < n; i++) {
        buf_puts(&b, pieces[pick(w, kinds)]);
    }
    if (chance(w, 2)) {
        buf_putc(&b, '\0');
    }
    struct str value = arena_str(w->arena, buf_str(&b));
    buf_fini(&b);
    return quoted(w, value, chance(w, 10));
}

static struct field key_field(struct world *w)
{
    static const char *const texts[] = { "a%u",      "A%u",        "0%u", "%u.5", "a,%u",  "\"%u",
                                         "line\n%u", "%u\xc3\xbc", " %u", "-0%u", "%u\r\n" };
    unsigned v = pick(w, w->key_space);
    struct str s;
    if (w->key_kind == 0 || (w->key_kind == 2 && chance(w, 50))) {
        s = v % 7 == 3 ? arena_printf(w->arena, "-%u", v) : arena_printf(w->arena, "%u", v);
    } else {
        struct buf b = BUF_INIT(100);
        for (const char *t = texts[v % ARRAY_LEN(texts)]; *t; t++) {
            if (t[0] == '%') {
                buf_printf(&b, "%u", v);
                t++;
            } else {
                buf_putc(&b, *t);
            }
        }
        s = arena_str(w->arena, buf_str(&b));
        buf_fini(&b);
    }
    return quoted(w, s, chance(w, 5));
}

static bool is_key(const struct world *w, size_t column)
{
    return column == w->key[0] || (w->n_key == 2 && column == w->key[1]);
}

static struct row any_row(struct world *w)
{
    struct row r;
    for (size_t i = 0; i < w->n_columns; i++) {
        r.f[i] = is_key(w, i) ? key_field(w) : any_field(w);
    }
    return r;
}

/* --- the model ----------------------------------------------------------------------------- */

static bool same_key(const struct world *w, const struct row *a, const struct row *b)
{
    for (size_t i = 0; i < w->n_key; i++) {
        if (!str_eq(a->f[w->key[i]].value, b->f[w->key[i]].value)) {
            return false;
        }
    }
    return true;
}

static struct row *find(const struct world *w, const struct row *rows, size_t n,
                        const struct row *like)
{
    for (size_t i = 0; i < n; i++) {
        if (same_key(w, &rows[i], like)) {
            return (struct row *)(uintptr_t)&rows[i];
        }
    }
    return NULL;
}

static void model_put(struct world *w, const struct row *r)
{
    struct row *old = find(w, w->rows, w->n_rows, r);
    if (old) {
        *old = *r;
        return;
    }
    if (w->n_rows == w->cap_rows) {
        w->cap_rows = w->cap_rows * 2 + 16;
        w->rows = xrealloc(w->rows, w->cap_rows * sizeof *w->rows);
    }
    w->rows[w->n_rows++] = *r;
}

static void model_delete(struct world *w, const struct row *r)
{
    struct row *old = find(w, w->rows, w->n_rows, r);
    if (old) {
        *old = w->rows[--w->n_rows];
    }
}

static struct str row_text(struct world *w, const struct row *r)
{
    struct buf b = BUF_INIT(FOLDER_MAX_BYTES);
    for (size_t i = 0; i < w->n_columns; i++) {
        if (i > 0) {
            buf_putc(&b, w->delim);
        }
        buf_str_add(&b, r->f[i].raw);
    }
    struct str s = arena_str(w->arena, buf_str(&b));
    buf_fini(&b);
    return s;
}

/* --- files --------------------------------------------------------------------------------- */

struct file {
    struct buf b;
    const char *end;           /* of a line */
    size_t order[MAX_COLUMNS]; /* column at each place */
    bool op;
    bool any; /* a record was written */
};

static void put_field(struct world *w, struct file *f, bool *first, struct str raw)
{
    if (!*first) {
        buf_putc(&f->b, w->delim);
    }
    *first = false;
    buf_str_add(&f->b, raw);
}

static void file_start(struct world *w, struct file *f, bool load)
{
    *f = (struct file){ .b = BUF_INIT(FOLDER_MAX_BYTES), .end = chance(w, 25) ? "\r\n" : "\n" };
    f->op = load ? w->load_op : w->change_op;
    for (size_t i = 0; i < w->n_columns; i++) {
        f->order[i] = i;
    }
    for (size_t i = w->n_columns; w->header && !w->defines && i > 1 && chance(w, 50); i--) {
        size_t j = pick(w, (unsigned)i);
        size_t t = f->order[i - 1];
        f->order[i - 1] = f->order[j];
        f->order[j] = t;
    }
    w->defines = false;
    if (chance(w, 10)) {
        buf_puts(&f->b, "\xef\xbb\xbf");
    }
    if (!w->header) {
        return;
    }
    bool first = true;
    if (f->op) {
        put_field(w, f, &first, STR("Op"));
    }
    if (w->time) {
        put_field(w, f, &first, STR("ts"));
    }
    for (size_t i = 0; i < w->n_columns; i++) {
        put_field(w, f, &first, quoted(w, w->names[f->order[i]], chance(w, 10)).raw);
    }
    size_t n = w->before == MERGE_BEFORE_NONE  ? 0
               : w->before == MERGE_BEFORE_KEY ? w->n_key
                                               : w->n_columns;
    for (size_t i = 0; i < n; i++) {
        struct str name = w->names[w->before == MERGE_BEFORE_KEY ? w->key[i] : i];
        struct str bi = arena_printf(w->arena, "BI_%.*s", STR_ARG(name));
        put_field(w, f, &first, quoted(w, bi, false).raw);
    }
    buf_puts(&f->b, f->end);
    f->any = true;
}

/* `old`: the row before the change, for before images; may be NULL. */
static void file_row(struct world *w, struct file *f, char op, const struct row *r,
                     const struct row *old)
{
    bool first = true;
    if (f->op) {
        put_field(w, f, &first, (struct str){ &op, 1 });
    }
    if (w->time) {
        put_field(w, f, &first, STR("2024-01-01 00:00:00.000000"));
    }
    for (size_t i = 0; i < w->n_columns; i++) {
        put_field(w, f, &first, r->f[f->order[i]].raw);
    }
    bool moved = old && !same_key(w, old, r);
    for (size_t i = 0; w->before == MERGE_BEFORE_KEY && i < w->n_key; i++) {
        put_field(w, f, &first, moved ? old->f[w->key[i]].raw : w->null_text);
    }
    for (size_t i = 0; w->before == MERGE_BEFORE_ALL && i < w->n_columns; i++) {
        put_field(w, f, &first, old ? old->f[i].raw : w->null_text);
    }
    buf_puts(&f->b, f->end);
    f->any = true;
    if (chance(w, 3)) {
        buf_puts(&f->b, f->end); /* a blank line */
    }
}

static void file_end(struct world *w, struct file *f, const char *what, struct merge_input *in)
{
    size_t n = strlen(f->end);
    bool blank = f->b.n > 2 * n && memcmp(f->b.p + f->b.n - 2 * n, "\r\n\r\n", 2 * n) == 0;
    blank = blank || (f->b.n > 1 && f->b.p[f->b.n - 2] == '\n');
    if (f->any && !blank && chance(w, 15)) {
        f->b.n -= n;
    }
    bool gzip = chance(w, 15);
    *in = (struct merge_input){ .path = folder_write(&w->folder, what, buf_str(&f->b), gzip),
                                .gzip = gzip && chance(w, 50) };
    buf_fini(&f->b);
}

/* Distinct rows, in key order as it happens or not; the model is what they say. */
static void make_load(struct world *w, bool add)
{
    if (!add) {
        w->n_rows = 0;
    }
    w->n_loads = 1 + pick(w, MAX_FILES);
    unsigned ordered = w->n_key == 1 && w->key_kind == 0 && !add && chance(w, 50);
    struct row done[600];
    size_t n_done = 0;
    unsigned next = 1;
    for (size_t i = 0; i < w->n_loads; i++) {
        struct file f;
        file_start(w, &f, true);
        unsigned n = pick(w, 150);
        for (unsigned k = 0; k < n; k++) {
            struct row r = any_row(w);
            if (ordered) {
                next += 1 + pick(w, 3);
                r.f[w->key[0]] = quoted(w, arena_printf(w->arena, "%u", next), chance(w, 5));
            }
            struct row *twin = find(w, done, n_done, &r);
            if (twin) {
                r = *twin; /* the same row again is allowed */
            } else {
                done[n_done++] = r;
            }
            file_row(w, &f, 'I', &r, NULL);
            w->load_rows++;
            model_put(w, &r);
        }
        file_end(w, &f, "load", &w->load[i]);
    }
}

static void one_change(struct world *w, struct file *f)
{
    struct row r = any_row(w);
    unsigned what = pick(w, 100);
    struct row *at = w->n_rows ? &w->rows[pick(w, (unsigned)w->n_rows)] : NULL;
    w->change_rows++;
    if (!f->op) {
        file_row(w, f, 0, &r, NULL);
        model_put(w, &r);
    } else if (what < 30) {
        file_row(w, f, 'I', &r, NULL);
        model_put(w, &r);
    } else if (what < 50 && at) {
        struct row gone = *at;
        file_row(w, f, 'D', &gone, &gone);
        model_delete(w, &gone);
    } else if (what < 55) {
        file_row(w, f, 'D', &r, &r);
        model_delete(w, &r);
    } else if (what < 90 && at) {
        struct row old = *at;
        for (size_t i = 0; i < w->n_key; i++) {
            if (w->before == MERGE_BEFORE_NONE || chance(w, 80)) {
                r.f[w->key[i]] = old.f[w->key[i]];
            }
        }
        if (chance(w, 10)) {
            r = old;
        }
        file_row(w, f, 'U', &r, &old);
        if (w->before != MERGE_BEFORE_NONE) {
            model_delete(w, &old);
        }
        model_put(w, &r);
    } else {
        file_row(w, f, 'U', &r, NULL);
        model_put(w, &r);
    }
}

static void make_changes(struct world *w)
{
    w->n_changes = 1 + pick(w, MAX_FILES);
    for (size_t i = 0; i < w->n_changes; i++) {
        struct file f;
        file_start(w, &f, false);
        unsigned n = chance(w, 20) ? 0 : pick(w, chance(w, 30) ? 200 : 12);
        n += w->altered && i == 0; /* shows the new column */
        for (unsigned k = 0; k < n; k++) {
            one_change(w, &f);
        }
        file_end(w, &f, "change", &w->change[i]);
    }
}

/* A data set that another program wrote: any order, any line ends. */
static void make_foreign_parts(struct world *w)
{
    size_t n = 1 + pick(w, 3);
    bool ordered = w->n_key == 1 && chance(w, 60);
    unsigned next = 1;
    for (size_t i = 0; i < n; i++) {
        struct buf b = BUF_INIT(FOLDER_MAX_BYTES);
        const char *end = chance(w, 30) ? "\r\n" : "\n";
        if (w->out_header) {
            for (size_t c = 0; c < w->n_columns; c++) {
                if (c > 0) {
                    buf_putc(&b, w->delim);
                }
                buf_str_add(&b, quoted(w, w->names[c], false).raw);
            }
            buf_puts(&b, end);
        }
        unsigned rows = pick(w, 80);
        for (unsigned k = 0; k < rows; k++) {
            struct row r = any_row(w);
            if (ordered) {
                next += 1 + pick(w, 3);
                r.f[w->key[0]] = quoted(w, arena_printf(w->arena, "%u", next), chance(w, 5));
            }
            if (find(w, w->rows, w->n_rows, &r)) {
                continue;
            }
            model_put(w, &r);
            buf_str_add(&b, row_text(w, &r));
            buf_puts(&b, chance(w, 2) ? "\n\n" : end);
        }
        char *path = folder_write(&w->folder, "part", buf_str(&b), false);
        folder_add_part(&w->folder, path, STR_NONE, STR_NONE, -1);
        buf_fini(&b);
    }
}

/* ALTER TABLE … ADD COLUMN: rows that are there get the null text. */
static void add_column(struct world *w)
{
    if (w->n_columns == MAX_COLUMNS) {
        return;
    }
    w->altered = true;
    size_t c = w->n_columns++;
    for (size_t i = 0; i < w->n_rows; i++) {
        w->rows[i].f[c] = (struct field){ w->null_text, w->null_text };
    }
}

#endif
