/* When all inputs were looked at: the key's columns, and the header of the parts. */
#include "emulators/glue/merge/csv_reader.h"
#include "emulators/glue/merge/merge_layout.h"
#include "server/base/mem.h"

static enum status find_key(struct merge_env *env, struct str name, size_t *ret)
{
    const struct merge_set *set = &env->set;
    size_t at = set->names ? merge_find_name(set->names, set->n, name) : NO_FIELD;
    if (at == NO_FIELD && !merge_column_number(name, &at)) {
        if (!set->names) {
            return merge_fail(env, ST_INVALID, STR_NONE, 0,
                              "primary key %.*s: the column names are not known (no header, and "
                              "no names given for %zu columns); name it by position, as _c0, or "
                              "all columns in --columns; a column that is DMS's timestamp and not "
                              "the table's belongs in --timestamp_column",
                              STR_ARG(name), set->n);
        }
        struct str list = merge_name_list(env, set->names, set->n);
        return merge_fail(env, ST_INVALID, STR_NONE, 0,
                          "primary key %.*s is not among the columns (%.*s)", STR_ARG(name),
                          STR_ARG(list));
    }
    if (at >= set->n) {
        return merge_fail(env, ST_INVALID, STR_NONE, 0,
                          "primary key %.*s: the data set has only %zu columns", STR_ARG(name),
                          set->n);
    }
    *ret = at;
    return ST_OK;
}

static enum status set_header(struct merge_env *env)
{
    struct merge_set *set = &env->set;
    if (!env->job->spec.output_header || set->n == 0) {
        return ST_OK;
    }
    if (!set->names) {
        return merge_fail(env, ST_INVALID, STR_NONE, 0,
                          "a header is asked for in the final data set, but the column names are "
                          "not known: give the names, or use input files with a header "
                          "(endpoint setting AddColumnName)");
    }
    struct buf b = BUF_INIT(MERGE_MAX_RECORD_BYTES);
    for (size_t i = 0; i < set->n; i++) {
        if (i > 0) {
            buf_putc(&b, env->delim);
        }
        csv_put(&b, set->names[i], env->delim);
    }
    buf_putc(&b, '\n');
    set->header = arena_str(env->arena, buf_str(&b));
    buf_fini(&b);
    return ST_OK;
}

enum status merge_layout_set(struct merge_env *env)
{
    const struct merge_spec *spec = &env->job->spec;
    struct merge_set *set = &env->set;
    if (set->n == 0 && spec->output_header && spec->n_columns > 0) { /* no row, but a header */
        enum status st = merge_set_columns(env, STR_NONE, spec->columns, spec->n_columns);
        if (st != ST_OK) {
            return st;
        }
    }
    set->n_key = spec->n_key ? spec->n_key : 1;
    for (size_t i = 0; set->n > 0 && i < spec->n_key; i++) {
        enum status st = find_key(env, spec->key[i], &set->key[i]);
        if (st != ST_OK) {
            return st;
        }
        for (size_t j = 0; j < i; j++) {
            if (set->key[j] == set->key[i]) {
                return merge_fail(env, ST_INVALID, STR_NONE, 0,
                                  "primary key column %.*s is named twice", STR_ARG(spec->key[i]));
            }
        }
    }
    return set_header(env);
}

enum status merge_layout_keys(struct merge_env *env, struct merge_file *file)
{
    const struct merge_set *set = &env->set;
    if (file->empty) {
        return ST_OK;
    }
    file->has_old_key = file->before != NULL || file->before_first != NO_FIELD;
    for (size_t i = 0; i < set->n_key; i++) {
        size_t c = set->key[i];
        file->key[i] = c < file->n_column ? file->column[c] : NO_FIELD;
        if (file->key[i] == NO_FIELD) {
            return merge_fail(
                env, ST_INVALID, merge_input_name(file->in), 1,
                "the file has no column for the primary key %.*s",
                STR_ARG(set->names ? set->names[c] : arena_printf(env->arena, "_c%zu", c)));
        }
        if (file->before_first != NO_FIELD) {
            file->old_key[i] = file->before_first + i;
        } else if (file->before) {
            file->old_key[i] = c < file->n_column ? file->before[c] : NO_FIELD;
            file->has_old_key = file->has_old_key && file->old_key[i] != NO_FIELD;
        }
    }
    return ST_OK;
}
