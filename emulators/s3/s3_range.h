/* Byte ranges and conditional requests: pure decisions over header texts. Any thread.
 * RFC 9110 §13, §14 with S3's exceptions. */
#ifndef CISTERN_S3_RANGE_H
#define CISTERN_S3_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/str.h"

enum s3_range_kind {
    S3_RANGE_WHOLE,   /* none, bad syntax or several ranges: the whole object, 200 */
    S3_RANGE_PART,    /* 206 */
    S3_RANGE_OUTSIDE, /* 416 */
};
/* `header`: value of Range, or absent. Sets offset and length in bytes (whole object unless PART).
 */
enum s3_range_kind s3_range_parse(struct str header, int64_t size, int64_t *ret_off,
                                  int64_t *ret_len);
/* "bytes=a-b" of x-amz-copy-source-range: both ends needed. ST_INVALID: syntax; ST_CONFLICT: ends
 * past the object. */
enum status s3_copy_range_parse(struct str header, int64_t size, int64_t *ret_off,
                                int64_t *ret_len) MUST_CHECK;

/* The four conditions; texts as sent or absent. */
struct s3_cond {
    struct str if_match, if_none_match, if_modified_since, if_unmodified_since;
};
enum s3_cond_result {
    S3_COND_OK,
    S3_COND_NOT_MODIFIED, /* 304 for reads, 412 for copy sources */
    S3_COND_FAILED,       /* 412 */
};
/* `etag` without quotes. Dates that are no dates or lie in the future of `now_ms` are ignored.
 * *ret_name: the header that decided. */
enum s3_cond_result s3_cond_check(const struct s3_cond *cond, struct str etag, int64_t modified_ms,
                                  int64_t now_ms, const char **ret_name);
/* Does `list` (one or more ETags, quoted or not, or `*`) name this ETag? */
bool s3_etag_matches(struct str list, struct str etag);
/* Without one pair of surrounding quotes (and a W/ prefix). */
struct str s3_etag_bare(struct str s);

#endif
