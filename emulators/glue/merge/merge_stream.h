/* The rows of all shards whose keys are in a range, in order of key and then of arrival. Any number
 * of streams may read the same shards at once. Private to emulators/glue/merge/. */
#ifndef CISTERN_GLUE_MERGE_STREAM_H
#define CISTERN_GLUE_MERGE_STREAM_H

#include "emulators/glue/merge/merge_sort.h"

struct sort_item {
    const unsigned char *key;
    size_t key_n;
    uint64_t prefix; /* merge_key_prefix() of the key */
    uint64_t seq;
    enum merge_kind kind;
    bool stays;     /* key and row stay where they are as long as the shards */
    struct str row; /* no line end; empty for deletes */
};

struct stream_cursor;

struct merge_stream {
    struct merge_env *env;
    const struct merge_key *upper; /* NULL: no bound */
    struct stream_cursor *cursor;
    size_t *heap; /* indexes of cursors, the smallest item first */
    size_t n_heap;
    size_t n;
};

/* Keys from `lower` on (NULL: all) and below `upper` (NULL: all), which must outlive the stream.
 * Close in any case; a zeroed one may be closed. */
enum status merge_stream_open(struct merge_stream *s, struct merge_env *env,
                              const struct merge_sort *shard, size_t n_shards,
                              const struct merge_key *lower,
                              const struct merge_key *upper) MUST_CHECK;
void merge_stream_close(struct merge_stream *s);
/* The next item without taking it; NULL at the end. Borrowed until merge_stream_take(). */
const struct sort_item *merge_stream_peek(const struct merge_stream *s);
enum status merge_stream_take(struct merge_stream *s) MUST_CHECK;
/* About how many bytes of rows are still to come (more, when there is an upper bound). */
uint64_t merge_stream_left(const struct merge_stream *s);

#endif
