/* Keys in a form whose memcmp() order is the order of the data set (see merge.h): canonical
 * integers numerically, then texts in byte order, component by component. No encoded key is a
 * prefix of another with as many components, so equality and order need no further rule. */
#ifndef CISTERN_GLUE_MERGE_KEYS_H
#define CISTERN_GLUE_MERGE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/buf.h"
#include "server/base/str.h"

struct merge_key {
    uint64_t prefix; /* the first 8 bytes, big-endian: decides most comparisons */
    unsigned char *p;
    size_t n;
    size_t cap;
};

/* A zeroed key is valid and empty. */
void merge_key_fini(struct merge_key *k);
void merge_key_clear(struct merge_key *k);
/* Appends one component. Call merge_key_seal() after the last. */
void merge_key_add(struct merge_key *k, struct str value);
void merge_key_seal(struct merge_key *k);
/* Replaces *k by a copy of encoded bytes. */
void merge_key_set(struct merge_key *k, const void *p, size_t n);
void merge_key_copy(struct merge_key *to, const struct merge_key *from);
void merge_key_swap(struct merge_key *a, struct merge_key *b);

/* <0, 0, >0 */
static inline int merge_key_cmp(const struct merge_key *a, const struct merge_key *b)
{
    if (a->prefix != b->prefix) {
        return a->prefix < b->prefix ? -1 : 1;
    }
    size_t n = a->n < b->n ? a->n : b->n;
    int c = n > 0 && a->p && b->p ? memcmp(a->p, b->p, n) : 0;
    return c ? c : (a->n > b->n) - (a->n < b->n);
}

/* The prefix of encoded bytes. */
uint64_t merge_key_prefix(const unsigned char *p, size_t n);

/* The prefix of a key of one component, which is the field at p, right from the text: `end` is
 * behind the record's newline; `quoted`: a quote may stand in it. False: it takes a closer look. */
bool merge_key_quick(const char *p, const char *end, char delim, bool quoted, uint64_t *ret_prefix);
/* Makes the key of a quick prefix, when that is all of it; else false. */
bool merge_key_from_quick(struct merge_key *k, uint64_t prefix);

/* The components as one CSV record. */
void merge_key_text(const struct merge_key *k, char delim, struct buf *out);
/* The inverse; ST_INVALID unless it is a record with n_key fields (0: any number). */
enum status merge_key_parse(struct merge_key *k, struct str text, char delim,
                            size_t n_key) MUST_CHECK;

#endif
