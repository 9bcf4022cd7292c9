#include "emulators/dms/mapping/expression_host.h"

#include <stdint.h>

#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/store/expression.h"

static const struct str variables[DMS_VARIABLES] = {
    [DMS_VAR_STREAM_POSITION] = STR_INIT("AR_H_STREAM_POSITION"),
    [DMS_VAR_TIMESTAMP] = STR_INIT("AR_H_TIMESTAMP"),
    [DMS_VAR_COMMIT_TIMESTAMP] = STR_INIT("AR_H_COMMIT_TIMESTAMP"),
    [DMS_VAR_OPERATION] = STR_INIT("AR_H_OPERATION"),
    [DMS_VAR_CHANGE_SEQ] = STR_INIT("AR_H_CHANGE_SEQ"),
    [DMS_VAR_SCHEMA] = STR_INIT("AR_M_SOURCE_SCHEMA"),
    [DMS_VAR_TABLE] = STR_INIT("AR_M_SOURCE_TABLE_NAME"),
    [DMS_VAR_COLUMN] = STR_INIT("AR_M_SOURCE_COLUMN_NAME"),
    [DMS_VAR_DATA_TYPE] = STR_INIT("AR_M_SOURCE_COLUMN_DATATYPE"),
};

bool dms_variable_find(struct str name, enum dms_variable *ret)
{
    for (size_t i = 0; i < DMS_VARIABLES; i++) {
        if (str_eq(variables[i], name)) {
            *ret = (enum dms_variable)i;
            return true;
        }
    }
    return false;
}

bool dms_variable_reserved(struct str name)
{
    return str_starts(name, STR("AR_H_")) || str_starts(name, STR("AR_M_"));
}

/* --- functions -------------------------------------------------------------------------------- */

static struct str text_of(const struct expression_value *v, struct buf *room)
{
    if (v->kind == EXPRESSION_TEXT || v->kind == EXPRESSION_BLOB) {
        return v->s;
    }
    if (v->kind == EXPRESSION_INT) {
        buf_i64(room, v->i);
    } else if (v->kind == EXPRESSION_REAL) {
        buf_printf(room, "%.15g", v->d);
    }
    return buf_str(room);
}

static void hash_sha256(void *arg, const struct expression_value *args, struct buf *out,
                        struct expression_value *ret)
{
    (void)arg;
    if (args[0].kind == EXPRESSION_NULL) {
        return;
    }
    static const char hex[] = "0123456789abcdef";
    CLEANUP(buf_fini) struct buf room = BUF_INIT(64);
    struct str s = text_of(&args[0], &room);
    unsigned char sum[DIGEST_MAX];
    digest_bytes(DIGEST_SHA256, s.p, s.n, sum);
    for (size_t i = 0; i < digest_size(DIGEST_SHA256); i++) {
        buf_putc(out, hex[sum[i] >> 4]);
        buf_putc(out, hex[sum[i] & 15]);
    }
    *ret = (struct expression_value){ .kind = EXPRESSION_TEXT, .s = buf_str(out) };
}

static size_t char_len(struct str s, size_t at)
{
    size_t n = 1;
    while (at + n < s.n && ((unsigned char)s.p[at + n] & 0xC0) == 0x80) {
        n++;
    }
    return n;
}

/* Which character of `set` is it? */
static ptrdiff_t place_of(struct str set, struct str c)
{
    ptrdiff_t place = 0;
    for (size_t i = 0; i < set.n; place++) {
        size_t n = char_len(set, i);
        if (str_eq((struct str){ set.p + i, n }, c)) {
            return place;
        }
        i += n;
    }
    return -1;
}

/* Character number `place`, or the first when there are fewer. */
static struct str char_at(struct str set, ptrdiff_t place)
{
    struct str first = { set.p, set.n ? char_len(set, 0) : 0 };
    for (size_t i = 0; i < set.n; place--) {
        size_t n = char_len(set, i);
        if (place == 0) {
            return (struct str){ set.p + i, n };
        }
        i += n;
    }
    return first;
}

/* replaceChars(x, y, z): each character of x that is in y becomes the one of z in its place. */
static void replace_chars(void *arg, const struct expression_value *args, struct buf *out,
                          struct expression_value *ret)
{
    (void)arg;
    CLEANUP(buf_fini) struct buf a = BUF_INIT(64), b = BUF_INIT(64), c = BUF_INIT(64);
    if (args[0].kind == EXPRESSION_NULL || args[1].kind == EXPRESSION_NULL ||
        args[2].kind == EXPRESSION_NULL) {
        return;
    }
    struct str x = text_of(&args[0], &a), y = text_of(&args[1], &b), z = text_of(&args[2], &c);
    for (size_t i = 0; i < x.n;) {
        struct str one = { x.p + i, char_len(x, i) };
        ptrdiff_t place = place_of(y, one);
        buf_str_add(out, place < 0 ? one : char_at(z, place));
        i += one.n;
    }
    *ret = (struct expression_value){ .kind = EXPRESSION_TEXT, .s = buf_str(out) };
}

/* operation_indicator(on delete, on update, on insert) */
static void operation_indicator(void *arg, const struct expression_value *args, struct buf *out,
                                struct expression_value *ret)
{
    (void)out;
    const char *operation = arg;
    *ret = args[!operation || *operation == 'I' ? 2 : *operation == 'U' ? 1 : 0];
}

enum status dms_expressions_new(const char *operation, struct expressions **ret)
{
    /* The evaluator hands it back as it is; nothing writes through it. */
    const struct expression_function functions[] = {
        { "hash_sha256", 1, hash_sha256, NULL },
        { "replaceChars", 3, replace_chars, NULL },
        { "operation_indicator", 3, operation_indicator, (void *)(uintptr_t)operation },
    };
    return expressions_new(functions, ARRAY_LEN(functions), ret);
}
