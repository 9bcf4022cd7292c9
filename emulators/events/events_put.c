/* PutEvents and TestEventPattern. */
#include "emulators/events/event_input.h"
#include "emulators/events/event_pattern.h"
#include "emulators/events/events_internal.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/wire/codec.h"

#define ENTRIES_MAX 10
#define SOURCE_MAX 256
#define DETAIL_TYPE_MAX 128
#define TIME_BYTES 14 /* as AWS counts a Time that is given */
#define RESERVED_SOURCE "aws."

/* --- checks ----------------------------------------------------------------------------------- */
static size_t entry_bytes(const struct events_put_events_request_entry *entry)
{
    size_t n = (entry->Time.set ? TIME_BYTES : 0) + entry->Source.n + entry->DetailType.n +
               entry->Detail.n;
    for (size_t i = 0; i < entry->Resources.n; i++) {
        n += entry->Resources.v[i].n;
    }
    return n;
}

static enum status check_request(struct call *c, const struct events_put_events_request *in)
{
    size_t bytes = 0;
    if (str_set(in->EndpointId)) {
        return call_fail(c, &wire_NotImplemented,
                         "EndpointId isn't implemented: there are no global endpoints here.");
    }
    if (in->Entries.n < 1 || in->Entries.n > ENTRIES_MAX) {
        return call_fail(c, &events_ValidationException,
                         "1 validation error detected: Value at 'entries' failed to satisfy "
                         "constraint: Member must have length %s than or equal to %d",
                         in->Entries.n < 1 ? "greater" : "less",
                         in->Entries.n < 1 ? 1 : ENTRIES_MAX);
    }
    for (size_t i = 0; i < in->Entries.n; i++) {
        bytes += entry_bytes(&in->Entries.v[i]);
    }
    if (bytes > EVENTS_ENTRIES_BYTES_MAX) {
        return call_fail(c, &events_ValidationException,
                         "Total size of the entries in the request is over the limit.");
    }
    return ST_OK;
}

static bool refuse(struct events_put_events_result_entry *ret, const char *code, struct str text)
{
    ret->ErrorCode = str_z(code);
    ret->ErrorMessage = text;
    return false;
}

static bool invalid(struct arena *a, struct events_put_events_result_entry *ret, const char *member,
                    const char *reason)
{
    return refuse(
        ret, "InvalidArgument",
        arena_printf(a, "Parameter %s is not valid. Reason: %s %s.", member, member, reason));
}

static bool entry_good(struct arena *a, const struct events_put_events_request_entry *entry,
                       struct events_put_events_result_entry *ret)
{
    struct json_value *detail;
    struct str why;
    if (str_empty(entry->Source)) {
        return invalid(a, ret, "Source", "is a required argument");
    }
    if (str_starts(entry->Source, STR(RESERVED_SOURCE))) {
        return refuse(ret, "NotAuthorizedForSourceException",
                      STR("Not authorized for the source."));
    }
    if (entry->Source.n > SOURCE_MAX) {
        return invalid(a, ret, "Source", "has more than 256 characters");
    }
    if (str_empty(entry->DetailType)) {
        return invalid(a, ret, "DetailType", "is a required argument");
    }
    if (entry->DetailType.n > DETAIL_TYPE_MAX) {
        return invalid(a, ret, "DetailType", "has more than 128 characters");
    }
    if (str_empty(entry->Detail)) {
        return invalid(a, ret, "Detail", "is a required argument");
    }
    if (json_parse(a, entry->Detail, &detail, &why) != ST_OK || detail->kind != JSON_OBJECT) {
        return refuse(ret, "MalformedDetail", STR("Detail is malformed."));
    }
    return true;
}

