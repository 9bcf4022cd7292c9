#include "emulators/glue/merge/merge_layout.h"

#include "emulators/glue/merge/csv_reader.h"
#include "server/base/mem.h"

/* The first record of a file, taken apart. */
struct head {
    struct str *value; /* unquoted */
    size_t n;
};

/* Roles of a header's fields while they are sorted out. */
enum role {
    ROLE_DATA,
    ROLE_OP,
    ROLE_TIME,
    ROLE_BEFORE,
    ROLE_NONE, /* a column that was dropped since */
};

size_t merge_find_name(const struct str *names, size_t n, struct str name)
{
    size_t found = NO_FIELD;
    bool several = false;
    for (size_t i = 0; i < n; i++) {
        if (str_eq(names[i], name)) {
            return i;
        }
        if (str_ieq(names[i], name)) {
            several = found != NO_FIELD;
            found = i;
        }
    }
    return several ? NO_FIELD : found;
}

struct str merge_name_list(struct merge_env *env, const struct str *names, size_t n)
{
    struct buf b = BUF_INIT(400);
    for (size_t i = 0; i < n && buf_ok(&b); i++) {
        buf_puts(&b, i ? ", " : "");
        buf_str_add(&b, names[i]);
    }
    struct str text = arena_str(env->arena, buf_str(&b));
    if (!buf_ok(&b)) {
        text = arena_printf(env->arena, "%.*s, …", STR_ARG(text));
    }
    buf_fini(&b);
    return text;
}

static struct str op_name(const struct merge_env *env)
{
    return str_set(env->job->spec.op_name) ? env->job->spec.op_name : STR("Op");
}

/* Splits a record and copies its values; they live as long as the attempt. */
static enum status take_head(struct merge_env *env, const struct csv_reader *r,
                             const struct csv_row *row, struct head *ret)
{
    struct csv_fields f = { .max = MERGE_MAX_FIELDS };
    f.field = xmalloc(MERGE_MAX_FIELDS * sizeof *f.field);
    struct buf scratch = BUF_INIT(MERGE_MAX_RECORD_BYTES);
    csv_reason why = csv_split(row->rec, env->delim, row->quoted, 0, &f);
    enum status st = ST_OK;
    if (why) {
        st = merge_fail(env, ST_INVALID, r->name, row->line, "%s", why);
    } else {
        ret->n = f.n;
        ret->value = ARENA_ARRAY(env->arena, struct str, f.n);
        for (size_t i = 0; i < f.n; i++) {
            ret->value[i] = arena_str(env->arena, csv_value(row->rec, f.field[i], &scratch));
        }
    }
    free(f.field);
    buf_fini(&scratch);
    return st;
}

/* The first record of a file; ST_NOT_FOUND when it has none. */
static enum status read_head(struct merge_env *env, const char *path, struct str name, bool gzip,
                             struct head *ret)
{
    struct csv_reader r = { 0 };
    struct csv_row row;
    enum status st = csv_reader_open(&r, env, path, name, gzip);
    if (st == ST_OK) {
        st = csv_reader_next(&r, &row);
    }
    if (st == ST_OK) {
        st = take_head(env, &r, &row, ret);
    }
    if (st == ST_OK && !ret->value) {
        st = ST_NOT_FOUND;
    }
    csv_reader_close(&r);
    return st;
}

/* --- the set ------------------------------------------------------------------------------- */

static enum status too_many(struct merge_env *env, struct str name, size_t n)
{
    return merge_fail(env, ST_INVALID, name, 0, "%zu columns; the limit is %u", n,
                      MERGE_MAX_COLUMNS);
}

enum status merge_set_columns(struct merge_env *env, struct str file, const struct str *names,
                              size_t n)
{
    struct merge_set *set = &env->set;
    if (n > MERGE_MAX_COLUMNS) {
        return too_many(env, file, n);
    }
    if (names) {
        struct str *copy = ARENA_ARRAY(env->arena, struct str, n);
        memcpy(copy, names, n * sizeof *names);
        set->names = copy;
    }
    set->n = n;
    return ST_OK;
}

/* Names for a set of n columns whose files have no header; NULL when the catalog has too few. */
static const struct str *catalog_names(struct merge_env *env, size_t n)
{
    const struct merge_spec *spec = &env->job->spec;
    if (spec->n_columns >= n) {
        return spec->columns;
    }
    if (spec->n_columns > 0) {
        merge_log(env, MERGE_LOG_WARN,
                  "%zu column names are given, but the rows have %zu columns: names not used",
                  spec->n_columns, n);
    }
    return NULL;
}

