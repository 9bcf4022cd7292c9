/* What the files of EventBridge share. Core thread.
 *
 * An event comes in by PutEvents, from another service (emulators/facade/events.h, or the bus for
 * S3's notifications), from another bus, or from a schedule. It is matched at once, in the
 * transaction of its cause; what each target of a matching rule gets becomes a row of the outbox in
 * the same transaction. From there it is handed to the service that owns the target's ARN
 * (emulators/bus.h), which takes it into its own transaction. */
#ifndef CISTERN_EVENTS_INTERNAL_H
#define CISTERN_EVENTS_INTERNAL_H

#include "emulators/events/events_store.h"
#include "server/http/call.h"

struct busy;
struct events_input_transformer;

#define EVENTS_SOURCE "events.amazonaws.com" /* principal in the permissions of targets */
#define EVENTS_DEFAULT_BUS "default"
#define EVENTS_TARGETS_MAX 5                  /* of a rule */
#define EVENTS_ENTRIES_BYTES_MAX (256u << 10) /* of one PutEvents */
#define EVENTS_ARENA_MAX (64u << 20)

struct events {
    struct core *core;
};

extern const struct aws_error events_ValidationException; /* not in the model */

/* --- names (events_common.c) --- */
struct str events_bus_arn(struct arena *a, const struct events_key *key);
struct str events_rule_arn(struct arena *a, const struct events_rule_row *rule);
/* "arn:aws:events:REGION:ACCOUNT:event-bus/NAME"; false: it is none. Views into `arn`. */
bool events_bus_arn_read(struct str arn, struct events_key *ret);
/* 1 to `max` of A-Z a-z 0-9 . - _ and `more`? Else the call fails. */
enum status events_check_name(struct call *c, const char *member, struct str name, size_t max,
                              const char *more) MUST_CHECK;
/* The bus that a request names (by name or ARN; absent: the default one), which must be there. */
enum status events_find_bus(struct call *c, struct str given, struct events_key *ret) MUST_CHECK;
enum status events_find_rule(struct call *c, struct str bus, struct str name,
                             struct events_rule_row *ret) MUST_CHECK;
/* ST_NOT_FOUND: there is no such bus. */
enum status events_bus_exists(struct db *db, const struct events_key *key) MUST_CHECK;
/* Paging by name: asks the store for one more than the limit, to see whether there are more. */
struct events_page events_page_of(struct opt_i64 limit, struct str token, struct str prefix);
/* Cuts the one too many off: *n becomes the number to show; true: there are more. */
bool events_page_cut(const struct events_page *page, size_t *n);
/* Tags of a new resource, in place of older ones. */
enum status events_set_tags(struct call *c, struct str arn,
                            const struct events_tag_list *tags) MUST_CHECK;

/* --- routing (events_route.c) --- */
/* An event as it travels. */
struct events_event {
    struct events_key key; /* the bus that it arrived on */
    struct str json;       /* the whole document */
    struct str request_id; /* of the cause; may be absent */
    bool forwarded;        /* it came from another bus: it goes to no third one */
};
/* What the document is made of. */
struct events_fields {
    struct str account, region, id, source, detail_type;
    const struct str *resources;
    size_t n_resources;
    int64_t time_ms;
    struct str detail; /* JSON object */
};
struct str events_write(struct arena *a, const struct events_fields *f);
/* To every rule of the bus that matches, in the current transaction. */
enum status events_route(struct events *e, const struct events_event *event) MUST_CHECK;
/* To the targets of this one rule, whatever its pattern. */
enum status events_trigger(struct events *e, struct arena *a, const struct events_rule_row *rule,
                           const struct events_event *event) MUST_CHECK;

/* --- delivery (events_deliver.c) --- */
struct events_delivery {
    const struct events_rule_row *rule;
    const struct events_target *target;
    const struct events_event *event;
    struct str payload; /* what the target gets */
};
/* Adds a row to the outbox. */
enum status events_deliver(struct events *e, struct arena *a,
                           const struct events_delivery *d) MUST_CHECK;
void events_deliver_init(struct events *e);
void events_deliver_busy(struct events *e, struct busy *busy);

/* --- schedules (events_schedule.c) --- */
/* Plans (again) or forgets the next time of a rule that is stored, as schedule and state ask. */
enum status events_plan(struct events *e, struct events_rule_row *rule) MUST_CHECK;
void events_schedule_init(struct events *e);
enum status events_schedule_start(struct events *e) MUST_CHECK;

/* --- events of others (events_facade.c) --- */
void events_facade_init(struct events *e);

#endif
