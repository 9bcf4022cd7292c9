/* The query protocols' requests: Action=CreateRole&Tags.member.1.Key=… Answers are XML. Internal
 * to server/wire. */
#ifndef CISTERN_WIRE_QUERY_H
#define CISTERN_WIRE_QUERY_H

#include "server/wire/decode.h"

#define QUERY_PAIRS_MAX (1u << 18)

/* Fills the struct at `dst` from the URL's query and a form body, for PROTO_QUERY or PROTO_EC2. */
enum status query_decode(struct decoder *d, const struct shape *shape, void *dst) MUST_CHECK;

#endif
