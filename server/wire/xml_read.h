/* XML into a small tree in an arena. The only place that sees expat. Namespaces are ignored, DTDs
 * (and with them entities) are refused, depth and size are limited. Any thread. */
#ifndef CISTERN_WIRE_XML_READ_H
#define CISTERN_WIRE_XML_READ_H

#include <stddef.h>

#include "server/base/arena.h"
#include "server/base/str.h"

/* Limits by name. */
#define XML_READ_DEPTH_MAX 64
#define XML_READ_NODES_MAX (1u << 18)

struct xml_attr {
    struct str name; /* without prefix */
    struct str value;
    struct xml_attr *next;
};

struct xml_node {
    struct str name; /* without prefix */
    struct str text; /* of an element without children, white space kept; else empty */
    size_t n;        /* children */
    struct xml_node *first, *next;
    struct xml_attr *attrs;
};

/* Parses one document. ST_INVALID: *ret_why says what is wrong and in which line; ST_NOMEM: deeper
 * or bigger than the limits, *ret_why says which. Everything lives in the arena. */
enum status xml_parse(struct arena *a, struct str text, struct xml_node **ret,
                      struct str *ret_why) MUST_CHECK;

#endif
