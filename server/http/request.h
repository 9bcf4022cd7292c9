/* What the daemon's callbacks do with an exchange. HTTP thread. */
#ifndef CISTERN_HTTP_REQUEST_H
#define CISTERN_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

struct http_exchange;
struct MHD_Connection;

/* The head is complete. False: close the connection. */
bool request_head(struct http_exchange *x, struct MHD_Connection *connection, const char *method);
/* Body bytes; always taken whole. False: close the connection. */
bool request_bytes(struct http_exchange *x, const char *p, size_t n);
/* The body is complete. False: close the connection. */
bool request_complete(struct http_exchange *x);
/* The answer has left, or the client is gone: one line for the log. */
void request_log(const struct http_exchange *x, bool completed);

#endif
