/* The public HTTP port: a pool of threads that parse requests, verify signatures, receive bodies
 * and send answers. State-changing calls are handed to the core (see call.h).
 *
 * Order at start: core and services are initialised, admin routes registered (admin.h), then
 * listener_start(). Order at stop, all on the core thread:
 *   1. listener_close()        no new connections; new requests on old ones get 503
 *   2. services' stop()        they finish their pending calls; the loop still runs
 *   3. loop passes until !listener_busy(), or a deadline
 *   4. listener_stop()         what is still pending gets 503; threads are joined */
#ifndef CISTERN_HTTP_LISTENER_H
#define CISTERN_HTTP_LISTENER_H

#include <stdbool.h>

#include "server/base/status.h"

struct core;
struct listener;

/* Limits by name. */
#define HTTP_POOL_BYTES (64u << 10) /* memory of one connection */
#define HTTP_KEPT_BYTES (4 << 20)   /* free memory that stays with a thread: a page of a listing */
#define HTTP_CONNECTIONS_MAX 4096u  /* open at a time */
#define HTTP_IDLE_TIMEOUT_S 120u    /* keep-alive and stalled uploads */
#define HTTP_LAST_ANSWERS_MS 1000   /* for answers under way when the listener stops */
#define HTTP_DRAIN_MAX (64 << 20)   /* body bytes read just to answer a refusal politely */

/* Binds and starts the pool. Address, port (0: any free one), threads, credentials and data folder
 * come from core_config(); the database that readers open is `db_path`. ST_IO: the address cannot
 * be bound; the reason and the remedy were logged. */
enum status listener_start(struct core *core, const char *db_path,
                           struct listener **ret) MUST_CHECK;
/* The real port. Any thread. */
int listener_port(const struct listener *l);
/* Stops accepting; requests that arrive on open connections are answered 503. Core thread. */
void listener_close(struct listener *l);
/* Are there calls that the core has not answered yet? Any thread. */
bool listener_busy(const struct listener *l);
/* Answers what is still pending with 503, joins the threads, closes their databases, frees. Core
 * thread, when the loop runs no more posts. NULL is fine. */
void listener_stop(struct listener *l);

#endif
