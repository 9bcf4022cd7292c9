#include "emulators/glue/merge/merge_rows.h"

#include "server/base/mem.h"

/* Appends what a row lacks: `n` columns of null text. */
static void add_nulls(struct merge_env *env, struct buf *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_putc(b, env->delim);
        buf_str_add(b, env->job->spec.null_text);
    }
}

/* A record that is taken apart. */
struct split {
    const struct csv_reader *reader;
    const struct csv_row *raw;
    const struct csv_field *field;
    struct buf *scratch;
};

/* Puts the key of the fields at[0..n_key) into *key. */
static enum status row_key(struct merge_env *env, struct split s, const size_t *at,
                           struct merge_key *key)
{
    const struct merge_set *set = &env->set;
    size_t bytes = 0;
    merge_key_clear(key);
    for (size_t i = 0; i < set->n_key; i++) {
        struct str value = csv_value(s.raw->rec, s.field[at[i]], s.scratch);
        bytes += value.n;
        if (bytes > MERGE_MAX_KEY_BYTES) {
            return merge_fail(env, ST_INVALID, s.reader->name, s.raw->line,
                              "the primary key is longer than %u bytes", MERGE_MAX_KEY_BYTES);
        }
        merge_key_add(key, value);
    }
    merge_key_seal(key);
    if (bytes == 0) {
        struct str name = set->names ? set->names[set->key[0]] : STR_NONE;
        return merge_fail(env, ST_INVALID, s.reader->name, s.raw->line,
                          "the primary key is empty (column %zu%s%.*s)", set->key[0] + 1,
                          str_set(name) ? " " : "", STR_ARG(name));
    }
    return ST_OK;
}

/* --- load and change files ----------------------------------------------------------------- */

static void rows_init(struct merge_rows *r, struct merge_env *env)
{
    *r = (struct merge_rows){ .env = env };
    buf_init(&r->built, 2 * (size_t)MERGE_MAX_RECORD_BYTES);
    buf_init(&r->scratch, MERGE_MAX_RECORD_BYTES);
    r->fields.max = MERGE_MAX_FIELDS;
    r->fields.field = xmalloc(MERGE_MAX_FIELDS * sizeof *r->fields.field);
}

void merge_rows_init(struct merge_rows *r, struct merge_env *env)
{
    rows_init(r, env);
    csv_reader_init(&r->reader, env);
}

enum status merge_rows_open(struct merge_rows *r, struct merge_env *env,
                            const struct merge_file *file)
{
    rows_init(r, env);
    r->file = file;
    enum status st = csv_reader_open(&r->reader, env, file->in->path, merge_input_name(file->in),
                                     file->in->gzip);
    if (st == ST_OK && file->header) {
        st = csv_reader_next(&r->reader, &r->raw);
        st = st == ST_NOT_FOUND ? ST_OK : st;
    }
    return st;
}

static enum status bad_row(struct merge_rows *r, const char *reason)
{
    return merge_fail(r->env, ST_INVALID, r->reader.name, r->raw.line, "%s", reason);
}

static enum status split_row(struct merge_rows *r)
{
    csv_reason why = csv_split(r->raw.rec, r->env->delim, r->raw.quoted, 0, &r->fields);
    size_t n = r->fields.n;
    if (why) {
        return bad_row(r, why);
    }
    if (n != r->file->n_fields) {
        return merge_fail(r->env, ST_INVALID, r->reader.name, r->raw.line,
                          "%zu field%s, but the file's first record has %zu", n, n == 1 ? "" : "s",
                          r->file->n_fields);
    }
    return ST_OK;
}

