/* What happened: kept 14 days for DescribeEvents, and told to EventBridge. Ids and categories are
 * those of "Amazon RDS event categories and event messages" in the user guide; its messages end
 * with a full stop where those that RDS sends don't. */
#include "emulators/facade/events.h"
#include "emulators/rds/rds_internal.h"
#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/wire/json.h"

#define DETAIL_MAX (64u << 10)

static const struct {
    const char *before, *after; /* NULL: any state; after NULL: the instance is gone */
    const char *id, *category, *message;
} kinds[] = {
    { "creating", "available", "RDS-EVENT-0005", "creation", "DB instance created" },
    { "rebooting", "available", "RDS-EVENT-0006", "availability", "DB instance restarted" },
    { "modifying", "available", "RDS-EVENT-0006", "availability", "DB instance restarted" },
    { "starting", "available", "RDS-EVENT-0088", "notification", "DB instance started" },
    { "stopping", "stopped", "RDS-EVENT-0087", "notification", "DB instance stopped" },
    { "backing-up", "available", "RDS-EVENT-0002", "backup", "Finished DB Instance backup" },
    { "backing-up", "stopped", "RDS-EVENT-0002", "backup", "Finished DB Instance backup" },
    { NULL, "backing-up", "RDS-EVENT-0001", "backup", "Backing up DB instance" },
    { NULL, "rebooting", "RDS-EVENT-0004", "availability", "DB instance shutdown" },
    { "creating", "failed", "RDS-EVENT-0278", "failure", "The DB instance creation failed." },
    { NULL, "failed", "RDS-EVENT-0031", "failure", "DB instance put into failed state." },
    { NULL, "incompatible-parameters", "RDS-EVENT-0035", "failure",
      "Database instance put into incompatible-parameters." },
    { NULL, NULL, "RDS-EVENT-0003", "deletion", "DB instance deleted" },
};

static const struct {
    const char *type, *detail_type, *source;
} sources[] = {
    { RDS_EVENTS_INSTANCE, "RDS DB Instance Event", "DB_INSTANCE" },
    { RDS_EVENTS_SNAPSHOT, "RDS DB Snapshot Event", "SNAPSHOT" },
    { RDS_EVENTS_GROUP, "RDS DB Parameter Group Event", "DB_PARAM" },
};

/* --- noting ----------------------------------------------------------------------------------- */
static enum status tell(struct rds *r, struct arena *a, const struct rds_owner *owner,
                        const struct rds_fact *f)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(DETAIL_MAX);
    struct json_out o;
    size_t s = 0;
    while (s + 1 < ARRAY_LEN(sources) && strcmp(sources[s].type, f->type) != 0) {
        s++;
    }
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_keyz(&o, "EventCategories");
    json_open(&o, '[');
    json_str(&o, str_z(f->category));
    json_close(&o, ']');
    json_pair(&o, "SourceType", str_z(sources[s].source));
    json_pair(&o, "SourceArn", f->arn);
    json_pair(&o, "Date", clock_iso_ms(a, clock_now_ms()));
    json_pair(&o, "Message", f->message);
    json_pair(&o, "SourceIdentifier", f->source);
    json_pair(&o, "EventID", str_z(f->id));
    json_close(&o, '}');
    const struct events_incident incident = {
        .account = owner->account,
        .region = owner->region,
        .source = "aws.rds",
        .detail_type = sources[s].detail_type,
        .resource = f->arn,
        .detail = buf_str(&b),
    };
    return buf_ok(&b) ? events_emit(r->core, &incident) : ST_NOMEM;
}

enum status rds_note(struct rds *r, struct arena *a, const struct rds_owner *owner,
                     const struct rds_fact *f)
{
    enum status st = rds_store_add_event(core_db(r->core), owner, f, clock_now_ms());
    return st == ST_OK ? tell(r, a, owner, f) : st;
}

enum status rds_note_instance(struct rds *r, struct arena *a, const struct rds_instance *i,
                              const char *id, const char *category, struct str message)
{
    const struct rds_fact f = { RDS_EVENTS_INSTANCE,   id,     category, i->name,
                                i->doc->DBInstanceArn, message };
    return rds_note(r, a, &i->owner, &f);
}

/* The instance came from a snapshot: that is told of the snapshot. */
static enum status note_restored(struct rds *r, struct arena *a, const struct rds_instance *i)
{
    struct rds_snapshot s;
    enum status st = rds_store_snapshot_by_id(core_db(r->core), a, i->source, &s);
    if (st != ST_OK) {
        return st == ST_NOT_FOUND ? ST_OK : st; /* it was deleted meanwhile */
    }
    const struct rds_fact f = {
        RDS_EVENTS_SNAPSHOT,  "RDS-EVENT-0043",
        "restoration",        s.name,
        s.doc->DBSnapshotArn, arena_printf(a, "Restored from snapshot %.*s", STR_ARG(s.name))
    };
    return rds_note(r, a, &i->owner, &f);
}

static bool same(const char *want, struct str state)
{
    return want ? str_eqz(state, want) : true;
}

enum status rds_event(struct rds *r, struct arena *a, const struct rds_instance *i,
                      struct str before, struct str after)
{
    if (str_eqz(before, "creating") && str_eqz(after, "available") && str_set(i->source)) {
        enum status st = note_restored(r, a, i);
        if (st != ST_OK) {
            return st;
        }
    }
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        bool gone = !kinds[k].after;
        if (gone == !str_set(after) && same(kinds[k].after, after) &&
            same(kinds[k].before, before) && !str_eq(before, after)) {
            struct str message = str_z(kinds[k].message);
            if (!gone && i->doc->StatusInfos.n && strcmp(kinds[k].category, "failure") == 0) {
                message = arena_printf(a, "%s %.*s", kinds[k].message,
                                       STR_ARG(i->doc->StatusInfos.v[0].Message));
            }
            return rds_note_instance(r, a, i, kinds[k].id, kinds[k].category, message);
        }
    }
    return ST_OK;
}

