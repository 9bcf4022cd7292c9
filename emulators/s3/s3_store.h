/* Everything S3 keeps in the database; the only SQL of this folder. Functions return control
 * statuses only; strings of rows live in the arena that was given. Reading functions work on any
 * handle of the calling thread, writing ones on the core's inside its transaction. */
#ifndef CISTERN_S3_STORE_H
#define CISTERN_S3_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "emulators/s3/s3_checksum.h"
#include "emulators/s3/s3_rule.h"
#include "server/base/arena.h"
#include "server/base/str.h"
#include "server/store/blob.h"
#include "server/store/db.h"

extern const char s3_schema_sql[];

/* --- buckets ---------------------------------------------------------------------------------- */
struct s3_bucket_row {
    struct str name, account, region;
    int64_t created_ms;
};
/* ST_NOT_FOUND: no such bucket. */
enum status s3_store_bucket(struct db *db, struct arena *a, struct str name,
                            struct s3_bucket_row *ret) MUST_CHECK;
/* ST_EXISTS: the name is taken. */
enum status s3_store_add_bucket(struct db *db, const struct s3_bucket_row *row) MUST_CHECK;
/* Row, settings and rules; objects and uploads must be gone. */
enum status s3_store_drop_bucket(struct db *db, struct str name) MUST_CHECK;
/* Names after `after` with the prefix; account and region absent: all. At most `limit`. */
struct s3_bucket_filter {
    struct str account, region, prefix, after;
    size_t limit;
};
enum status s3_store_buckets(struct db *db, struct arena *a, const struct s3_bucket_filter *filter,
                             struct s3_bucket_row **ret, size_t *ret_n) MUST_CHECK;
enum status s3_store_bucket_empty(struct db *db, struct str name, bool *ret) MUST_CHECK;

/* Settings that are kept as given ("policy", "tagging", …). ST_NOT_FOUND: not set. */
enum status s3_store_setting(struct db *db, struct arena *a, struct str bucket, const char *kind,
                             struct str *ret) MUST_CHECK;
enum status s3_store_set_setting(struct db *db, struct str bucket, const char *kind,
                                 struct str value) MUST_CHECK;
enum status s3_store_drop_setting(struct db *db, struct str bucket, const char *kind) MUST_CHECK;

/* Notification rules, in the order of the configuration. */
enum status s3_store_rules(struct db *db, struct arena *a, struct str bucket, struct s3_rule **ret,
                           size_t *ret_n) MUST_CHECK;
enum status s3_store_set_rules(struct db *db, struct str bucket, const struct s3_rule *rules,
                               size_t n) MUST_CHECK;

/* Upper end of the sequence numbers that may have been given out; 0 at first. */
enum status s3_store_sequence(struct db *db, int64_t *ret) MUST_CHECK;
enum status s3_store_set_sequence(struct db *db, int64_t value) MUST_CHECK;

/* --- objects ---------------------------------------------------------------------------------- */
/* What a client may set on an object besides its bytes; absent: not set. */
struct s3_headers {
    struct str content_type, content_encoding, cache_control, content_disposition;
    struct str content_language, expires, redirect, storage_class;
    struct str meta; /* s3_pairs */
    struct str tags; /* s3_pairs */
};
struct s3_object_row {
    struct str bucket, key;
    struct str etag; /* without quotes */
    int64_t size, modified_ms;
    struct s3_headers head;
    enum s3_alg alg;
    bool composite;
    struct str checksum; /* with -N when composite */
    struct str parts;    /* multipart: s3_parts_encode(), else absent */
    struct blob_ref ref;
    struct str path; /* below buckets/ */
};
enum status s3_store_object(struct db *db, struct arena *a, struct str bucket, struct str key,
                            struct s3_object_row *ret) MUST_CHECK;
/* Inserts or replaces. */
enum status s3_store_put_object(struct db *db, const struct s3_object_row *row) MUST_CHECK;
enum status s3_store_drop_object(struct db *db, struct str bucket, struct str key) MUST_CHECK;
enum status s3_store_set_tags(struct db *db, struct str bucket, struct str key,
                              struct str tags) MUST_CHECK;
/* The file of this ref lies elsewhere than its key says. `key` absent: not known, found by a scan
 * of the bucket. ST_OK also when the object is gone. */
enum status s3_store_moved(struct db *db, struct str bucket, struct str key,
                           const struct blob_ref *ref, struct str path) MUST_CHECK;

