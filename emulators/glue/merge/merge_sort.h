/* Sorts keyed rows by key, then by arrival, in bounded memory: what does not fit is written as
 * sorted runs to one unlinked temporary file. Add all, start, then take them in order. Private to
 * emulators/glue/merge/. */
#ifndef CISTERN_GLUE_MERGE_SORT_H
#define CISTERN_GLUE_MERGE_SORT_H

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
};

/* Where a row came from; also its place in commit order. */
#define MERGE_SEQ(file, line) ((uint64_t)(file) << 40 | (uint64_t)(line))
#define MERGE_SEQ_FILE(seq) ((size_t)((seq) >> 40))
#define MERGE_SEQ_LINE(seq) ((seq) & ((UINT64_C(1) << 40) - 1))

struct sort_item {
    const unsigned char *key;
    size_t key_n;
    uint64_t prefix; /* merge_key_prefix() of the key */
    uint64_t seq;
    enum merge_kind kind;
    struct str row; /* no line end; empty for deletes */
};

struct merge_sort;

struct merge_sort *merge_sort_new(struct merge_env *env) __attribute__((returns_nonnull));
void merge_sort_free(struct merge_sort *s); /* NULL is fine */
/* Copies the key and the row. */
enum status merge_sort_add(struct merge_sort *s, const struct merge_key *key, uint64_t seq,
                           enum merge_kind kind, struct str row) MUST_CHECK;
/* No more rows will be added. */
enum status merge_sort_start(struct merge_sort *s) MUST_CHECK;
/* The next item without taking it; NULL at the end. Borrowed until merge_sort_take(). */
const struct sort_item *merge_sort_peek(const struct merge_sort *s);
enum status merge_sort_take(struct merge_sort *s) MUST_CHECK;
/* Bytes of rows not yet taken. */
uint64_t merge_sort_left(const struct merge_sort *s);
size_t merge_sort_runs(const struct merge_sort *s); /* on disk; 0: all in memory */

#endif
