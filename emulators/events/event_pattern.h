/* Event patterns, pure: what a rule asks of an event. Any thread.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 *
 *   { "field": [ALTERNATIVE, …], "object": { … }, "$or": [ { … }, { … } ] }
 *
 * All fields must match, of the alternatives one. An alternative is a plain value (strings to the
 * letter; numbers by value, so 300 equals 3.0e2) or an object with one of prefix, suffix,
 * equals-ignore-case, wildcard, anything-but, numeric, exists, cidr. An array in the event matches
 * when one of its elements does; fields below an array of objects must match in the same element.
 * `$or` is a field like any other unless it is a list of two objects or more that name no operator.
 * Case is ignored for ASCII letters only. */
#ifndef CISTERN_EVENTS_EVENT_PATTERN_H
#define CISTERN_EVENTS_EVENT_PATTERN_H

#include <stdbool.h>

#include "server/base/arena.h"
#include "server/wire/json.h"

#define EVENT_PATTERN_NUMBER_MAX 5.0e9 /* `numeric` compares numbers from minus this to this */

/* Parses and checks. ST_INVALID: *ret_why is what AWS puts behind "Event pattern is not valid.
 * Reason: " (in the arena). */
enum status event_pattern_parse(struct arena *a, struct str text, const struct json_value **ret,
                                struct str *ret_why) MUST_CHECK;
/* `pattern` must have passed event_pattern_parse(). */
bool event_pattern_matches(const struct json_value *pattern, const struct json_value *event);

/* --- shared by its two files ------------------------------------------------------------------ */
enum event_operator {
    EVENT_OP_NONE,
    EVENT_OP_PREFIX,
    EVENT_OP_SUFFIX,
    EVENT_OP_IGNORE_CASE,
    EVENT_OP_WILDCARD,
    EVENT_OP_ANYTHING_BUT,
    EVENT_OP_NUMERIC,
    EVENT_OP_EXISTS,
    EVENT_OP_CIDR,
};
enum event_operator event_operator_of(struct str name);
/* Is this member the primitive `$or`, not a field of that name? */
bool event_pattern_is_or(const struct json_value *member);

/* 16 bytes; IPv4 addresses are mapped into IPv6, so both compare alike. */
struct event_cidr {
    unsigned char address[16];
    int bits; /* of the mapped form */
};
/* "10.0.0.0/24", "2001:db8::/32". false: it is none. */
bool event_cidr_parse(struct str text, struct event_cidr *ret);
bool event_cidr_holds(const struct event_cidr *c, struct str address);

#endif