static enum status row_kind(struct merge_rows *r)
{
    if (r->file->op == NO_FIELD) {
        r->kind = r->file->load ? KIND_BASE : KIND_PUT;
        return ST_OK;
    }
    struct str op = csv_value(r->raw.rec, r->fields.field[r->file->op], &r->scratch);
    char c = '\0';
    if (op.n == 1) {
        c = op.p[0];
    }
    if (r->file->load && c == 'I') {
        r->kind = KIND_BASE;
        return ST_OK;
    }
    if (!r->file->load && (c == 'I' || c == 'U' || c == 'D')) {
        r->kind = (enum merge_kind)c;
        return ST_OK;
    }
    struct str shown = str_sub(op, 0, 40);
    return merge_fail(r->env, ST_INVALID, r->reader.name, r->raw.line,
                      "operation \"%.*s\" in field %zu is not %s", STR_ARG(shown), r->file->op + 1,
                      r->file->load ? "I, the only one in a full load" : "I, U or D");
}

/* The record's fields in the order of the set. */
static enum status row_text(struct merge_rows *r)
{
    const struct merge_file *file = r->file;
    const struct merge_set *set = &r->env->set;
    struct str rec = r->raw.rec;
    const struct csv_field *f = r->fields.field;
    if (r->kind == KIND_DELETE) {
        r->row = STR("");
        return ST_OK;
    }
    if (file->straight) {
        size_t from = f[file->column[0]].off;
        const struct csv_field *last = &f[file->column[0] + file->n_column - 1];
        r->row = (struct str){ rec.p + from, last->off + last->n - from };
        if (file->n_column == set->n) {
            return ST_OK;
        }
        buf_clear(&r->built);
        buf_str_add(&r->built, r->row);
    } else {
        buf_clear(&r->built);
        for (size_t i = 0; i < file->n_column; i++) {
            size_t at = file->column[i];
            if (i > 0) {
                buf_putc(&r->built, r->env->delim);
            }
            buf_str_add(&r->built, at == NO_FIELD ? r->env->job->spec.null_text
                                                  : str_sub(rec, f[at].off, f[at].off + f[at].n));
        }
    }
    add_nulls(r->env, &r->built, set->n - file->n_column);
    if (!buf_ok(&r->built)) {
        return merge_fail(r->env, ST_NOMEM, r->reader.name, r->raw.line, "the row is too long");
    }
    r->row = buf_str(&r->built);
    return ST_OK;
}

static struct split split_of(struct merge_rows *r)
{
    return (struct split){ &r->reader, &r->raw, r->fields.field, &r->scratch };
}

static enum status row_old_key(struct merge_rows *r)
{
    r->has_old_key = false;
    if (!r->file->has_old_key || r->kind != KIND_UPDATE) {
        return ST_OK;
    }
    struct str null_text = r->env->job->spec.null_text;
    bool given = false;
    for (size_t i = 0; i < r->env->set.n_key; i++) {
        struct csv_field f = r->fields.field[r->file->old_key[i]];
        struct str raw = str_sub(r->raw.rec, f.off, f.off + f.n);
        given = given || (raw.n > 0 && !str_eq(raw, null_text));
    }
    if (!given) {
        return ST_OK;
    }
    enum status st = row_key(r->env, split_of(r), r->file->old_key, &r->old_key);
    r->has_old_key = st == ST_OK && merge_key_cmp(&r->key, &r->old_key) != 0;
    return st;
}

enum status merge_rows_next(struct merge_rows *r)
{
    enum status st = csv_reader_next(&r->reader, &r->raw);
    if (st == ST_OK) {
        st = split_row(r);
    }
    if (st == ST_OK) {
        st = row_kind(r);
    }
    if (st == ST_OK) {
        st = row_key(r->env, split_of(r), r->file->key, &r->key);
    }
    if (st == ST_OK) {
        st = row_old_key(r);
    }
    return st == ST_OK ? row_text(r) : st;
}

void merge_rows_close(struct merge_rows *r)
{
    if (!r->env) {
        return;
    }
    csv_reader_close(&r->reader);
    buf_fini(&r->built);
    buf_fini(&r->scratch);
    merge_key_fini(&r->key);
    merge_key_fini(&r->old_key);
    free(r->fields.field);
    r->env = NULL;
}

