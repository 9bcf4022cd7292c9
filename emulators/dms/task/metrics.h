/* Metrics of running tasks. Core thread. */
#ifndef CISTERN_DMS_METRICS_H
#define CISTERN_DMS_METRICS_H

struct dms;

/* From now on, once per emulated minute. */
void dms_metrics_start(struct dms *dms);
/* Safe when never started, and twice. */
void dms_metrics_stop(struct dms *dms);

#endif
