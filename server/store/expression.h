/* SQL expressions (SQLite's dialect) over named inputs, evaluated row by row: "$A || '_' || $B".
 * Each evaluator has a private in-memory handle without tables: an expression can compute, but
 * neither read nor write anything, nor run or grow without bounds. One thread at a time. */
#ifndef CISTERN_STORE_EXPRESSION_H
#define CISTERN_STORE_EXPRESSION_H

#include <stddef.h>
#include <stdint.h>

#include "server/base/buf.h"
#include "server/base/str.h"

#define EXPRESSION_WHY_MAX 256
#define EXPRESSION_TEXT_MAX (64u << 10)  /* bytes of an expression */
#define EXPRESSION_VALUE_MAX (64u << 20) /* bytes of any value in it */

enum expression_kind {
    EXPRESSION_NULL,
    EXPRESSION_INT,
    EXPRESSION_REAL,
    EXPRESSION_TEXT, /* UTF-8 */
    EXPRESSION_BLOB,
};
struct expression_value {
    enum expression_kind kind;
    union {
        int64_t i;
        double d;
        struct str s;
    };
};

/* A function beside SQLite's own. Sets *ret; text and blobs it makes go into `out`, which is empty
 * at first and copied after the call. */
struct expression_function {
    const char *name;
    int args; /* exact number */
    void (*fn)(void *arg, const struct expression_value *args, struct buf *out,
               struct expression_value *ret);
    void *arg;
};

struct expressions;
struct expression;

/* `functions` are copied, their args borrowed for the evaluator's life. ST_DB: no memory. */
enum status expressions_new(const struct expression_function *functions, size_t n,
                            struct expressions **ret) MUST_CHECK;
/* Also its expressions. NULL is fine. */
void expressions_free(struct expressions *x);

/* ST_INVALID: `why` says what is wrong with the text. Only one value, made of operators, CASE,
 * literals, `$inputs` and scalar functions, is allowed: no SELECT, no columns. It lives as long as
 * the evaluator. */
enum status expression_new(struct expressions *x, struct str text, struct expression **ret,
                           char why[EXPRESSION_WHY_MAX]) MUST_CHECK;
/* The inputs that it names, without '$', each once. */
size_t expression_inputs(const struct expression *e);
struct str expression_input(const struct expression *e, size_t i);
/* `inputs`: one per expression_input(), borrowed for the call. *ret is valid until the next run of
 * the same expression. ST_INVALID: it failed for these inputs (`why`). */
enum status expression_run(struct expression *e, const struct expression_value *inputs,
                           struct expression_value *ret, char why[EXPRESSION_WHY_MAX]) MUST_CHECK;

#endif
