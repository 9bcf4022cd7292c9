#include "emulators/events/event_pattern.h"

#include <arpa/inet.h>

#include "server/base/mem.h"

#define MAPPED_BITS 96 /* before the IPv4 address in a mapped one */

/* --- words ------------------------------------------------------------------------------------ */
enum event_operator event_operator_of(struct str name)
{
    static const struct {
        const char *name;
        enum event_operator op;
    } all[] = {
        { "prefix", EVENT_OP_PREFIX },
        { "suffix", EVENT_OP_SUFFIX },
        { "equals-ignore-case", EVENT_OP_IGNORE_CASE },
        { "wildcard", EVENT_OP_WILDCARD },
        { "anything-but", EVENT_OP_ANYTHING_BUT },
        { "numeric", EVENT_OP_NUMERIC },
        { "exists", EVENT_OP_EXISTS },
        { "cidr", EVENT_OP_CIDR },
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (str_eqz(name, all[i].name)) {
            return all[i].op;
        }
    }
    return EVENT_OP_NONE;
}

bool event_pattern_is_or(const struct json_value *member)
{
    if (!str_eqz(member->key, "$or") || member->kind != JSON_ARRAY || member->n < 2) {
        return false;
    }
    for (const struct json_value *branch = member->first; branch; branch = branch->next) {
        if (branch->kind != JSON_OBJECT) {
            return false;
        }
        for (const struct json_value *m = branch->first; m; m = m->next) {
            if (event_operator_of(m->key) != EVENT_OP_NONE) {
                return false;
            }
        }
    }
    return true;
}

/* --- addresses -------------------------------------------------------------------------------- */
static bool parse_address(struct str text, unsigned char *ret, int *ret_offset)
{
    char z[INET6_ADDRSTRLEN];
    if (text.n >= sizeof(z) || text.n == 0) {
        return false;
    }
    memcpy(z, text.p, text.n);
    z[text.n] = '\0';
    memset(ret, 0, 16);
    if (inet_pton(AF_INET, z, ret + 12) == 1) {
        ret[10] = ret[11] = 0xff;
        *ret_offset = MAPPED_BITS;
        return true;
    }
    *ret_offset = 0;
    return inet_pton(AF_INET6, z, ret) == 1;
}

bool event_cidr_parse(struct str text, struct event_cidr *ret)
{
    struct str address, mask;
    int64_t bits;
    int offset;
    if (!str_cut(text, '/', &address, &mask) || !parse_address(address, ret->address, &offset) ||
        str_i64(mask, &bits) != ST_OK || bits < 0 || bits > 128 - offset) {
        return false;
    }
    ret->bits = (int)bits + offset;
    return true;
}

bool event_cidr_holds(const struct event_cidr *c, struct str address)
{
    unsigned char bytes[16];
    int offset;
    if (!parse_address(address, bytes, &offset)) {
        return false;
    }
    for (int bit = 0; bit < c->bits; bit++) {
        int shift = 7 - bit % 8;
        if (((bytes[bit / 8] ^ c->address[bit / 8]) >> shift) & 1) {
            return false;
        }
    }
    return true;
}

/* --- texts ------------------------------------------------------------------------------------ */
/* One place of a wildcard pattern: `*`, or a byte, perhaps escaped. Returns its length. */
static size_t wildcard_place(struct str pattern, size_t at, bool *ret_star, char *ret_byte)
{
    bool escaped = pattern.p[at] == '\\' && at + 1 < pattern.n;
    *ret_byte = pattern.p[at + escaped];
    *ret_star = !escaped && *ret_byte == '*';
    return escaped ? 2 : 1;
}

