#include "emulators/glue/glue_merge_plan.h"

#include <unistd.h>

#include "emulators/facade/catalog.h"
#include "emulators/glue/glue_merge_args.h"
#include "server/base/mem.h"
#include "server/core.h"

#define FOLDERS_UP_MAX 5 /* date partitions: up to YYYY/MM/DD/HH below the table's folder */

struct str merge_version(struct arena *a, const struct s3_object *o)
{
    return arena_printf(a, "%.*s-%lld", STR_ARG(o->etag), (long long)o->ref.mtime_ns);
}

static struct str base_name(struct str key)
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
    return str_sub(key, 0, key.n - base_name(key).n);
}

static bool is_load(struct str key)
{
    return str_starts(base_name(key), STR("LOAD"));
}

static bool is_csv(struct str key)
{
    return str_ends(key, STR(".csv")) || str_ends(key, STR(".csv.gz"));
}

/* --- the table's folder ------------------------------------------------------------------------
 */
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

/* The folder of the LOAD files: that of the object itself, or one above its date folders. */
static struct str table_folder(struct glue_active *a, struct str bucket, struct str key)
{
    struct str own = folder_of(key), folder = own;
    for (int up = 0; up < FOLDERS_UP_MAX && folder.n; up++) {
        if (has_load(a, bucket, folder)) {
            return folder;
        }
        folder = folder_of(str_sub(folder, 0, folder.n - 1));
    }
    return own;
}

/* Last and last but one folder: table and schema. */
static void names_of(struct str folder, struct str *ret_schema, struct str *ret_table)
{
    struct str inner = folder.n ? str_sub(folder, 0, folder.n - 1) : STR("");
    *ret_table = base_name(inner);
    struct str outer = folder_of(inner);
    *ret_schema = outer.n ? base_name(str_sub(outer, 0, outer.n - 1)) : STR("");
}

/* Replaces {schema} and {table}. */
static struct str expand(struct arena *a, struct str text, struct str name, struct str value)
{
    ptrdiff_t at = str_find_str(text, name);
    if (at < 0) {
        return text;
    }
    struct str head = str_sub(text, 0, (size_t)at);
    struct str tail = str_sub(text, (size_t)at + name.n, text.n);
    return arena_printf(a, "%.*s%.*s%.*s", STR_ARG(head), STR_ARG(value), STR_ARG(tail));
}

/* What the arguments leave open is taken from the catalog. ST_INVALID: the table is known to have
 * no key; to take its first column for one would make one row of many. */
static enum status ask_catalog(struct glue_active *a, struct merge_plan *plan,
                               struct str *ret_error)
{
    struct catalog_table t;
    enum status st = catalog_find_table(a->glue->core, a->arena, plan->dataset.source, &t);
    if (st != ST_OK) {
        return st == ST_NOT_FOUND ? ST_OK : st;
    }
    if (plan->spec.n_key == 0 && t.n_key == 0) {
        *ret_error = arena_printf(a->arena,
                                  "The source table of %.*s has no primary key, so changes cannot "
                                  "be matched with rows. Name the columns that identify a row in "
                                  "--primary_key a,b, or give the table a primary key and reload "
                                  "it.",
                                  STR_ARG(plan->dataset.source));
        return ST_INVALID;
    }
    if (plan->spec.n_columns == 0) {
        plan->spec.columns = t.columns;
        plan->spec.n_columns = t.n_columns;
    }
    if (plan->spec.n_key == 0) {
        plan->spec.key = t.key;
        plan->spec.n_key = t.n_key;
    }
    if (!str_set(plan->spec.timestamp_name)) {
        plan->spec.timestamp_name = t.timestamp;
    }
    return ST_OK;
}

