/* The one way objects come and go: row, file, old file, event, in one transaction. Core thread. */
#ifndef CISTERN_S3_WRITE_H
#define CISTERN_S3_WRITE_H

#include "emulators/s3/s3_event.h"

/* Preconditions of a write on the current object (NULL: none), recorded as the client's error.
 * `before_id`: blob that was current when a multipart upload began, -1 for other writes. */
struct s3_write_cond {
    struct str if_match, if_none_match;
};
/* Refuses what S3 doesn't implement (If-Match: *, both at once, …). Any thread. */
enum status s3_write_cond_read(struct call *c, struct s3_write_cond *ret) MUST_CHECK;
enum status s3_write_cond_check(struct call *c, const struct s3_write_cond *cond,
                                const struct s3_object_row *old, int64_t before_id) MUST_CHECK;

/* Current object or NULL. */
enum status s3_write_current(struct s3 *s3, struct arena *a, struct str bucket, struct str key,
                             struct s3_object_row **ret) MUST_CHECK;
/* Puts `row` (its ref staged; path and modified_ms are filled in) in place of `old` (NULL: none)
 * and fires `event`. On ST_OK the staged file is taken over. */
struct s3_write {
    struct s3_object_row *row;
    const struct s3_object_row *old;
    const char *event; /* "s3:ObjectCreated:…" */
};
enum status s3_write_object(struct s3 *s3, struct arena *a, const struct s3_bucket_row *bucket,
                            const struct s3_write *write, const struct s3_cause *cause) MUST_CHECK;
/* Deletes `old` (NULL: the key doesn't exist; only the event is fired). */
enum status s3_write_removal(struct s3 *s3, struct arena *a, const struct s3_bucket_row *bucket,
                             struct str key, const struct s3_object_row *old,
                             const struct s3_cause *cause) MUST_CHECK;

/* blob_moved_fn; arg: struct s3. */
void s3_moved(void *arg, const struct blob_ref *ref, struct str new_path);

#endif
