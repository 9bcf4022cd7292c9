/* Our own API under `/_cistern/` (and `/_localstack/health`): a table of method and path that the
 * owners of the functions fill before listener_start(); constant afterwards.
 *
 *   static enum status wait_idle(struct call *c, void *arg) {
 *       struct str timeout;
 *       if (call_query(c, "timeout", &timeout)) …
 *       call_reply_bytes(c, STR("application/json"), json);
 *       return ST_OK;                      // or ST_PENDING, and call_finish(c, st) later
 *   }
 *   http_admin_register("POST", "/_cistern/wait", 0, wait_idle, core);
 *
 * A handler sees a `struct call` without service state: method, path, call_query(), call_header(),
 * body.bytes (up to HTTP_BODY_MAX), arena, db, core. It answers by call_reply_bytes(),
 * call_set_http_status() (default 200) and call_set_header(), or `return call_fail(c, &error, …)`,
 * which gives {"__type":…,"message":…}. No reply and ST_OK is an empty JSON object. */
#ifndef CISTERN_HTTP_ADMIN_H
#define CISTERN_HTTP_ADMIN_H

#include "server/base/str.h"
#include "server/wire/shape.h"

struct call;

typedef enum status (*http_admin_fn)(struct call *c, void *arg);

#define HTTP_ADMIN_ROUTES_MAX 64

/* `path` is matched exactly against the raw path; ending in '/' it takes everything below too (the
 * longest match wins). Flags: 0 runs on the core thread in the pass's transaction, as every writing
 * operation; OP_READ runs on the HTTP thread with its read-only database; OP_BIG_IN allows
 * HTTP_BIG_BODY_MAX. The strings must be constant. */
void http_admin_register(const char *method, const char *path, unsigned flags, http_admin_fn fn,
                         void *arg);
/* The operation for this request, or NULL: none such. Any thread. */
const struct op *http_admin_find(struct str method, struct str path);

#endif
