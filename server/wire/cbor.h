/* CBOR (RFC 8949), as smithy's rpc-v2-cbor uses it. Internal to server/wire. */
#ifndef CISTERN_WIRE_CBOR_H
#define CISTERN_WIRE_CBOR_H

#include "server/wire/json.h"
#include "server/wire/shape_def.h"

/* Parses one item into a tree like JSON's (byte strings are JSON_BYTES; tags are dropped, so times
 * are numbers). As json_parse. */
enum status cbor_parse(struct arena *a, struct str bytes, struct json_value **ret,
                       struct str *ret_why) MUST_CHECK;

/* Writes the struct at `base` as a map of its members; an empty map when base or shape is NULL. */
void cbor_encode_struct(struct buf *b, const struct shape *shape, const void *base);
/* Pieces for error documents. */
void cbor_map(struct buf *b, size_t n);
void cbor_text(struct buf *b, struct str s);

#endif
