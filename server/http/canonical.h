/* The canonical request that SigV4 signs. */
#ifndef CISTERN_HTTP_CANONICAL_H
#define CISTERN_HTTP_CANONICAL_H

#include "server/http/headers.h"

struct sigv4;

/* Do these rules of this scope apply: path encoded once, not normalised? All others encode twice.
 */
bool canonical_is_s3(struct str service);
/* METHOD, URI, query, headers, names of the headers, payload hash. */
struct str canonical_request(const struct http_request *r, const struct sigv4 *s,
                             struct str payload_hash, struct arena *a);

#endif
