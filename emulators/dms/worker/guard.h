/* Keeps a table from being altered while it is described and its snapshot is opened: the
 * description is then right for the snapshot's place in the log. (An ALTER that is on its way is
 * waited for, up to five seconds; one that comes meanwhile waits for us.) Loader threads. */
#ifndef CISTERN_DMS_GUARD_H
#define CISTERN_DMS_GUARD_H

#include "emulators/dms/worker/worker_impl.h"

/* `conn` is connected and does nothing else meanwhile. */
enum status dms_guard_take(struct mysql_conn *conn, const struct dms_table *t,
                           struct mysql_err *err) MUST_CHECK;
/* Also when it could not be taken, and again. */
void dms_guard_release(struct mysql_conn *conn);

#endif
