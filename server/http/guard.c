/* Against DNS rebinding the Host header is the witness: the attack needs a public name that the
 * attacker's server owns, so addresses, names without a dot and reserved suffixes are harmless.
 * Against cross-site requests it is Origin and Sec-Fetch-Site, which browsers set and pages
 * cannot. */
#include "server/http/guard.h"

#include <arpa/inet.h>

#include "server/http/route.h"

static bool is_address(struct str name)
{
    char text[64];
    unsigned char bytes[16];
    if (name.n == 0 || name.n >= sizeof(text)) {
        return false;
    }
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool is_loopback(struct str name)
{
    return str_ieqz(name, "localhost") ||
           (name.n > 10 && str_ieqz(str_sub(name, name.n - 10, name.n), ".localhost")) ||
           (str_starts(name, STR("127.")) && is_address(name)) || str_eqz(name, "::1");
}

static bool ends_in(struct str name, const char *suffix)
{
    size_t n = strlen(suffix);
    return name.n > n && str_ieqz(str_sub(name, name.n - n, name.n), suffix);
}

/* "bucket.10.0.0.5": no public name ends in a number. */
static bool ends_in_number(struct str name)
{
    size_t i = name.n;
    while (i > 0 && name.p[i - 1] >= '0' && name.p[i - 1] <= '9') {
        i--;
    }
    return i < name.n && i > 0 && name.p[i - 1] == '.';
}

static bool host_is_ours(struct str host, const char *listen_addr)
{
    struct str name = route_host_name(host);
    return is_loopback(name) || is_address(name) || str_ieqz(name, listen_addr) ||
           str_find(name, '.', 0) < 0 || ends_in_number(name) || ends_in(name, ".amazonaws.com") ||
           ends_in(name, ".internal") || ends_in(name, ".local") || ends_in(name, ".test");
}

static bool origin_is_ours(struct str origin, struct str host, const char *listen_addr)
{
    ptrdiff_t at = str_find_str(origin, STR("://"));
    if (at < 0) {
        return false; /* "null": a sandboxed page or a file */
    }
    struct str origin_host = str_sub(origin, (size_t)at + 3, origin.n);
    struct str name = route_host_name(origin_host);
    return is_loopback(name) || str_ieqz(name, listen_addr) || str_ieq(origin_host, host);
}

bool guard_allows(const struct http_request *r, const char *listen_addr, const char **ret_reason)
{
    struct str host = http_headers_get(&r->headers, "host");
    if (str_set(host) && !host_is_ours(host, listen_addr)) {
        *ret_reason = "The Host header names a foreign site, as a DNS rebinding attack would. "
                      "Reach this server as localhost, by its address or by a name without dots.";
        return false;
    }
    struct str origin = http_headers_get(&r->headers, "origin");
    if (str_set(origin) && !origin_is_ours(origin, host, listen_addr)) {
        *ret_reason = "The Origin header shows that a web page of another site sent this request. "
                      "Only pages from this machine may use this server.";
        return false;
    }
    if (str_ieqz(http_headers_get(&r->headers, "sec-fetch-site"), "cross-site")) {
        *ret_reason = "A web page of another site sent this request. Only pages from this machine "
                      "may use this server.";
        return false;
    }
    return true;
}
