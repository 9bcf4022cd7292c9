/* Which names of arguments are ours, Glue's, or a slip of the pen. */
#include "emulators/glue/glue_merge_names.h"

#include "server/base/mem.h"

#define SLIPS_MAX ((size_t)2) /* letters wrong, missing or too many */
#define NAME_MAX_N 32u        /* longer names resemble none of ours */

static const char *const ours[] = {
    "final_path",
    "s3_target_path_bucket",
    "s3_target_path_key",
    "bucket",
    "key",
    "source_path",
    "primary_key",
    "columns",
    "header",
    "op_column",
    "op_in_load",
    "op_in_changes",
    "timestamp_column",
    "before_image",
    "before_image_prefix",
    "before_image_suffix",
    "on_update_missing",
    "on_delete_missing",
    "on_insert_existing",
    "null_text",
    "delimiter",
    "output_header",
    "part_size",
    "part_size_mb",
    "threads",
};
/* "Using job parameters in AWS Glue jobs", without those that are recognised by their hyphen. */
static const char *const glues[] = {
    "TempDir",
    "RedshiftTempDir",
    "scriptLocation",
    "class",
    "conf",
    "debug",
    "mode",
    "JOB_NAME",
    "JOB_ID",
    "JOB_RUN_ID",
    "SECURITY_CONFIGURATION",
};
/* Words that our names are made of, and what people call the same things. */
static const char *const words[] = {
    "bucket", "before", "column", "columns", "delete",    "delimiter", "final",  "header", "id",
    "image",  "insert", "key",    "keys",    "missing",   "null",      "op",     "output", "part",
    "parts",  "path",   "pk",     "prefix",  "primary",   "schema",    "source", "suffix", "table",
    "tables", "target", "thread", "threads", "timestamp", "update",
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

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to change, drop or add between the two (Levenshtein). */
static size_t slips(struct str a, struct str b)
{
    size_t row[NAME_MAX_N + 1];
    for (size_t j = 0; j <= b.n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t swap = diagonal + (char_lower(a.p[i - 1]) != char_lower(b.p[j - 1]));
            diagonal = row[j];
            row[j] = least(swap, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.n];
}

static bool resembles(struct str name)
{
    struct str word, rest = name;
    while (str_next(&rest, '_', &word)) {
        if (listed(words, ARRAY_LEN(words), word)) {
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(ours) && name.n <= NAME_MAX_N; i++) {
        struct str known = str_z(ours[i]);
        if (known.n > 2 * SLIPS_MAX && slips(name, known) <= SLIPS_MAX) {
            return true;
        }
    }
    return false;
}

enum merge_name merge_name_of(struct str argument)
{
    struct str name = str_starts(argument, STR("--")) ? str_sub(argument, 2, argument.n) : argument;
    if (listed(ours, ARRAY_LEN(ours), name)) {
        return MERGE_NAME_OURS;
    }
    if (listed(glues, ARRAY_LEN(glues), name) || str_find(name, '-', 0) >= 0) {
        return resembles(name) ? MERGE_NAME_SLIP : MERGE_NAME_GLUES;
    }
    return resembles(name) ? MERGE_NAME_SLIP : MERGE_NAME_OTHER;
}

struct str merge_names(struct arena *a)
{
    struct str all = STR("");
    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        all = arena_printf(a, "%.*s%s--%s", STR_ARG(all), i ? " " : "", ours[i]);
    }
    return all;
}
