/* Metrics of replication instances. Every instance is this process on this machine, so all of them
 * show the same, measured truly: the process's processor time, swap and disk traffic, the machine's
 * memory, the disk of the data folder. What AWS shows besides (IOPS, latencies and queue of the
 * disk, the instance's own network traffic) can't be told of a process and is left out. Core
 * thread. */
#ifndef CISTERN_DMS_MACHINE_H
#define CISTERN_DMS_MACHINE_H

struct dms;
struct dms_machine;

/* For free(). */
struct dms_machine *dms_machine_new(void) __attribute__((returns_nonnull));
/* One value of each metric for each instance. */
void dms_machine_put(struct dms *dms);

#endif
