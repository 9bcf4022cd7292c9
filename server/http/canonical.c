#include "server/http/canonical.h"

#include <stdlib.h>

#include "server/base/buf.h"
#include "server/base/digest.h"
#include "server/http/sigv4.h"

#define CANONICAL_MAX (256u << 10) /* several times the longest request head that we accept */

bool canonical_is_s3(struct str service)
{
    return str_eqz(service, "s3") || str_eqz(service, "s3express") ||
           str_eqz(service, "s3-object-lambda") || str_eqz(service, "s3-outposts");
}

static int by_name_then_value(const void *pa, const void *pb)
{
    const struct http_header *a = pa;
    const struct http_header *b = pb;
    int order = str_cmp(a->name, b->name);
    return order != 0 ? order : str_cmp(a->value, b->value);
}

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_' || c == '.' || c == '~')) {
            return false;
        }
    }
    return true;
}

/* The one spelling of a parameter that both sides agree on. The SDK for Java (Hadoop's S3A) signs a
 * blank as %20 and sends it as '+', which is how parameters are read, too. */
static struct str respell(struct arena *a, struct str s)
{
    return is_plain(s) ? s : url_encode(a, url_decode(a, s, true), false);
}

static void add_query(struct buf *out, struct str query, bool presigned, struct arena *a)
{
    struct http_headers list = { 0 };
    struct str name, value;
    while (http_query_next(&query, &name, &value)) {
        struct str spelt = respell(a, name);
        if (!(presigned && str_eqz(spelt, "X-Amz-Signature"))) {
            http_headers_add(&list, a, spelt, respell(a, value));
        }
    }
    if (list.n > 1) {
        qsort(list.v, list.n, sizeof(*list.v), by_name_then_value);
    }
    for (size_t i = 0; i < list.n; i++) {
        buf_puts(out, i > 0 ? "&" : "");
        buf_str_add(out, list.v[i].name);
        buf_putc(out, '=');
        buf_str_add(out, list.v[i].value);
    }
}

static bool blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Trimmed, inner runs of blanks as one. */
static void add_value(struct buf *out, struct str v)
{
    v = str_trim(v);
    size_t from = 0;
    for (size_t i = 0; i < v.n;) {
        if (!blank(v.p[i])) {
            i++;
            continue;
        }
        size_t end = i;
        while (end < v.n && blank(v.p[end])) {
            end++;
        }
        buf_add(out, v.p + from, i - from);
        buf_putc(out, ' ');
        from = i = end;
    }
    buf_add(out, v.p + from, v.n - from);
}

static void add_lower(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        buf_putc(out, char_lower(s.p[i]));
    }
}

static void add_headers(struct buf *out, const struct http_headers *h, struct str signed_headers)
{
    struct str name;
    while (str_next(&signed_headers, ';', &name)) {
        add_lower(out, name);
        buf_putc(out, ':');
        bool more = false;
        for (size_t i = 0; i < h->n; i++) {
            if (str_ieq(h->v[i].name, name)) {
                buf_puts(out, more ? "," : "");
                add_value(out, h->v[i].value);
                more = true;
            }
        }
        buf_putc(out, '\n');
    }
}

struct str canonical_request(const struct http_request *r, const struct sigv4 *s,
                             struct str payload_hash, struct arena *a)
{
    struct buf out = BUF_INIT(CANONICAL_MAX);
    buf_str_add(&out, r->method);
    buf_putc(&out, '\n');
    bool once = canonical_is_s3(s->service);
    buf_str_add(&out, url_encode(a, once ? url_decode(a, r->path, false) : r->path, true));
    buf_putc(&out, '\n');
    add_query(&out, r->query, s->query, a);
    buf_putc(&out, '\n');
    add_headers(&out, &r->headers, s->signed_headers);
    buf_putc(&out, '\n');
    buf_str_add(&out, s->signed_headers);
    buf_putc(&out, '\n');
    buf_str_add(&out, payload_hash);
    /* too long is no valid request: an empty text matches no signature */
    struct str text = buf_ok(&out) ? arena_str(a, buf_str(&out)) : STR("");
    buf_fini(&out);
    return text;
}