enum status merge_plan_target(struct glue_active *a, struct merge_plan *plan, struct str *ret_error)
{
    struct merge_args args;
    struct str schema, table;
    enum status st = merge_args_read(a, &args, ret_error);
    if (st != ST_OK) {
        return st;
    }
    plan->spec = args.spec;
    plan->source_bucket = args.bucket;
    plan->called_for = args.key;
    plan->source_prefix = table_folder(a, args.bucket, args.key);
    names_of(plan->source_prefix, &schema, &table);
    struct str prefix = expand(a->arena, args.final_prefix, STR("{schema}"), schema);
    prefix = expand(a->arena, prefix, STR("{table}"), table);
    plan->final_bucket = args.final_bucket;
    plan->final_prefix = prefix.n && prefix.p[prefix.n - 1] != '/'
                             ? arena_printf(a->arena, "%.*s/", STR_ARG(prefix))
                             : prefix;
    plan->dataset.location = arena_printf(a->arena, "s3://%.*s/%.*s", STR_ARG(plan->final_bucket),
                                          STR_ARG(plan->final_prefix));
    plan->dataset.source = arena_printf(a->arena, "s3://%.*s/%.*s", STR_ARG(plan->source_bucket),
                                        STR_ARG(plan->source_prefix));
    st = ask_catalog(a, plan, ret_error);
    if (st != ST_OK) {
        return st;
    }
    if (str_starts(plan->dataset.location, plan->dataset.source) ||
        str_starts(plan->dataset.source, plan->dataset.location)) {
        *ret_error = arena_printf(a->arena,
                                  "--final_path %.*s and the table's folder %.*s lie within each "
                                  "other: the merge would take its own output for changes.",
                                  STR_ARG(plan->dataset.location), STR_ARG(plan->dataset.source));
        return ST_INVALID;
    }
    return ST_OK;
}

/* --- what is there to merge --------------------------------------------------------------------
 */
/* Commit order: names of change files are times; date folders above them change nothing. */
static int by_commit(const void *x, const void *y)
{
    const struct merge_file *f = x, *g = y;
    if (f->load != g->load) {
        return f->load ? -1 : 1;
    }
    int order = str_cmp(base_name(f->object.key), base_name(g->object.key));
    return order ? order : str_cmp(f->object.key, g->object.key);
}

/* All files of the table, in commit order. */
static enum status list_files(struct glue_active *a, struct merge_plan *plan, struct str called_for)
{
    struct s3_object *o;
    size_t n;
    struct s3_object_range all = { .bucket = plan->source_bucket, .prefix = plan->source_prefix };
    enum status st = s3_object_list(core_db(a->glue->core), a->arena, &all, &o, &n);
    if (st != ST_OK) {
        return st;
    }
    plan->files = ARENA_ARRAY(a->arena, struct merge_file, n + 1);
    struct merge_file last = { .object.key = called_for, .load = is_load(called_for) };
    for (size_t i = 0; i < n; i++) {
        struct merge_file f = { .object = o[i], .load = is_load(o[i].key), .fd = -1 };
        if (is_csv(o[i].key)) {
            f.later = by_commit(&f, &last) > 0;
            f.version = merge_version(a->arena, &o[i]);
            plan->files[plan->n_files++] = f;
        }
    }
    if (plan->n_files) {
        qsort(plan->files, plan->n_files, sizeof(plan->files[0]), by_commit);
    }
    return ST_OK;
}

/* Takes out the merged ones and those after the file that the run was called for. When the first
 * LOAD file is a new one, a new load begins: everything counts anew, and all changes from before it
 * are done with. */
static enum status drop_merged(struct glue_active *a, struct merge_plan *plan)
{
    struct db *db = core_db(a->glue->core);
    size_t kept = 0;
    bool merged = false;
    enum status st = ST_OK;
    if (plan->dataset.id && plan->n_files && plan->files[0].load) {
        st = glue_ledger_is_merged(db, plan->dataset.id, plan->files[0].object.key,
                                   plan->files[0].version, &merged);
    }
    plan->new_load = st == ST_OK && plan->n_files && plan->files[0].load && !merged;
    int64_t load_ms = plan->new_load ? plan->files[0].object.last_modified_ms : 0;
    for (size_t i = 0; st == ST_OK && i < plan->n_files; i++) {
        struct merge_file *f = &plan->files[i];
        merged = false;
        if (plan->dataset.id && !plan->new_load && !f->later) {
            st = glue_ledger_is_merged(db, plan->dataset.id, f->object.key, f->version, &merged);
        }
        f->skipped = plan->new_load && f->object.last_modified_ms < load_ms;
        if (f->skipped || (!merged && !f->later)) {
            plan->files[kept++] = *f;
        }
    }
    plan->n_files = kept;
    return st;
}

/* --- the data set as it is ---------------------------------------------------------------------
 */
static bool is_part(struct str prefix, struct str key)
{
    struct str name = str_sub(key, prefix.n, key.n);
    return name.n && str_find(name, '/', 0) < 0 && name.p[0] != '_' && name.p[0] != '.';
}

