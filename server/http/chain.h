/* The stages of a call, in order: guard, identify, authenticate, find the operation, prepare,
 * body, decode, invoke, encode. Failing stages record the error in the call's reply and return
 * ST_AWS; the caller then sends it as soon as HTTP allows. No transport in here. */
#ifndef CISTERN_HTTP_CHAIN_H
#define CISTERN_HTTP_CHAIN_H

#include "server/base/status.h"

struct http_exchange;

/* HTTP thread, when the head is complete (x->request is filled): everything up to the body. ST_OK:
 * feed x->body. ST_AWS: refused; x->body swallows what may come. */
enum status chain_begin(struct http_exchange *x) MUST_CHECK;
/* HTTP thread, when the body is complete: up to the decoded input. */
enum status chain_body(struct http_exchange *x) MUST_CHECK;
/* Runs the handler: HTTP thread for OP_READ, else core thread. As the handler's return. */
enum status chain_invoke(struct http_exchange *x) MUST_CHECK;
/* Renders what the handler (or a failing stage) left, for the status it returned. Returns ST_OK, or
 * ST_AWS when an error is what the client will see. Any thread that owns x. */
enum status chain_encode(struct http_exchange *x, enum status st);
/* Replaces whatever was rendered by "503 ServiceUnavailable" with these words. */
void chain_unavailable(struct http_exchange *x, const char *words);

#endif
