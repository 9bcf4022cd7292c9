#include "emulators/dms/dms_event.h"

#include "emulators/dms/dms_internal.h"
#include "emulators/facade/events.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/store/db_read.h"
#include "server/wire/codec.h"
#include "server/wire/json.h"

#define KEPT_MS (INT64_C(14) * 24 * 3600 * 1000)
#define DURATION_DEFAULT_MIN 60
#define MINUTE_MS INT64_C(60000)
#define DURATION_MAX_MIN 20160 /* 14 days */

#define TELL_ARENA_MAX (1u << 20)

#define INSTANCE "replication-instance"
#define TASK "replication-task"

/* `type`, `place` and `id` are EventBridge's; no id where AWS documents none. */
static const struct {
    const char *category, *text, *type, *place, *id;
} kinds[] = {
    [DMS_EVENT_INSTANCE_CREATING] = { "creation", "Replication instance is being created.",
                                      "REPLICATION_INSTANCE_CREATING", "Creation",
                                      "DMS-EVENT-0067" },
    [DMS_EVENT_INSTANCE_CREATED] = { "creation", "Replication instance has been created.",
                                     "REPLICATION_INSTANCE_CREATED", "Creation", "DMS-EVENT-0005" },
    [DMS_EVENT_INSTANCE_MODIFIED] = { "configuration change",
                                      "Replication instance has been modified.",
                                      "REPLICATION_INSTANCE_MODIFIED", "ConfigurationChange",
                                      NULL },
    [DMS_EVENT_INSTANCE_REBOOTED] = { "maintenance", "Replication instance has been rebooted.",
                                      "REPLICATION_INSTANCE_REBOOTED", "Maintenance", NULL },
    [DMS_EVENT_INSTANCE_DELETING] = { "deletion", "Replication instance is being deleted.",
                                      "REPLICATION_INSTANCE_DELETING", "Deletion",
                                      "DMS-EVENT-0066" },
    [DMS_EVENT_INSTANCE_DELETED] = { "deletion", "Replication instance has been deleted.",
                                     "REPLICATION_INSTANCE_DELETED", "Deletion", "DMS-EVENT-0003" },
    [DMS_EVENT_TASK_CREATED] = { "creation", "Replication task has been created.",
                                 "REPLICATION_TASK_CREATED", "Creation", "DMS-EVENT-0074" },
    [DMS_EVENT_TASK_STARTING] = { .place = "StateChange" },
    [DMS_EVENT_TASK_STARTED] = { "state change", "Replication task has started.",
                                 "REPLICATION_TASK_STARTED", "StateChange", "DMS-EVENT-0069" },
    [DMS_EVENT_TASK_STOPPED] = { "state change", "Replication task has stopped.",
                                 "REPLICATION_TASK_STOPPED", "StateChange", "DMS-EVENT-0079" },
    [DMS_EVENT_TASK_FAILED] = { "failure", "Replication task has failed.",
                                "REPLICATION_TASK_FAILED", "Failure", "DMS-EVENT-0078" },
    [DMS_EVENT_TASK_MODIFIED] = { "configuration change", "Replication task has been modified.",
                                  "REPLICATION_TASK_MODIFIED", "ConfigurationChange",
                                  "DMS-EVENT-0080" },
    [DMS_EVENT_TASK_RELOADS] = { "state change", "Reload of table details was requested.",
                                 "TABLE_RELOAD_REQUESTED", "StateChange", "DMS-EVENT-0081" },
    [DMS_EVENT_TASK_MOVED] = { "configuration change",
                               "Replication task has been moved to another instance.",
                               "REPLICATION_TASK_MOVED", "ConfigurationChange", NULL },
    [DMS_EVENT_TASK_DELETED] = { "deletion", "Replication task has been deleted.",
                                 "REPLICATION_TASK_DELETED", "Deletion", "DMS-EVENT-0073" },
};

/* The same of serverless replications, with their own names and words. DescribeEvents has no source
 * type for them; what AWS tells EventBridge has no ids and no links. */
