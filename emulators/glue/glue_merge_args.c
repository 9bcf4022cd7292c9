#include "emulators/glue/glue_merge_args.h"

#include "emulators/facade/s3.h"
#include "emulators/glue/glue_merge_names.h"
#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/core.h"

#define THREADS_MAX 256

/* What the reading functions share. The first error stays. */
struct reader {
    struct glue_active *run;
    struct str *ret_error;
    enum status st;
};

static struct str arg(const struct reader *r, const char *name)
{
    return glue_arg(&r->run->arguments, name);
}

static void bad(struct reader *r, const char *name, struct str value, const char *must)
{
    if (r->st != ST_OK) {
        return;
    }
    struct arena *a = r->run->arena;
    *r->ret_error =
        str_set(value)
            ? arena_printf(a, "Argument --%s must be %s, not '%.*s'.", name, must, STR_ARG(value))
            : arena_printf(a, "Argument --%s is missing: it must be %s.", name, must);
    r->st = ST_INVALID;
}

/* A misspelt argument must not silently change what is merged. */
static void check_names(struct reader *r)
{
    const struct glue_generic_map *args = &r->run->arguments;
    struct arena *a = r->run->arena;
    for (size_t i = 0; i < args->n && r->st == ST_OK; i++) {
        struct str name = args->v[i].key;
        enum merge_name kind = merge_name_of(name);
        if (kind == MERGE_NAME_SLIP) {
            *r->ret_error = arena_printf(a, "Argument %.*s isn't one of cistern-merge's: %.*s",
                                         STR_ARG(name), STR_ARG(merge_names(a)));
            r->st = ST_INVALID;
        } else if (kind == MERGE_NAME_OTHER) {
            glue_log(r->run, GLUE_OUTPUT, "WARN argument %.*s means nothing to cistern-merge",
                     STR_ARG(name));
        }
    }
}

static enum merge_tri tri(struct reader *r, const char *name)
{
    struct str value = arg(r, name);
    bool yes = false;
    if (!str_set(value) || str_ieqz(value, "auto")) {
        return MERGE_AUTO;
    }
    if (str_bool(value, &yes) != ST_OK) {
        bad(r, name, value, "true, false or auto");
    }
    return yes ? MERGE_YES : MERGE_NO;
}

/* The index of the argument's value among the three words; 0 when it is absent. */
static int one_of(struct reader *r, const char *name, const char *const words[3], const char *must)
{
    struct str value = arg(r, name);
    for (int i = 0; str_set(value) && i < 3; i++) {
        if (str_ieqz(value, words[i])) {
            return i;
        }
    }
    if (str_set(value)) {
        bad(r, name, value, must);
    }
    return 0;
}

static enum merge_misfit misfit(struct reader *r, const char *name)
{
    static const char *const words[3] = { [MERGE_MISFIT_APPLY] = "apply",
                                          [MERGE_MISFIT_IGNORE] = "ignore",
                                          [MERGE_MISFIT_FAIL] = "fail" };
    return (enum merge_misfit)one_of(r, name, words, "apply, ignore or fail");
}

/* "a, b" → two names */
static const struct str *name_list(struct reader *r, const char *name, size_t *ret_n)
{
    struct str item, rest = arg(r, name), *v = NULL;
    *ret_n = 0;
    while (str_next(&rest, ',', &item)) {
        ARENA_GROW(r->run->arena, v, *ret_n);
        v[*ret_n] = str_trim(item);
        if (str_empty(v[(*ret_n)++])) {
            bad(r, name, arg(r, name), "names of columns, separated by commas");
        }
    }
    return v;
}

/* "8MB", "64 KB", "1048576" */
static uint64_t size_of(struct str text)
{
    static const struct {
        struct str suffix;
        unsigned shift;
    } units[] = { { STR_INIT("KB"), 10 }, { STR_INIT("MB"), 20 }, { STR_INIT("GB"), 30 } };
    uint64_t n = 0;
    unsigned shift = 0;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        struct str tail = text.n > 2 ? str_sub(text, text.n - 2, text.n) : STR("");
        if (str_ieq(tail, units[i].suffix)) {
            text = str_trim(str_sub(text, 0, text.n - 2));
            shift = units[i].shift;
        }
    }
    bool fits = str_u64(text, &n) == ST_OK && n <= (uint64_t)MERGE_PART_BYTES_MAX >> shift;
    return fits ? n << shift : 0;
}

static uint64_t part_size(struct reader *r)
{
    static const char must[] = "a size from 4KB to 1GB";
    struct str size = arg(r, "part_size"), mb = arg(r, "part_size_mb");
    const char *name = str_set(size) ? "part_size" : "part_size_mb";
    struct str given = str_set(size) ? size : mb;
    uint64_t n = 0;
    if (str_set(size)) {
        n = size_of(size);
    } else if (str_set(mb)) {
        n = size_of(arena_printf(r->run->arena, "%.*sMB", STR_ARG(mb)));
    }
    if (str_set(given) && n < MERGE_PART_BYTES_MIN) {
        bad(r, name, given, str_set(size) ? must : "a number from 1 to 1024");
    }
    return n;
}

