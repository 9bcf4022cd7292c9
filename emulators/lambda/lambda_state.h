/* What the parts of Lambda share. All of it belongs to the core thread. */
#ifndef CISTERN_LAMBDA_STATE_H
#define CISTERN_LAMBDA_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "emulators/lambda/lambda_store.h"
#include "server/base/map.h"
#include "server/core.h"

/* Limits by name. AWS's own where it has one; numbers of instances are for one machine. */
#define LAMBDA_ZIP_MAX (50u << 20)    /* given in the request */
#define LAMBDA_UNZIPPED_MAX 262144000 /* bytes of all files */
#define LAMBDA_ZIP_ENTRIES_MAX 50000
#define LAMBDA_ENV_MAX 4096
#define LAMBDA_SYNC_PAYLOAD_MAX 6291456
#define LAMBDA_ASYNC_PAYLOAD_MAX 1048576
#define LAMBDA_ANSWER_MAX (6291456 + 100)
#define LAMBDA_LINE_MAX (256u << 10) /* a longer log line is cut in pieces */
#define LAMBDA_TAIL_BYTES 4096
#define LAMBDA_SYNC_MAX 1000         /* synchronous invocations at once, waiting ones too */
#define LAMBDA_QUEUE_MAX 1000        /* asynchronous ones of a function kept in memory */
#define LAMBDA_INSTANCES_MAX 10      /* of a function, unless it reserved a number */
#define LAMBDA_ALL_INSTANCES_MAX 100 /* of all functions */
#define LAMBDA_INIT_MS 10000         /* start of an instance, in addition to its Timeout */
#define LAMBDA_IDLE_MS 300000        /* an instance that was idle for so long is ended */
#define LAMBDA_SETTLE_MS 500         /* after a kill: for the last output */

#define LAMBDA_OUTBOX_KIND "lambda.invoke"
#define LAMBDA_TOPIC "lambda"

struct lambda {
    struct core *core;
    char *dir;            /* DATA/functions */
    char *bootstrap;      /* DATA/functions/.runtime/bootstrap.py */
    struct map pools;     /* key text → struct lambda_pool */
    struct map changing;  /* key text → struct lambda, while code is being unpacked */
    struct timer *idle;   /* looks for instances that nobody needs */
    size_t n_instances;   /* those that end included */
    size_t n_sync;        /* synchronous invocations under way */
    bool dispatch_posted; /* a look at the queues is under way */
    bool stopping;
};

#endif
