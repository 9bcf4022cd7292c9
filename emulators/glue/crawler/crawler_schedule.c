/* Scheduled crawls: an outbox row per crawler, due at the schedule's next time. */
#include "emulators/glue/crawler/crawler_internal.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/outbox.h"
#include "server/schedule.h"

#define KIND "glue-crawl"
#define ROW_ARENA_MAX (16u << 20)

static bool scheduled(const struct glue_crawler *crawler)
{
    return crawler->Schedule && str_eqz(crawler->Schedule->State, "SCHEDULED") &&
           !str_empty(crawler->Schedule->ScheduleExpression);
}

enum status crawler_plan(struct glue_state *g, struct crawler_row *row)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(ROW_ARENA_MAX);
    enum status st = ST_OK;
    if (row->schedule) {
        st = outbox_done(g->core, row->schedule);
        st = st == ST_NOT_FOUND ? ST_OK : st; /* it came to its end by itself */
        row->schedule = 0;
    }
    if (st != ST_OK || !scheduled(row->crawler)) {
        return st;
    }
    struct str target = arena_printf(a, "%.*s/%.*s/%.*s", STR_ARG(row->owner.account),
                                     STR_ARG(row->owner.region), STR_ARG(row->crawler->Name));
    st = schedule_begin(g->core, KIND, target, row->crawler->Schedule->ScheduleExpression,
                        &row->schedule);
    return st == ST_NOT_FOUND ? ST_OK : st; /* a schedule that has no next time any more */
}

/* The crawler that an outbox row is for; false when the row is out of date. */
static bool find(struct glue_state *g, struct arena *a, const struct outbox_row *row,
                 struct crawler_row *ret)
{
    struct str rest, name;
    struct glue_owner o;
    return str_cut(row->target, '/', &o.account, &rest) && str_cut(rest, '/', &o.region, &name) &&
           crawler_store_find(core_db(g->core), a, &o, name, ret) == ST_OK &&
           ret->schedule == row->id && scheduled(ret->crawler);
}

static void on_due(void *state, const struct outbox_row *row)
{
    struct glue_state *g = state;
    CLEANUP(arena_freep) struct arena *a = arena_new(ROW_ARENA_MAX);
    struct crawler_row crawler;
    if (!find(g, a, row, &crawler)) {
        status_ignore(outbox_done(g->core, row->id)); /* logged */
        return;
    }
    struct str name = crawler.crawler->Name;
    enum status st = ST_OK;
    if (schedule_in_time(row)) {
        st = glue_crawler_start(g, a, &crawler.owner, name);
    } else {
        log_warn("glue", "crawler %.*s: a time was missed and isn't made up for", STR_ARG(name));
    }
    if (st == ST_CONFLICT) {
        log_info("glue", "crawler %.*s: a scheduled crawl is left out, the one before still runs",
                 STR_ARG(name));
    }
    st = schedule_again(g->core, row, crawler.crawler->Schedule->ScheduleExpression);
    status_ignore(st); /* no further time, or logged */
}

void crawler_schedule_init(struct glue_state *g)
{
    outbox_register(g->core, KIND, on_due, g);
}