/* --- parts of the data set ----------------------------------------------------------------- */

/* The part's first record must name the columns that the set had. */
static enum status check_header(struct merge_part_rows *r)
{
    const struct merge_set *set = &r->env->set;
    enum status st = csv_reader_next(&r->reader, &r->raw);
    if (st != ST_OK) {
        return st == ST_NOT_FOUND ? ST_OK : st;
    }
    csv_reason why = csv_split(r->raw.rec, r->env->delim, r->raw.quoted, 0, &r->fields);
    size_t n = r->fields.n;
    bool same = !why && n == set->n_part;
    for (size_t i = 0; i < n && same; i++) {
        same = str_eq(csv_value(r->raw.rec, r->fields.field[i], &r->scratch), set->part_names[i]);
    }
    if (same) {
        return ST_OK;
    }
    struct str list = merge_name_list(r->env, set->part_names, set->n_part);
    return merge_fail(r->env, ST_INVALID, r->reader.name, 1,
                      "the part does not begin with the header of the data set (%.*s)",
                      STR_ARG(list));
}

enum status merge_part_rows_open(struct merge_part_rows *r, struct merge_env *env,
                                 const struct merge_part *part)
{
    const struct merge_set *set = &env->set;
    *r = (struct merge_part_rows){ .env = env, .widen = set->part_field || set->n > set->n_before };
    buf_init(&r->built, 2 * (size_t)MERGE_MAX_RECORD_BYTES);
    buf_init(&r->scratch, MERGE_MAX_RECORD_BYTES);
    r->fields.max = MERGE_MAX_FIELDS;
    r->fields.field = xmalloc(MERGE_MAX_FIELDS * sizeof *r->fields.field);
    for (size_t i = 0; i < set->n_key; i++) {
        r->key_at[i] = set->key[i];
        if (set->part_field && set->key[i] < set->n_part_field) {
            r->key_at[i] = set->part_field[set->key[i]];
        } else if (set->part_field) {
            return merge_fail(env, ST_INVALID, merge_part_name(part), 0,
                              "the data set has no column for the primary key %.*s",
                              STR_ARG(set->names[set->key[i]]));
        }
        r->n_head = r->key_at[i] >= r->n_head ? r->key_at[i] + 1 : r->n_head;
    }
    r->quick = set->n_key == 1 && !r->widen;
    enum status st = csv_reader_open(&r->reader, env, part->path, merge_part_name(part), false);
    return st == ST_OK && env->job->spec.output_header ? check_header(r) : st;
}

/* The record with the columns that the set has now. */
static enum status reshape_row(struct merge_part_rows *r)
{
    const struct merge_set *set = &r->env->set;
    buf_clear(&r->built);
    for (size_t i = 0; i < set->n_part_field; i++) {
        const struct csv_field *f = &r->fields.field[set->part_field[i]];
        if (i > 0) {
            buf_putc(&r->built, r->env->delim);
        }
        buf_str_add(&r->built, str_sub(r->raw.rec, f->off, f->off + f->n));
    }
    add_nulls(r->env, &r->built, set->n - set->n_part_field);
    r->row = buf_str(&r->built);
    return buf_ok(&r->built)
               ? ST_OK
               : merge_fail(r->env, ST_NOMEM, r->reader.name, r->raw.line, "the row is too long");
}

