/* Structs from and to XML, by their shape (rest-xml bodies; query and ec2 answers). Internal. */
#ifndef CISTERN_WIRE_XML_CODEC_H
#define CISTERN_WIRE_XML_CODEC_H

#include "server/wire/decode.h"
#include "server/wire/xml_read.h"
#include "server/wire/xml_write.h"

/* Fills the struct at `dst` from the children and attributes of `node`; only members of the body.
 */
enum status xml_decode_struct(struct decoder *d, const struct shape *shape,
                              const struct xml_node *node, void *dst,
                              const struct path *path) MUST_CHECK;
/* Parses `text`, whose root element is a struct of this shape. `root`: its name; NULL: any. */
enum status xml_decode(struct decoder *d, const struct shape *shape, const char *root,
                       struct str text, void *dst) MUST_CHECK;

/* How times are written. */
enum xml_times {
    XML_TIMES_PLAIN, /* query: milliseconds only when there are any */
    XML_TIMES_MS,    /* rest-xml, ec2: always ".000Z" */
};

/* Writes attributes and body members of the struct at `base` into the open element. */
void xml_encode_struct(struct xml_out *x, const struct shape *shape, const void *base,
                       enum xml_times times);
/* Text of a scalar as in XML, headers, and URIs. NULL arena is not allowed. */
struct str wire_scalar_text(struct arena *a, const struct field *f, const void *value,
                            enum time_format otherwise, enum xml_times times);

#endif
