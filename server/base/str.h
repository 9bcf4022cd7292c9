/* Borrowed text: a view by value, not NUL-terminated, never owned. `p == NULL` means "absent",
 * which differs from the empty string (p != NULL, n == 0). */
#ifndef CISTERN_BASE_STR_H
#define CISTERN_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "server/base/status.h"

struct str {
    const char *p;
    size_t n;
};

#define STR(lit) ((struct str){ "" lit "", sizeof(lit) - 1 })
#define STR_INIT(lit)              \
    {                              \
        "" lit "", sizeof(lit) - 1 \
    } /* for static tables */
#define STR_NONE ((struct str){ NULL, 0 })
/* for "%.*s" */
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

/* View of a C string; NULL gives STR_NONE. */
static inline struct str str_z(const char *z)
{
    return (struct str){ z, z ? strlen(z) : 0 };
}
static inline bool str_set(struct str s)
{
    return s.p != NULL;
}
/* absent or of length 0 */
static inline bool str_empty(struct str s)
{
    return s.n == 0;
}
/* ASCII only, whatever the locale is. */
static inline char char_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}
static inline char char_upper(char c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
}
/* Same bytes; absent equals only absent. */
bool str_eq(struct str a, struct str b);
bool str_eqz(struct str a, const char *z);
bool str_ieq(struct str a, struct str b); /* ASCII case folded */
bool str_ieqz(struct str a, const char *z);
/* memcmp order, shorter first on a tie, absent before empty */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Offset of the first `needle` at or after `from`, or -1. */
ptrdiff_t str_find(struct str s, char needle, size_t from);
ptrdiff_t str_find_str(struct str s, struct str needle);
/* The part [from, to) clipped to the string. */
struct str str_sub(struct str s, size_t from, size_t to);
/* Without ASCII blanks at both ends. */
struct str str_trim(struct str s);
/* Splits at the first `sep`: *ret_head before it, *ret_tail after; false (head = s, tail absent)
 * when there is none. */
bool str_cut(struct str s, char sep, struct str *ret_head, struct str *ret_tail);
/* Takes the next item of a `sep`-separated list from *rest; false at the end (item absent). Empty
 * items inside count; what a separator at the very end leaves does not, so lines may end in one. */
bool str_next(struct str *rest, char sep, struct str *ret_item);

/* Whole string as a decimal number; ST_INVALID on anything else or on overflow. */
enum status str_i64(struct str s, int64_t *ret) MUST_CHECK;
enum status str_u64(struct str s, uint64_t *ret) MUST_CHECK;
enum status str_f64(struct str s, double *ret) MUST_CHECK;
/* true/false/1/0/yes/no/y/n in any case. */
enum status str_bool(struct str s, bool *ret) MUST_CHECK;
/* Valid UTF-8 without surrogates? */
bool str_utf8(struct str s);
/* Shell-like pattern with `*` and `?` (one UTF-8 character), as in IAM ARNs. At most
 * |pattern| × |s| steps. */
bool str_glob(struct str pattern, struct str s);
/* Differs from run to run (keyed against chosen collisions): never store it. */
uint64_t str_hash(struct str s);

#endif
