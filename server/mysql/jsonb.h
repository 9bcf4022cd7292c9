/* MySQL's binary JSON to the text that the server prints for it. */
#ifndef CISTERN_MYSQL_JSONB_H
#define CISTERN_MYSQL_JSONB_H

#include <stdbool.h>

#include "server/base/buf.h"
#include "server/base/str.h"

/* Appends to `out`; false when the bytes are malformed or nest deeper than the server allows. An
 * empty value (written by an old server for a NULL that was not allowed) is "null". */
bool jsonb_text(struct str value, struct buf *out);

#endif
