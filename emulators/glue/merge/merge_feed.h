/* Load and change files, shared by the threads that read them: each takes the next piece of the
 * next file, whatever their sizes. Private to emulators/glue/merge/. */
#ifndef CISTERN_GLUE_MERGE_FEED_H
#define CISTERN_GLUE_MERGE_FEED_H

#include "emulators/glue/merge/merge_rows.h"

struct merge_feed {
    pthread_mutex_t lock; /* of all that follows */
    const struct merge_file *file;
    size_t n;
    size_t next; /* file to open */
    uint64_t pieces;
    bool failed;
    struct csv_reader reader; /* of file[next - 1], or closed */
};

void merge_feed_init(struct merge_feed *f, const struct merge_file *files, size_t n);
void merge_feed_fini(struct merge_feed *f);
/* Any thread: the next piece for a thread's `r` (from merge_rows_init()), whose env->order becomes
 * the piece's number. ST_NOT_FOUND: no more. */
enum status merge_feed_take(struct merge_feed *f, struct merge_rows *r) MUST_CHECK;

#endif
