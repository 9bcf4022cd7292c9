/* Gives the sorter everything that is not read in key order: changes, further loads, and what is
 * out of order. Private to emulators/glue/merge/. */
#ifndef CISTERN_GLUE_MERGE_GATHER_H
#define CISTERN_GLUE_MERGE_GATHER_H

#include "emulators/glue/merge/merge_layout.h"
#include "emulators/glue/merge/merge_stream.h"

/* One shard per thread. */
struct merge_shards {
    struct merge_sort *shard;
    size_t n;
    struct sort_pool pool;
};

void merge_shards_init(struct merge_shards *s, const struct merge_env *env);
void merge_shards_fini(struct merge_shards *s);

/* Adds all rows of all existing parts as base rows. */
enum status merge_gather_parts(struct merge_env *env, struct merge_shards *s) MUST_CHECK;
/* Adds all rows of files. `base`: load rows are the data set itself, not additions to it. */
enum status merge_gather_files(struct merge_env *env, struct merge_shards *s,
                               const struct merge_file *files, size_t n, bool base) MUST_CHECK;
/* No more rows: sorts; the shards may be read then. */
enum status merge_shards_sort(struct merge_env *env, struct merge_shards *s) MUST_CHECK;

#endif
