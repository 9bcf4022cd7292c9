/* The exclude patterns of crawlers (developer guide, "Exclude patterns"): `*` within a folder's
 * name, `**` across folders, `?`, `[a-z]`, `[!a]`, `{csv,tsv}`, `\` before a plain character.
 * Pure; any thread. */
#ifndef CISTERN_GLUE_CRAWLER_GLOB_H
#define CISTERN_GLUE_CRAWLER_GLOB_H

#include "server/base/arena.h"

/* Limits by name. */
#define CRAWLER_GLOB_ALTERNATIVES_MAX 256 /* patterns that the braces of one stand for */

/* The plain patterns that the braces stand for. ST_INVALID: a bracket or brace isn't closed, braces
 * are nested, or there are too many alternatives. */
enum status crawler_glob_expand(struct arena *a, struct str pattern, struct str **ret,
                                size_t *ret_n) MUST_CHECK;
/* Does one expanded pattern fit the whole path? At most |pattern| × |path| steps. */
bool crawler_glob(struct str pattern, struct str path);

#endif
