/* Which keys can be file names as they are. All others get a name made of their digest. */
#include "server/base/digest.h"
#include "server/store/blob_impl.h"

static bool segment_legal(struct str s)
{
    if (s.n == 0 || s.n > BLOB_SEGMENT_MAX) {
        return false;
    }
    if (s.p[0] == '.' && (s.n == 1 || (s.n == 2 && s.p[1] == '.'))) {
        return false;
    }
    return memchr(s.p, '\0', s.n) == NULL;
}

/* Not empty, no empty, dot or overlong segments (so neither a leading nor a trailing slash). */
bool blob_path_legal(struct str path)
{
    if (path.n == 0 || path.n > BLOB_PATH_MAX) {
        return false;
    }
    size_t from = 0;
    for (;;) {
        ptrdiff_t slash = str_find(path, '/', from);
        size_t to = slash < 0 ? path.n : (size_t)slash;
        if (!segment_legal(str_sub(path, from, to))) {
            return false;
        }
        if (slash < 0) {
            return true;
        }
        from = to + 1;
    }
}

struct str blob_path_escaped(struct arena *a, struct str top, struct str key)
{
    unsigned char sum[DIGEST_MAX];
    digest_bytes(DIGEST_SHA256, key.p ? key.p : "", key.n, sum);
    struct str hex = hex_encode(a, sum, 20);
    return arena_printf(a, "%.*s/" BLOB_HIDDEN "/%.*s", STR_ARG(top), STR_ARG(hex));
}

struct str blob_path(struct arena *a, struct str top, struct str key)
{
    struct str first, rest;
    str_cut(key, '/', &first, &rest);
    if (str_eq(first, STR(BLOB_HIDDEN)) || top.n + 1 + key.n > BLOB_PATH_MAX ||
        !blob_path_legal(key)) {
        return blob_path_escaped(a, top, key);
    }
    char *path = arena_alloc(a, top.n + key.n + 2); /* zeroed: ends in a NUL */
    memcpy(path, top.p, top.n);
    path[top.n] = '/';
    memcpy(path + top.n + 1, key.p, key.n);
    return (struct str){ path, top.n + 1 + key.n };
}
