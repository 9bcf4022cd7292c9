#include "emulators/glue/crawler/crawler_glob.h"

#include "server/base/mem.h"

/* --- braces ----------------------------------------------------------------------------------- */
/* The first unescaped `c` outside of brackets, or -1. */
static ptrdiff_t find_plain(struct str s, char c)
{
    bool bracket = false;
    for (size_t i = 0; i < s.n; i++) {
        if (bracket) {
            bracket = s.p[i] != ']';
        } else if (s.p[i] == '\\') {
            i++;
        } else if (s.p[i] == c) {
            return (ptrdiff_t)i;
        } else {
            bracket = s.p[i] == '[';
        }
    }
    return -1;
}

static bool brackets_closed(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\') {
            i++;
        } else if (s.p[i] == '[') {
            ptrdiff_t end = str_find(s, ']', i + 1);
            if (end < 0) {
                return false;
            }
            i = (size_t)end;
        }
    }
    return true;
}

/* Replaces `todo` by one pattern per alternative of its first braces. */
static enum status split(struct arena *a, struct str todo, struct str *out, size_t *n)
{
    ptrdiff_t open = find_plain(todo, '{');
    if (open < 0) {
        if (find_plain(todo, '}') >= 0) {
            return ST_INVALID;
        }
        out[(*n)++] = todo;
        return ST_OK;
    }
    struct str behind = str_sub(todo, (size_t)open + 1, todo.n);
    ptrdiff_t close = find_plain(behind, '}');
    if (close < 0 || find_plain(str_sub(behind, 0, (size_t)close), '{') >= 0) {
        return ST_INVALID;
    }
    struct str rest = str_sub(behind, 0, (size_t)close), one;
    struct str tail = str_sub(behind, (size_t)close + 1, behind.n);
    bool more = true;
    while (more) {
        more = str_cut(rest, ',', &one, &rest);
        if (*n == CRAWLER_GLOB_ALTERNATIVES_MAX) {
            return ST_INVALID;
        }
        out[(*n)++] =
            arena_printf(a, "%.*s%.*s%.*s", (int)open, todo.p, STR_ARG(one), STR_ARG(tail));
    }
    return ST_OK;
}

enum status crawler_glob_expand(struct arena *a, struct str pattern, struct str **ret,
                                size_t *ret_n)
{
    struct str *done = ARENA_ARRAY(a, struct str, CRAWLER_GLOB_ALTERNATIVES_MAX + 1);
    size_t n = 1;
    done[0] = pattern;
    if (!brackets_closed(pattern)) {
        return ST_INVALID;
    }
    for (bool again = true; again;) {
        struct str *next = ARENA_ARRAY(a, struct str, CRAWLER_GLOB_ALTERNATIVES_MAX + 1);
        size_t n_next = 0;
        for (size_t i = 0; i < n; i++) {
            if (n_next >= CRAWLER_GLOB_ALTERNATIVES_MAX ||
                split(a, done[i], next, &n_next) != ST_OK) {
                return ST_INVALID;
            }
        }
        again = find_plain(next[0], '{') >= 0; /* all have the same number of braces left */
        done = next;
        n = n_next;
    }
    *ret = done;
    *ret_n = n;
    return ST_OK;
}

/* --- matching: all positions of the pattern at once, one character of the path after the other  */
/* One past the item that begins at `i`. */
static size_t item_end(struct str p, size_t i)
{
    if (p.p[i] == '\\' && i + 1 < p.n) {
        return i + 2;
    }
    if (p.p[i] == '[') {
        ptrdiff_t end = str_find(p, ']', i + 1);
        return end < 0 ? i + 1 : (size_t)end + 1;
    }
    if (p.p[i] == '*') {
        return i + 1 < p.n && p.p[i + 1] == '*' ? i + 2 : i + 1;
    }
    return i + 1;
}

static bool in_set(struct str set, char c)
{
    bool negated = set.n && set.p[0] == '!', found = false;
    for (size_t i = negated; i < set.n; i++) {
        if (i + 2 < set.n && set.p[i + 1] == '-') {
            found |= c >= set.p[i] && c <= set.p[i + 2];
            i += 2;
        } else {
            found |= c == set.p[i];
        }
    }
    return found != negated && c != '/';
}

static bool item_fits(struct str p, size_t i, size_t end, char c)
{
    switch (p.p[i]) {
    case '?':
        return c != '/';
    case '[':
        return end > i + 1 ? in_set(str_sub(p, i + 1, end - 1), c) : c == '[';
    case '\\':
        return c == p.p[end - 1];
    default:
        return c == p.p[i];
    }
}

/* A star may stand for nothing: what follows it is possible, too. */
static void mark(struct str p, bool *at, size_t i)
{
    at[i] = true;
    while (i < p.n && p.p[i] == '*') {
        i = item_end(p, i);
        at[i] = true;
    }
}

/* The positions behind one more character. */
static void step(struct str p, const bool *now, bool *next, char c)
{
    memset(next, 0, p.n + 1);
    for (size_t i = 0; i < p.n; i++) {
        size_t end = item_end(p, i);
        if (!now[i]) {
            continue;
        }
        if (p.p[i] == '*' && (end == i + 2 || c != '/')) {
            mark(p, next, i);
        } else if (p.p[i] != '*' && item_fits(p, i, end, c)) {
            mark(p, next, end);
        }
    }
}

bool crawler_glob(struct str p, struct str path)
{
    CLEANUP(free_ptr) bool *now = xcalloc(p.n + 1, 1);
    CLEANUP(free_ptr) bool *next = xcalloc(p.n + 1, 1);
    mark(p, now, 0);
    for (size_t s = 0; s < path.n; s++) {
        step(p, now, next, path.p[s]);
        bool *swap = now;
        now = next;
        next = swap;
    }
    return now[p.n];
}