/* Columns of the parts that have another name now, or went. */
static void reshape(struct merge_env *env)
{
    const struct merge_spec *spec = &env->job->spec;
    struct merge_set *set = &env->set;
    if (!spec->columns_now || !set->names || set->n != spec->n_columns) {
        return;
    }
    size_t *field = ARENA_ARRAY(env->arena, size_t, set->n + 1);
    struct str *names = ARENA_ARRAY(env->arena, struct str, set->n + 1);
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++) {
        if (str_set(spec->columns_now[i])) {
            names[n] = spec->columns_now[i];
            field[n++] = i;
        } else {
            merge_log(env, MERGE_LOG_INFO, "column %.*s was dropped", STR_ARG(set->names[i]));
        }
    }
    set->names = names;
    if (n < set->n) {
        set->part_field = field;
        set->n_part_field = n;
        set->n_before = SIZE_MAX;
        set->n = n;
    } else if (spec->output_header) {
        set->part_field = field; /* only the header changes, but it is in every part */
        set->n_part_field = n;
        set->n_before = SIZE_MAX;
    }
}

enum status merge_layout_parts(struct merge_env *env)
{
    const struct merge_job *job = env->job;
    bool header = job->spec.output_header;
    for (size_t i = 0; i < job->n_parts; i++) {
        const struct merge_part *part = &job->parts[i];
        struct head head = { 0 };
        struct str name = merge_part_name(part);
        enum status st = read_head(env, part->path, name, false, &head);
        if (st == ST_NOT_FOUND) {
            continue;
        }
        if (st != ST_OK) {
            return st;
        }
        st = merge_set_columns(env, name, header ? head.value : catalog_names(env, head.n), head.n);
        env->set.n_before = env->set.n_part = env->set.n;
        env->set.part_names = env->set.names;
        if (st == ST_OK) {
            reshape(env);
        }
        return st;
    }
    return ST_OK;
}

/* A name for column i that no header gave. */
static struct str default_name(struct merge_env *env, size_t i)
{
    const struct merge_spec *spec = &env->job->spec;
    struct str name = i < spec->n_columns ? spec->columns[i] : STR_NONE;
    if (!str_set(name) || merge_find_name(env->set.names, env->set.n, name) != NO_FIELD) {
        name = arena_printf(env->arena, "_c%zu", i);
    }
    return name;
}

static enum status append_column(struct merge_env *env, struct str file, struct str name)
{
    struct merge_set *set = &env->set;
    if (set->n == MERGE_MAX_COLUMNS) {
        return too_many(env, file, set->n + 1);
    }
    if (set->names) {
        struct str *names = ARENA_ARRAY(env->arena, struct str, set->n + 1);
        memcpy(names, set->names, set->n * sizeof *names);
        names[set->n] = str_set(name) ? name : default_name(env, set->n);
        merge_log(env, MERGE_LOG_INFO, "%.*s: new column %.*s", STR_ARG(file),
                  STR_ARG(names[set->n]));
        set->names = names;
    } else {
        merge_log(env, MERGE_LOG_INFO, "%.*s: column %zu is new", STR_ARG(file), set->n + 1);
    }
    set->n++;
    return ST_OK;
}

/* --- is there a header, an Op, a timestamp? ------------------------------------------------ */

static const struct str *known_names(const struct merge_env *env, const struct merge_input *in,
                                     size_t *ret_n)
{
    const struct merge_spec *spec = &env->job->spec;
    if (in->n_columns) {
        *ret_n = in->n_columns;
        return in->columns;
    }
    *ret_n = env->set.names ? env->set.n : spec->n_columns;
    return env->set.names ? env->set.names : spec->columns;
}

/* Columns that a file should have; 0 when nobody knows. */
static size_t known_count(const struct merge_env *env, const struct merge_input *in)
{
    return in->n_columns ? in->n_columns : env->set.n ? env->set.n : env->job->spec.n_columns;
}

bool merge_column_number(struct str s, size_t *ret)
{
    uint64_t v = 0;
    struct str digits = str_starts(s, STR("_c")) ? str_sub(s, 2, s.n) : s;
    if (str_u64(digits, &v) != ST_OK || v >= MERGE_MAX_COLUMNS) {
        return false;
    }
    *ret = (size_t)v;
    return true;
}

static bool names_key(const struct merge_env *env, const struct head *h, const struct str *names)
{
    const struct merge_spec *spec = &env->job->spec;
    size_t number;
    for (size_t i = 0; i < spec->n_key; i++) {
        if (!merge_column_number(spec->key[i], &number) &&
            merge_find_name(h->value, h->n, spec->key[i]) == NO_FIELD) {
            return false;
        }
    }
    return spec->n_key > 0 || merge_find_name(h->value, h->n, names[0]) != NO_FIELD;
}

