#include "server/http/health.h"

#include "server/base/buf.h"
#include "server/core_run.h"
#include "server/http/admin.h"
#include "server/http/call.h"
#include "server/version.h"

#define HEALTH_MAX (16u << 10)

/* The spelling with a blank after the colon is what scripts grep for: "s3": "running". */
static enum status health(struct call *c, void *arg)
{
    (void)arg;
    struct buf out = BUF_INIT(HEALTH_MAX);
    buf_puts(&out, "{\"services\": {");
    const struct service *const *list = core_services(c->core);
    for (size_t i = 0; list[i]; i++) {
        buf_printf(&out, "%s\"%s\": \"running\"", i > 0 ? ", " : "", list[i]->name);
    }
    buf_puts(&out, "}, \"edition\": \"cistern\", \"version\": \"" CISTERN_VERSION "\"}\n");
    call_reply_bytes(c, STR("application/json"), buf_str(&out));
    enum status st = buf_ok(&out) ? ST_OK : ST_NOMEM;
    buf_fini(&out);
    return st;
}

void health_register(void)
{
    http_admin_register("GET", "/_cistern/health", OP_READ, health, NULL);
    http_admin_register("GET", "/_localstack/health", OP_READ, health, NULL);
}
