/* GetPartitions' Expression: a predicate over partition keys in the manner of SQL's WHERE.
 *
 *   or   := and { OR and }          and := not { AND not }          not := [NOT] test
 *   test := x (= <> != < <= > >=) x | key [NOT] BETWEEN x AND x | key [NOT] IN (x, …)
 *         | key [NOT] LIKE 'text' | key IS [NOT] NULL | ( or )
 *   x    := key | 'text' | number | DATE 'text' | TIMESTAMP 'text' | ( x )
 *
 * Names may stand in "…" or `…`; case counts neither in them nor in words. Values compare as the
 * key's type says. AWS: "GetPartitions action", Expression. Pure. */
#ifndef CISTERN_GLUE_CATALOG_EXPRESSION_H
#define CISTERN_GLUE_CATALOG_EXPRESSION_H

#include <stdbool.h>

#include "emulators/glue/glue_model.h"
#include "server/base/arena.h"

struct catalog_expression;

/* Limits by name. */
#define CATALOG_EXPRESSION_MAX 2048 /* bytes; AWS's */
#define CATALOG_EXPRESSION_DEPTH 64 /* parentheses and NOTs within each other */

/* ST_INVALID: *ret_why tells what is wrong and where. Everything in the arena; `text` and `keys`
 * must outlive *ret. */
enum status catalog_expression_read(struct arena *a, struct str text,
                                    const struct glue_column_list *keys,
                                    struct catalog_expression **ret,
                                    struct str *ret_why) MUST_CHECK;
/* Does it hold for a partition's values (one per key)? ST_INVALID: a value isn't of its key's type;
 * *ret_why tells which. */
enum status catalog_expression_holds(const struct catalog_expression *e, struct arena *a,
                                     const struct glue_value_string_list *values, bool *ret_holds,
                                     struct str *ret_why) MUST_CHECK;

#endif
