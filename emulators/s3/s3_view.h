/* Views: what a job run still sees of objects that it replaced or deleted itself
 * (emulators/facade/s3.h has the promise).
 *
 * The row of such an object moves to the table s3_kept in the transaction that replaces or deletes
 * it, its file back to tmp/ after the commit; so readers on HTTP threads find one or the other in
 * committed state, and whatever is rolled back keeps nothing. While no view is open nobody asks. */
#ifndef CISTERN_S3_VIEW_H
#define CISTERN_S3_VIEW_H

#include "emulators/s3/s3_event.h"

struct core;

/* Core thread, at start, at stop (closes all views) and at the end. */
void s3_views_init(struct s3 *s3);
void s3_views_close_all(struct s3 *s3);
void s3_views_fini(struct s3 *s3);

/* In the transaction that replaces or deletes `old`, while its row is still there: the file goes
 * after the commit, or is kept for the view of who caused it. */
enum status s3_view_retire(struct s3 *s3, const struct s3_object_row *old,
                           const struct s3_cause *cause) MUST_CHECK;

/* GetObject and HeadObject, any thread: `found` is what the search for the current object returned
 * (ST_OK: it is in *row, or ST_NOT_FOUND). Puts the kept version into *row if that is what this
 * caller shall see: the key is gone, or If-Match names a kept ETag and not the current one. */
enum status s3_view_choose(struct call *c, enum status found, struct s3_object_row *row) MUST_CHECK;

#endif