static const struct {
    const char *type, *text;
} config_kinds[] = {
    [DMS_EVENT_TASK_CREATED] = { "REPLICATION_CREATED", "has been created" },
    [DMS_EVENT_TASK_STARTING] = { "REPLICATION_INITIALIZING", "is initializing" },
    [DMS_EVENT_TASK_STARTED] = { "REPLICATION_STARTED", "has started" },
    [DMS_EVENT_TASK_STOPPED] = { "REPLICATION_STOPPED", "has stopped" },
    [DMS_EVENT_TASK_FAILED] = { "REPLICATION_FAILED", "has failed" },
    [DMS_EVENT_TASK_MODIFIED] = { "REPLICATION_MODIFIED", "is being modified" },
    [DMS_EVENT_TASK_DELETED] = { "REPLICATION_DELETED", "is being deleted" },
};

static const char *const instance_categories[] = { "creation",    "deletion",
                                                   "failure",     "configuration change",
                                                   "maintenance", "failover",
                                                   "low storage" };
static const char *const task_categories[] = { "creation", "deletion", "failure", "state change",
                                               "configuration change" };

struct source {
    struct str account, region, ident, arn;
    const char *type;
};

/* --- recording -------------------------------------------------------------------------------- */
struct telling {
    const char *detail_type, *type, *event_type;
    const char *id;      /* NULL: none */
    const char *link_to; /* page of the console; NULL: none */
    struct str text;
};

/* "Working with Amazon EventBridge events and notifications" in the guide of DMS. */
static enum status tell(struct core *core, const struct source *s, const struct telling *t,
                        enum dms_event_kind kind, struct str more)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(TELL_ARENA_MAX);
    CLEANUP(buf_fini) struct buf b = BUF_INIT(TELL_ARENA_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_pair(&o, "type", str_z(t->type));
    json_pair(&o, "category", str_z(kinds[kind].place));
    json_pair(&o, "eventType", str_z(t->event_type));
    if (t->id) {
        json_pair(&o, "eventId", str_z(t->id));
    }
    if (t->link_to) {
        json_pair(&o, "resourceLink",
                  arena_printf(a, "https://console.aws.amazon.com/dms/v2/home?region=%.*s#%s/%.*s",
                               STR_ARG(s->region), t->link_to, STR_ARG(s->ident)));
    }
    json_pair(
        &o, "detailMessage",
        arena_printf(a, "%.*s%s%.*s", STR_ARG(t->text), str_empty(more) ? "" : " ", STR_ARG(more)));
    json_close(&o, '}');
    const struct events_incident incident = {
        .account = s->account,
        .region = s->region,
        .source = "aws.dms",
        .detail_type = t->detail_type,
        .resource = s->arn,
        .detail = buf_str(&b),
    };
    return buf_ok(&b) ? events_emit(core, &incident) : ST_NOMEM;
}

static enum status note(struct core *core, const struct source *s, enum dms_event_kind kind,
                        struct str detail)
{
    struct db *db = core_db(core);
    int64_t now = clock_now_ms();
    enum status st = db_exec(db, "DELETE FROM dms_event WHERE ms<?", bi(now - KEPT_MS));
    if (st == ST_OK) {
        st = db_exec(db,
                     "INSERT INTO dms_event(account,region,type,ident,category,message,ms) "
                     "VALUES(?,?,?,?,?,?||coalesce(' '||?,''),?)",
                     bs(s->account), bs(s->region), bz(s->type), bs(s->ident),
                     bz(kinds[kind].category), bz(kinds[kind].text), bs(detail), bi(now));
    }
    struct telling t = { "DMS Replication Task State Change",
                         "REPLICATION_TASK",
                         kinds[kind].type,
                         kinds[kind].id,
                         "taskDetails",
                         str_z(kinds[kind].text) };
    if (strcmp(s->type, INSTANCE) == 0) {
        t.detail_type = "DMS Replication Instance State Change";
        t.type = "REPLICATION_INSTANCE";
        t.link_to = "replicationInstanceDetails";
    }
    return st == ST_OK ? tell(core, s, &t, kind, detail) : st;
}

