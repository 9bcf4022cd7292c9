/* Name/value pairs as one database value: user metadata and tag sets. Encoded as
 * name NUL value NUL …; neither may hold a NUL. Pure; any thread. */
#ifndef CISTERN_S3_PAIRS_H
#define CISTERN_S3_PAIRS_H

#include "server/base/arena.h"
#include "server/base/str.h"

#define S3_OBJECT_TAGS_MAX 10
#define S3_BUCKET_TAGS_MAX 50
#define S3_TAG_KEY_MAX 128   /* characters */
#define S3_TAG_VALUE_MAX 256 /* characters */

struct s3_pair {
    struct str name, value;
};
struct s3_pairs {
    struct s3_pair *v;
    size_t n;
};

/* Absent when there are none. */
struct str s3_pairs_encode(struct arena *a, struct s3_pairs pairs);
/* Views into `text`; broken text ends the list. */
struct s3_pairs s3_pairs_decode(struct arena *a, struct str text);
/* "a=1&b=2", URL-encoded, as x-amz-tagging carries it. */
struct s3_pairs s3_pairs_parse_query(struct arena *a, struct str text);
/* Why AWS refuses this set, or NULL: too many, empty or long or twice used keys, long values,
 * characters that tags may not have, names of AWS's own. */
const char *s3_tags_complaint(struct s3_pairs pairs, size_t max);

#endif
