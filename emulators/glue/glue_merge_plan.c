#include "emulators/glue/glue_merge_plan.h"

#include <sys/mman.h>
#include <unistd.h>

#include "emulators/facade/catalog.h"
#include "emulators/glue/glue_merge_columns.h"
#include "server/base/mem.h"
#include "server/core.h"

#define PLAN_ARENA_MAX (256u << 20)
/* Keys in the ledger that no object has: they name notes that were followed. */
#define LEDGER_EMPTIED \
    STR("\x1f"         \
        "emptied")
#define LEDGER_COLUMNS \
    STR("\x1f"         \
        "columns")

struct str merge_version(struct arena *a, const struct s3_object *o)
{
    return arena_printf(a, "%.*s-%lld", STR_ARG(o->etag), (long long)o->ref.mtime_ns);
}

/* --- what is known ---------------------------------------------------------------------------- */
/* What the arguments leave open is taken from the catalog. ST_INVALID: the table is known to have
 * no key; to take its first column for one would make one row of many. */
static enum status ask_catalog(struct glue_active *a, struct merge_plan *plan, bool *ret_noted,
                               struct str *ret_error)
{
    struct catalog_table t;
    enum status st = catalog_find_table(a->glue->core, plan->arena, plan->table.source, &t);
    *ret_noted = st == ST_OK;
    if (st != ST_OK) {
        return st == ST_NOT_FOUND ? ST_OK : st;
    }
    if (plan->spec.n_key == 0 && t.n_key == 0) {
        *ret_error = arena_printf(a->arena,
                                  "The source table of %.*s has no primary key, so changes cannot "
                                  "be matched with rows. Name the columns that identify a row in "
                                  "--primary_key a,b, or give the table a primary key and reload "
                                  "it.",
                                  STR_ARG(plan->table.source));
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

static enum status read_notes(struct glue_active *a, struct merge_plan *plan, bool own_columns)
{
    enum status st = glue_ledger_notes(core_db(a->glue->core), plan->arena, plan->table.source,
                                       &plan->notes, &plan->n_notes);
    for (size_t i = 0; i < plan->n_notes; i++) {
        if (plan->notes[i].kind == GLUE_NOTE_EMPTIED) {
            plan->emptied = plan->notes[i].id;
        } else {
            plan->columns_at = plan->notes[i].id;
        }
    }
    if (own_columns) { /* --columns goes before what was noted */
        plan->n_notes = 0;
        plan->columns_at = 0;
    }
    return st;
}

static struct str note_version(struct arena *a, int64_t id)
{
    return arena_printf(a, "%lld", (long long)id);
}

static enum status find_dataset(struct glue_active *a, struct merge_plan *plan,
                                struct str *ret_error)
{
    struct glue_dataset known;
    struct str seen = STR_NONE;
    struct db *db = core_db(a->glue->core);
    plan->dataset = (struct glue_dataset){ .location = plan->table.location,
                                           .source = plan->table.source,
                                           .columns = STR("") };
    enum status st = glue_ledger_find(db, plan->arena, plan->table.location, &known);
    if (st == ST_OK && !str_eq(known.source, plan->table.source)) {
        *ret_error = arena_printf(a->arena,
                                  "%.*s holds the table of %.*s, and this run is for %.*s: give "
                                  "each table a path of its own, for instance with {table} in "
                                  "--final_path.",
                                  STR_ARG(known.location), STR_ARG(known.source),
                                  STR_ARG(plan->table.source));
        return ST_INVALID;
    }
    if (st == ST_OK) {
        plan->dataset = known;
        st = glue_ledger_merged_version(db, plan->arena, known.id, LEDGER_COLUMNS, &seen);
        status_ignore(str_i64(seen, &plan->columns_seen)); /* absent: 0 */
    }
    return st == ST_NOT_FOUND ? ST_OK : st;
}

/* --- what is there to merge ------------------------------------------------------------------- */
/* Commit order: names of change files are times; date folders above them change nothing. */
static int by_commit(const void *x, const void *y)
{
    const struct merge_source_file *f = x, *g = y;
    if (f->load != g->load) {
        return f->load ? -1 : 1;
    }
    int order = str_cmp(merge_base_name(f->object.key), merge_base_name(g->object.key));
    return order ? order : str_cmp(f->object.key, g->object.key);
}

/* All files of the table, in commit order. */
static enum status list_files(struct glue_active *a, struct merge_plan *plan, bool noted)
{
    struct s3_object *o;
    size_t n;
    const struct merge_table *t = &plan->table;
    struct s3_object_range all = { .bucket = t->source_bucket, .prefix = t->source_prefix };
    enum status st = s3_object_list(core_db(a->glue->core), plan->arena, &all, &o, &n);
    if (st != ST_OK) {
        return st;
    }
    plan->files = ARENA_ARRAY(plan->arena, struct merge_source_file, n + 1);
    struct merge_source_file last = { .object.key = t->called_for };
    last.load = str_set(t->called_for) && merge_is_load(t->called_for);
    for (size_t i = 0; i < n; i++) {
        struct merge_source_file f = { .object = o[i], .load = merge_is_load(o[i].key), .fd = -1 };
        if (merge_table_has(t, noted, o[i].key)) {
            f.later = str_set(t->called_for) && by_commit(&f, &last) > 0;
            f.version = merge_version(plan->arena, &o[i]);
            plan->files[plan->n_files++] = f;
        }
    }
    if (plan->n_files) {
        qsort(plan->files, plan->n_files, sizeof(plan->files[0]), by_commit);
    }
    return ST_OK;
}

/* PreserveTransactions writes rows of all tables into one file; read as a table's, they would be
 * nonsense. */
static enum status check_files(struct glue_active *a, const struct merge_plan *plan,
                               struct str *ret_error)
{
    for (size_t i = 0; i < plan->n_files; i++) {
        struct str key = plan->files[i].object.key;
        if (str_starts(merge_base_name(key), STR("CDC_TXN-"))) {
            *ret_error = arena_printf(a->arena,
                                      "s3://%.*s/%.*s holds the changes of several tables in "
                                      "transaction order (PreserveTransactions, CdcPath), which "
                                      "cistern-merge does not read. Let DMS write a folder per "
                                      "table: PreserveTransactions=false.",
                                      STR_ARG(plan->table.source_bucket), STR_ARG(key));
            return ST_INVALID;
        }
    }
    return ST_OK;
}

/* Does everything begin anew: by a LOAD file that isn't merged, or since the table was emptied? */
static enum status is_new_load(struct glue_active *a, struct merge_plan *plan)
{
    struct db *db = core_db(a->glue->core);
    bool load = plan->n_files && plan->files[0].load && !plan->files[0].later;
    bool merged = false, emptied = plan->emptied == 0;
    enum status st = ST_OK;
    if (plan->dataset.id && load) {
        st = glue_ledger_is_merged(db, plan->dataset.id, plan->files[0].object.key,
                                   plan->files[0].version, &merged);
    }
    if (st == ST_OK && plan->dataset.id && plan->emptied) {
        st = glue_ledger_is_merged(db, plan->dataset.id, LEDGER_EMPTIED,
                                   note_version(plan->arena, plan->emptied), &emptied);
    }
    plan->new_load = (load && !merged) || (!emptied && plan->dataset.id);
    plan->empty = plan->new_load && !load;
    return st;
}

/* Is the file from before the load that begins at load_ms? Nothing is before a first load: files
 * that somebody uploads come in any order. */
static bool is_before(const struct merge_plan *plan, const struct merge_source_file *f, bool merged,
                      int64_t load_ms)
{
    return plan->new_load && !plan->empty && plan->dataset.id &&
           (merged || (!f->load && f->object.last_modified_ms < load_ms));
}

/* Takes out the merged ones and those after the file that the run was called for. When a new load
 * begins everything counts anew, and all changes from before it are done with. */
static enum status drop_merged(struct glue_active *a, struct merge_plan *plan)
{
    struct db *db = core_db(a->glue->core);
    size_t kept = 0;
    enum status st = is_new_load(a, plan);
    int64_t load_ms = plan->n_files ? plan->files[0].object.last_modified_ms : 0;
    for (size_t i = 0; st == ST_OK && i < plan->n_files; i++) {
        struct merge_source_file *f = &plan->files[i];
        bool merged = false;
        if (plan->dataset.id) {
            st = glue_ledger_is_merged(db, plan->dataset.id, f->object.key, f->version, &merged);
        }
        f->skipped = is_before(plan, f, merged, load_ms);
        merged = merged && !plan->empty;
        if (f->skipped || (!merged && !f->later)) {
            plan->files[kept++] = *f;
        }
    }
    plan->n_files = kept;
    return st;
}

/* --- the data set as it is -------------------------------------------------------------------- */
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
    const struct merge_table *t = &plan->table;
    struct s3_object_range all = { .bucket = t->final_bucket, .prefix = t->final_prefix };
    enum status st = s3_object_list(db, plan->arena, &all, &o, &n);
    if (st != ST_OK) {
        return st;
    }
    plan->parts = ARENA_ARRAY(plan->arena, struct s3_object, n + 1);
    plan->part_rows = ARENA_ARRAY(plan->arena, struct glue_part_row, n + 1);
    plan->part_fds = ARENA_ARRAY(plan->arena, int, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (!is_part(t->final_prefix, o[i].key)) {
            continue;
        }
        struct glue_part_row row = { .rows = -1 };
        struct str version = merge_version(plan->arena, &o[i]);
        if (plan->dataset.id &&
            glue_ledger_part(db, plan->arena, plan->dataset.id, o[i].key, &row) == ST_OK &&
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
    if (plan->empty) {
        plan->empty_fd = memfd_create("emptied", MFD_CLOEXEC);
        st = plan->empty_fd < 0 ? ST_IO : ST_OK;
    }
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
    const struct merge_table *t = &plan->table;
    enum status st = ST_OK;
    if (str_set(t->called_for)) {
        st = s3_object_find(core_db(a->glue->core), plan->arena, t->source_bucket, t->called_for,
                            &o);
    }
    if (st == ST_NOT_FOUND && !plan->dataset.id) {
        *ret_error = arena_printf(a->arena,
                                  "s3://%.*s/%.*s does not exist: the run was called for an object "
                                  "that isn't there.",
                                  STR_ARG(t->source_bucket), STR_ARG(t->called_for));
        return ST_NOT_FOUND;
    }
    /* Gone, but the data set is known: most likely the table was reloaded. The files up to its name
     * are merged all the same. */
    return st == ST_NOT_FOUND ? ST_OK : st;
}

enum status merge_plan_fill(struct glue_active *a, struct merge_plan *plan, struct str *ret_error)
{
    bool noted, own_columns = plan->spec.n_columns > 0;
    plan->arena = arena_new(PLAN_ARENA_MAX);
    plan->empty_fd = -1;
    if (!s3_bucket_exists(core_db(a->glue->core), plan->table.final_bucket)) {
        *ret_error = arena_printf(a->arena, "--final_path: bucket %.*s does not exist; create it.",
                                  STR_ARG(plan->table.final_bucket));
        return ST_NOT_FOUND;
    }
    enum status st = ask_catalog(a, plan, &noted, ret_error);
    st = st == ST_OK ? read_notes(a, plan, own_columns) : st;
    st = st == ST_OK ? find_dataset(a, plan, ret_error) : st;
    st = st == ST_OK ? check_called_for(a, plan, ret_error) : st;
    st = st == ST_OK ? list_files(a, plan, noted) : st;
    st = st == ST_OK ? check_files(a, plan, ret_error) : st;
    st = st == ST_OK ? drop_merged(a, plan) : st;
    if (st != ST_OK || (plan->n_files == 0 && !plan->empty)) {
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
        }
    }
    for (size_t i = 0; i < plan->n_parts; i++) {
        if (plan->part_fds[i] >= 0) {
            close(plan->part_fds[i]);
        }
    }
    if (plan->empty && plan->empty_fd >= 0) {
        close(plan->empty_fd);
    }
    arena_free(plan->arena);
    *plan = (struct merge_plan){ 0 };
}

/* --- for the engine --------------------------------------------------------------------------- */
static const char *fd_path(struct arena *a, int fd)
{
    return arena_printf(a, "/proc/self/fd/%d", fd).p;
}

static struct str object_name(struct arena *a, const struct s3_object *o)
{
    return arena_printf(a, "s3://%.*s/%.*s", STR_ARG(o->bucket), STR_ARG(o->key));
}

static void add_inputs(struct merge_plan *plan, struct merge_job *job)
{
    struct arena *arena = plan->arena;
    struct merge_input *loads = ARENA_ARRAY(arena, struct merge_input, plan->n_files + 1);
    struct merge_input *changes = ARENA_ARRAY(arena, struct merge_input, plan->n_files + 1);
    if (plan->empty) {
        loads[job->n_loads++] = (struct merge_input){ .path = fd_path(arena, plan->empty_fd),
                                                      .name = STR("(the emptied table)") };
    }
    for (size_t i = 0; i < plan->n_files; i++) {
        const struct merge_source_file *f = &plan->files[i];
        if (f->skipped) {
            continue;
        }
        struct merge_input input = { .path = fd_path(arena, f->fd),
                                     .name = object_name(arena, &f->object),
                                     .gzip = str_ends(f->object.key, STR(".gz")) };
        input.columns = merge_columns_of(plan, f, &input.n_columns);
        if (f->load) {
            loads[job->n_loads++] = input;
        } else {
            changes[job->n_changes++] = input;
        }
    }
    job->loads = loads;
    job->changes = changes;
}

static void add_parts(struct merge_plan *plan, struct merge_job *job)
{
    struct merge_part *parts = ARENA_ARRAY(plan->arena, struct merge_part, plan->n_parts + 1);
    for (size_t i = 0; i < plan->n_parts; i++) {
        const struct glue_part_row *row = &plan->part_rows[i];
        parts[i] = (struct merge_part){ .path = fd_path(plan->arena, plan->part_fds[i]),
                                        .name = object_name(plan->arena, &plan->parts[i]),
                                        .id = i,
                                        .first_key = row->first_key,
                                        .last_key = row->last_key,
                                        .rows = row->rows };
    }
    job->parts = parts;
    job->n_parts = plan->n_parts;
}

void merge_plan_inputs(struct merge_plan *plan, struct merge_job *job)
{
    size_t n = 0;
    const struct str *names = glue_ledger_names(plan->arena, plan->dataset.columns, &n);
    job->spec = plan->spec;
    job->spec.load = plan->new_load ? MERGE_LOAD_REPLACE : MERGE_LOAD_ADD;
    if (n && (!plan->new_load ||
              plan->spec.n_columns ==
                  0)) { /* the data set's go before what arguments or the catalog say */
        job->spec.columns = names;
        job->spec.n_columns = n;
        job->spec.columns_now = merge_columns_now(plan, names, n);
    }
    add_inputs(plan, job);
    add_parts(plan, job);
}

enum status merge_plan_settle(struct db *db, const struct merge_plan *plan, struct str run)
{
    int64_t id = plan->dataset.id;
    enum status st = plan->new_load ? glue_ledger_forget_merged(db, id) : ST_OK;
    for (size_t i = 0; st == ST_OK && i < plan->n_files; i++) {
        const struct merge_source_file *f = &plan->files[i];
        st = glue_ledger_add_merged(db, id, f->object.key, f->version, run);
    }
    if (st == ST_OK && plan->emptied) {
        st = glue_ledger_add_merged(db, id, LEDGER_EMPTIED,
                                    note_version(plan->arena, plan->emptied), run);
    }
    if (st == ST_OK && plan->columns_at) {
        st = glue_ledger_add_merged(db, id, LEDGER_COLUMNS,
                                    note_version(plan->arena, plan->columns_at), run);
    }
    return st;
}
