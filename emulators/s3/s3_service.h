/* What the files of this folder share: the service's state and the checks that nearly every
 * operation begins with. Functions that take a call run on whatever thread the call is on; on
 * failure they have recorded the client's error and return ST_AWS (or a 5xx status). */
#ifndef CISTERN_S3_SERVICE_H
#define CISTERN_S3_SERVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "emulators/s3/s3_store.h"
#include "server/base/list.h"
#include "server/base/str.h"
#include "server/http/call.h"

#define S3_KEY_MAX 1024         /* bytes */
#define S3_PUT_MAX (5ll << 30)  /* bytes of one PUT, part or copy */
#define S3_PART_MIN (5ll << 20) /* bytes of every part but the last */
#define S3_PARTS_MAX 10000
#define S3_PAGE_MAX 1000   /* entries of one listing */
#define S3_DELETE_MAX 1000 /* keys of one DeleteObjects */
#define S3_RULES_MAX 100   /* notification rules of one bucket */
#define S3_RECENT_MAX 1024 /* writes whose keys are remembered for s3_moved() */

struct core;

/* Core thread, except `core`, which is constant, and `n_views`. */
struct s3 {
    struct core *core;
    atomic_int n_views; /* changed by the core thread only; zero spares readers all questions */
    struct link views;  /* s3_view.c */
    int64_t next_view;
    int64_t seq_last;  /* last sequence number given out, microseconds since the epoch */
    int64_t seq_limit; /* numbers up to here are on record */
    long copying;      /* copies and completions under way */
    /* The last writes, oldest overwritten: key of a blob that could not be placed as planned. */
    struct s3_recent {
        int64_t id;
        char *key;
        size_t key_n;
    } recent[S3_RECENT_MAX];
    size_t next_recent;
};
static inline struct s3 *call_s3(const struct call *c)
{
    return c->state;
}

/* The bucket of the call: exists, belongs to the caller, is whose the caller expects. */
enum status s3_need_bucket(struct call *c, struct s3_bucket_row *ret) MUST_CHECK;
/* The same without the row. */
enum status s3_check_bucket(struct call *c) MUST_CHECK;
/* Another bucket (copy source), with the header that names its expected owner. */
enum status s3_need_other_bucket(struct call *c, struct str name, const char *owner_header,
                                 struct s3_bucket_row *ret) MUST_CHECK;
/* Length and UTF-8 of the call's key. */
enum status s3_check_key(struct call *c) MUST_CHECK;
/* versionId of buckets that never had versions: absent and "null" pass. */
enum status s3_check_version(struct call *c, struct str version_id) MUST_CHECK;
/* Bucket, key and version checked, row found; ST_NOT_FOUND: no such key, nothing recorded. */
enum status s3_find_object(struct call *c, struct str version_id,
                           struct s3_object_row *ret) MUST_CHECK;
/* The same; NoSuchKey. */
enum status s3_need_object(struct call *c, struct str version_id,
                           struct s3_object_row *ret) MUST_CHECK;

/* InvalidArgument with ArgumentName and ArgumentValue. */
enum status s3_fail_argument(struct call *c, const char *name, struct str value,
                             const char *text) MUST_CHECK;
/* NotImplemented for a header that asks for what we don't do. */
enum status s3_fail_header(struct call *c, const char *header, const char *text) MUST_CHECK;
enum status s3_fail_key(struct call *c, struct str key) MUST_CHECK;

/* 64 hex digits that stand for an account wherever S3 shows an owner. */
struct str s3_owner_id(struct arena *a, struct str account);
/* "\"etag\"" */
struct str s3_quoted(struct arena *a, struct str etag);
/* Number in a query parameter or header: absent gives `fallback`. ST_AWS: no number, negative. */
enum status s3_page_size(struct call *c, const char *name, const struct opt_i64 *given,
                         int64_t *ret) MUST_CHECK;

/* s3_route.c, s3_put.c: the service's hooks. */
/* Makes the folder of a new bucket after the commit. Core thread. */
enum status s3_make_folder(struct s3 *s3, struct str bucket) MUST_CHECK;
const struct op *s3_route(const struct call *c);
enum status s3_prepare(struct call *c) MUST_CHECK;
/* s3_post.c: a browser's upload form. */
extern const struct op s3_post_object_op;
enum status s3_post_prepare(struct call *c) MUST_CHECK;

#endif
