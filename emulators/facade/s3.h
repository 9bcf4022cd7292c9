/* What other services may ask of S3. Core thread unless noted. Buckets and keys are plain text
 * (not URL-encoded). */
#ifndef CISTERN_FACADE_S3_H
#define CISTERN_FACADE_S3_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"
#include "server/store/blob.h"

struct core;
struct db;

/* A current object; strings live in the arena that was given. */
struct s3_object {
    struct str bucket, key;
    struct str etag; /* without quotes */
    int64_t size, last_modified_ms;
    struct blob_ref ref;
    struct str path; /* below buckets/ */
};

bool s3_bucket_exists(struct db *db, struct str bucket);
/* 12-digit owner; absent when there is no such bucket. */
struct str s3_bucket_account(struct db *db, struct arena *a, struct str bucket);
/* ST_NOT_FOUND: no such key (or bucket). */
enum status s3_object_find(struct db *db, struct arena *a, struct str bucket, struct str key,
                           struct s3_object *ret) MUST_CHECK;
/* Objects under a prefix in key order, after `start_after` (absent: from the start), at most
 * `limit` (0: all). */
struct s3_object_range {
    struct str bucket, prefix, start_after;
    size_t limit;
};
enum status s3_object_list(struct db *db, struct arena *a, const struct s3_object_range *range,
                           struct s3_object **ret, size_t *ret_n) MUST_CHECK;
/* Any thread. ST_NOT_FOUND: replaced or deleted since it was found. */
enum status s3_object_open(struct core *core, const struct s3_object *o, int *ret_fd) MUST_CHECK;

/* Writes a staged file as an object in the current transaction, fires ObjectCreated:Put, and takes
 * the staged file over (also on failure: it is then discarded). With part_bytes the object is one
 * that came by multipart upload. The event is the same then: AWS doesn't say how its services send
 * long files, and who listens to Put alone must not miss them. */
struct s3_put {
    struct str bucket, key;
    struct blob_ref ref;
    const unsigned char *md5; /* 16 bytes: of the file; of the parts' MD5s if it came in parts */
    int64_t part_bytes;       /* of every part but the last; 0: it came in one piece */
    struct str content_type;  /* absent: binary/octet-stream */
    struct str content_encoding;
    struct str request_id; /* absent: a fresh one */
    struct str principal;  /* who is shown in the event: "AWS:AIDA…"; absent: the service */
};
enum status s3_object_put(struct core *core, const struct s3_put *put) MUST_CHECK;
/* Deletes the current object, fires ObjectRemoved:Delete; ST_NOT_FOUND when absent. */
enum status s3_object_delete(struct core *core, struct str bucket, struct str key) MUST_CHECK;

/* --- what a job run sees -------------------------------------------------------------------------
 * A view keeps, for one access key, the objects that this very key replaces or deletes: they stay
 * readable for Hadoop's S3A client (by its User-Agent) under that key, until the view is closed. So
 * a lazy reader that overwrites its own input still reads what was there. Listings, other clients
 * and other keys see the truth. A view doesn't survive a restart. Spark needs
 * fs.s3a.audit.enabled=true, by which S3A tells opening from asking whether a name is free; without
 * it a name stays taken for S3A's renames (s3_view.c). */
struct s3_view {
    struct str access_key; /* copied */
    /* Core thread, once per view, when the first kept object is read: bucket and key. May be NULL.
     */
    void (*on_old_read)(void *arg, struct str bucket, struct str key);
    void *arg;
};
/* ST_EXISTS: the key has a view. Core thread, like the next. */
enum status s3_view_open(struct core *core, const struct s3_view *view) MUST_CHECK;
/* Frees what was kept; on_old_read isn't called any more. A key without view is ignored. */
void s3_view_close(struct core *core, struct str access_key);

#endif
