/* Our own API that concerns the process as a whole: GET /_cistern/wait and /_cistern/status,
 * POST /_cistern/reset. Services register their own routes (server/http/admin.h). */
#ifndef CISTERN_ADMIN_H
#define CISTERN_ADMIN_H

struct core;

/* Once, before the listener starts. */
void admin_register(struct core *core);

#endif
