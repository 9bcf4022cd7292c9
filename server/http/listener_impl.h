/* Inside of the listener: listener.c (daemon, threads), request.c (what the daemon's callbacks do),
 * response.c (the answer). */
#ifndef CISTERN_HTTP_LISTENER_IMPL_H
#define CISTERN_HTTP_LISTENER_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "server/base/list.h"

struct MHD_Connection;
struct MHD_Daemon;
struct core;
struct db;
struct http_exchange;

struct listener {
    struct core *core;
    struct MHD_Daemon *daemon;
    char *db_path;
    int port;
    pthread_key_t db_key; /* each thread's reading database; closed when the thread ends */
    bool has_key;
    atomic_bool closing;
    atomic_long in_core_count; /* handed over, not yet given back */
    atomic_long exchanges;     /* alive: requests whose answer has not left entirely */
    struct link in_core;       /* adopted exchanges; core thread */
};

/* This thread's reading database, opened when first wanted; NULL: it could not be (logged). */
struct db *listener_db(struct listener *l);
/* Core thread: the exchange has arrived; listed until it is given back. */
void listener_adopt(struct http_exchange *x);
/* Core thread: the reply is rendered; wakes the connection. `x` is gone afterwards. */
void listener_give_back(struct http_exchange *x);

#endif
