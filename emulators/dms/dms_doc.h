/* The model's tables by name. What a Create operation answered is kept as it is, as the text of its
 * output struct: doc_write() and doc_read() of server/wire/doc.h with dms_op("CreateEndpoint") give
 * and take a struct dms_create_endpoint_response. Any thread. */
#ifndef CISTERN_DMS_DOC_H
#define CISTERN_DMS_DOC_H

#include "server/base/str.h"
#include "server/wire/shape.h"

/* Never NULL for the operations that dms.ops claims. */
const struct op *dms_op(const char *name);
/* Shape of a member of the operation's input ("CreateEndpoint", "S3Settings"); never NULL for
 * names that are in the model. */
const struct shape *dms_doc_member(const char *op, const char *member);

#endif
