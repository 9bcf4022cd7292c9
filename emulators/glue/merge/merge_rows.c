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

enum status merge_rows_open(struct merge_rows *r, struct merge_env *env,
                            const struct merge_file *file)
{
    *r = (struct merge_rows){ .env = env, .file = file };
    buf_init(&r->built, 2 * (size_t)MERGE_MAX_RECORD_BYTES);
    buf_init(&r->scratch, MERGE_MAX_RECORD_BYTES);
    r->fields.max = MERGE_MAX_FIELDS;
    r->fields.field = xmalloc(MERGE_MAX_FIELDS * sizeof *r->fields.field);
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
    bool same = !why && n == set->n_before;
    for (size_t i = 0; i < n && same; i++) {
        same = str_eq(csv_value(r->raw.rec, r->fields.field[i], &r->scratch), set->names[i]);
    }
    if (same) {
        return ST_OK;
    }
    struct str list = merge_name_list(r->env, set->names, set->n_before);
    return merge_fail(r->env, ST_INVALID, r->reader.name, 1,
                      "the part does not begin with the header of the data set (%.*s)",
                      STR_ARG(list));
}

enum status merge_part_rows_open(struct merge_part_rows *r, struct merge_env *env,
                                 const struct merge_part *part)
{
    const struct merge_set *set = &env->set;
    *r = (struct merge_part_rows){ .env = env, .widen = set->n > set->n_before };
    buf_init(&r->built, 2 * (size_t)MERGE_MAX_RECORD_BYTES);
    buf_init(&r->scratch, MERGE_MAX_RECORD_BYTES);
    r->fields.max = MERGE_MAX_FIELDS;
    r->fields.field = xmalloc(MERGE_MAX_FIELDS * sizeof *r->fields.field);
    for (size_t i = 0; i < set->n_key; i++) {
        r->n_head = set->key[i] >= r->n_head ? set->key[i] + 1 : r->n_head;
    }
    enum status st = csv_reader_open(&r->reader, env, part->path, merge_part_name(part), false);
    return st == ST_OK && env->job->spec.output_header ? check_header(r) : st;
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
    if (n < r->n_head || (r->widen && n > env->set.n)) {
        return merge_fail(env, ST_INVALID, r->reader.name, r->raw.line,
                          "%zu field%s where the data set has %zu columns", n, n == 1 ? "" : "s",
                          env->set.n_before);
    }
    r->row = r->raw.rec;
    if (r->widen) {
        buf_clear(&r->built);
        buf_str_add(&r->built, r->raw.rec);
        add_nulls(env, &r->built, env->set.n - n);
        r->row = buf_str(&r->built);
    }
    struct split split = { &r->reader, &r->raw, r->fields.field, &r->scratch };
    return row_key(env, split, env->set.key, &r->key);
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
