/* Small fixed allocations abort on exhaustion; whatever a client sizes goes through arena or buf. */
#ifndef CISTERN_BASE_MEM_H
#define CISTERN_BASE_MEM_H

#include <stddef.h>

/* As malloc/calloc/realloc/strdup, but never NULL: the process stops with a message instead.
 * The caller owns the result and frees it with free(). */
void *xmalloc(size_t n) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *xcalloc(size_t count, size_t n) __attribute__((malloc, alloc_size(1, 2), returns_nonnull));
void *xrealloc(void *p, size_t n) __attribute__((alloc_size(2), returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull, nonnull(1)));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
/* printf into fresh memory. */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* Runs `fn(&variable)` when the variable leaves its scope: CLEANUP(buf_fini) struct buf b = …; */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* cleanup function for `CLEANUP(free_ptr) char *p` */
static inline void free_ptr(void *pp)
{
    extern void free(void *);
    free(*(void **)pp);
}
/* cleanup function for `CLEANUP(close_fd) int fd`; -1 is skipped. */
void close_fd(const int *fd);

/* Moves a pointer out of its variable, leaving NULL behind. */
#define TAKE(p)                      \
    __extension__({                  \
        __typeof__(p) taken_ = (p);  \
        (p) = NULL;                  \
        taken_;                      \
    })

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#endif
