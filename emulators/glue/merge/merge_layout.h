/* Which field of a file is which column: found from the first record of every input before any row
 * is read, so that the columns of the final data set are known from the start. Private to
 * emulators/glue/merge/. */
#ifndef CISTERN_GLUE_MERGE_LAYOUT_H
#define CISTERN_GLUE_MERGE_LAYOUT_H

#include "emulators/glue/merge/csv_scan.h"
#include "emulators/glue/merge/merge_env.h"

#define NO_FIELD SIZE_MAX

/* A load or change file. */
struct merge_file {
    const struct merge_input *in;
    size_t number;  /* merge_file_name() */
    uint64_t bytes; /* of the file on disk */
    bool load;
    bool empty;      /* has no record at all */
    bool header;     /* its first record is one */
    size_t n_fields; /* of every record */
    size_t op;       /* field, or NO_FIELD */
    size_t time;
    size_t *column; /* per column of the set, n_column of them: field or NO_FIELD */
    size_t n_column;
    size_t *before;      /* per column of the set, n_column: field of its before image; or NULL */
    size_t before_first; /* field of the first key column's before image when they are in key
                            order; else NO_FIELD */
    bool straight;       /* column[i] == column[0] + i */
    size_t key[MERGE_MAX_KEY_COLUMNS];     /* fields of the key */
    size_t old_key[MERGE_MAX_KEY_COLUMNS]; /* of its before image */
    bool has_old_key;
};

/* Takes the columns of the existing parts into env->set. */
enum status merge_layout_parts(struct merge_env *env) MUST_CHECK;
/* Looks at the start of `file->in` and widens env->set by the columns that are new there. */
enum status merge_layout_input(struct merge_env *env, struct merge_file *file) MUST_CHECK;
/* When all inputs were looked at: key columns and the header of the parts. */
enum status merge_layout_set(struct merge_env *env) MUST_CHECK;
/* Then, for every input: its key fields. */
enum status merge_layout_keys(struct merge_env *env, struct merge_file *file) MUST_CHECK;

/* Gives the set n columns; `names` may be NULL: unknown, those that were known stay. `file`: for
 * messages. */
enum status merge_set_columns(struct merge_env *env, struct str file, const struct str *names,
                              size_t n) MUST_CHECK;
/* "_c3" or "3": false when it is neither. */
bool merge_column_number(struct str s, size_t *ret);

/* Index of `name` among names: exact, else the only one that differs in case; else NO_FIELD. */
size_t merge_find_name(const struct str *names, size_t n, struct str name);

/* The columns' names, for messages. Borrowed from the environment. */
struct str merge_name_list(struct merge_env *env, const struct str *names, size_t n);

#endif
