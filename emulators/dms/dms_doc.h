/* Generated structs as JSON text for the database: what a Create operation answered is kept as it
 * is. Any thread. */
#ifndef CISTERN_DMS_DOC_H
#define CISTERN_DMS_DOC_H

#include "server/base/arena.h"
#include "server/base/str.h"
#include "server/wire/shape.h"

/* Text of an output struct of the operation ("CreateEndpoint": struct
 * dms_create_endpoint_response). ST_NOMEM: too big. */
enum status dms_doc_write(struct arena *a, const char *op, const void *out,
                          struct str *ret) MUST_CHECK;
/* The struct again, in the arena. ST_INVALID: the text doesn't fit (any more). */
enum status dms_doc_read(struct arena *a, const char *op, struct str text, void **ret) MUST_CHECK;

/* Shape of a member of the operation's input ("CreateEndpoint", "S3Settings"); never NULL for
 * names that are in the model. */
const struct shape *dms_doc_member(const char *op, const char *member);

#endif
