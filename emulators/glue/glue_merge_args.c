#include "emulators/glue/glue_merge_args.h"

#include "emulators/facade/s3.h"
#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/core.h"

/* AWS's own switches; they have no meaning for the native merge and do no harm. */
static const char *const ignored[] = {
    "job-language",
    "job-bookmark-option",
    "enable-metrics",
    "TempDir",
    "enable-job-insights",
    "enable-spark-ui",
    "spark-event-logs-path",
    "enable-auto-scaling",
    "enable-continuous-cloudwatch-log",
    "enable-glue-datacatalog",
    "enable-observability-metrics",
};
static const char *const known[] = {
    "final_path",
    "s3_target_path_bucket",
    "s3_target_path_key",
    "bucket",
    "key",
    "primary_key",
    "header",
    "output_header",
    "columns",
    "timestamp_column",
    "op_in_load",
    "null_text",
    "delimiter",
    "part_size_mb",
};

static bool listed(const char *const *list, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eqz(name, list[i])) {
            return true;
        }
    }
    return false;
}

/* A misspelt argument must not silently change what is merged. */
static enum status check_names(struct glue_active *a, struct str *ret_error)
{
    for (size_t i = 0; i < a->arguments.n; i++) {
        struct str name = a->arguments.v[i].key;
        struct str bare = str_starts(name, STR("--")) ? str_sub(name, 2, name.n) : name;
        if (!listed(known, ARRAY_LEN(known), bare) && !listed(ignored, ARRAY_LEN(ignored), bare)) {
            *ret_error = arena_printf(a->arena,
                                      "Argument %.*s isn't one of cistern-merge's: --final_path "
                                      "--s3_target_path_bucket --s3_target_path_key --primary_key "
                                      "--header --output_header --columns --timestamp_column "
                                      "--op_in_load --null_text --delimiter --part_size_mb",
                                      STR_ARG(name));
            return ST_INVALID;
        }
    }
    return ST_OK;
}

static enum status bad(struct glue_active *a, const char *name, struct str value, const char *must,
                       struct str *ret_error)
{
    *ret_error = str_set(value) ? arena_printf(a->arena, "Argument --%s must be %s, not '%.*s'.",
                                               name, must, STR_ARG(value))
                                : arena_printf(a->arena, "Argument --%s is missing: it must be %s.",
                                               name, must);
    return ST_INVALID;
}

static enum status tri(struct glue_active *a, const char *name, enum merge_tri *ret,
                       struct str *ret_error)
{
    struct str value = glue_arg(&a->arguments, name);
    bool yes;
    if (!str_set(value) || str_ieqz(value, "auto")) {
        *ret = MERGE_AUTO;
        return ST_OK;
    }
    if (str_bool(value, &yes) != ST_OK) {
        return bad(a, name, value, "true, false or auto", ret_error);
    }
    *ret = yes ? MERGE_YES : MERGE_NO;
    return ST_OK;
}

/* "a, b" → two names */
static const struct str *name_list(struct glue_active *a, const char *name, size_t *ret_n)
{
    struct str item, rest = glue_arg(&a->arguments, name), *v = NULL;
    *ret_n = 0;
    while (str_next(&rest, ',', &item)) {
        ARENA_GROW(a->arena, v, *ret_n);
        v[(*ret_n)++] = str_trim(item);
    }
    return v;
}

static enum status read_spec(struct glue_active *a, struct merge_spec *s, struct str *ret_error)
{
    struct str delimiter = glue_arg(&a->arguments, "delimiter");
    struct str size = glue_arg(&a->arguments, "part_size_mb");
    enum merge_tri output_header = MERGE_NO;
    int64_t mb = 0;
    enum status st = tri(a, "header", &s->header, ret_error);
    st = st == ST_OK ? tri(a, "op_in_load", &s->load_op, ret_error) : st;
    st = st == ST_OK ? tri(a, "output_header", &output_header, ret_error) : st;
    if (st != ST_OK) {
        return st;
    }
    if (str_set(delimiter) && delimiter.n != 1) {
        return bad(a, "delimiter", delimiter, "one character", ret_error);
    }
    if (str_set(size) && (str_i64(size, &mb) != ST_OK || mb < 1 || mb > 1024)) {
        return bad(a, "part_size_mb", size, "a number from 1 to 1024", ret_error);
    }
    s->output_header = output_header == MERGE_YES;
    s->delimiter = (char)(str_set(delimiter) ? delimiter.p[0] : '\0');
    s->part_bytes = (uint64_t)mb << 20;
    s->key = name_list(a, "primary_key", &s->n_key);
    s->columns = name_list(a, "columns", &s->n_columns);
    s->timestamp_name = glue_arg(&a->arguments, "timestamp_column");
    s->null_text = glue_arg(&a->arguments, "null_text");
    return ST_OK;
}

enum status merge_args_read(struct glue_active *a, struct merge_args *ret, struct str *ret_error)
{
    const struct glue_generic_map *args = &a->arguments;
    struct s3_object o;
    struct str final = glue_arg(args, "final_path");
    struct str bucket = glue_arg(args, "s3_target_path_bucket");
    struct str key = glue_arg(args, "s3_target_path_key");
    bucket = str_set(bucket) ? bucket : glue_arg(args, "bucket");
    key = str_set(key) ? key : glue_arg(args, "key");
    *ret = (struct merge_args){ .bucket = bucket, .key = key };
    enum status st = check_names(a, ret_error);
    if (st != ST_OK) {
        return st;
    }
    struct str rest = str_starts(final, STR("s3://")) ? str_sub(final, 5, final.n) : STR("");
    if (!str_cut(rest, '/', &ret->final_bucket, &ret->final_prefix)) {
        ret->final_bucket = rest;
        ret->final_prefix = STR("");
    }
    if (str_empty(ret->final_bucket)) {
        return bad(a, "final_path", final, "an S3 path (s3://bucket/prefix)", ret_error);
    }
    if (str_empty(bucket)) {
        return bad(a, "s3_target_path_bucket", STR_NONE, "the bucket of the file to merge",
                   ret_error);
    }
    if (str_empty(key)) {
        return bad(a, "s3_target_path_key", STR_NONE, "the key of the file to merge", ret_error);
    }
    /* Functions pass the event's key on, decoded or not: an object of the very name goes first. */
    if (s3_object_find(core_db(a->glue->core), a->arena, bucket, key, &o) != ST_OK) {
        ret->key = url_decode(a->arena, key, true);
    }
    return read_spec(a, &ret->spec, ret_error);
}
