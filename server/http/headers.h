/* Header lines of one request as borrowed views, in the order of arrival, and its query string.
 * No transport in here, so that signature code and routing can be tested alone. Any thread. */
#ifndef CISTERN_HTTP_HEADERS_H
#define CISTERN_HTTP_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"

struct http_header {
    struct str name, value;
};

struct http_headers {
    struct http_header *v;
    size_t n, cap;
    uint64_t lengths; /* bit (length mod 64) of every name: most look-ups find nothing */
};

/* What was asked: all as sent, nothing decoded or normalised. */
struct http_request {
    struct str method;
    struct str path;  /* without the query; never empty */
    struct str query; /* without '?' */
    struct http_headers headers;
};

void http_headers_add(struct http_headers *h, struct arena *a, struct str name, struct str value);
/* First header of that name (case-insensitive), absent when there is none. */
struct str http_headers_named(const struct http_headers *h, struct str name);
static inline struct str http_headers_get(const struct http_headers *h, const char *name)
{
    return http_headers_named(h, str_z(name)); /* the length of a literal is known here */
}
/* Is `token` one of the comma-separated items of `list` (case-insensitive)? */
bool http_list_has(struct str list, const char *token);

/* Splits a request target: "/path?query", or "http://host/path?query" as proxies get it. */
void http_target_split(struct str target, struct str *ret_path, struct str *ret_query);
/* Walks the parameters of a raw query string, skipping empty ones: start with *rest = query. */
bool http_query_next(struct str *rest, struct str *ret_name, struct str *ret_value);
/* Parameter by its decoded name; the value is decoded too (but '+', which is a blank only in
 * forms).
 * `?k` and `?k=` give an empty value. */
bool http_query_get(struct str query, struct arena *a, const char *name, struct str *ret_value);

#endif
