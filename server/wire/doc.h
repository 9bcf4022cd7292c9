/* Generated structs as JSON text for the database: what a Create or Get operation answers is kept
 * as it is and read back into the same struct. Any thread. */
#ifndef CISTERN_WIRE_DOC_H
#define CISTERN_WIRE_DOC_H

#include "server/base/arena.h"
#include "server/base/str.h"
#include "server/wire/shape.h"

/* Text of the operation's output struct, in the arena. ST_NOMEM: too big. */
enum status doc_write(const struct op *op, struct arena *a, const void *out,
                      struct str *ret) MUST_CHECK;
/* The operation's output struct again, in the arena. ST_INVALID: the text doesn't fit (any more).
 */
enum status doc_read(const struct op *op, struct arena *a, struct str text, void **ret) MUST_CHECK;

/* Documents that are one structure of an operation's output: {"Database": {…}} of GetDatabase, or
 * where no operation answers just one, a list of one: {"Targets": [{…}]} of ListTargetsByRule. */
struct doc_form {
    const struct op *ops; /* a model's table, */
    size_t n_ops;
    const char *op, *member; /* and where in it */
};
/* Text of the structure `in`, in the arena. ST_NOMEM: too big. */
enum status doc_form_write(const struct doc_form *f, struct arena *a, const void *in,
                           struct str *ret) MUST_CHECK;
/* The structure again, in the arena; `ret` is the address of a pointer to it. ST_INVALID: the text
 * doesn't fit (any more). */
enum status doc_form_read(const struct doc_form *f, struct arena *a, struct str text,
                          void *ret) MUST_CHECK;
/* Bytes of the structure. */
size_t doc_form_size(const struct doc_form *f);

#endif
