/* Generated structs as JSON text for the database: what a Create or Get operation answers is kept as
 * it is and read back into the same struct. Any thread. */
#ifndef CISTERN_WIRE_DOC_H
#define CISTERN_WIRE_DOC_H

#include "server/base/arena.h"
#include "server/base/str.h"
#include "server/wire/shape.h"

/* Text of the operation's output struct, in the arena. ST_NOMEM: too big. */
enum status doc_write(const struct op *op, struct arena *a, const void *out, struct str *ret)
    MUST_CHECK;
/* The operation's output struct again, in the arena. ST_INVALID: the text doesn't fit (any more). */
enum status doc_read(const struct op *op, struct arena *a, struct str text, void **ret) MUST_CHECK;

#endif