/* --- DescribeEvents --------------------------------------------------------------------------- */
#define MINUTE_MS 60000
#define DURATION_DEFAULT_MIN 60
#define DURATION_MAX_MIN 20160 /* 14 days */

static enum status check_source(struct call *c, const struct rds_describe_events_request *in)
{
    bool known = !str_set(in->SourceType);
    for (size_t k = 0; !known && k < ARRAY_LEN(sources); k++) {
        known = str_eqz(in->SourceType, sources[k].type);
    }
    if (!known) { /* of others nothing ever happens here */
        static const char *const more[] = {
            "db-security-group",     "db-cluster", "db-cluster-snapshot",
            "custom-engine-version", "db-proxy",   "blue-green-deployment"
        };
        for (size_t k = 0; !known && k < ARRAY_LEN(more); k++) {
            known = str_eqz(in->SourceType, more[k]);
        }
    }
    if (!known) {
        return call_fail(c, &rds_InvalidParameterValue, "Invalid SourceType: %.*s",
                         STR_ARG(in->SourceType));
    }
    if (str_set(in->SourceIdentifier) && !str_set(in->SourceType)) {
        return call_fail(c, &rds_InvalidParameterCombination,
                         "SourceIdentifier can be given only together with SourceType.");
    }
    return ST_OK;
}

/* The span of time that is asked for. */
static enum status span(struct call *c, const struct rds_describe_events_request *in,
                        int64_t *ret_from, int64_t *ret_to)
{
    if (in->Duration.set && (in->Duration.v < 1 || in->Duration.v > DURATION_MAX_MIN)) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "Duration must be 1 to %d minutes (14 days).", DURATION_MAX_MIN);
    }
    int64_t length = (in->Duration.set ? in->Duration.v : DURATION_DEFAULT_MIN) * MINUTE_MS;
    *ret_to = in->EndTime.set ? in->EndTime.ms : c->received_ms;
    *ret_from = in->StartTime.set ? in->StartTime.ms : *ret_to - length;
    if (in->StartTime.set && in->Duration.set && !in->EndTime.set) {
        *ret_to = in->StartTime.ms + length;
    }
    return *ret_from <= *ret_to ? ST_OK
                                : call_fail(c, &rds_InvalidParameterCombination,
                                            "StartTime must not be after EndTime.");
}

static bool wanted(const struct rds_describe_events_request *in, const struct rds_event *e)
{
    bool fits = in->EventCategories.n == 0;
    for (size_t k = 0; !fits && k < in->EventCategories.n; k++) {
        fits = str_eq(in->EventCategories.v[k], e->EventCategories.v[0]);
    }
    return fits && (!str_set(in->SourceType) || str_eq(in->SourceType, e->SourceType)) &&
           (!str_set(in->SourceIdentifier) || str_ieq(in->SourceIdentifier, e->SourceIdentifier));
}

enum status rds_describe_events(struct call *c, const struct rds_describe_events_request *in,
                                struct rds_describe_events_response *ret_out)
{
    const struct rds_owner owner = rds_owner_of(c);
    struct rds_event_list all = { 0, NULL };
    size_t first = 0;
    int64_t from = 0, to = 0;
    enum status st = check_source(c, in);
    st = st == ST_OK ? span(c, in, &from, &to) : st;
    st = st == ST_OK ? call_status(c, rds_store_events(c->db, c->arena, &owner, from, to, &all))
                     : st;
    size_t n = 0;
    for (size_t k = 0; st == ST_OK && k < all.n; k++) {
        if (wanted(in, &all.v[k])) {
            all.v[n++] = all.v[k];
        }
    }
    st = st == ST_OK ? rds_page(c, in->MaxRecords, in->Marker, &n, &first, &ret_out->Marker) : st;
    ret_out->Events = (struct rds_event_list){ n, all.v + first };
    return st;
}

enum status rds_describe_event_categories(struct call *c,
                                          const struct rds_describe_event_categories_request *in,
                                          struct rds_describe_event_categories_response *ret_out)
{
    static const char *const categories[][16] = {
        { "availability", "backup", "configuration change", "creation", "deletion", "failover",
          "failure", "low storage", "maintenance", "notification", "read replica", "recovery",
          "restoration", "security", "security patching" },
        { "creation", "deletion", "failure", "notification", "restoration" },
        { "configuration change" },
    };
    struct rds_event_categories_map_list *out = &ret_out->EventCategoriesMapList;
    out->v = ARENA_ARRAY(c->arena, struct rds_event_categories_map, ARRAY_LEN(sources));
    for (size_t k = 0; k < ARRAY_LEN(sources); k++) {
        if (str_set(in->SourceType) && !str_eqz(in->SourceType, sources[k].type)) {
            continue;
        }
        struct rds_event_categories_map *m = &out->v[out->n++];
        *m = (struct rds_event_categories_map){ .SourceType = str_z(sources[k].type) };
        m->EventCategories.v = ARENA_ARRAY(c->arena, struct str, ARRAY_LEN(categories[k]));
        for (size_t j = 0; j < ARRAY_LEN(categories[k]) && categories[k][j]; j++) {
            m->EventCategories.v[m->EventCategories.n++] = str_z(categories[k][j]);
        }
    }
    return ST_OK;
}
