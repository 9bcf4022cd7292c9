#include "server/base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The log may need memory, so the message goes out directly; abort() then prints the ring. */
static _Noreturn void mem_exhausted(void)
{
    static const char text[] = "cistern: out of memory\n";
    ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)n; /* nobody is left to tell */
    abort();
}

void *xmalloc(size_t n)
{
    void *p = malloc(n > 0 ? n : 1);
    if (!p) {
        mem_exhausted();
    }
    return p;
}

void *xcalloc(size_t count, size_t n)
{
    void *p = count > 0 && n > 0 ? calloc(count, n) : calloc(1, 1);
    if (!p) {
        mem_exhausted();
    }
    return p;
}

void *xrealloc(void *p, size_t n)
{
    void *q = realloc(p, n > 0 ? n : 1);
    if (!q) {
        mem_exhausted();
    }
    return q;
}

char *xstrdup(const char *s)
{
    size_t n = strlen(s);
    char *p = xmalloc(n + 1);
    memcpy(p, s, n + 1);
    return p;
}

char *xstrndup(const char *s, size_t n)
{
    size_t len = n > 0 ? strnlen(s, n) : 0;
    char *p = xmalloc(len + 1);
    if (len > 0) {
        memcpy(p, s, len);
    }
    p[len] = '\0';
    return p;
}

char *xasprintf(const char *fmt, ...)
{
    char *p = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&p, fmt, ap);
    va_end(ap);
    if (n < 0 || !p) {
        mem_exhausted();
    }
    return p;
}

void close_fd(const int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}
