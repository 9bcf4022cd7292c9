#include "emulators/glue/crawler/thrift.h"

static void fault(struct thrift *t, const char *why)
{
    t->bad = t->bad ? t->bad : why;
    t->at = t->in.n;
}

static uint8_t byte(struct thrift *t)
{
    if (t->at >= t->in.n) {
        fault(t, "it ends too early");
        return 0;
    }
    return (uint8_t)t->in.p[t->at++];
}

static uint64_t varint(struct thrift *t)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t b = byte(t);
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            return v;
        }
    }
    fault(t, "a number is too long");
    return 0;
}

static int64_t zigzag(struct thrift *t)
{
    uint64_t v = varint(t);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

enum thrift_type thrift_field(struct thrift *t, int64_t *last)
{
    uint8_t head = byte(t);
    enum thrift_type type = head & 0x0f;
    if (t->bad || type == THRIFT_STOP) {
        return THRIFT_STOP;
    }
    int64_t id = head >> 4 ? *last + (head >> 4) : zigzag(t);
    if (type > THRIFT_STRUCT || id < INT16_MIN || id > INT16_MAX) {
        fault(t, "a field's head is broken");
        return THRIFT_STOP;
    }
    *last = id;
    return t->bad ? THRIFT_STOP : type;
}

int64_t thrift_int(struct thrift *t, enum thrift_type type)
{
    return type == THRIFT_BYTE ? (int8_t)byte(t) : zigzag(t);
}

struct str thrift_binary(struct thrift *t)
{
    uint64_t n = varint(t);
    if (t->bad || n > t->in.n - t->at) {
        fault(t, "a text is longer than the rest");
        return STR("");
    }
    struct str s = { t->in.p + t->at, (size_t)n };
    t->at += (size_t)n;
    return s;
}

uint64_t thrift_list(struct thrift *t, enum thrift_type *ret_element)
{
    uint8_t head = byte(t);
    uint64_t n = head >> 4 == 15 ? varint(t) : head >> 4;
    *ret_element = head & 0x0f;
    if (t->bad || n > t->in.n - t->at || *ret_element > THRIFT_STRUCT) {
        fault(t, "a list is longer than the rest");
        return 0;
    }
    return n;
}

static void skip_at(struct thrift *t, enum thrift_type type, int depth);

static void skip_struct(struct thrift *t, int depth)
{
    int64_t last = 0;
    enum thrift_type type;
    while ((type = thrift_field(t, &last)) != THRIFT_STOP) {
        skip_at(t, type, depth + 1);
    }
}

/* In lists and maps a boolean takes one byte. */
static void skip_element(struct thrift *t, enum thrift_type type, int depth)
{
    if (type == THRIFT_TRUE || type == THRIFT_FALSE) {
        (void)byte(t);
    } else {
        skip_at(t, type, depth);
    }
}

static void skip_map(struct thrift *t, int depth)
{
    uint64_t n = varint(t);
    if (n == 0 || t->bad) {
        return;
    }
    uint8_t types = byte(t);
    if (n > t->in.n - t->at) {
        fault(t, "a map is longer than the rest");
    }
    for (uint64_t i = 0; i < n && !t->bad; i++) {
        skip_element(t, types >> 4, depth + 1);
        skip_element(t, types & 0x0f, depth + 1);
    }
}

static void skip_list(struct thrift *t, int depth)
{
    enum thrift_type element;
    uint64_t n = thrift_list(t, &element);
    for (uint64_t i = 0; i < n && !t->bad; i++) {
        skip_element(t, element, depth + 1);
    }
}

static void skip_double(struct thrift *t)
{
    for (int i = 0; i < 8; i++) {
        (void)byte(t);
    }
}

static void skip_at(struct thrift *t, enum thrift_type type, int depth)
{
    if (depth > THRIFT_DEPTH_MAX) {
        fault(t, "it is nested too deeply");
        return;
    }
    switch (type) {
    case THRIFT_TRUE:
    case THRIFT_FALSE:
        break;
    case THRIFT_BYTE:
        (void)byte(t);
        break;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64:
        (void)varint(t);
        break;
    case THRIFT_DOUBLE:
        skip_double(t);
        break;
    case THRIFT_BINARY:
        (void)thrift_binary(t);
        break;
    case THRIFT_LIST:
    case THRIFT_SET:
        skip_list(t, depth);
        break;
    case THRIFT_MAP:
        skip_map(t, depth);
        break;
    case THRIFT_STRUCT:
        skip_struct(t, depth);
        break;
    case THRIFT_STOP:
    default:
        fault(t, "a value's type is unknown");
        break;
    }
}

void thrift_skip(struct thrift *t, enum thrift_type type)
{
    skip_at(t, type, 0);
}