static char delimiter(struct reader *r)
{
    struct str value = arg(r, "delimiter");
    if (!str_set(value)) {
        return '\0';
    }
    if (str_eqz(value, "\\t")) {
        return '\t';
    }
    if (value.n != 1 || (unsigned char)value.p[0] >= 0x80 ||
        str_find(STR("\"\r\n"), value.p[0], 0) >= 0) {
        bad(r, "delimiter", value, "one ASCII character other than a quote or a line end");
        return '\0';
    }
    return value.p[0];
}

static void read_before(struct reader *r, struct merge_spec *s)
{
    static const char *const words[3] = {
        [MERGE_BEFORE_NONE] = "none", [MERGE_BEFORE_KEY] = "key", [MERGE_BEFORE_ALL] = "all"
    };
    s->before_prefix = arg(r, "before_image_prefix");
    s->before_suffix = arg(r, "before_image_suffix");
    s->before = (enum merge_before)one_of(r, "before_image", words, "none, key or all");
    bool named = !str_empty(s->before_prefix) || !str_empty(s->before_suffix);
    if (named && !str_set(arg(r, "before_image"))) {
        s->before = MERGE_BEFORE_KEY;
    }
}

static void read_spec(struct reader *r, struct merge_spec *s)
{
    struct str threads = arg(r, "threads");
    uint64_t n = 0;
    if (str_set(threads) && (str_u64(threads, &n) != ST_OK || n < 1 || n > THREADS_MAX)) {
        bad(r, "threads", threads, "a number from 1 to 256");
    }
    s->threads = (unsigned)n;
    s->header = tri(r, "header");
    s->load_op = tri(r, "op_in_load");
    s->change_op = tri(r, "op_in_changes");
    s->op_name = arg(r, "op_column");
    s->output_header = tri(r, "output_header") == MERGE_YES;
    s->delimiter = delimiter(r);
    s->part_bytes = part_size(r);
    s->key = name_list(r, "primary_key", &s->n_key);
    s->columns = name_list(r, "columns", &s->n_columns);
    s->timestamp_name = arg(r, "timestamp_column");
    s->null_text = arg(r, "null_text");
    s->update_missing = misfit(r, "on_update_missing");
    s->delete_missing = misfit(r, "on_delete_missing");
    s->insert_present = misfit(r, "on_insert_existing");
    read_before(r, s);
}

/* "s3://bucket/prefix", s3a:// and s3n:// too; an absent bucket when it is none of them. */
static void split_path(struct str path, struct str *ret_bucket, struct str *ret_prefix)
{
    static const struct str schemes[] = { STR_INIT("s3://"), STR_INIT("s3a://"),
                                          STR_INIT("s3n://") };
    struct str rest = STR("");
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        rest = str_starts(path, schemes[i]) ? str_sub(path, schemes[i].n, path.n) : rest;
    }
    if (!str_cut(rest, '/', ret_bucket, ret_prefix)) {
        *ret_bucket = rest;
        *ret_prefix = STR("");
    }
}

static void read_object(struct reader *r, struct merge_args *ret)
{
    struct str bucket = arg(r, "s3_target_path_bucket"), key = arg(r, "s3_target_path_key");
    struct s3_object o;
    ret->bucket = str_set(bucket) ? bucket : arg(r, "bucket");
    ret->key = str_set(key) ? key : arg(r, "key");
    if (str_empty(ret->bucket)) {
        bad(r, "s3_target_path_bucket", STR_NONE,
            "the bucket of the file to merge (or give --source_path for all tables)");
    } else if (str_empty(ret->key)) {
        bad(r, "s3_target_path_key", STR_NONE, "the key of the file to merge");
    } else if (s3_object_find(core_db(r->run->glue->core), r->run->arena, ret->bucket, ret->key,
                              &o) != ST_OK) {
        /* Functions pass the event's key on, decoded or not: an object of the very name goes first.
         */
        ret->key = url_decode(r->run->arena, ret->key, true);
    }
}

static void read_source(struct reader *r, struct merge_args *ret)
{
    static const char *const objects[] = { "s3_target_path_bucket", "s3_target_path_key", "bucket",
                                           "key" };
    struct str path = arg(r, "source_path");
    for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
        if (str_set(arg(r, objects[i]))) {
            bad(r, objects[i], arg(r, objects[i]),
                "left out when --source_path is given: a run is for one object or for all tables");
        }
    }
    split_path(path, &ret->source_bucket, &ret->source_prefix);
    if (str_empty(ret->source_bucket)) {
        bad(r, "source_path", path, "an S3 path (s3://bucket/folder)");
    }
    struct str p = ret->source_prefix;
    if (p.n && p.p[p.n - 1] != '/') {
        ret->source_prefix = arena_printf(r->run->arena, "%.*s/", STR_ARG(p));
    }
}

enum status merge_args_read(struct glue_active *a, struct merge_args *ret, struct str *ret_error)
{
    struct reader r = { .run = a, .ret_error = ret_error };
    *ret = (struct merge_args){ 0 };
    check_names(&r);
    struct str final = arg(&r, "final_path");
    split_path(final, &ret->final_bucket, &ret->final_prefix);
    if (str_empty(ret->final_bucket)) {
        bad(&r, "final_path", final, "an S3 path (s3://bucket/prefix)");
    }
    if (str_set(arg(&r, "source_path"))) {
        read_source(&r, ret);
    } else {
        read_object(&r, ret);
    }
    read_spec(&r, &ret->spec);
    return r.st;
}
