/* From the server's character sets to UTF-8, with the same result as the server's own conversion:
 * what has no Unicode character becomes '?'. One thread. */
#ifndef CISTERN_MYSQL_CHARSET_H
#define CISTERN_MYSQL_CHARSET_H

#include "server/base/str.h"
#include "server/mysql/value_parts.h"

struct charset;

/* By the server's name ("latin1", "utf8mb4"); NULL if we cannot convert from it. */
struct charset *charset_new(struct str name);
void charset_free(struct charset *cs);
/* Is it already UTF-8? */
bool charset_is_utf8(const struct charset *cs);
/* The text in UTF-8: `s` itself where nothing changes, else in `out`. */
struct str charset_to_utf8(struct charset *cs, struct str s, struct scratch *out);

#endif