/* At most |pattern| × |s| steps: only the last star is tried again. */
static bool wildcard_fits(struct str pattern, struct str s)
{
    size_t p = 0, i = 0, star_p = 0, star_i = 0;
    bool any_star = false;
    while (i < s.n) {
        bool star = false;
        char byte = 0;
        size_t n = p < pattern.n ? wildcard_place(pattern, p, &star, &byte) : 0;
        if (n && star) {
            any_star = true;
            p += n;
            star_p = p;
            star_i = i;
        } else if (n && byte == s.p[i]) {
            p += n;
            i++;
        } else if (any_star) {
            p = star_p;
            i = ++star_i;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*') {
        p++;
    }
    return p == pattern.n;
}

static bool ends(struct str s, struct str part, bool front, bool fold)
{
    if (part.n > s.n) {
        return false;
    }
    struct str piece = front ? str_sub(s, 0, part.n) : str_sub(s, s.n - part.n, s.n);
    return part.n == 0 || (fold ? str_ieq(piece, part) : str_eq(piece, part));
}

/* `prefix` and `suffix` take a text or {"equals-ignore-case": text}. */
static bool end_fits(const struct json_value *operand, struct str s, bool front)
{
    bool fold = operand->kind == JSON_OBJECT;
    return ends(s, fold ? operand->first->str : operand->str, front, fold);
}

static bool text_fits(enum event_operator op, const struct json_value *operand, struct str s)
{
    struct event_cidr cidr;
    switch (op) {
    case EVENT_OP_PREFIX:
        return end_fits(operand, s, true);
    case EVENT_OP_SUFFIX:
        return end_fits(operand, s, false);
    case EVENT_OP_IGNORE_CASE:
        return str_ieq(operand->str, s);
    case EVENT_OP_WILDCARD:
        return wildcard_fits(operand->str, s);
    case EVENT_OP_CIDR:
        return event_cidr_parse(operand->str, &cidr) && event_cidr_holds(&cidr, s);
    default:
        return false;
    }
}

/* --- values ----------------------------------------------------------------------------------- */
static bool is_number(const struct json_value *v)
{
    return v->kind == JSON_INT || v->kind == JSON_FLOAT;
}

static double number_of(const struct json_value *v)
{
    return v->kind == JSON_INT ? (double)v->i : v->f;
}

static bool equals(const struct json_value *want, const struct json_value *v)
{
    if (is_number(want)) {
        return want->kind == JSON_INT && v->kind == JSON_INT
                   ? want->i == v->i
                   : is_number(v) && number_of(want) >= number_of(v) &&
                         number_of(want) <= number_of(v);
    }
    return want->kind == v->kind &&
           (want->kind == JSON_NULL || (want->kind == JSON_BOOL && want->b == v->b) ||
            (want->kind == JSON_STRING && str_eq(want->str, v->str)));
}

/* "<", 5 or ">", 0, "<=", 5 */
static bool numeric_fits(const struct json_value *terms, const struct json_value *v)
{
    double x = is_number(v) ? number_of(v) : 0;
    if (!is_number(v) || x < -EVENT_PATTERN_NUMBER_MAX || x > EVENT_PATTERN_NUMBER_MAX) {
        return false;
    }
    for (const struct json_value *op = terms->first; op; op = op->next->next) {
        double y = number_of(op->next);
        bool fits = op->str.p[0] == '<' ? x < y : op->str.p[0] == '>' ? x > y : x >= y && x <= y;
        if (!fits && !(op->str.n == 2 && x >= y && x <= y)) {
            return false;
        }
    }
    return true;
}

static bool listed(const struct json_value *operand, const struct json_value *v)
{
    const struct json_value *first = operand->kind == JSON_ARRAY ? operand->first : operand;
    for (const struct json_value *one = first; one;
         one = operand->kind == JSON_ARRAY ? one->next : NULL) {
        if (equals(one, v)) {
            return true;
        }
    }
    return false;
}

/* Does one of the texts that anything-but's operator has fit? */
static bool any_text_fits(const struct json_value *inner, const struct json_value *v)
{
    enum event_operator op = event_operator_of(inner->key);
    if (v->kind != JSON_STRING) {
        return false;
    }
    if (inner->kind != JSON_ARRAY) {
        return text_fits(op, inner, v->str);
    }
    for (const struct json_value *one = inner->first; one; one = one->next) {
        if (text_fits(op, one, v->str)) {
            return true;
        }
    }
    return false;
}

static bool value_fits(const struct json_value *alternative, const struct json_value *v)
{
    if (alternative->kind != JSON_OBJECT) {
        return equals(alternative, v);
    }
    const struct json_value *operand = alternative->first;
    enum event_operator op = event_operator_of(operand->key);
    switch (op) {
    case EVENT_OP_NUMERIC:
        return numeric_fits(operand, v);
    case EVENT_OP_EXISTS:
        return operand->b;
    case EVENT_OP_ANYTHING_BUT:
        return operand->kind == JSON_OBJECT ? !any_text_fits(operand->first, v)
                                            : !listed(operand, v);
    default:
        return v->kind == JSON_STRING && text_fits(op, operand, v->str);
    }
}

/* Does a leaf at or below `v` fit? Objects are no leaves. *leaves counts what was looked at. */
static bool leaf_fits(const struct json_value *alternative, const struct json_value *v,
                      size_t *leaves)
{
    if (!v || v->kind == JSON_OBJECT) {
        return false;
    }
    if (v->kind != JSON_ARRAY) {
        ++*leaves;
        return value_fits(alternative, v);
    }
    for (const struct json_value *one = v->first; one; one = one->next) {
        if (leaf_fits(alternative, one, leaves)) {
            return true;
        }
    }
    return false;
}

static bool wants_absence(const struct json_value *alternative)
{
    return alternative->kind == JSON_OBJECT &&
           event_operator_of(alternative->first->key) == EVENT_OP_EXISTS && !alternative->first->b;
}

static bool one_fits(const struct json_value *alternatives, const struct json_value *v)
{
    for (const struct json_value *one = alternatives->first; one; one = one->next) {
        size_t leaves = 0;
        if (leaf_fits(one, v, &leaves) || (wants_absence(one) && leaves == 0)) {
            return true;
        }
    }
    return false;
}

/* --- fields ----------------------------------------------------------------------------------- */
static bool object_fits(const struct json_value *pattern, const struct json_value *event);

/* Last member of that name. */
static const struct json_value *member_of(const struct json_value *event, struct str key)
{
    const struct json_value *found = NULL;
    if (event && event->kind == JSON_OBJECT) {
        for (const struct json_value *m = event->first; m; m = m->next) {
            found = str_eq(m->key, key) ? m : found;
        }
    }
    return found;
}

/* An element that is an object, at any depth of arrays, fits. *objects counts them. */
static bool element_fits(const struct json_value *pattern, const struct json_value *v,
                         size_t *objects)
{
    if (!v || (v->kind != JSON_ARRAY && v->kind != JSON_OBJECT)) {
        return false;
    }
    if (v->kind == JSON_OBJECT) {
        ++*objects;
        return object_fits(pattern, v);
    }
    for (const struct json_value *one = v->first; one; one = one->next) {
        if (element_fits(pattern, one, objects)) {
            return true;
        }
    }
    return false;
}

static bool below_fits(const struct json_value *pattern, const struct json_value *v)
{
    size_t objects = 0;
    return element_fits(pattern, v, &objects) || (objects == 0 && object_fits(pattern, NULL));
}

static bool or_fits(const struct json_value *branches, const struct json_value *event)
{
    for (const struct json_value *one = branches->first; one; one = one->next) {
        if (object_fits(one, event)) {
            return true;
        }
    }
    return false;
}

static bool object_fits(const struct json_value *pattern, const struct json_value *event)
{
    for (const struct json_value *m = pattern->first; m; m = m->next) {
        const struct json_value *v = member_of(event, m->key);
        bool fits = event_pattern_is_or(m)   ? or_fits(m, event)
                    : m->kind == JSON_OBJECT ? below_fits(m, v)
                                             : one_fits(m, v);
        if (!fits) {
            return false;
        }
    }
    return true;
}

bool event_pattern_matches(const struct json_value *pattern, const struct json_value *event)
{
    return object_fits(pattern, event);
}
