/* What all decoders share: the place in the input for messages, the first failure, scalars given
 * as text, and memory whose size the client chooses. Internal to server/wire. */
#ifndef CISTERN_WIRE_DECODE_H
#define CISTERN_WIRE_DECODE_H

#include "server/wire/codec.h"
#include "server/wire/shape_def.h"

#define DECODE_DEPTH_MAX 100       /* nested structures in a request */
#define DECODE_SEQ_MAX (96u << 20) /* bytes of one list or map */

/* Where we are: frames on the C stack, innermost first. */
struct path {
    const struct path *up; /* NULL: top level */
    const char *name;      /* member, or NULL */
    size_t index;          /* 1-based element of a list, or 0 */
    struct str key;        /* of a map, or absent */
    unsigned depth;
};

struct decoder {
    const struct wire_request *req;
    struct arena *arena;
    struct wire_failure *failure;
};

/* Frame for a member, an element, a map key. */
struct path path_member(const struct path *up, const char *name);
struct path path_index(const struct path *up, size_t index);
struct path path_key(const struct path *up, struct str key);
/* "Tags.member.1.Key" in the form that AWS prints: "tags.1.member.key". */
struct str path_text(struct arena *a, const struct path *path);

/* Both record the failure and return ST_AWS. The document breaks its grammar: */
enum status decode_bad_document(struct decoder *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A value has the wrong type; the path is added. */
enum status decode_bad_value(struct decoder *d, const struct path *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Any other error. */
enum status decode_refuse(struct decoder *d, const struct aws_error *error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Where the value of this member goes: a fresh struct for a structure, else the slot itself. */
void *decode_slot(struct decoder *d, const struct field *f, void *base);
/* n zeroed elements (never NULL for n == 0); NULL: more than DECODE_SEQ_MAX. */
void *decode_array(struct decoder *d, size_t n, size_t size);
/* A scalar from text (form, XML, header, URI). Kinds other than scalars are refused. */
enum status decode_text(struct decoder *d, const struct field *f, struct str text, void *dst,
                        const struct path *path);
/* Stores an integer, checked for the shape's width. */
enum status decode_int(struct decoder *d, const struct field *f, int64_t v, void *dst,
                       const struct path *path);

#endif