/* A record is a header when it consists of known names, or holds them all. */
static bool looks_like_header(const struct merge_env *env, const struct merge_input *in,
                              const struct head *h)
{
    if (str_eq(h->value[0], op_name(env))) {
        return true;
    }
    size_t n = 0;
    const struct str *names = known_names(env, in, &n);
    if (n == 0 || !names_key(env, h, names)) {
        return false;
    }
    size_t named = 0;
    size_t special = 0;
    for (size_t i = 0; i < h->n; i++) {
        bool time = str_set(env->job->spec.timestamp_name) &&
                    str_eq(h->value[i], env->job->spec.timestamp_name);
        special += time;
        named += !time && merge_find_name(names, n, h->value[i]) != NO_FIELD;
    }
    return named >= n || named + special == h->n;
}

static bool is_op_letter(struct str s)
{
    return s.n == 1 && (s.p[0] == 'I' || s.p[0] == 'U' || s.p[0] == 'D');
}

/* Can a record without header hold `rest` data fields, seen from what is known? */
static bool count_fits(const struct merge_env *env, const struct merge_input *in, size_t rest)
{
    const struct merge_spec *spec = &env->job->spec;
    size_t known = known_count(env, in);
    size_t n_key = spec->n_key ? spec->n_key : 1;
    return rest == known || (spec->before == MERGE_BEFORE_KEY && rest == known + n_key) ||
           (spec->before == MERGE_BEFORE_ALL && rest == 2 * known);
}

static bool guess_op(const struct merge_env *env, const struct merge_file *file,
                     const struct head *h)
{
    enum merge_tri said = file->load ? env->job->spec.load_op : env->job->spec.change_op;
    if (said != MERGE_AUTO) {
        return said == MERGE_YES;
    }
    size_t time = str_set(env->job->spec.timestamp_name);
    size_t rest = h->n - (h->n < time ? h->n : time);
    bool known = known_count(env, file->in) > 0;
    bool without = known && count_fits(env, file->in, rest);
    bool with = known && rest > 0 && count_fits(env, file->in, rest - 1);
    if (!file->load) {
        return is_op_letter(h->value[0]) || !without;
    }
    return str_eq(h->value[0], STR("I")) && (with || !without);
}

/* --- columns of an input ------------------------------------------------------------------- */

static enum role *header_roles(struct merge_env *env, struct merge_file *file, const struct head *h)
{
    const struct merge_spec *spec = &env->job->spec;
    enum merge_tri said = file->load ? spec->load_op : spec->change_op;
    enum role *role = ARENA_ARRAY(env->arena, enum role, h->n);
    for (size_t i = 0; i < h->n; i++) {
        if (file->op == NO_FIELD && said != MERGE_NO && str_eq(h->value[i], op_name(env))) {
            file->op = i;
            role[i] = ROLE_OP;
        } else if (file->time == NO_FIELD && str_set(spec->timestamp_name) &&
                   str_eq(h->value[i], spec->timestamp_name)) {
            file->time = i;
            role[i] = ROLE_TIME;
        }
    }
    size_t affix = spec->before_prefix.n + spec->before_suffix.n;
    for (size_t i = 0; i < h->n && spec->before != MERGE_BEFORE_NONE && affix > 0; i++) {
        struct str s = h->value[i];
        if (role[i] == ROLE_DATA && s.n > affix && str_starts(s, spec->before_prefix) &&
            str_ends(s, spec->before_suffix) &&
            merge_find_name(h->value, h->n,
                            str_sub(s, spec->before_prefix.n, s.n - spec->before_suffix.n)) !=
                NO_FIELD) {
            role[i] = ROLE_BEFORE;
        }
    }
    return role;
}

static enum status map_column(struct merge_env *env, struct merge_file *file, size_t column,
                              size_t field)
{
    if (file->column[column] != NO_FIELD) {
        return merge_fail(env, ST_INVALID, merge_input_name(file->in), 1,
                          "the header names column %.*s twice", STR_ARG(env->set.names[column]));
    }
    file->column[column] = field;
    return ST_OK;
}

static void new_columns(struct merge_env *env, struct merge_file *file, size_t n)
{
    file->column = ARENA_ARRAY(env->arena, size_t, n);
    file->n_column = n;
    for (size_t i = 0; i < n; i++) {
        file->column[i] = NO_FIELD;
    }
}