/* Objects that are gone but kept for the job run that signs with `access_key` (s3_view.c). */
struct s3_kept_row {
    struct s3_object_row object;
    struct str access_key;
    int64_t view; /* number of the view */
    int64_t file; /* of blob_intend_kept() */
};
/* Copies the row of the current object, which must be row->object, to the kept ones. */
enum status s3_store_keep(struct db *db, const struct s3_kept_row *row) MUST_CHECK;
/* Versions of one key, newest first. */
enum status s3_store_kept(struct db *db, struct arena *a, const struct s3_kept_row *which,
                          struct s3_kept_row **ret, size_t *ret_n) MUST_CHECK;
/* All of an access key, with ref, path and file only. */
enum status s3_store_kept_files(struct db *db, struct arena *a, struct str access_key,
                                struct s3_kept_row **ret, size_t *ret_n) MUST_CHECK;
enum status s3_store_drop_kept(struct db *db, struct str access_key) MUST_CHECK;
enum status s3_store_drop_all_kept(struct db *db) MUST_CHECK;

/* Walks keys in byte order, from `from` (included or not) on: the columns that listings show.
 * One step is one row of the index; close always. */
struct s3_cursor {
    struct rows q;
};
enum status s3_cursor_open(struct s3_cursor *cur, struct db *db, struct str bucket, struct str from,
                           bool included) MUST_CHECK;
/* The key is borrowed until the next call: decide, then take the row. */
bool s3_cursor_next(struct s3_cursor *cur, struct str *ret_key);
/* `bucket` as given to open; it is only borrowed by the row. */
void s3_cursor_row(struct s3_cursor *cur, struct arena *a, struct str bucket,
                   struct s3_object_row *ret);
enum status s3_cursor_close(struct s3_cursor *cur) MUST_CHECK;

/* --- multipart uploads ------------------------------------------------------------------------ */
struct s3_upload_row {
    struct str id, bucket, key;
    int64_t created_ms;
    struct s3_headers head;
    enum s3_alg alg; /* NONE: the client named none */
    bool composite;
    int64_t before_id; /* blob id of the object that was current when the upload began, 0: none */
};
struct s3_part_row {
    int64_t number;
    struct str etag;     /* hex MD5 */
    struct str checksum; /* base64 of the upload's algorithm, CRC64NVME when that is NONE */
    int64_t modified_ms;
    struct blob_ref ref; /* the file stays in tmp/ until the upload ends */
};
/* ST_NOT_FOUND: no such upload, or of another bucket or key. */
enum status s3_store_upload(struct db *db, struct arena *a, struct str bucket, struct str key,
                            struct str id, struct s3_upload_row *ret) MUST_CHECK;
enum status s3_store_add_upload(struct db *db, const struct s3_upload_row *row) MUST_CHECK;
/* The upload and its parts' rows. */
enum status s3_store_drop_upload(struct db *db, struct str id) MUST_CHECK;
/* Of a bucket in order of (key, id), beginning behind (key, after_id); with after_id absent at the
 * first upload whose key is `key` or greater. At most `limit`. */
struct s3_upload_from {
    struct str key, after_id;
};
struct s3_upload_rows {
    struct s3_upload_row *v;
    size_t n;
};
enum status s3_store_uploads(struct db *db, struct arena *a, struct str bucket,
                             const struct s3_upload_from *from, size_t limit,
                             struct s3_upload_rows *ret) MUST_CHECK;
enum status s3_store_part(struct db *db, struct arena *a, struct str id, int64_t number,
                          struct s3_part_row *ret) MUST_CHECK;
enum status s3_store_put_part(struct db *db, struct str id,
                              const struct s3_part_row *row) MUST_CHECK;
/* In order of number, after `after`; at most `limit`. */
struct s3_part_rows {
    struct s3_part_row *v;
    size_t n;
};
enum status s3_store_parts(struct db *db, struct arena *a, struct str id, int64_t after,
                           size_t limit, struct s3_part_rows *ret) MUST_CHECK;

/* Sizes and checksums of a finished object's parts, for partNumber and GetObjectAttributes. */
struct s3_part_sums {
    struct s3_part_sum *v;
    size_t n;
};
struct str s3_parts_encode(struct arena *a, struct s3_part_sums parts);
struct s3_part_sums s3_parts_decode(struct arena *a, struct str text);

#endif
