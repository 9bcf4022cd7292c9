/* JSON: reading into a tree in an arena, and writing. The only place that sees cJSON. Exact for
 * 64-bit integers and for \u0000; strict UTF-8, limited depth and size. Any thread. */
#ifndef CISTERN_WIRE_JSON_H
#define CISTERN_WIRE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/buf.h"
#include "server/base/str.h"

/* Limits by name. */
#define JSON_DEPTH_MAX 100
#define JSON_NODES_MAX (1u << 20)

enum json_kind {
    JSON_NULL,
    JSON_BOOL,
    JSON_INT,   /* fits 64 bits, no fraction */
    JSON_FLOAT, /* any other number */
    JSON_STRING,
    JSON_BYTES, /* CBOR only */
    JSON_ARRAY,
    JSON_OBJECT,
};

/* Constant after parsing; lives in the arena. */
struct json_value {
    enum json_kind kind;
    size_t n;                /* children of arrays and objects */
    struct str key;          /* when the parent is an object */
    struct json_value *next; /* sibling */
    union {
        struct str str;
        int64_t i;
        double f;
        bool b;
        struct json_value *first; /* child */
    };
};

/* Parses one document. ST_INVALID: *ret_why says what is wrong and where (in the arena).
 * ST_NOMEM: deeper or bigger than the limits; *ret_why says so. */
enum status json_parse(struct arena *a, struct str text, struct json_value **ret,
                       struct str *ret_why) MUST_CHECK;

/* Is there a value, and of this kind? */
static inline bool json_is(const struct json_value *v, enum json_kind kind)
{
    return v && v->kind == kind;
}
/* Member of an object, the last of that name; NULL when absent or `v` is no object (or NULL). */
const struct json_value *json_get(const struct json_value *v, const char *key);
/* Text of a member; absent when missing or no string. */
struct str json_get_str(const struct json_value *v, const char *key);
/* Integer or boolean member; `otherwise` when missing or of another kind. */
int64_t json_get_i64(const struct json_value *v, const char *key, int64_t otherwise);
bool json_get_bool(const struct json_value *v, const char *key, bool otherwise);
/* "an object", "a number": for messages. */
const char *json_kind_name(enum json_kind kind);

/* --- writing: commas are put by themselves ---------------------------------------------------- */
struct json_out {
    struct buf *b; /* borrowed; its sticky failure is the writer's */
    bool comma;
};

void json_out_init(struct json_out *o, struct buf *b);
void json_open(struct json_out *o, char bracket);  /* '{' or '[' */
void json_close(struct json_out *o, char bracket); /* '}' or ']' */
void json_key(struct json_out *o, struct str key);
void json_keyz(struct json_out *o, const char *key);
/* Escaped; bytes that are no UTF-8 become U+FFFD. Absent text is written as null. */
void json_str(struct json_out *o, struct str s);
void json_i64(struct json_out *o, int64_t v);
/* Shortest text that reads back to the same value; NaN and infinities as AWS writes them, quoted.
 */
void json_f64(struct json_out *o, double v);
void json_bool(struct json_out *o, bool v);
void json_null(struct json_out *o);
/* Epoch seconds with milliseconds when there are any, as AWS's JSON protocols write times. */
void json_time(struct json_out *o, int64_t ms);
/* Base64 text. */
void json_blob(struct json_out *o, struct str bytes);
/* A parsed tree again. */
void json_tree(struct json_out *o, const struct json_value *v);
/* Key and string at once. */
void json_pair(struct json_out *o, const char *key, struct str value);

/* Shared with the other text writers: the number as json_f64 prints it, without quotes. */
void json_number(struct buf *b, double v);

#endif
