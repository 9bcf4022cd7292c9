/* Writes parts of the new data set, one after the other, through the caller's sink. Private to
 * emulators/glue/merge/. */
#ifndef CISTERN_GLUE_MERGE_WRITER_H
#define CISTERN_GLUE_MERGE_WRITER_H

#include "emulators/glue/merge/merge_env.h"
#include "emulators/glue/merge/merge_keys.h"

/* Finished parts, in key order. */
struct merge_list {
    struct merge_written *written;
    size_t n;
    size_t cap;
};

/* Owned by one thread. */
struct merge_writer {
    struct merge_env *env;
    struct merge_list *list; /* where finished parts go */
    bool open;
    int fd;
    void *handle;
    char *buf;
    size_t n;       /* in buf */
    uint64_t bytes; /* of the open part, those in buf included */
    uint64_t rows;
    struct merge_key first;
    struct merge_key last;
};

void merge_writer_init(struct merge_writer *w, struct merge_env *env, struct merge_list *list);
/* Discards a part that is still open. */
void merge_writer_fini(struct merge_writer *w);
/* Opens a part (with its header) unless one is open. */
enum status merge_writer_open(struct merge_writer *w) MUST_CHECK;
/* `rows` complete rows with their line ends, from key `first` to key `last`. */
enum status merge_writer_span(struct merge_writer *w, const struct merge_key *first,
                              const struct merge_key *last, uint64_t rows,
                              struct str bytes) MUST_CHECK;
/* One row, without line end. */
enum status merge_writer_row(struct merge_writer *w, const struct merge_key *key,
                             struct str row) MUST_CHECK;
/* Bytes of rows whose number and keys are set with merge_writer_note(). */
enum status merge_writer_bytes(struct merge_writer *w, struct str bytes) MUST_CHECK;
void merge_writer_note(struct merge_writer *w, const struct merge_key *first,
                       const struct merge_key *last, uint64_t rows);
/* Finishes the open part, if any. */
enum status merge_writer_close(struct merge_writer *w) MUST_CHECK;

#endif
