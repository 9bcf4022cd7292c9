/* What a shape is made of: for the codecs and the generated models. Handlers never need this.
 *
 * Memory layout of a value, by kind, is told in shape.h. A structure that is a member is a pointer
 * to its struct; as list element or map value it lies in the array itself. */
#ifndef CISTERN_WIRE_SHAPE_DEF_H
#define CISTERN_WIRE_SHAPE_DEF_H

#include "server/wire/shape.h"

enum field_loc {
    LOC_BODY,
    LOC_HEADER,
    LOC_HEADERS, /* map of all headers that start with `wire` */
    LOC_URI,
    LOC_QUERY,
    LOC_STATUS, /* answer only: the HTTP status */
};

enum time_format {
    TIME_DEFAULT, /* the protocol's: JSON epoch number, XML ISO 8601, headers RFC 822 */
    TIME_UNIX,
    TIME_ISO,
    TIME_RFC822,
};

enum field_flags {
    FIELD_REQUIRED = 1 << 0,
    FIELD_FLAT = 1 << 1,        /* list or map without an element of its own */
    FIELD_XML_ATTR = 1 << 2,    /* an attribute of the enclosing element ("xsi:type") */
    FIELD_STREAM = 1 << 3,      /* payload that may be too big for memory */
    FIELD_JSON_HEADER = 1 << 4, /* JSON text in base64 */
    FIELD_IDEMPOTENCY = 1 << 5, /* clients invent a value when the caller gave none */
};

/* One member of a structure, or the element of a list, or the key or value of a map. */
struct field {
    const char *name;  /* AWS member name; NULL for elements, keys and values */
    const char *wire;  /* locationName, else the name; NULL: the protocol's default ("member") */
    const char *ec2;   /* key in ec2 requests; NULL outside of ec2 */
    const char *xmlns; /* own namespace of the element, or NULL */
    const struct shape *shape;
    uint32_t off; /* of the member in its struct, or of the value in a map entry */
    uint8_t loc;  /* enum field_loc */
    uint8_t time; /* enum time_format */
    uint16_t flags;
};

enum shape_flags {
    SHAPE_UNION = 1 << 0,   /* exactly one member is set */
    SHAPE_INT32 = 1 << 1,   /* integer of 32 bits; else 64 */
    SHAPE_HAS_MIN = 1 << 2, /* integers only */
    SHAPE_HAS_MAX = 1 << 3,
    SHAPE_TEXT_ROOT = 1 << 4, /* rest-xml: the only member is the text of the root element */
};

struct shape {
    const char *name;
    uint8_t kind; /* enum shape_kind */
    uint8_t flags;
    uint16_t n_fields;
    uint32_t size;               /* STRUCT: sizeof; LIST, MAP: bytes of one element or entry */
    const struct field *fields;  /* STRUCT */
    const struct field *payload; /* STRUCT: the member that is the whole body, or NULL */
    const struct field *key;     /* MAP */
    const struct field *value;   /* LIST, MAP */
    const char *root;            /* rest-xml: name of the root element when not the shape's */
    const char *const *values;   /* STRING: the allowed ones, NULL-terminated; NULL: any */
    int64_t min, max;
};

/* Shared by all models: scalars without restrictions. */
extern const struct shape shape_any_string, shape_any_int, shape_any_long, shape_any_float,
    shape_any_bool, shape_any_time, shape_any_blob, shape_any_doc;

/* Any generated list or map, as the codecs see it. Read and written by copying only. */
struct shape_seq {
    size_t n;
    void *v;
};
struct shape_seq shape_seq_load(const void *slot);
void shape_seq_store(void *slot, struct shape_seq seq);
void *shape_ptr_load(const void *slot);
void shape_ptr_store(void *slot, void *p);

/* The value of a member: for structures its struct (NULL: absent), else the slot. */
void *shape_member(const struct field *f, const void *base);
/* Is this member there? */
bool shape_is_set(const struct field *f, const void *base);

#endif
