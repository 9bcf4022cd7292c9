#include "server/http/headers.h"

#include "server/base/digest.h"

void http_headers_add(struct http_headers *h, struct arena *a, struct str name, struct str value)
{
    if (h->n == h->cap) {
        size_t cap = h->cap ? h->cap * 2 : 24;
        struct http_header *v = ARENA_ARRAY(a, struct http_header, cap);
        if (h->n > 0) {
            memcpy(v, h->v, h->n * sizeof(*v));
        }
        h->v = v;
        h->cap = cap;
    }
    h->v[h->n++] = (struct http_header){ name, value };
    h->lengths |= (uint64_t)1 << (name.n & 63);
}

struct str http_headers_named(const struct http_headers *h, struct str name)
{
    if (!(h->lengths >> (name.n & 63) & 1)) {
        return STR_NONE;
    }
    for (size_t i = 0; i < h->n; i++) {
        if (h->v[i].name.n == name.n && str_ieq(h->v[i].name, name)) {
            return h->v[i].value;
        }
    }
    return STR_NONE;
}

bool http_list_has(struct str list, const char *token)
{
    struct str item;
    while (str_next(&list, ',', &item)) {
        if (str_ieqz(str_trim(item), token)) {
            return true;
        }
    }
    return false;
}

void http_target_split(struct str target, struct str *ret_path, struct str *ret_query)
{
    if (str_starts(target, STR("http://")) || str_starts(target, STR("https://"))) {
        size_t host = (size_t)str_find_str(target, STR("://")) + 3;
        ptrdiff_t slash = str_find(target, '/', host);
        target = slash < 0 ? STR("/") : str_sub(target, (size_t)slash, target.n);
    }
    struct str path = STR_NONE;
    struct str query = STR_NONE;
    (void)str_cut(target, '?', &path, &query);
    *ret_path = str_empty(path) ? STR("/") : path;
    *ret_query = str_set(query) ? query : STR("");
}

bool http_query_next(struct str *rest, struct str *ret_name, struct str *ret_value)
{
    struct str item;
    while (str_next(rest, '&', &item)) {
        if (item.n == 0) {
            continue;
        }
        struct str value = STR_NONE;
        (void)str_cut(item, '=', ret_name, &value);
        *ret_value = str_set(value) ? value : STR("");
        return true;
    }
    return false;
}

bool http_query_get(struct str query, struct arena *a, const char *name, struct str *ret_value)
{
    struct str key, value;
    while (http_query_next(&query, &key, &value)) {
        if (str_eqz(str_find(key, '%', 0) < 0 ? key : url_decode(a, key, false), name)) {
            *ret_value = url_decode(a, value, false);
            return true;
        }
    }
    return false;
}
