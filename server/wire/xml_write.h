/* XML writer: everything is escaped, nesting is checked, there is no raw call. Names must be
 * constants (they are not copied). Any thread. */
#ifndef CISTERN_WIRE_XML_WRITE_H
#define CISTERN_WIRE_XML_WRITE_H

#include <stdbool.h>

#include "server/base/buf.h"
#include "server/base/str.h"

#define XML_WRITE_DEPTH_MAX 128

struct xml_out {
    struct buf *b; /* borrowed; its sticky failure is the writer's */
    const char *stack[XML_WRITE_DEPTH_MAX];
    unsigned depth;
    bool in_tag; /* the start tag still takes attributes */
    bool failed; /* closed too often, nested too deep */
};

/* Writes the XML declaration. */
void xml_begin(struct xml_out *x, struct buf *b);
void xml_open(struct xml_out *x, const char *name);
/* Right after xml_open. */
void xml_attr(struct xml_out *x, const char *name, struct str value);
void xml_text(struct xml_out *x, struct str text);
void xml_close(struct xml_out *x);
/* Element with text. */
void xml_leaf(struct xml_out *x, const char *name, struct str text);
/* Everything closed and nothing failed? */
bool xml_ok(const struct xml_out *x);

#endif