/* --- PutEvents -------------------------------------------------------------------------------- */
/* An event for a bus that isn't there is accepted and lost, as on AWS; the log tells. */
static enum status bus_of(struct call *c, struct str given, struct events_key *ret, bool *ret_lost)
{
    *ret = (struct events_key){ c->caller.account, c->caller.region,
                                str_empty(given) ? STR(EVENTS_DEFAULT_BUS) : given };
    bool named = !str_starts(given, STR("arn:")) || events_bus_arn_read(given, ret);
    bool ours = named && str_eq(ret->account, c->caller.account);
    enum status st = ours ? events_bus_exists(c->db, ret) : ST_NOT_FOUND;
    *ret_lost = st == ST_NOT_FOUND;
    if (*ret_lost) {
        log_warn("events", "an event of %.*s is lost: there is no event bus %.*s",
                 STR_ARG(c->caller.account), STR_ARG(given));
        return ST_OK;
    }
    return st;
}

static enum status put_entry(struct call *c, const struct events_put_events_request_entry *entry,
                             struct events_put_events_result_entry *ret)
{
    struct events_event event = { .request_id = c->request_id };
    bool lost = false;
    if (!entry_good(c->arena, entry, ret)) {
        return ST_OK;
    }
    enum status st = bus_of(c, entry->EventBusName, &event.key, &lost);
    ret->EventId = id_uuid(c->arena);
    if (st != ST_OK || lost) {
        return st;
    }
    const struct events_fields fields = {
        .account = event.key.account,
        .region = event.key.region,
        .id = ret->EventId,
        .source = entry->Source,
        .detail_type = entry->DetailType,
        .resources = entry->Resources.v,
        .n_resources = entry->Resources.n,
        .time_ms = entry->Time.set ? entry->Time.ms : c->received_ms,
        .detail = entry->Detail,
    };
    event.json = events_write(c->arena, &fields);
    return str_set(event.json) ? events_route(c->state, &event) : ST_NOMEM;
}

enum status events_put_events(struct call *c, const struct events_put_events_request *in,
                              struct events_put_events_response *ret_out)
{
    enum status st = check_request(c, in);
    if (st != ST_OK) {
        return st;
    }
    struct events_put_events_result_entry_list *out = &ret_out->Entries;
    out->v = ARENA_ARRAY(c->arena, struct events_put_events_result_entry, in->Entries.n);
    ret_out->FailedEntryCount = OPT_I64(0);
    for (; st == ST_OK && out->n < in->Entries.n; out->n++) {
        st = put_entry(c, &in->Entries.v[out->n], &out->v[out->n]);
        ret_out->FailedEntryCount.v += str_set(out->v[out->n].ErrorCode);
    }
    return call_status(c, st);
}

/* --- TestEventPattern ------------------------------------------------------------------------- */
static enum status check_event(struct call *c, struct str text, struct json_value **ret)
{
    static const char *const members[] = { "id",     "account",   "source",     "time",
                                           "region", "resources", "detail-type" };
    struct str why = STR("it is no object");
    if (json_parse(c->arena, text, ret, &why) != ST_OK || (*ret)->kind != JSON_OBJECT) {
        return call_fail(c, &events_ValidationException,
                         "Parameter Event is not valid. Reason: %.*s.", STR_ARG(why));
    }
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (!json_get(*ret, members[i])) {
            return call_fail(c, &events_ValidationException,
                             "Parameter Event is not valid. Reason: %s is a required argument.",
                             members[i]);
        }
    }
    return ST_OK;
}

enum status events_test_event_pattern(struct call *c,
                                      const struct events_test_event_pattern_request *in,
                                      struct events_test_event_pattern_response *ret_out)
{
    const struct json_value *pattern;
    struct json_value *event;
    struct str why;
    if (event_pattern_parse(c->arena, in->EventPattern, &pattern, &why) != ST_OK) {
        return call_fail(c, &events_InvalidEventPatternException,
                         "Event pattern is not valid. Reason: %.*s", STR_ARG(why));
    }
    enum status st = check_event(c, in->Event, &event);
    if (st == ST_OK) {
        ret_out->Result = OPT_BOOL(event_pattern_matches(pattern, event));
    }
    return st;
}
