/* Turns a rendered reply into the transport's response. HTTP thread. */
#ifndef CISTERN_HTTP_RESPONSE_H
#define CISTERN_HTTP_RESPONSE_H

#include <stdbool.h>

struct http_exchange;

/* Queues x->reply on x->connection; false: the connection must be closed. */
bool response_send(struct http_exchange *x);

#endif
