/* What a function prints, and the lines around it, in its log stream. Core thread. */
#ifndef CISTERN_LAMBDA_LOG_H
#define CISTERN_LAMBDA_LOG_H

#include "emulators/lambda/lambda_invocation.h"
#include "server/base/buf.h"

struct lambda_instance;

/* Bytes of a stream whose line has not ended yet. */
struct lambda_line {
    struct buf rest;
};

/* "2026/11/20/[$LATEST]<32 hex>" */
struct str lambda_log_stream_name(struct arena *a);
/* Output of the instance's process. */
void lambda_log_output(struct lambda_instance *inst, int stream, struct str bytes);
/* Lines that did not end are written as they are. */
void lambda_log_flush(struct lambda_instance *inst);
/* One event, as it is; also kept for the running invocation's LogResult. */
void lambda_log_event(struct lambda_instance *inst, struct str text);

void lambda_log_start(struct lambda_instance *inst);
/* END and REPORT of the running invocation. `status` is "timeout", "error", or NULL when it went
 * well as far as the platform is concerned. */
void lambda_log_end(struct lambda_instance *inst, const char *status, int64_t max_rss_kb);

#endif
