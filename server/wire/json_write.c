#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/base/digest.h"
#include "server/wire/json.h"
#include "server/wire/utf8.h"

void json_out_init(struct json_out *o, struct buf *b)
{
    *o = (struct json_out){ .b = b };
}

static void before_value(struct json_out *o)
{
    if (o->comma) {
        buf_putc(o->b, ',');
    }
    o->comma = true;
}

void json_open(struct json_out *o, char bracket)
{
    before_value(o);
    buf_putc(o->b, bracket);
    o->comma = false;
}

void json_close(struct json_out *o, char bracket)
{
    buf_putc(o->b, bracket);
    o->comma = true;
}

static void put_escape(struct buf *b, unsigned char c)
{
    switch (c) {
    case '"':
        buf_puts(b, "\\\"");
        break;
    case '\\':
        buf_puts(b, "\\\\");
        break;
    case '\n':
        buf_puts(b, "\\n");
        break;
    case '\r':
        buf_puts(b, "\\r");
        break;
    case '\t':
        buf_puts(b, "\\t");
        break;
    default:
        buf_printf(b, "\\u%04x", c);
        break;
    }
}

static void put_string(struct buf *b, struct str s)
{
    buf_putc(b, '"');
    size_t from = 0;
    for (size_t at = 0; at < s.n;) {
        unsigned char c = (unsigned char)s.p[at];
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
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
            put_escape(b, c);
        } else {
            buf_puts(b, UTF8_REPLACEMENT);
        }
        from = ++at;
    }
    if (s.n > from) {
        buf_add(b, s.p + from, s.n - from);
    }
    buf_putc(b, '"');
}

void json_key(struct json_out *o, struct str key)
{
    before_value(o);
    put_string(o->b, key);
    buf_putc(o->b, ':');
    o->comma = false;
}

void json_keyz(struct json_out *o, const char *key)
{
    json_key(o, str_z(key));
}

void json_str(struct json_out *o, struct str s)
{
    if (!str_set(s)) {
        json_null(o);
        return;
    }
    before_value(o);
    put_string(o->b, s);
}

void json_i64(struct json_out *o, int64_t v)
{
    before_value(o);
    buf_i64(o->b, v);
}

void json_number(struct buf *b, double v)
{
    if (isnan(v)) {
        buf_puts(b, "NaN");
    } else if (isinf(v)) {
        buf_puts(b, v > 0 ? "Infinity" : "-Infinity");
    } else if (v == floor(v) && fabs(v) < 1e15) {
        buf_printf(b, "%.1f", v);
    } else {
        char text[40];
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(text, sizeof(text), "%.*g", digits, v);
            if (strtod(text, NULL) == v) {
                break;
            }
        }
        buf_puts(b, text);
    }
}

void json_f64(struct json_out *o, double v)
{
    before_value(o);
    bool quote = isnan(v) || isinf(v);
    if (quote) {
        buf_putc(o->b, '"');
    }
    json_number(o->b, v);
    if (quote) {
        buf_putc(o->b, '"');
    }
}

void json_bool(struct json_out *o, bool v)
{
    before_value(o);
    buf_puts(o->b, v ? "true" : "false");
}

void json_null(struct json_out *o)
{
    before_value(o);
    buf_puts(o->b, "null");
}

void json_time(struct json_out *o, int64_t ms)
{
    before_value(o);
    uint64_t rest = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    if (ms < 0) {
        buf_putc(o->b, '-');
    }
    buf_u64(o->b, rest / 1000);
    if (rest % 1000) {
        buf_printf(o->b, ".%03u", (unsigned)(rest % 1000));
    }
}

void json_blob(struct json_out *o, struct str bytes)
{
    before_value(o);
    buf_putc(o->b, '"');
    base64_add(o->b, bytes.p, bytes.n);
    buf_putc(o->b, '"');
}

void json_tree(struct json_out *o, const struct json_value *v)
{
    switch (v->kind) {
    case JSON_NULL:
        json_null(o);
        break;
    case JSON_BOOL:
        json_bool(o, v->b);
        break;
    case JSON_INT:
        json_i64(o, v->i);
        break;
    case JSON_FLOAT:
        json_f64(o, v->f);
        break;
    case JSON_STRING:
        json_str(o, v->str);
        break;
    case JSON_BYTES:
        json_blob(o, v->str);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        json_open(o, v->kind == JSON_ARRAY ? '[' : '{');
        for (const struct json_value *c = v->first; c; c = c->next) {
            if (v->kind == JSON_OBJECT) {
                json_key(o, c->key);
            }
            json_tree(o, c);
        }
        json_close(o, v->kind == JSON_ARRAY ? ']' : '}');
        break;
    }
}

void json_pair(struct json_out *o, const char *key, struct str value)
{
    json_keyz(o, key);
    json_str(o, value);
}