static enum status tell_of_config(struct core *core, const struct source *s,
                                  enum dms_event_kind kind, struct str detail)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(TELL_ARENA_MAX);
    struct str id = dms_arn_id(s->arn);
    const struct telling t = {
        .detail_type = "DMS Replication State Change",
        .type = "REPLICATION_CONFIG",
        .event_type = config_kinds[kind].type,
        .text = arena_printf(a, "Replication with resource id, '%.*s', %s.", STR_ARG(id),
                             config_kinds[kind].text),
    };
    return tell(core, s, &t, kind, detail);
}

enum status dms_event_instance(struct core *core, const struct dms_resource *instance,
                               enum dms_event_kind kind)
{
    const struct source s = { instance->account, instance->region, instance->ident, instance->arn,
                              INSTANCE };
    return note(core, &s, kind, STR_NONE);
}

enum status dms_event_task(struct core *core, const struct dms_task_row *task,
                           enum dms_event_kind kind, struct str detail)
{
    const struct source s = { task->account, task->region, task->ident, task->arn, TASK };
    return str_empty(task->instance_arn) ? tell_of_config(core, &s, kind, detail)
                                         : note(core, &s, kind, detail);
}

/* --- operations ------------------------------------------------------------------------------- */

static enum status check_type(struct call *c, struct str type)
{
    if (!str_set(type) || str_eqz(type, INSTANCE) || str_eqz(type, TASK)) {
        return ST_OK;
    }
    return call_fail(c, &dms_InvalidParameterValueException,
                     "SourceType must be replication-instance or replication-task.");
}

/* The span of time that is asked for. */
static enum status check_span(struct call *c, const struct dms_describe_events_request *in,
                              int64_t *ret_from, int64_t *ret_to)
{
    if (in->Duration.set && (in->Duration.v < 1 || in->Duration.v > DURATION_MAX_MIN)) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "Duration must be 1 to %d minutes (14 days).", DURATION_MAX_MIN);
    }
    int64_t span = (in->Duration.set ? in->Duration.v : DURATION_DEFAULT_MIN) * MINUTE_MS;
    *ret_to = in->EndTime.set ? in->EndTime.ms : c->received_ms;
    *ret_from = in->StartTime.set ? in->StartTime.ms : *ret_to - span;
    if (in->StartTime.set && in->Duration.set && !in->EndTime.set) {
        *ret_to = in->StartTime.ms + span;
    }
    if (*ret_from > *ret_to) {
        return call_fail(c, &dms_InvalidParameterCombinationException,
                         "StartTime must not be after EndTime.");
    }
    return ST_OK;
}

static bool wanted(const struct dms_describe_events_request *in, const struct dms_event *e)
{
    struct str category = e->EventCategories.v[0];
    bool fits = in->EventCategories.n == 0;
    for (size_t i = 0; i < in->EventCategories.n && !fits; i++) {
        fits = str_eq(in->EventCategories.v[i], category);
    }
    bool instance = str_eqz(e->SourceType, INSTANCE);
    return fits && (!str_set(in->SourceType) || str_eq(in->SourceType, e->SourceType)) &&
           (!str_set(in->SourceIdentifier) || str_eq(in->SourceIdentifier, e->SourceIdentifier)) &&
           (in->Filters.n == 0 ||
            (instance &&
             dms_filter_fits(&in->Filters, "replication-instance-id", e->SourceIdentifier)));
}

static enum status read_event(struct rows *q, struct arena *a, void *ret)
{
    struct str *category = ARENA_ARRAY(a, struct str, 1);
    category[0] = rows_str(q, a, 2);
    *(struct dms_event *)ret = (struct dms_event){
        .SourceIdentifier = rows_str(q, a, 1),
        .SourceType = rows_str(q, a, 0),
        .Message = rows_str(q, a, 3),
        .EventCategories = { .n = 1, .v = category },
        .Date = OPT_TIME(rows_i64(q, 4)),
    };
    return ST_OK;
}

