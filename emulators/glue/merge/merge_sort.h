/* Sorts keyed rows by key, then by arrival, in bounded memory: what does not fit is written as
 * sorted runs to an unlinked temporary file. One shard per thread is filled and sorted; then any
 * number of threads read ranges of all shards through merge_stream.h. Private to
 * emulators/glue/merge/. */
#ifndef CISTERN_GLUE_MERGE_SORT_H
#define CISTERN_GLUE_MERGE_SORT_H

#include <sys/types.h>

#include "emulators/glue/merge/merge_env.h"
#include "emulators/glue/merge/merge_keys.h"

/* What a row is. 'I', 'U', 'D' are DMS's letters. */
enum merge_kind {
    KIND_BASE = 'B', /* a row of the data set, or of a load that replaces it */
    KIND_LOAD = 'L', /* a row of a further load file: insert or replace */
    KIND_PUT = 'P',  /* insert or replace, no matter which */
    KIND_INSERT = 'I',
    KIND_UPDATE = 'U',
    KIND_DELETE = 'D',
    KIND_MOVE = 'M', /* an update gave the row another key: deletes the old one */
};

/* Where a row came from; also its place in commit order. */
#define MERGE_SEQ(file, line) ((uint64_t)(file) << 40 | (uint64_t)(line))
#define MERGE_SEQ_FILE(seq) ((size_t)((seq) >> 40))
#define MERGE_SEQ_LINE(seq) ((seq) & ((UINT64_C(1) << 40) - 1))

/* How a row is kept, in memory and on disk: this, its key, its row, padding to 8 bytes. */
struct sort_piece {
    uint64_t seq;
    uint32_t key_n;
    uint32_t row_n;
    uint32_t kind;
    uint32_t total; /* bytes of all that */
};

static inline const unsigned char *sort_piece_key(const struct sort_piece *p)
{
    return (const unsigned char *)(p + 1);
}

struct sort_entry {
    uint64_t prefix; /* merge_key_prefix() of the key */
    const struct sort_piece *piece;
};

/* A place in a run where a reader may begin. */
struct sort_mark {
    uint64_t prefix; /* of the piece there */
    off_t at;
};

/* A sorted run on disk. */
struct sort_run {
    off_t begin;
    off_t end;
    struct sort_mark *mark;
    size_t n_marks;
    size_t cap_marks;
};

/* The memory that the shards share. */
struct sort_pool {
    uint64_t limit;
    uint64_t share; /* of a shard, below which it does not go to disk */
    _Atomic uint64_t used;
};

struct sort_block;

/* Read-only for others after merge_sort_finish(). */
struct merge_sort {
    struct sort_pool *pool;
    uint64_t used; /* bytes of pieces and entries in memory */
    struct sort_block *blocks;
    struct sort_entry *entries;
    size_t n;
    size_t cap;
    uint64_t row_bytes; /* in memory, line ends included */
    bool sorted;        /* entries are in order */
    int fd;             /* the runs; -1: none */
    off_t file_end;
    struct sort_run *runs;
    size_t n_runs;
    size_t cap_runs;
};

void merge_sort_pool_init(struct sort_pool *pool, const struct merge_env *env, size_t n_shards);
void merge_sort_init(struct merge_sort *s, struct sort_pool *pool);
void merge_sort_fini(struct merge_sort *s);
/* Copies the key and the row. */
enum status merge_sort_add(struct merge_sort *s, struct merge_env *env, const struct merge_key *key,
                           uint64_t seq, enum merge_kind kind, struct str row) MUST_CHECK;
/* No more rows will be added: sorts what is in memory. */
void merge_sort_finish(struct merge_sort *s);

/* Words errno. */
enum status merge_sort_disk_failed(struct merge_env *env, const char *what) MUST_CHECK;

#endif
