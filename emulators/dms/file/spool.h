/* A thread that does the slow half of writing files (hash, compression, disk) while its owner
 * already makes the next rows. It takes the jobs of one owner in order, for any number of files,
 * and holds a few buffers at most: an owner that is faster waits. The thread starts with the first
 * job; where none can be had, the jobs run in the owner's. Owner's thread only, unless said
 * otherwise. */
#ifndef CISTERN_DMS_SPOOL_H
#define CISTERN_DMS_SPOOL_H

#include "server/base/buf.h"

struct dms_spool;

struct dms_spool *dms_spool_new(void) __attribute__((returns_nonnull));
/* Ends what is queued, then the thread. NULL is fine. Any thread, when no other uses it. */
void dms_spool_free(struct dms_spool *s);

/* Calls fn(arg, bytes) on the spool's thread, some time. *bytes is taken over and becomes an empty
 * buffer of the same limit. */
void dms_spool_push(struct dms_spool *s, void (*fn)(void *arg, struct str bytes), void *arg,
                    struct buf *bytes);
/* Waits until all calls have returned; what they wrote can be read then. */
void dms_spool_wait(struct dms_spool *s);

#endif
