#include "emulators/s3/s3_pairs.h"

#include "server/base/buf.h"
#include "server/base/digest.h"
#include "server/base/mem.h"

#define PAIRS_MAX_BYTES (1u << 20)

struct str s3_pairs_encode(struct arena *a, struct s3_pairs pairs)
{
    if (pairs.n == 0) {
        return STR_NONE;
    }
    CLEANUP(buf_fini) struct buf b = BUF_INIT(PAIRS_MAX_BYTES);
    for (size_t i = 0; i < pairs.n; i++) {
        buf_str_add(&b, pairs.v[i].name);
        buf_putc(&b, '\0');
        buf_str_add(&b, pairs.v[i].value);
        buf_putc(&b, '\0');
    }
    return arena_str(a, buf_str(&b));
}

struct s3_pairs s3_pairs_decode(struct arena *a, struct str text)
{
    struct s3_pairs out = { NULL, 0 };
    size_t nuls = 0;
    for (size_t i = 0; i < text.n; i++) {
        nuls += text.p[i] == '\0';
    }
    if (nuls < 2) {
        return out;
    }
    out.v = ARENA_ARRAY(a, struct s3_pair, nuls / 2);
    struct str rest = text;
    while (out.n < nuls / 2) {
        struct s3_pair *p = &out.v[out.n];
        if (!str_next(&rest, '\0', &p->name) || !str_next(&rest, '\0', &p->value)) {
            break;
        }
        out.n++;
    }
    return out;
}

struct s3_pairs s3_pairs_parse_query(struct arena *a, struct str text)
{
    struct s3_pairs out = { NULL, 0 };
    size_t most = 1;
    for (size_t i = 0; i < text.n; i++) {
        most += text.p[i] == '&';
    }
    out.v = ARENA_ARRAY(a, struct s3_pair, most);
    struct str rest = text, item = STR_NONE;
    while (out.n < most && str_next(&rest, '&', &item)) {
        if (item.n == 0) {
            continue;
        }
        struct str name = item, value = STR_NONE;
        bool has_value = str_cut(item, '=', &name, &value);
        out.v[out.n].name = url_decode(a, name, true);
        out.v[out.n].value = has_value ? url_decode(a, value, true) : STR("");
        out.n++;
    }
    return out;
}

static size_t characters(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    }
    return n;
}

/* Letters, digits, blanks and + - = . _ : / @; whatever is not ASCII passes as a letter. */
static bool tag_text_ok(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch >= 0x80;
        bool digit = ch >= '0' && ch <= '9';
        if (!letter && !digit && (ch == '\0' || !strchr(" +-=._:/@", ch))) {
            return false;
        }
    }
    return str_utf8(s);
}

const char *s3_tags_complaint(struct s3_pairs pairs, size_t max)
{
    if (pairs.n > max) {
        return max == S3_OBJECT_TAGS_MAX ? "Object tags cannot be greater than 10"
                                         : "Bucket tag count cannot be greater than 50";
    }
    for (size_t i = 0; i < pairs.n; i++) {
        const struct s3_pair *p = &pairs.v[i];
        if (p->name.n == 0 || characters(p->name) > S3_TAG_KEY_MAX || !tag_text_ok(p->name)) {
            return "The TagKey you have provided is invalid";
        }
        if (characters(p->value) > S3_TAG_VALUE_MAX || !tag_text_ok(p->value)) {
            return "The TagValue you have provided is invalid";
        }
        if (str_starts(p->name, STR("aws:"))) {
            return "System tags cannot be added/updated by requester";
        }
        for (size_t k = 0; k < i; k++) {
            if (str_eq(pairs.v[k].name, p->name)) {
                return "Cannot provide multiple Tags with the same key";
            }
        }
    }
    return NULL;
}
