/* CloudWatch: metrics in and out. Alarms and dashboards aren't there. */
#include "emulators/cloudwatch/cloudwatch_internal.h"
#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/loop.h"
#include "server/service.h"

#define KEPT_MS (15 * INT64_C(86400000)) /* as CloudWatch keeps points of a minute */
#define EXPIRE_FIRST_MS 60000            /* not while we start: it looks at every point */
#define EXPIRE_EVERY_MS INT64_C(86400000)

extern const struct service cloudwatch_service;

struct cloudwatch {
    struct core *core;
    struct timer *expire;
};

struct metrics_owner cloudwatch_owner_of(const struct call *c)
{
    return (struct metrics_owner){ c->caller.account, c->caller.region };
}

struct str cloudwatch_call_dimensions(struct call *c, const struct cloudwatch_dimensions *d)
{
    struct metrics_dimension *v = ARENA_ARRAY(c->arena, struct metrics_dimension, d->n + 1);
    for (size_t i = 0; i < d->n; i++) {
        v[i] = (struct metrics_dimension){ d->v[i].Name, d->v[i].Value };
    }
    return cloudwatch_dimensions_text(c->arena, v, d->n);
}

static void expire(void *arg)
{
    struct cloudwatch *w = arg;
    status_ignore(cloudwatch_store_expire(core_db(w->core), clock_now_ms() - KEPT_MS)); /* logged */
}

static enum status init(struct core *core, void **ret_state)
{
    struct cloudwatch *w = xcalloc(1, sizeof(*w));
    w->core = core;
    *ret_state = w;
    return ST_OK;
}

static enum status start(void *state)
{
    struct cloudwatch *w = state;
    w->expire = timer_new(core_loop(w->core), expire, w);
    timer_start(w->expire, EXPIRE_FIRST_MS, EXPIRE_EVERY_MS);
    return ST_OK;
}

static void stop(void *state)
{
    struct cloudwatch *w = state;
    timer_free(w->expire);
    w->expire = NULL;
}

static void fini(void *state)
{
    free(state);
}

const struct service cloudwatch_service = {
    .name = "cloudwatch",
    .signing_name = CLOUDWATCH_SIGNING_NAME,
    .target_prefix = CLOUDWATCH_TARGET_PREFIX,
    .api_version = CLOUDWATCH_API_VERSION,
    .xmlns = CLOUDWATCH_XMLNS,
    .protocols = CLOUDWATCH_PROTOCOLS,
    .ops = cloudwatch_ops,
    .n_ops = CLOUDWATCH_N_OPS,
    .schema_sql = cloudwatch_schema_sql,
    .errors = cloudwatch_errors,
    .init = init,
    .start = start,
    .stop = stop,
    .fini = fini,
};