/* Columns of a file by the names in its header. */
static enum status map_by_name(struct merge_env *env, struct merge_file *file, const struct head *h,
                               const enum role *role)
{
    struct str name = merge_input_name(file->in);
    new_columns(env, file, env->set.n + h->n);
    enum status st = ST_OK;
    for (size_t i = 0; i < h->n && st == ST_OK; i++) {
        if (role[i] != ROLE_DATA) {
            continue;
        }
        size_t at = merge_find_name(env->set.names, env->set.n, h->value[i]);
        if (at == NO_FIELD) {
            at = env->set.n;
            st = append_column(env, name, h->value[i]);
        }
        if (st == ST_OK) {
            st = map_column(env, file, at, i);
        }
    }
    file->n_column = env->set.n;
    const struct merge_spec *spec = &env->job->spec;
    for (size_t i = 0; i < h->n && st == ST_OK; i++) {
        if (role[i] != ROLE_BEFORE) {
            continue;
        }
        if (!file->before) {
            file->before = ARENA_ARRAY(env->arena, size_t, file->n_column);
            memset(file->before, 0xff, file->n_column * sizeof *file->before); /* NO_FIELD */
        }
        struct str s = h->value[i];
        s = str_sub(s, spec->before_prefix.n, s.n - spec->before_suffix.n);
        size_t at = merge_find_name(env->set.names, env->set.n, s);
        if (at != NO_FIELD) {
            file->before[at] = i;
        }
    }
    return st;
}

/* Columns of a file by position: `data` fields of the file, in order; `names` may be NULL. */
static enum status map_by_position(struct merge_env *env, struct merge_file *file,
                                   const size_t *data, size_t n, const struct str *names)
{
    struct str name = merge_input_name(file->in);
    enum status st = ST_OK;
    if (env->set.n == 0) {
        st = merge_set_columns(env, name, names ? names : catalog_names(env, n), n);
    } else if (!env->set.names && names && n >= env->set.n) {
        st = merge_set_columns(env, name, names, env->set.n);
    }
    while (st == ST_OK && env->set.n < n) {
        st = append_column(env, name, names ? names[env->set.n] : STR_NONE);
    }
    if (st != ST_OK) {
        return st;
    }
    new_columns(env, file, n);
    memcpy(file->column, data, n * sizeof *data);
    if (n < env->set.n) {
        merge_log(env, MERGE_LOG_WARN, "%.*s: %zu columns where the data set has %zu: filled",
                  STR_ARG(name), n, env->set.n);
    }
    return ST_OK;
}

/* The caller's names go before those of the header, if there are as many. */
static void name_fields(struct merge_env *env, const struct merge_file *file, const struct head *h,
                        enum role *role)
{
    const struct merge_input *in = file->in;
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++) {
        n += role[i] == ROLE_DATA;
    }
    if (in->n_columns && n != in->n_columns) {
        merge_log(env, MERGE_LOG_WARN, "%.*s: %zu data fields where %zu columns are noted",
                  STR_ARG(merge_input_name(in)), n, in->n_columns);
        return;
    }
    for (size_t i = 0, k = 0; i < h->n && in->n_columns; i++) {
        if (role[i] == ROLE_DATA) {
            h->value[i] = in->columns[k++];
            role[i] = str_set(h->value[i]) ? ROLE_DATA : ROLE_NONE;
        }
    }
}

/* By the names that stand in h, whose fields have these roles. */
static enum status map_names(struct merge_env *env, struct merge_file *file, const struct head *h,
                             const enum role *role);

static enum status layout_header(struct merge_env *env, struct merge_file *file,
                                 const struct head *h)
{
    enum merge_tri said = file->load ? env->job->spec.load_op : env->job->spec.change_op;
    enum role *role = header_roles(env, file, h);
    name_fields(env, file, h, role);
    if (said == MERGE_YES && file->op == NO_FIELD) {
        return merge_fail(env, ST_INVALID, merge_input_name(file->in), 1,
                          "the header has no column %.*s", STR_ARG(op_name(env)));
    }
    return map_names(env, file, h, role);
}

