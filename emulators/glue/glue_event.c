/* What EventBridge is told of runs and crawls: "Automating Glue with EventBridge" in the developer
 * guide. */
#include "emulators/facade/events.h"
#include "emulators/glue/glue_internal.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/wire/json.h"

#define DETAIL_MAX (1u << 20)
#define DETAIL_ARENA_MAX (4u << 20)

/* A lost event is no reason to lose the state that it tells of. */
static void emit(struct glue_state *g, const struct glue_owner *o, const char *type,
                 const struct buf *detail)
{
    const struct events_incident incident = {
        .account = o->account,
        .region = o->region,
        .source = "aws.glue",
        .detail_type = type,
        .resource = STR_NONE,
        .detail = buf_str(detail),
    };
    enum status st = buf_ok(detail) ? events_emit(g->core, &incident) : ST_NOMEM;
    if (st != ST_OK) {
        log_error("glue", "an event (%s) can't be sent: %s", type, status_name(st));
    }
}

void glue_event_run(struct glue_state *g, const struct glue_owner *o,
                    const struct glue_job_run *run)
{
    static const struct {
        const char *state, *severity, *message;
    } kinds[] = {
        { "SUCCEEDED", "INFO", "Job run succeeded" },
        { "FAILED", "ERROR", "Job run failed" },
        { "TIMEOUT", "WARN", "Job run timed out" },
        { "STOPPED", "INFO", "Job run stopped" },
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!str_eqz(run->JobRunState, kinds[i].state)) {
            continue;
        }
        CLEANUP(buf_fini) struct buf b = BUF_INIT(DETAIL_MAX);
        struct json_out out;
        bool failed = str_eqz(run->JobRunState, "FAILED") && !str_empty(run->ErrorMessage);
        json_out_init(&out, &b);
        json_open(&out, '{');
        json_pair(&out, "jobName", run->JobName);
        json_pair(&out, "severity", str_z(kinds[i].severity));
        json_pair(&out, "state", run->JobRunState);
        json_pair(&out, "jobRunId", run->Id);
        json_pair(&out, "message", failed ? run->ErrorMessage : str_z(kinds[i].message));
        json_close(&out, '}');
        emit(g, o, "Glue Job State Change", &b);
    }
}

void glue_event_crawl_started(struct glue_state *g, const struct glue_owner *o, struct str crawler)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(DETAIL_ARENA_MAX);
    CLEANUP(buf_fini) struct buf b = BUF_INIT(DETAIL_MAX);
    struct json_out out;
    json_out_init(&out, &b);
    json_open(&out, '{');
    json_pair(&out, "accountId", o->account);
    json_pair(&out, "crawlerName", crawler);
    json_pair(&out, "startTime", clock_iso(a, clock_now_ms()));
    json_pair(&out, "state", STR("Started"));
    json_pair(&out, "message", STR("Crawler Started"));
    json_close(&out, '}');
    emit(g, o, "Glue Crawler State Change", &b);
}

static void put_log_link(struct json_out *out, struct arena *a, const struct glue_owner *o,
                         struct str crawler)
{
    json_pair(out, "cloudWatchLogLink",
              arena_printf(a,
                           "https://console.aws.amazon.com/cloudwatch/home?region=%.*s"
                           "#logEventViewer:group=/aws-glue/crawlers;stream=%.*s",
                           STR_ARG(o->region), STR_ARG(crawler)));
}

void glue_event_crawl_failed(struct glue_state *g, const struct glue_owner *o, struct str crawler,
                             struct str error)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(DETAIL_ARENA_MAX);
    CLEANUP(buf_fini) struct buf b = BUF_INIT(DETAIL_MAX);
    struct json_out out;
    json_out_init(&out, &b);
    json_open(&out, '{');
    json_pair(&out, "crawlerName", crawler);
    json_pair(&out, "errorMessage", error);
    json_pair(&out, "accountId", o->account);
    put_log_link(&out, a, o, crawler);
    json_pair(&out, "state", STR("Failed"));
    json_pair(&out, "message", STR("Crawler Failed"));
    json_close(&out, '}');
    emit(g, o, "Glue Crawler State Change", &b);
}

/* The numbers are texts, as on AWS. */
void glue_event_crawl_succeeded(struct glue_state *g, const struct glue_owner *o,
                                struct str crawler, const struct glue_crawl_result *result)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(DETAIL_ARENA_MAX);
    CLEANUP(buf_fini) struct buf b = BUF_INIT(DETAIL_MAX);
    const struct {
        const char *name;
        int64_t n;
    } counts[] = {
        { "tablesCreated", result->tables_created },
        { "tablesUpdated", result->tables_updated },
        { "tablesDeleted", result->tables_deleted },
        { "partitionsCreated", result->partitions_created },
        { "partitionsUpdated", result->partitions_updated },
        { "partitionsDeleted", result->partitions_deleted },
        { "runningTime (sec)", result->seconds },
    };
    struct json_out out;
    json_out_init(&out, &b);
    json_open(&out, '{');
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        json_pair(&out, counts[i].name, arena_i64(a, counts[i].n));
    }
    json_pair(&out, "warningMessage", STR("N/A"));
    json_pair(&out, "accountId", o->account);
    json_pair(&out, "crawlerName", crawler);
    json_pair(&out, "completionDate", clock_iso(a, clock_now_ms()));
    put_log_link(&out, a, o, crawler);
    json_pair(&out, "state", STR("Succeeded"));
    json_pair(&out, "message", STR("Crawler Succeeded"));
    json_close(&out, '}');
    emit(g, o, "Glue Crawler State Change", &b);
}
