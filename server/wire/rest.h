/* The rest protocols: members bound to URI labels, query parameters, headers, the status, and the
 * body (JSON or XML, or one member as payload). Internal to server/wire. */
#ifndef CISTERN_WIRE_REST_H
#define CISTERN_WIRE_REST_H

#include "server/wire/decode.h"

/* Fills the input struct of d->req->op. */
enum status rest_decode(struct decoder *d, void *in) MUST_CHECK;
/* Adds headers, status, content type and body for the output struct (NULL: none). */
enum status rest_encode(const struct wire_request *r, const void *out,
                        struct wire_reply *reply) MUST_CHECK;

#endif
