#include "emulators/glue/glue_merge_table.h"

#include "emulators/facade/catalog.h"
#include "emulators/facade/s3.h"
#include "server/base/map.h"
#include "server/base/mem.h"
#include "server/core.h"

#define FOLDERS_UP_MAX 5 /* date partitions: up to YYYY/MM/DD/HH below the table's folder */

struct str merge_base_name(struct str key)
{
    size_t from = key.n;
    while (from > 0 && key.p[from - 1] != '/') {
        from--;
    }
    return str_sub(key, from, key.n);
}

/* "a/b/c.csv" → "a/b/"; "c.csv" → "" */
static struct str folder_of(struct str key)
{
    return str_sub(key, 0, key.n - merge_base_name(key).n);
}

/* "a/b/" → "a/" */
static struct str folder_above(struct str folder)
{
    return folder.n ? folder_of(str_sub(folder, 0, folder.n - 1)) : folder;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool merge_is_load(struct str key)
{
    struct str name = merge_base_name(key);
    if (str_starts(name, STR("SEGMENT"))) { /* parallel load of ranges without names */
        size_t i = sizeof("SEGMENT") - 1;
        while (i < name.n && is_digit(name.p[i])) {
            i++;
        }
        name = i < name.n && name.p[i] == '_' ? str_sub(name, i + 1, name.n) : name;
    }
    return str_starts(name, STR("LOAD"));
}

static bool is_csv(struct str key)
{
    return str_ends(key, STR(".csv")) || str_ends(key, STR(".csv.gz"));
}

/* --- date folders ----------------------------------------------------------------------------- */
/* The groups of digits at the end of a folder, from its last: "a/2026/11/20/" → "424"… as lengths;
 * 0 when the last component isn't made of digits and one kind of separator. */
static size_t digit_groups(struct str folder, size_t *lengths, size_t max)
{
    size_t n = 0;
    struct str inner = str_sub(folder, 0, folder.n - 1);
    while (inner.n && n < max) {
        size_t from = inner.n;
        while (from > 0 && is_digit(inner.p[from - 1])) {
            from--;
        }
        if (from == inner.n || (from > 0 && inner.p[from - 1] != '/')) {
            break;
        }
        lengths[n++] = inner.n - from;
        inner = str_sub(inner, 0, from ? from - 1 : 0);
    }
    return n;
}

/* Lengths of the groups of one sequence, last group first. */
static const struct {
    size_t n, length[4];
} sequences[] = {
    { 4, { 2, 2, 2, 4 } }, /* YYYYMMDDHH */
    { 3, { 2, 2, 4 } },    /* YYYYMMDD */
    { 3, { 2, 4, 2 } },    /* MMYYYYDD */
    { 3, { 4, 2, 2 } },    /* DDMMYYYY */
    { 2, { 2, 4 } },       /* YYYYMM */
};

static bool fits(size_t sequence, const size_t *lengths, size_t n)
{
    bool same = n >= sequences[sequence].n;
    for (size_t i = 0; same && i < sequences[sequence].n; i++) {
        same = lengths[i] == sequences[sequence].length[i];
    }
    return same;
}

/* "2026-11-20", "2026_11_20_09", "20261120": a date in one component? */
static bool is_date(struct str name)
{
    size_t lengths[4], n = 0, digits = 0, run = 0;
    char separator = '\0';
    for (size_t i = name.n; i > 0; i--) {
        char c = name.p[i - 1];
        if (is_digit(c)) {
            run++;
            digits++;
            continue;
        }
        if ((c != '-' && c != '_') || (separator && c != separator) || n == 3) {
            return false;
        }
        separator = c;
        lengths[n++] = run;
        run = 0;
    }
    if (!separator) { /* DatePartitionDelimiter NONE */
        return digits == 6 || digits == 8 || digits == 10;
    }
    lengths[n++] = run;
    for (size_t i = 0; i < ARRAY_LEN(sequences); i++) {
        if (n == sequences[i].n && fits(i, lengths, n)) {
            return true;
        }
    }
    return false;
}

/* The folder without the date at its end. */
static struct str without_date(struct str folder)
{
    size_t lengths[4];
    if (folder.n == 0) {
        return folder;
    }
    if (is_date(merge_base_name(str_sub(folder, 0, folder.n - 1)))) {
        return folder_above(folder);
    }
    size_t n = digit_groups(folder, lengths, ARRAY_LEN(lengths));
    for (size_t i = 0; i < ARRAY_LEN(sequences); i++) {
        if (fits(i, lengths, n)) {
            for (size_t up = 0; up < sequences[i].n; up++) {
                folder = folder_above(folder);
            }
            return folder;
        }
    }
    return folder;
}

/* --- the table's folder ----------------------------------------------------------------------- */
static bool has_load(struct glue_active *a, struct str bucket, struct str folder)
{
    struct s3_object o, *found = &o;
    size_t n = 0;
    struct s3_object_range loads = {
        .bucket = bucket,
        .prefix = arena_printf(a->arena, "%.*sLOAD", STR_ARG(folder)),
        .limit = 1,
    };
    return s3_object_list(core_db(a->glue->core), a->arena, &loads, &found, &n) == ST_OK && n > 0;
}

static bool is_noted(struct glue_active *a, struct str bucket, struct str folder)
{
    struct catalog_table t;
    struct str location =
        arena_printf(a->arena, "s3://%.*s/%.*s", STR_ARG(bucket), STR_ARG(folder));
    return catalog_find_table(a->glue->core, a->arena, location, &t) == ST_OK;
}

/* The folder that DMS noted, else that of the LOAD files, else that above the date folders. */
static struct str table_folder(struct glue_active *a, struct str bucket, struct str own)
{
    bool (*const signs[])(struct glue_active *, struct str, struct str) = { is_noted, has_load };
    for (size_t s = 0; s < ARRAY_LEN(signs); s++) {
        struct str folder = own;
        for (int up = 0; up < FOLDERS_UP_MAX && folder.n; up++) {
            if (signs[s](a, bucket, folder)) {
                return folder;
            }
            folder = folder_above(folder);
        }
    }
    struct str folder = without_date(own);
    return folder.n ? folder : own;
}

bool merge_table_has(const struct merge_table *t, bool noted, struct str key)
{
    struct str folder = folder_of(key);
    if (!is_csv(key) || !str_starts(key, t->source_prefix)) {
        return false;
    }
    /* Folders of partitions and segments only where DMS says that this is a table's folder. */
    return noted || str_eq(folder, t->source_prefix) ||
           str_eq(without_date(folder), t->source_prefix);
}

/* --- where the data set goes ------------------------------------------------------------------ */
/* Last and last but one folder: table and schema. */
static void names_of(struct str folder, struct str *ret_schema, struct str *ret_table)
{
    struct str inner = folder.n ? str_sub(folder, 0, folder.n - 1) : STR("");
    *ret_table = merge_base_name(inner);
    struct str outer = folder_of(inner);
    *ret_schema = outer.n ? merge_base_name(str_sub(outer, 0, outer.n - 1)) : STR("");
}

/* Replaces `name` wherever it stands. */
static struct str expand(struct arena *a, struct str text, struct str name, struct str value)
{
    struct str done = STR("");
    for (ptrdiff_t at = str_find_str(text, name); at >= 0; at = str_find_str(text, name)) {
        struct str head = str_sub(text, 0, (size_t)at);
        done = arena_printf(a, "%.*s%.*s%.*s", STR_ARG(done), STR_ARG(head), STR_ARG(value));
        text = str_sub(text, (size_t)at + name.n, text.n);
    }
    return arena_join(a, done, text);
}

/* "{…}" that is none of ours would become a folder of that name. */
static enum status check_placeholders(struct glue_active *a, struct str text, struct str *ret_error)
{
    ptrdiff_t open = str_find(text, '{', 0);
    ptrdiff_t close = open < 0 ? -1 : str_find(text, '}', (size_t)open);
    if (close < 0) {
        return ST_OK;
    }
    struct str name = str_sub(text, (size_t)open, (size_t)close + 1);
    if (str_eqz(name, "{schema}") || str_eqz(name, "{table}")) {
        return check_placeholders(a, str_sub(text, (size_t)close + 1, text.n), ret_error);
    }
    *ret_error = arena_printf(
        a->arena, "--final_path: %.*s is none of the placeholders {schema} and {table}.",
        STR_ARG(name));
    return ST_INVALID;
}

static void set_places(struct glue_active *a, const struct merge_args *args, struct merge_table *t)
{
    struct str schema, table;
    names_of(t->source_prefix, &schema, &table);
    struct str prefix = expand(a->arena, args->final_prefix, STR("{schema}"), schema);
    prefix = expand(a->arena, prefix, STR("{table}"), table);
    t->final_bucket = args->final_bucket;
    t->final_prefix = prefix.n && prefix.p[prefix.n - 1] != '/'
                          ? arena_printf(a->arena, "%.*s/", STR_ARG(prefix))
                          : prefix;
    t->location = arena_printf(a->arena, "s3://%.*s/%.*s", STR_ARG(t->final_bucket),
                               STR_ARG(t->final_prefix));
    t->source = arena_printf(a->arena, "s3://%.*s/%.*s", STR_ARG(t->source_bucket),
                             STR_ARG(t->source_prefix));
}

/* Would a search below the source path find the run's own output? */
static enum status check_apart(struct glue_active *a, const struct merge_args *args,
                               struct str *ret_error)
{
    ptrdiff_t open = str_find(args->final_prefix, '{', 0);
    struct str fixed = open < 0 ? args->final_prefix : str_sub(args->final_prefix, 0, (size_t)open);
    if (!str_eq(args->final_bucket, args->source_bucket) ||
        !str_starts(fixed, args->source_prefix)) {
        return ST_OK;
    }
    *ret_error = arena_printf(a->arena,
                              "--final_path s3://%.*s/%.*s lies below --source_path: the merge "
                              "would take its own output for tables.",
                              STR_ARG(args->final_bucket), STR_ARG(args->final_prefix));
    return ST_INVALID;
}

/* --- the tables of a run ---------------------------------------------------------------------- */
static enum status check_places(struct glue_active *a, const struct merge_table *t, size_t n,
                                struct str *ret_error)
{
    for (size_t i = 0; i < n; i++) {
        if (str_starts(t[i].location, t[i].source) || str_starts(t[i].source, t[i].location)) {
            *ret_error = arena_printf(
                a->arena,
                "--final_path %.*s and the table's folder %.*s lie within each other: the merge "
                "would take its own output for changes.",
                STR_ARG(t[i].location), STR_ARG(t[i].source));
            return ST_INVALID;
        }
        if (i > 0 && str_eq(t[i].location, t[0].location)) {
            *ret_error =
                arena_printf(a->arena,
                             "%.*s and %.*s would both go to %.*s: put {table} (and "
                             "{schema}) into --final_path.",
                             STR_ARG(t[0].source), STR_ARG(t[i].source), STR_ARG(t[i].location));
            return ST_INVALID;
        }
    }
    return ST_OK;
}

static enum status find_all(struct glue_active *a, const struct merge_args *args,
                            struct merge_table **ret, size_t *ret_n)
{
    struct s3_object *o;
    size_t n;
    struct s3_object_range all = { .bucket = args->source_bucket, .prefix = args->source_prefix };
    enum status st = s3_object_list(core_db(a->glue->core), a->arena, &all, &o, &n);
    struct map seen;
    struct str last = STR_NONE;
    map_init(&seen);
    for (size_t i = 0; st == ST_OK && i < n; i++) {
        struct str own = folder_of(o[i].key);
        if (!is_csv(o[i].key) || str_eq(own, last)) {
            continue;
        }
        last = own;
        struct merge_table t = { .source_bucket = args->source_bucket,
                                 .source_prefix = table_folder(a, args->source_bucket, own) };
        if (map_put(&seen, t.source_prefix, a) == NULL) {
            set_places(a, args, &t);
            ARENA_GROW(a->arena, *ret, *ret_n);
            (*ret)[(*ret_n)++] = t;
        }
    }
    map_fini(&seen);
    return st;
}

enum status merge_tables(struct glue_active *a, const struct merge_args *args,
                         struct merge_table **ret, size_t *ret_n, struct str *ret_error)
{
    *ret = NULL;
    *ret_n = 0;
    enum status st = check_placeholders(a, args->final_prefix, ret_error);
    if (st != ST_OK) {
        return st;
    }
    if (str_set(args->key) && str_ends(args->key, STR("/"))) {
        glue_log(a, GLUE_OUTPUT, "Nothing to do: %.*s is a folder marker.", STR_ARG(args->key));
        return ST_OK;
    }
    if (str_set(args->key) && !is_csv(args->key)) {
        *ret_error = arena_printf(
            a->arena, "s3://%.*s/%.*s: cistern-merge reads .csv and .csv.gz files only.",
            STR_ARG(args->bucket), STR_ARG(args->key));
        return ST_INVALID;
    }
    if (str_set(args->key)) {
        struct merge_table *t = ARENA_NEW(a->arena, struct merge_table);
        *t = (struct merge_table){ .source_bucket = args->bucket, .called_for = args->key };
        t->source_prefix = table_folder(a, args->bucket, folder_of(args->key));
        set_places(a, args, t);
        *ret = t;
        *ret_n = 1;
    } else {
        st = check_apart(a, args, ret_error);
        st = st == ST_OK ? find_all(a, args, ret, ret_n) : st;
    }
    if (st != ST_OK) {
        return st;
    }
    if (*ret_n == 0) {
        *ret_error =
            arena_printf(a->arena,
                         "--source_path s3://%.*s/%.*s: there is no .csv or .csv.gz object "
                         "below.",
                         STR_ARG(args->source_bucket), STR_ARG(args->source_prefix));
        return ST_NOT_FOUND;
    }
    return check_places(a, *ret, *ret_n, ret_error);
}
