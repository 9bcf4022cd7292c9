/* A web page in somebody's browser must not drive this server: requests whose Host or Origin is
 * foreign are refused before anything else looks at them. Any thread. */
#ifndef CISTERN_HTTP_GUARD_H
#define CISTERN_HTTP_GUARD_H

#include "server/http/headers.h"

/* May this request be served? If not, *ret_reason is a constant sentence that says why and what to
 * do. `listen_addr` is where we listen ("127.0.0.1"). */
bool guard_allows(const struct http_request *r, const char *listen_addr, const char **ret_reason);

#endif
