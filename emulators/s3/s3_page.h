/* One page of a listing: keys in byte order with common prefixes rolled up. The cost is that of the
 * page: what lies below a common prefix is skipped by a new seek, never walked. Any thread. */
#ifndef CISTERN_S3_PAGE_H
#define CISTERN_S3_PAGE_H

#include "emulators/s3/s3_store.h"
#include "server/http/call.h"

struct s3_page_query {
    struct str bucket;
    struct str prefix;    /* absent: all */
    struct str delimiter; /* empty or absent: none */
    struct str after;     /* keys must be greater; absent: from the start */
    bool skip_prefix;     /* `after` is or lies below a common prefix that was given already */
    int64_t max;          /* keys and prefixes together */
};
struct s3_page {
    struct s3_object_row *rows;
    size_t n_rows;
    struct str *prefixes;
    size_t n_prefixes;
    bool truncated;
    struct str last; /* the last key or prefix given; valid when truncated */
    bool last_is_prefix;
};
enum status s3_page_collect(struct db *db, struct arena *a, const struct s3_page_query *query,
                            struct s3_page *ret) MUST_CHECK;

/* --- pure helpers ----------------------------------------------------------------------------- */
/* The common prefix of a key: up to and with the first delimiter behind the prefix; absent when the
 * key has none. */
struct str s3_common_prefix_of(struct str key, struct str prefix, struct str delimiter);
/* The smallest text greater than everything that starts with `s`; absent when there is none. */
struct str s3_after_prefix(struct arena *a, struct str s);
/* Opaque continuation tokens of ListObjectsV2. ST_INVALID: not one of ours. */
struct str s3_token_encode(struct arena *a, struct str last, bool is_prefix);
enum status s3_token_decode(struct arena *a, struct str token, struct str *ret_last,
                            bool *ret_is_prefix) MUST_CHECK;
/* encoding-type is absent or "url"; *ret_url tells. */
enum status s3_page_encoding(struct call *c, bool *ret_url) MUST_CHECK;
/* form-encoded when `url`. */
struct str s3_page_text(struct arena *a, struct str s, bool url);

#endif
