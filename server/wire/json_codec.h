/* Structs from and to JSON, by their shape. Internal to server/wire. */
#ifndef CISTERN_WIRE_JSON_CODEC_H
#define CISTERN_WIRE_JSON_CODEC_H

#include "server/wire/decode.h"
#include "server/wire/json.h"

/* Fills the struct at `dst` (of `shape`) from an object; only members of the body. Also for trees
 * that come from CBOR: then members go by their own names. */
enum status json_decode_struct(struct decoder *d, const struct shape *shape,
                               const struct json_value *v, void *dst,
                               const struct path *path) MUST_CHECK;
/* Parses `text` and fills the struct. Empty text is an empty object. */
enum status json_decode(struct decoder *d, const struct shape *shape, struct str text,
                        void *dst) MUST_CHECK;
/* Writes the body members of the struct at `base` as an object; {} when base is NULL. */
void json_encode_struct(struct json_out *o, const struct shape *shape, const void *base);

#endif