enum status merge_part_rows_next(struct merge_part_rows *r)
{
    struct merge_env *env = r->env;
    enum status st = csv_reader_next(&r->reader, &r->raw);
    if (st != ST_OK) {
        return st;
    }
    csv_reason why =
        csv_split(r->raw.rec, env->delim, r->raw.quoted, r->widen ? 0 : r->n_head, &r->fields);
    size_t n = r->fields.n;
    if (why) {
        return merge_fail(env, ST_INVALID, r->reader.name, r->raw.line, "%s", why);
    }
    size_t most = env->set.part_field ? env->set.n_part : env->set.n;
    if (n < r->n_head || (r->widen && n > most) || (env->set.part_field && n < most)) {
        return merge_fail(env, ST_INVALID, r->reader.name, r->raw.line,
                          "%zu field%s where the data set has %zu columns", n, n == 1 ? "" : "s",
                          env->set.n_part);
    }
    r->row = r->raw.rec;
    if (env->set.part_field) {
        st = reshape_row(r);
    } else if (r->widen) {
        buf_clear(&r->built);
        buf_str_add(&r->built, r->raw.rec);
        add_nulls(env, &r->built, env->set.n - n);
        r->row = buf_str(&r->built);
    }
    struct split split = { &r->reader, &r->raw, r->fields.field, &r->scratch };
    return st == ST_OK ? row_key(env, split, r->key_at, &r->key) : st;
}

/* Where the key begins in a record without quotes; NULL: nowhere. */
static const char *key_field(const char *p, const char *end, char delim, size_t column)
{
    for (; column > 0 && p; column--) {
        p = memchr(p, delim, (size_t)(end - p));
        p = p ? p + 1 : NULL;
    }
    return p;
}

struct merge_run merge_part_rows_run(const struct merge_part_rows *r, uint64_t after,
                                     uint64_t below, uint64_t max_bytes)
{
    const struct csv_reader *in = &r->reader;
    const char delim = r->env->delim;
    const size_t column = r->env->set.key[0];
    const char *begin = in->win + in->begin;
    const char *p = begin;
    struct merge_run run = { 0 };
    for (size_t i = in->at; i < in->ix->n && (uint64_t)(p - begin) < max_bytes; i++) {
        const struct csv_mark *m = &in->ix->mark[i];
        const char *end = in->win + in->base + m->end;
        if (end - p < 2 || end[-2] == '\r' || (column > 0 && m->quoted)) {
            break;
        }
        uint64_t prefix;
        const char *field = key_field(p, end, delim, column);
        if (!field || !merge_key_quick(field, end, delim, m->quoted, &prefix) || prefix <= after ||
            prefix >= below) {
            break;
        }
        run.first = run.rows == 0 ? prefix : run.first;
        run.last = after = prefix;
        run.rows++;
        p = end;
    }
    run.bytes = (struct str){ begin, (size_t)(p - begin) };
    return run;
}

enum status merge_part_rows_key(struct merge_part_rows *r, const struct merge_run *run, bool last,
                                struct merge_key *key)
{
    if (merge_key_from_quick(key, last ? run->last : run->first)) {
        return ST_OK;
    }
    const struct csv_reader *in = &r->reader;
    size_t i = in->at + (last ? run->rows - 1 : 0);
    size_t from = i > in->at ? in->base + in->ix->mark[i - 1].end : in->begin;
    size_t to = in->base + in->ix->mark[i].end;
    struct csv_row row = {
        .rec = csv_chomp(in->win + from, to - from),
        .line = in->line,
        .quoted = in->ix->mark[i].quoted,
    };
    csv_reason why = csv_split(row.rec, r->env->delim, row.quoted, r->n_head, &r->fields);
    if (why || r->fields.n < r->n_head) {
        return merge_fail(r->env, ST_INVALID, in->name, in->line, "%s",
                          why ? why : "fewer fields than the data set has columns");
    }
    struct split split = { in, &row, r->fields.field, &r->scratch };
    return row_key(r->env, split, r->env->set.key, key);
}

void merge_part_rows_close(struct merge_part_rows *r)
{
    if (!r->env) {
        return;
    }
    csv_reader_close(&r->reader);
    buf_fini(&r->built);
    buf_fini(&r->scratch);
    merge_key_fini(&r->key);
    free(r->fields.field);
    r->env = NULL;
}
