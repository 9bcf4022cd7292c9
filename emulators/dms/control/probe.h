/* Short visits of a source, each in a thread of its own: for RefreshSchemas and assessments. Core
 * thread unless noted. */
#ifndef CISTERN_DMS_PROBE_H
#define CISTERN_DMS_PROBE_H

#include "emulators/dms/dms_internal.h"
#include "server/mysql/conn.h"

/* Worker thread: the connection is open. `arg` is the caller's; nobody else touches it meanwhile.
 */
typedef enum status (*dms_probe_run_fn)(struct mysql_conn *conn, void *arg, struct mysql_err *err);
/* Core thread, once: also when connecting failed (st and *err tell), or the server stops. */
typedef void (*dms_probe_done_fn)(struct dms *dms, void *arg, enum status st,
                                  const struct mysql_err *err);

struct dms_probe_job {
    dms_probe_run_fn run;
    dms_probe_done_fn done;
    void *arg;
    const char *what; /* a literal, for busy: "schemas are read" */
};

/* Visits the endpoint. ST_INVALID: *ret_error says what of it can't be used; done isn't called. */
enum status dms_probe_start(struct dms *dms, struct arena *a, const struct dms_resource *endpoint,
                            const struct dms_probe_job *job, struct str *ret_error) MUST_CHECK;
/* The server stops: connections are cut. */
void dms_probes_stop(struct dms *dms);
/* Reports those that are under way. */
void dms_probes_busy(struct dms *dms, struct busy *busy);

/* The text of TestConnection's and others' failures. */
struct str dms_probe_failure(struct arena *a, const struct mysql_err *err);

#endif