static enum status map_names(struct merge_env *env, struct merge_file *file, const struct head *h,
                             const enum role *role)
{
    if (env->set.n > 0 && env->set.names) {
        return map_by_name(env, file, h, role);
    }
    size_t *data = ARENA_ARRAY(env->arena, size_t, h->n);
    struct str *names = ARENA_ARRAY(env->arena, struct str, h->n);
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++) {
        if (role[i] == ROLE_DATA) {
            names[n] = h->value[i];
            data[n++] = i;
        }
    }
    if (n == 0) {
        return merge_fail(env, ST_INVALID, merge_input_name(file->in), 1,
                          "the header names no data column");
    }
    for (size_t i = 1; i < n; i++) {
        if (merge_find_name(names, i, names[i]) != NO_FIELD &&
            str_eq(names[merge_find_name(names, i, names[i])], names[i])) {
            return merge_fail(env, ST_INVALID, merge_input_name(file->in), 1,
                              "the header names column %.*s twice", STR_ARG(names[i]));
        }
    }
    enum status st = map_by_position(env, file, data, n, names);
    /* With the names known now, a second look also finds the before images. */
    return st == ST_OK && env->set.names ? map_by_name(env, file, h, role) : st;
}

/* A file without header whose n columns from field `first` on are known to the caller. */
static enum status map_noted(struct merge_env *env, struct merge_file *file, struct head h,
                             size_t first)
{
    const struct merge_input *in = file->in;
    size_t n = in->n_columns;
    enum role *role = ARENA_ARRAY(env->arena, enum role, h.n);
    struct head names = { ARENA_ARRAY(env->arena, struct str, h.n), h.n };
    for (size_t i = 0; i < h.n; i++) {
        bool data = i >= first && i < first + n && str_set(in->columns[i - first]);
        role[i] = data ? ROLE_DATA : ROLE_NONE;
        names.value[i] = data ? in->columns[i - first] : STR_NONE;
    }
    enum status st = map_names(env, file, &names, role);
    if (st != ST_OK || !file->before) {
        return st;
    }
    size_t *before = ARENA_ARRAY(env->arena, size_t, file->n_column + 1);
    for (size_t c = 0; c < file->n_column; c++) {
        size_t at = file->column[c];
        before[c] = at == NO_FIELD ? NO_FIELD : file->before[at - first];
    }
    file->before = before;
    return ST_OK;
}

static enum status layout_plain(struct merge_env *env, struct merge_file *file,
                                const struct head *h)
{
    const struct merge_spec *spec = &env->job->spec;
    size_t first = 0;
    if (guess_op(env, file, h)) {
        file->op = first++;
    }
    if (str_set(spec->timestamp_name)) {
        file->time = first++;
    }
    if (h->n <= first) {
        return merge_fail(env, ST_INVALID, merge_input_name(file->in), 1,
                          "%zu field%s and no data column", h->n, h->n == 1 ? "" : "s");
    }
    size_t rest = h->n - first;
    size_t n = rest;
    size_t n_key = spec->n_key ? spec->n_key : 1;
    bool plain = rest == known_count(env, file->in) || spec->before == MERGE_BEFORE_NONE;
    if (!plain && spec->before == MERGE_BEFORE_KEY && rest > n_key) {
        n = rest - n_key;
        file->before_first = first + n;
    } else if (!plain && spec->before == MERGE_BEFORE_ALL && rest % 2 == 0) {
        n = rest / 2;
        file->before = ARENA_ARRAY(env->arena, size_t, n);
        for (size_t i = 0; i < n; i++) {
            file->before[i] = first + n + i;
        }
    }
    if (file->in->n_columns == n && (env->set.n == 0 || env->set.names)) {
        return map_noted(env, file, *h, first);
    }
    size_t *data = ARENA_ARRAY(env->arena, size_t, n);
    for (size_t i = 0; i < n; i++) {
        data[i] = first + i;
    }
    return map_by_position(env, file, data, n, NULL);
}

enum status merge_layout_input(struct merge_env *env, struct merge_file *file)
{
    struct head h = { 0 };
    struct str name = merge_input_name(file->in);
    file->op = file->time = file->before_first = NO_FIELD;
    enum status st = read_head(env, file->in->path, name, file->in->gzip, &h);
    if (st == ST_NOT_FOUND) {
        file->empty = true;
        return ST_OK;
    }
    if (st != ST_OK) {
        return st;
    }
    file->n_fields = h.n;
    enum merge_tri header = env->job->spec.header;
    file->header =
        header == MERGE_AUTO ? looks_like_header(env, file->in, &h) : header == MERGE_YES;
    st = file->header ? layout_header(env, file, &h) : layout_plain(env, file, &h);
    file->straight = st == ST_OK && file->n_column > 0 && file->column[0] != NO_FIELD;
    for (size_t i = 0; i < file->n_column && file->straight; i++) {
        file->straight = file->column[i] == file->column[0] + i;
    }
    if (st == ST_OK && arena_over(env->arena)) {
        st = merge_fail(env, ST_NOMEM, name, 1, "the column names are too long");
    }
    return st;
}
