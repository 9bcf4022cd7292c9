/* Operations, shapes and fields as data. The tables are generated from botocore's models by
 * server/wire/gen/genmodel.py into emulators/<service>/<service>_model.[ch] and checked in; five
 * codecs (json, query/ec2, rest-json, rest-xml, cbor) work from them alone, so that handlers see
 * only C structs. Everything here is constant and shared by all threads.
 *
 * What a generated struct holds, member by member (absent = all zero bytes):
 *   string, enum        struct str              (p == NULL: absent)
 *   blob                struct str              raw bytes, already base64-decoded
 *   integer, long       struct opt_i64
 *   float, double       struct opt_f64
 *   boolean             struct opt_bool
 *   timestamp           struct opt_time         milliseconds since the epoch
 *   structure           pointer to its struct   (NULL: absent)
 *   list                struct { size_t n; ELEM *v; }   (v == NULL: absent; v != NULL, n == 0: empty)
 *   map                 struct { size_t n; struct { KEY key; VALUE value; } *v; }
 *   document            struct str              JSON text
 * All memory belongs to the call's arena. */
#ifndef CISTERN_WIRE_SHAPE_H
#define CISTERN_WIRE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/status.h"
#include "server/base/str.h"

struct call;

struct opt_i64 {
    int64_t v;
    bool set;
};
struct opt_f64 {
    double v;
    bool set;
};
struct opt_bool {
    bool v;
    bool set;
};
struct opt_time {
    int64_t ms;
    bool set;
};
#define OPT_I64(x) ((struct opt_i64){ .v = (int64_t)(x), .set = true })
#define OPT_F64(x) ((struct opt_f64){ .v = (double)(x), .set = true })
#define OPT_BOOL(x) ((struct opt_bool){ .v = (x), .set = true })
#define OPT_TIME(x) ((struct opt_time){ .ms = (int64_t)(x), .set = true })

enum shape_kind {
    SHAPE_STRUCT,
    SHAPE_LIST,
    SHAPE_MAP,
    SHAPE_STRING,
    SHAPE_INT,
    SHAPE_FLOAT,
    SHAPE_BOOL,
    SHAPE_TIME,
    SHAPE_BLOB,
    SHAPE_DOC,
};

/* An error that a client may see. Generated from the models' error shapes
 * (`extern const struct aws_error glue_EntityNotFoundException;`), S3's by hand. */
struct aws_error {
    const char *code;  /* as on the wire: the model's error.code where it has one */
    const char *shape; /* exception class name when it differs from the code, else NULL */
    int http_status;
    const char *text;  /* used when call_fail() gets no words; may be NULL */
};

enum op_flags {
    OP_READ = 1 << 0,      /* runs on the HTTP thread with its read-only database; must not write */
    OP_STREAM_IN = 1 << 1, /* the body goes to a staged file while it is hashed (call->body) */
    OP_NO_AUTH = 1 << 2,   /* anonymous callers are expected (sts AssumeRoleWithWebIdentity) */
    OP_BIG_IN = 1 << 3,    /* in-memory body up to HTTP_BIG_BODY_MAX (function zip in base64) */
};

typedef enum status (*op_fn)(struct call *c, const void *in, void *ret_out);

/* One operation. `fn == NULL`: known to AWS, not to us: answers 501 NotImplemented. */
struct op {
    const char *name;
    op_fn fn; /* generated thunk to `<svc>_<snake(name)>(call, const in *, out *)` */
    const struct shape *in, *out; /* NULL: no members */
    const char *method;
    const char *uri; /* "/{Bucket}/{Key+}?acl" */
    int http_status;
    unsigned flags;
    const char *result_wrapper; /* query protocol: "<CreateRoleResult>", or NULL */
};

struct shape;
struct field;

/* Which member of `struct shape` says what is the codecs' business: see shape_def.h. */

#endif
