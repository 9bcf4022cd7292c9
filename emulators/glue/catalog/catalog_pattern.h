/* Regular expressions for names (GetTables' Expression). Time is bounded by |pattern| × |name|
 * whatever the pattern is: states are followed side by side, nothing is tried twice. Pure.
 *
 * Known: literals, . [a-z] [^...] \d \w \s \D \W \S, groups, |, * + ? {m} {m,} {m,n}, ^ and $
 * (which change nothing: a name fits as a whole). Case doesn't count. Glue's clients also use `*`
 * as in file names: behind a letter or at the start it is "any text", so that `sales*`, `sales.*`
 * and
 * `*sales*` mean what their writers think. */
#ifndef CISTERN_GLUE_CATALOG_PATTERN_H
#define CISTERN_GLUE_CATALOG_PATTERN_H

#include <stdbool.h>

#include "server/base/arena.h"

struct catalog_pattern;

/* Limits by name. */
#define CATALOG_PATTERN_MAX 2048   /* bytes of the expression */
#define CATALOG_PATTERN_STEPS 4096 /* states after {m,n} are written out */
#define CATALOG_PATTERN_DEPTH 64   /* groups within groups */
#define CATALOG_PATTERN_REPEAT 255 /* in {m,n} */

/* ST_INVALID: *ret_why tells what is wrong and where. Everything in the arena. */
enum status catalog_pattern_read(struct arena *a, struct str text, struct catalog_pattern **ret,
                                 struct str *ret_why) MUST_CHECK;
/* Does the whole name fit? One thread per pattern. */
bool catalog_pattern_fits(struct catalog_pattern *p, struct str name);

#endif