enum status dms_describe_events(struct call *c, const struct dms_describe_events_request *in,
                                struct dms_describe_events_response *ret_out)
{
    static const char *const known[] = { "replication-instance-id", NULL };
    int64_t from = 0, to = 0;
    enum status st = dms_check_filters(c, &in->Filters, known);
    if (st == ST_OK) {
        st = check_type(c, in->SourceType);
    }
    if (st == ST_OK && str_set(in->SourceIdentifier) && !str_set(in->SourceType)) {
        return call_fail(c, &dms_InvalidParameterCombinationException,
                         "SourceIdentifier needs SourceType.");
    }
    if (st == ST_OK) {
        st = check_span(c, in, &from, &to);
    }
    if (st != ST_OK) {
        return st;
    }
    struct dms_event_list *all = &ret_out->Events;
    size_t n = 0;
    st = db_read(c->db, ALL_ROWS(c->arena, read_event, &all->v, &n),
                 "SELECT type,ident,category,message,ms FROM dms_event WHERE account=? AND "
                 "region=? AND ms BETWEEN ? AND ? ORDER BY id",
                 bs(c->caller.account), bs(c->caller.region), bi(from), bi(to));
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        if (wanted(in, &all->v[i])) {
            all->v[all->n++] = all->v[i];
        }
    }
    return st == ST_OK ? dms_cut(c, DMS_ASK(in), DMS_PAGE_MAX, all, &ret_out->Marker)
                       : call_status(c, st);
}

static void show_group(struct arena *a, const char *type, const char *const *categories, size_t n,
                       struct dms_event_category_group *g)
{
    struct str *v = ARENA_ARRAY(a, struct str, n);
    for (size_t i = 0; i < n; i++) {
        v[i] = str_z(categories[i]);
    }
    *g = (struct dms_event_category_group){ .SourceType = str_z(type),
                                            .EventCategories = { .n = n, .v = v } };
}

enum status dms_describe_event_categories(struct call *c,
                                          const struct dms_describe_event_categories_request *in,
                                          struct dms_describe_event_categories_response *ret_out)
{
    enum status st = check_type(c, in->SourceType);
    if (st != ST_OK) {
        return st;
    }
    struct dms_event_category_group *groups =
        ARENA_ARRAY(c->arena, struct dms_event_category_group, 2);
    size_t n = 0;
    if (!str_eqz(in->SourceType, TASK)) {
        show_group(c->arena, INSTANCE, instance_categories, ARRAY_LEN(instance_categories),
                   &groups[n++]);
    }
    if (!str_eqz(in->SourceType, INSTANCE)) {
        show_group(c->arena, TASK, task_categories, ARRAY_LEN(task_categories), &groups[n++]);
    }
    ret_out->EventCategoryGroupList.n = n;
    ret_out->EventCategoryGroupList.v = groups;
    return ST_OK;
}

/* A subscription promises mail: without SNS nothing would ever arrive. */
enum status dms_create_event_subscription(struct call *c,
                                          const struct dms_create_event_subscription_request *in,
                                          struct dms_create_event_subscription_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented,
                     "Event subscriptions deliver to SNS topics, and SNS is not part of this "
                     "server: nothing would arrive. Let an EventBridge rule for source aws.dms "
                     "pass the events on, or read them with DescribeEvents.");
}

enum status
dms_describe_event_subscriptions(struct call *c,
                                 const struct dms_describe_event_subscriptions_request *in,
                                 struct dms_describe_event_subscriptions_response *ret_out)
{
    if (str_set(in->SubscriptionName)) {
        return call_fail(c, &dms_ResourceNotFoundFault,
                         "The event subscription %.*s could not be found.",
                         STR_ARG(in->SubscriptionName));
    }
    /* there can be none */
    ret_out->EventSubscriptionsList.v = ARENA_ARRAY(c->arena, struct dms_event_subscription, 1);
    return ST_OK;
}

static enum status no_subscription(struct call *c, struct str name)
{
    return call_fail(c, &dms_ResourceNotFoundFault,
                     "The event subscription %.*s could not be found.", STR_ARG(name));
}

enum status dms_modify_event_subscription(struct call *c,
                                          const struct dms_modify_event_subscription_request *in,
                                          struct dms_modify_event_subscription_response *ret_out)
{
    (void)ret_out;
    return no_subscription(c, in->SubscriptionName);
}

enum status dms_delete_event_subscription(struct call *c,
                                          const struct dms_delete_event_subscription_request *in,
                                          struct dms_delete_event_subscription_response *ret_out)
{
    (void)ret_out;
    return no_subscription(c, in->SubscriptionName);
}
