/* Event buses. */
#include "emulators/events/events_internal.h"
#include "server/base/clock.h"
#include "server/wire/codec.h"

#define BUS_NAME_MAX 256
#define BUSES_MAX 100

static enum status check_new(struct call *c, const struct events_create_event_bus_request *in)
{
    if (str_set(in->EventSourceName)) {
        return call_fail(c, &wire_NotImplemented,
                         "EventSourceName isn't implemented: there are no partner event sources "
                         "here.");
    }
    if (in->DeadLetterConfig || str_set(in->KmsKeyIdentifier)) {
        return call_fail(c, &wire_NotImplemented,
                         "DeadLetterConfig and KmsKeyIdentifier aren't implemented: leave them "
                         "out.");
    }
    if (in->LogConfig && str_set(in->LogConfig->Level) && !str_eqz(in->LogConfig->Level, "OFF")) {
        return call_fail(c, &wire_NotImplemented, "LogConfig isn't implemented: leave it out.");
    }
    if (str_find(in->Name, '/', 0) >= 0) {
        return call_fail(c, &events_ValidationException, "Event bus name must not contain '/'.");
    }
    return events_check_name(c, "name", in->Name, BUS_NAME_MAX, "");
}

/* The store's answer to "list all" is at most one more than the limit. */
static enum status check_room(struct call *c, const struct events_key *key)
{
    const struct events_page page = { .after = STR(""), .limit = BUSES_MAX };
    struct events_bus_row *rows;
    size_t n;
    enum status st = call_status(c, events_store_buses(c->db, c->arena, key, &page, &rows, &n));
    if (st == ST_OK && n >= BUSES_MAX - 1) {
        return call_fail(c, &events_LimitExceededException,
                         "The requested resource exceeds the maximum number allowed.");
    }
    return st;
}

enum status events_create_event_bus(struct call *c,
                                    const struct events_create_event_bus_request *in,
                                    struct events_create_event_bus_response *ret_out)
{
    struct events_key key = { c->caller.account, c->caller.region, in->Name };
    const struct events_bus_row row = { in->Name, in->Description, clock_now_ms() };
    enum status st = check_new(c, in);
    st = st == ST_OK ? check_room(c, &key) : st;
    if (st != ST_OK) {
        return st;
    }
    st =
        str_eqz(in->Name, EVENTS_DEFAULT_BUS) ? ST_EXISTS : events_store_add_bus(c->db, &key, &row);
    if (st == ST_EXISTS) {
        return call_fail(c, &events_ResourceAlreadyExistsException,
                         "Event bus %.*s already exists.", STR_ARG(in->Name));
    }
    ret_out->EventBusArn = events_bus_arn(c->arena, &key);
    ret_out->Description = in->Description;
    return st == ST_OK ? events_set_tags(c, ret_out->EventBusArn, &in->Tags) : call_status(c, st);
}

enum status events_describe_event_bus(struct call *c,
                                      const struct events_describe_event_bus_request *in,
                                      struct events_describe_event_bus_response *ret_out)
{
    struct events_key key;
    struct events_bus_row row;
    enum status st = events_find_bus(c, in->Name, &key);
    if (st != ST_OK) {
        return st;
    }
    ret_out->Name = key.bus;
    ret_out->Arn = events_bus_arn(c->arena, &key);
    if (str_eqz(key.bus, EVENTS_DEFAULT_BUS)) {
        return ST_OK;
    }
    st = events_store_bus(c->db, c->arena, &key, &row);
    if (st == ST_OK) {
        ret_out->Description = row.description;
        ret_out->CreationTime = ret_out->LastModifiedTime = OPT_TIME(row.created_ms);
    }
    return call_status(c, st);
}

enum status events_list_event_buses(struct call *c,
                                    const struct events_list_event_buses_request *in,
                                    struct events_list_event_buses_response *ret_out)
{
    struct events_key key = { c->caller.account, c->caller.region, STR(EVENTS_DEFAULT_BUS) };
    const struct events_page page = events_page_of(in->Limit, in->NextToken, in->NamePrefix);
    struct events_bus_row *rows;
    size_t n;
    enum status st = call_status(c, events_store_buses(c->db, c->arena, &key, &page, &rows, &n));
    if (st != ST_OK) {
        return st;
    }
    struct events_event_bus_list *out = &ret_out->EventBuses;
    out->v = ARENA_ARRAY(c->arena, struct events_event_bus, n + 1);
    if (str_empty(in->NextToken) &&
        (!str_set(in->NamePrefix) || str_starts(key.bus, in->NamePrefix))) {
        out->v[out->n++] =
            (struct events_event_bus){ .Name = key.bus, .Arn = events_bus_arn(c->arena, &key) };
    }
    bool more = events_page_cut(&page, &n);
    for (size_t i = 0; i < n; i++) {
        key.bus = rows[i].name;
        out->v[out->n++] = (struct events_event_bus){
            .Name = rows[i].name,
            .Arn = events_bus_arn(c->arena, &key),
            .Description = rows[i].description,
            .CreationTime = OPT_TIME(rows[i].created_ms),
            .LastModifiedTime = OPT_TIME(rows[i].created_ms),
        };
    }
    ret_out->NextToken = more ? rows[n - 1].name : STR_NONE;
    return ST_OK;
}

enum status events_delete_event_bus(struct call *c,
                                    const struct events_delete_event_bus_request *in, void *ret_out)
{
    (void)ret_out;
    struct events_key key = { c->caller.account, c->caller.region, in->Name };
    int64_t rules = 0;
    if (str_eqz(in->Name, EVENTS_DEFAULT_BUS)) {
        return call_fail(c, &events_ValidationException, "Cannot delete event bus default.");
    }
    enum status st = events_store_count_rules(c->db, &key, &rules);
    if (st == ST_OK && rules > 0) {
        return call_fail(c, &events_ValidationException,
                         "Event bus %.*s can't be deleted since it has rules.", STR_ARG(in->Name));
    }
    st = st == ST_OK ? events_store_delete_bus(c->db, &key) : st;
    st = st == ST_OK ? tags_clear(c->db, &events_tags, events_bus_arn(c->arena, &key)) : st;
    return call_status(c, st);
}