static enum status list_parts(struct glue_active *a, struct merge_plan *plan)
{
    struct db *db = core_db(a->glue->core);
    struct s3_object *o;
    size_t n;
    struct s3_object_range all = { .bucket = plan->final_bucket, .prefix = plan->final_prefix };
    enum status st = s3_object_list(db, a->arena, &all, &o, &n);
    if (st != ST_OK) {
        return st;
    }
    plan->parts = ARENA_ARRAY(a->arena, struct s3_object, n + 1);
    plan->part_rows = ARENA_ARRAY(a->arena, struct glue_part_row, n + 1);
    plan->part_fds = ARENA_ARRAY(a->arena, int, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (!is_part(plan->final_prefix, o[i].key)) {
            continue;
        }
        struct glue_part_row row = { .rows = -1 };
        struct str version = merge_version(a->arena, &o[i]);
        if (plan->dataset.id &&
            glue_ledger_part(db, a->arena, plan->dataset.id, o[i].key, &row) == ST_OK &&
            !str_eq(row.version, version)) {
            row = (struct glue_part_row){ .rows = -1 }; /* replaced by somebody else: look anew */
        }
        row.key = o[i].key;
        row.version = version;
        plan->parts[plan->n_parts] = o[i];
        plan->part_fds[plan->n_parts] = -1;
        plan->part_rows[plan->n_parts++] = row;
    }
    return ST_OK;
}

/* Open files keep their content whatever happens to the objects meanwhile. */
static enum status open_all(struct glue_active *a, struct merge_plan *plan, struct str *ret_error)
{
    struct core *core = a->glue->core;
    const struct s3_object *o = NULL;
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < plan->n_files; i++) {
        o = &plan->files[i].object;
        st = plan->files[i].skipped ? ST_OK : s3_object_open(core, o, &plan->files[i].fd);
    }
    for (size_t i = 0; st == ST_OK && i < plan->n_parts; i++) {
        o = &plan->parts[i];
        st = s3_object_open(core, o, &plan->part_fds[i]);
    }
    if (st != ST_OK && o) {
        *ret_error = arena_printf(a->arena, "s3://%.*s/%.*s cannot be read (%s).",
                                  STR_ARG(o->bucket), STR_ARG(o->key), status_name(st));
    }
    return st;
}

static enum status check_called_for(struct glue_active *a, const struct merge_plan *plan,
                                    struct str *ret_error)
{
    struct s3_object o;
    enum status st =
        s3_object_find(core_db(a->glue->core), a->arena, plan->source_bucket, plan->called_for, &o);
    if (st == ST_NOT_FOUND && !plan->dataset.id) {
        *ret_error = arena_printf(a->arena,
                                  "s3://%.*s/%.*s does not exist: the run was called for an object "
                                  "that isn't there.",
                                  STR_ARG(plan->source_bucket), STR_ARG(plan->called_for));
        return ST_NOT_FOUND;
    }
    /* Gone, but the data set is known: most likely the table was reloaded. The files up to its name
     * are merged all the same. */
    return st == ST_NOT_FOUND ? ST_OK : st;
}

enum status merge_plan_fill(struct glue_active *a, struct merge_plan *plan, struct str *ret_error)
{
    struct db *db = core_db(a->glue->core);
    struct glue_dataset known;
    if (!s3_bucket_exists(db, plan->final_bucket)) {
        *ret_error = arena_printf(a->arena, "--final_path: bucket %.*s does not exist; create it.",
                                  STR_ARG(plan->final_bucket));
        return ST_NOT_FOUND;
    }
    enum status st = glue_ledger_find(db, a->arena, plan->dataset.location, &known);
    if (st == ST_OK && !str_eq(known.source, plan->dataset.source)) {
        *ret_error = arena_printf(
            a->arena,
            "%.*s holds the table of %.*s, and this run is for %.*s: give each "
            "table a path of its own, for instance with {table} in "
            "--final_path.",
            STR_ARG(known.location), STR_ARG(known.source), STR_ARG(plan->dataset.source));
        return ST_INVALID;
    }
    if (st == ST_OK) {
        plan->dataset = known;
    } else if (st != ST_NOT_FOUND) {
        return st;
    }
    st = check_called_for(a, plan, ret_error);
    st = st == ST_OK ? list_files(a, plan, plan->called_for) : st;
    st = st == ST_OK ? drop_merged(a, plan) : st;
    if (st != ST_OK || plan->n_files == 0) {
        return st;
    }
    st = list_parts(a, plan);
    return st == ST_OK ? open_all(a, plan, ret_error) : st;
}

void merge_plan_close(struct merge_plan *plan)
{
    for (size_t i = 0; i < plan->n_files; i++) {
        if (plan->files[i].fd >= 0) {
            close(plan->files[i].fd);
            plan->files[i].fd = -1;
        }
    }
    for (size_t i = 0; i < plan->n_parts; i++) {
        if (plan->part_fds[i] >= 0) {
            close(plan->part_fds[i]);
            plan->part_fds[i] = -1;
        }
    }
}
