/* Walks text that may hold anything, for writers that must produce UTF-8. */
#ifndef CISTERN_WIRE_UTF8_H
#define CISTERN_WIRE_UTF8_H

#include <stddef.h>

#include "server/base/str.h"

#define UTF8_REPLACEMENT "\xEF\xBF\xBD"

/* Bytes of the well-formed sequence that starts at s.p[at] (1 to 4), or 0 when there is none. */
size_t utf8_len(struct str s, size_t at);

#endif
