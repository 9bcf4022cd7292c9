#include "server/wire/xml_write.h"

#include "server/wire/utf8.h"

void xml_begin(struct xml_out *x, struct buf *b)
{
    x->b = b;
    x->depth = 0;
    x->in_tag = false;
    x->failed = false;
    buf_puts(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
}

static void end_tag(struct xml_out *x)
{
    if (x->in_tag) {
        buf_putc(x->b, '>');
        x->in_tag = false;
    }
}

/* All at once: large documents are mostly tags. */
static void put_three(struct buf *b, struct str before, struct str name, struct str behind)
{
    size_t n = before.n + name.n + behind.n;
    char *to = buf_reserve(b, n);
    if (to) {
        memcpy(to, before.p, before.n);
        if (name.n > 0) {
            memcpy(to + before.n, name.p, name.n);
        }
        memcpy(to + before.n + name.n, behind.p, behind.n);
        buf_commit(b, n);
    }
}

void xml_open(struct xml_out *x, const char *name)
{
    struct str before = x->in_tag ? STR("><") : STR("<"); /* ends the tag around it */
    x->in_tag = false;
    if (x->depth >= XML_WRITE_DEPTH_MAX) {
        x->failed = true;
        return;
    }
    x->stack[x->depth++] = name;
    put_three(x->b, before, str_z(name), STR(""));
    x->in_tag = true;
}

/* Control characters are illegal in XML 1.0 even as references, but S3 sends them so, and clients
 * read them. A carriage return must be a reference or readers turn it into a newline; in attributes
 * so must tab and newline. */
static void put_special(struct buf *b, unsigned char c, bool attribute)
{
    switch (c) {
    case '&':
        buf_puts(b, "&amp;");
        break;
    case '<':
        buf_puts(b, "&lt;");
        break;
    case '>':
        buf_puts(b, "&gt;");
        break;
    case '"':
        buf_puts(b, "&quot;");
        break;
    case '\t':
    case '\n':
        if (!attribute) {
            buf_putc(b, (char)c);
            break;
        }
        buf_printf(b, "&#%u;", c);
        break;
    default:
        buf_printf(b, "&#%u;", c);
        break;
    }
}

#define BIT(c) ((uint64_t)1 << ((c)&63))

/* From the blank to '~', but for & < > ". */
static bool is_plain(unsigned char c)
{
    static const uint64_t low =
        (uint64_t)UINT32_MAX << 32 & ~(BIT('"') | BIT('&') | BIT('<') | BIT('>'));
    static const uint64_t high = ~BIT(0x7F);
    return c < 0x80 && (c < 0x40 ? low : high) >> (c & 63) & 1;
}

static void put_text(struct buf *b, struct str s, bool attribute)
{
    size_t from = 0;
    for (size_t at = 0; at < s.n;) {
        unsigned char c = (unsigned char)s.p[at];
        if (is_plain(c)) {
            at++;
            continue;
        }
        size_t n = c < 0x80 ? 0 : utf8_len(s, at);
        if (n > 0) {
            at += n;
            continue;
        }
        buf_add(b, s.p + from, at - from);
        if (c < 0x80) {
            put_special(b, c, attribute);
        } else {
            buf_puts(b, UTF8_REPLACEMENT);
        }
        from = ++at;
    }
    if (s.n > from) {
        buf_add(b, s.p + from, s.n - from);
    }
}

void xml_attr(struct xml_out *x, const char *name, struct str value)
{
    if (!x->in_tag) {
        x->failed = true;
        return;
    }
    buf_putc(x->b, ' ');
    buf_puts(x->b, name);
    buf_puts(x->b, "=\"");
    put_text(x->b, value, true);
    buf_putc(x->b, '"');
}

void xml_text(struct xml_out *x, struct str text)
{
    end_tag(x);
    put_text(x->b, text, false);
}

void xml_close(struct xml_out *x)
{
    if (x->depth == 0) {
        x->failed = true;
        return;
    }
    const char *name = x->stack[--x->depth];
    if (x->in_tag) {
        buf_puts(x->b, "/>");
        x->in_tag = false;
        return;
    }
    put_three(x->b, STR("</"), str_z(name), STR(">"));
}

void xml_leaf(struct xml_out *x, const char *name, struct str text)
{
    xml_open(x, name);
    xml_text(x, text);
    xml_close(x);
}

bool xml_ok(const struct xml_out *x)
{
    return !x->failed && x->depth == 0 && buf_ok(x->b);
}
