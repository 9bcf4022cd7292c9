/* Chunks are filled from the front by moving an offset. The first chunk shares its block with the
 * arena itself; each further one is twice as large up to CHUNK_MAX. A piece larger than a quarter
 * of the next chunk gets a chunk of its own, put behind the current one, whose room stays in use.
 * Under AddressSanitizer all room is poisoned but the pieces handed out, with a gap after each. */
#include "server/base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/base/mem.h"
#include "server/base/sanitize.h"

enum {
    ARENA_ALIGN = 16, /* max_align_t on every platform that we build for */
    ARENA_FIRST = 8 << 10,
    CHUNK_MAX = 1 << 20,
};
_Static_assert(_Alignof(max_align_t) <= ARENA_ALIGN, "arena pieces must suit any type");

struct chunk {
    struct chunk *next; /* older */
    size_t cap;         /* bytes at `data` */
    size_t used;
    _Alignas(ARENA_ALIGN) char data[];
};

struct arena {
    size_t limit;
    size_t total; /* bytes asked for */
    size_t next_cap;
    bool over;
    struct chunk *head;                 /* the one being filled */
    _Alignas(ARENA_ALIGN) char first[]; /* the first chunk */
};

struct arena *arena_new(size_t limit)
{
    struct arena *a = xmalloc(ARENA_FIRST);
    *a = (struct arena){ .limit = limit, .next_cap = (size_t)ARENA_FIRST * 2 };
    a->head = (struct chunk *)(void *)a->first;
    *a->head = (struct chunk){ .cap = ARENA_FIRST - sizeof(struct arena) - sizeof(struct chunk) };
    MEM_POISON(a->head->data, a->head->cap);
    return a;
}

void arena_free(struct arena *a)
{
    if (!a) {
        return;
    }
    struct chunk *c = a->head;
    while (c) {
        struct chunk *next = c->next;
        MEM_UNPOISON(c->data, c->cap);
        if ((char *)c != a->first) {
            free(c);
        }
        c = next;
    }
    free(a);
}

void arena_freep(struct arena **a)
{
    arena_free(*a);
    *a = NULL;
}

bool arena_over(const struct arena *a)
{
    return a->over;
}

/* A chunk of exactly this room, all zero. */
static struct chunk *chunk_new(size_t cap)
{
    struct chunk *c = xcalloc(1, sizeof(*c) + cap);
    c->cap = cap;
    MEM_POISON(c->data, cap);
    return c;
}

static void arena_count(struct arena *a, size_t n)
{
    if (__builtin_add_overflow(a->total, n, &a->total)) {
        a->total = SIZE_MAX;
    }
    if (a->total > a->limit) {
        a->over = true;
    }
}

/* Chunk memory comes zeroed from calloc, except the first chunk's: *ret_dirty tells. */
static void *arena_raw(struct arena *a, size_t n, bool *ret_dirty)
{
    arena_count(a, n);
    size_t step;
    if (__builtin_add_overflow(n > 0 ? n : 1, MEM_REDZONE + ARENA_ALIGN - 1, &step) ||
        step > PTRDIFF_MAX - sizeof(struct chunk)) {
        step = PTRDIFF_MAX - sizeof(struct chunk); /* refused by calloc: exhausted */
    }
    step &= ~(size_t)(ARENA_ALIGN - 1);
    struct chunk *c = a->head;
    if (step > c->cap - c->used) {
        if (step > a->next_cap / 4) {
            c = chunk_new(step);
            c->next = a->head->next;
            a->head->next = c;
        } else {
            c = chunk_new(a->next_cap);
            c->next = a->head;
            a->head = c;
            a->next_cap = a->next_cap < CHUNK_MAX ? a->next_cap * 2 : CHUNK_MAX;
        }
    }
    char *p = c->data + c->used;
    c->used += step;
    MEM_UNPOISON(p, n);
    *ret_dirty = (char *)c == a->first;
    return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
    bool dirty;
    void *p = arena_raw(a, n, &dirty);
    return dirty ? memset(p, 0, n) : p;
}

void *arena_array(struct arena *a, size_t count, size_t n)
{
    size_t total;
    if (__builtin_mul_overflow(count, n, &total)) {
        total = SIZE_MAX; /* cannot be had: ends as exhaustion */
    }
    return arena_alloc(a, total);
}

void *arena_grow(struct arena *a, void *items, size_t n, size_t item_size)
{
    if (items && (n & (n - 1)) != 0) {
        return items;
    }
    void *bigger = arena_array(a, n ? n * 2 : 1, item_size);
    if (items && n) {
        memcpy(bigger, items, n * item_size);
    }
    return bigger;
}

struct str arena_str(struct arena *a, struct str s)
{
    if (!s.p) {
        return STR_NONE;
    }
    bool dirty;
    char *p = arena_raw(a, s.n + 1, &dirty);
    memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return (struct str){ p, s.n };
}

struct str arena_strz(struct arena *a, const char *z)
{
    return arena_str(a, str_z(z));
}

struct str arena_lower(struct arena *a, struct str s)
{
    if (!s.p) {
        return STR_NONE;
    }
    bool dirty;
    char *p = arena_raw(a, s.n + 1, &dirty);
    for (size_t i = 0; i < s.n; i++) {
        p[i] = char_lower(s.p[i]);
    }
    p[s.n] = '\0';
    return (struct str){ p, s.n };
}

struct str arena_join(struct arena *a, struct str first, struct str second)
{
    bool dirty;
    char *p = arena_raw(a, first.n + second.n + 1, &dirty);
    if (first.n > 0) {
        memcpy(p, first.p, first.n);
    }
    if (second.n > 0) {
        memcpy(p + first.n, second.p, second.n);
    }
    p[first.n + second.n] = '\0';
    return (struct str){ p, first.n + second.n };
}

struct str arena_i64(struct arena *a, int64_t v)
{
    char digits[20];
    size_t at = sizeof(digits);
    uint64_t rest = v < 0 ? ~(uint64_t)v + 1 : (uint64_t)v;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    struct str text = { digits + at, sizeof(digits) - at };
    return arena_join(a, v < 0 ? STR("-") : STR(""), text);
}

char *arena_cstr(struct arena *a, struct str s)
{
    bool dirty;
    char *p = arena_raw(a, s.n + 1, &dirty);
    if (s.n > 0) {
        memcpy(p, s.p, s.n);
    }
    p[s.n] = '\0';
    return p;
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str s = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return s;
}

struct str arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    char small[256];
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof(small), fmt, ap);
    struct str s = STR("");
    if (n > 0 && (size_t)n < sizeof(small)) {
        s = arena_str(a, (struct str){ small, (size_t)n });
    } else if (n > 0) {
        bool dirty;
        char *p = arena_raw(a, (size_t)n + 1, &dirty);
        vsnprintf(p, (size_t)n + 1, fmt, again);
        s = (struct str){ p, (size_t)n };
    }
    va_end(again);
    return s;
}
