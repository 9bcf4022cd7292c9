/* Buses, rules, targets, tags. The only SQL of the service. What is read lies in the arena given:
 * lists are never NULL, even empty ones. The default bus has no row: it is always there. */
#ifndef CISTERN_EVENTS_STORE_H
#define CISTERN_EVENTS_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "emulators/events/events_model.h"
#include "server/base/arena.h"
#include "server/tags.h"

extern const char events_schema_sql[];

/* Which bus. */
struct events_key {
    struct str account, region, bus;
};
/* A page of names: those with the prefix (absent: all) after `after` ("": from the first, never
 * absent), at most `limit`. */
struct events_page {
    struct str prefix, after;
    struct str target; /* an ARN; of events_store_rules_of_target() only */
    int64_t limit;
};

/* --- buses ------------------------------------------------------------------------------------ */
struct events_bus_row {
    struct str name, description;
    int64_t created_ms;
};
/* ST_NOT_FOUND. */
enum status events_store_bus(struct db *db, struct arena *a, const struct events_key *key,
                             struct events_bus_row *ret) MUST_CHECK;
/* Of bus->name; key->bus doesn't matter. ST_EXISTS: the name is taken. */
enum status events_store_add_bus(struct db *db, const struct events_key *key,
                                 const struct events_bus_row *bus) MUST_CHECK;
/* ST_OK also when there is none. */
enum status events_store_delete_bus(struct db *db, const struct events_key *key) MUST_CHECK;
/* In the order of their names; key->bus doesn't matter. */
enum status events_store_buses(struct db *db, struct arena *a, const struct events_key *key,
                               const struct events_page *page, struct events_bus_row **ret,
                               size_t *ret_n) MUST_CHECK;

/* --- rules ------------------------------------------------------------------------------------ */
struct events_rule_row {
    int64_t id; /* 0: not stored yet */
    struct events_key key;
    struct str name, state;
    struct str pattern, schedule, description, role; /* may be absent */
    int64_t due_row; /* of the outbox: the next time of the schedule; 0: none is planned */
};
/* ST_NOT_FOUND: *ret stays as it was. */
enum status events_store_rule(struct db *db, struct arena *a, const struct events_key *key,
                              struct str name, struct events_rule_row *ret) MUST_CHECK;
enum status events_store_rule_by_id(struct db *db, struct arena *a, int64_t id,
                                    struct events_rule_row *ret) MUST_CHECK;
/* Adds (row->id 0; it is set) or replaces all but its key and name. */
enum status events_store_put_rule(struct db *db, struct events_rule_row *row) MUST_CHECK;
enum status events_store_set_due(struct db *db, int64_t rule, int64_t due_row) MUST_CHECK;
/* With its targets. */
enum status events_store_delete_rule(struct db *db, int64_t rule) MUST_CHECK;
enum status events_store_count_rules(struct db *db, const struct events_key *key,
                                     int64_t *ret) MUST_CHECK;
/* In the order of their names. */
enum status events_store_rules(struct db *db, struct arena *a, const struct events_key *key,
                               const struct events_page *page, struct events_rule_row **ret,
                               size_t *ret_n) MUST_CHECK;
/* The bus's rules that are enabled and have a pattern. */
enum status events_store_listeners(struct db *db, struct arena *a, const struct events_key *key,
                                   struct events_rule_row **ret, size_t *ret_n) MUST_CHECK;
/* Everybody's rules that have a schedule. */
enum status events_store_scheduled(struct db *db, struct arena *a, struct events_rule_row **ret,
                                   size_t *ret_n) MUST_CHECK;
/* The bus's rules that have page->target; page->prefix doesn't matter. */
enum status events_store_rules_of_target(struct db *db, struct arena *a,
                                         const struct events_key *key,
                                         const struct events_page *page,
                                         struct events_rule_row **ret, size_t *ret_n) MUST_CHECK;

/* --- targets ---------------------------------------------------------------------------------- */
/* Adds or replaces. ST_NOMEM: too big. */
enum status events_store_put_target(struct db *db, struct arena *a, int64_t rule,
                                    const struct events_target *target) MUST_CHECK;
/* ST_NOT_FOUND: the rule has no such target. */
enum status events_store_delete_target(struct db *db, int64_t rule, struct str id) MUST_CHECK;
/* In the order of their ids; page->prefix doesn't matter. ST_INVALID: what is there is no target
 * (any more). */
enum status events_store_targets(struct db *db, struct arena *a, int64_t rule,
                                 const struct events_page *page,
                                 struct events_target_list *ret) MUST_CHECK;
enum status events_store_count_targets(struct db *db, int64_t rule, int64_t *ret) MUST_CHECK;

extern const struct tags events_tags; /* of rules and buses */

#endif
