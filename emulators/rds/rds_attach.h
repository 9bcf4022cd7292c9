/* Pieces of the handlers that others use. Core thread. */
#ifndef CISTERN_RDS_ATTACH_H
#define CISTERN_RDS_ATTACH_H

#include "emulators/rds/rds_internal.h"

/* Logs in to the server that the tag cistern:attach names, in a worker; the instance is "available"
 * when that works, else "failed" with the reason in StatusInfos. */
void rds_attach(struct rds *r, const struct rds_instance *i, struct str password);
/* (rds_instance.c) */
enum status rds_check_password(struct call *c, struct str password) MUST_CHECK;
/* (rds_snapshot.c) A snapshot of an instance that is then deleted. */
enum status rds_final_snapshot(struct call *c, struct rds_instance *i, struct str name) MUST_CHECK;
/* Fails for an attached server: `what` isn't ours to do. */
enum status rds_refuse_attached(struct call *c, const struct rds_instance *i,
                                const char *what) MUST_CHECK;

#endif
