/* A region that is freed at once: everything that one call or one worker job allocates.
 * One thread at a time. Allocation never fails to the caller (real exhaustion aborts); passing
 * the limit sets a sticky flag that the owner checks once (arena_over), so a decoder needs no
 * error path per node. After the flag is set, allocations still succeed. */
#ifndef CISTERN_BASE_ARENA_H
#define CISTERN_BASE_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "server/base/str.h"

struct arena;

/* `limit` in bytes. Free with arena_free (NULL is fine). */
struct arena *arena_new(size_t limit) __attribute__((returns_nonnull));
void arena_free(struct arena *a);
void arena_freep(struct arena **a); /* for CLEANUP */
bool arena_over(const struct arena *a);

/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((returns_nonnull, alloc_size(2)));
void *arena_array(struct arena *a, size_t count, size_t n)
    __attribute__((returns_nonnull, alloc_size(2, 3)));
#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_array((a), (count), sizeof(type)))

/* Room for item number n (counted from 0) of an array that is filled one by one: returns `items`,
 * or a copy of twice the size when n is a power of two. `items` may be NULL when n is 0. */
void *arena_grow(struct arena *a, void *items, size_t n, size_t item_size)
    __attribute__((returns_nonnull));
#define ARENA_GROW(a, items, n) \
    ((items) = (__typeof__(items))arena_grow((a), (items), (n), sizeof(*(items))))

/* Copies; the copy is NUL-terminated beyond its length. Absent stays absent. */
struct str arena_str(struct arena *a, struct str s);
struct str arena_strz(struct arena *a, const char *z);
/* A copy in ASCII lower case; absent stays absent. */
struct str arena_lower(struct arena *a, struct str s);
/* Both behind one another, NUL-terminated; absent counts as empty. */
struct str arena_join(struct arena *a, struct str first, struct str second);
/* Decimal. */
struct str arena_i64(struct arena *a, int64_t v);
/* C string for library edges; absent gives "". Bytes after an inner NUL are lost. */
char *arena_cstr(struct arena *a, struct str s) __attribute__((returns_nonnull));
struct str arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
struct str arena_vprintf(struct arena *a, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

#endif
