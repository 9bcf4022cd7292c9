/* Error documents, and which code says what in which protocol. Internal to server/wire; the
 * machine uses codec.h. */
#ifndef CISTERN_WIRE_AWS_ERROR_H
#define CISTERN_WIRE_AWS_ERROR_H

#include "server/wire/codec.h"

/* The document cannot be read at all. */
const struct aws_error *aws_error_bad_document(enum protocol protocol);
/* A value in it has the wrong type. */
const struct aws_error *aws_error_bad_value(enum protocol protocol);
/* A constraint of the model is not met (services may have a code of their own for it). */
const struct aws_error *aws_error_validation(const struct wire_request *r);

extern const struct aws_error wire_InvalidArgument;         /* rest-xml */
extern const struct aws_error wire_MissingRequestBodyError; /* rest-xml */

/* Writes the body and adds the headers; the reply's status and content type are set too. */
enum status aws_error_encode(const struct wire_request *r, const struct wire_failure *failure,
                             struct wire_reply *reply) MUST_CHECK;

/* Appends a header to the reply; the value is made safe for a header line. */
void wire_reply_header(struct wire_reply *reply, struct arena *a, struct str name,
                       struct str value);

#endif
