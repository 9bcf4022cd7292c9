/* What a target gets of an event, pure: Input, InputPath, InputTransformer. Any thread.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 *
 * Paths: $, then .name, .*, [n], [*], ['name']. With a wildcard the result is a list. A path that
 * leads nowhere gives null, and in a template nothing ("" where a value must stand).
 *
 * Templates are one JSON value with <name> in it: outside of a text it stands for the value, within
 * a text for the value's characters. Names are those of InputPathsMap, and aws.events.rule-arn,
 * aws.events.rule-name, aws.events.event (without detail), aws.events.event.json and
 * aws.events.event.ingestion-time. */
#ifndef CISTERN_EVENTS_EVENT_INPUT_H
#define CISTERN_EVENTS_EVENT_INPUT_H

#include <stdbool.h>

#include "server/base/arena.h"
#include "server/wire/json.h"

#define EVENT_INPUT_MAX (1u << 20) /* bytes of what a template may grow to */

struct event_variable {
    struct str name, path;
};
/* At most one of input, path and template is set; none: the event as it is. */
struct event_input {
    struct str input;    /* JSON */
    struct str path;     /* "$.detail" */
    struct str template; /* with these variables */
    const struct event_variable *variables;
    size_t n_variables;
};
/* What templates may show beside the variables. */
struct event_occasion {
    struct str json;                /* the event */
    const struct json_value *event; /* the same, parsed */
    struct str rule_arn, rule_name;
    struct str ingested; /* "2026-11-20T07:08:09Z" */
};

/* ST_INVALID: *ret_why says what is wrong with it (in the arena). */
enum status event_input_check(struct arena *a, const struct event_input *in,
                              struct str *ret_why) MUST_CHECK;
/* The document for the target; `in` must have passed event_input_check(). ST_NOMEM: larger than
 * EVENT_INPUT_MAX. */
enum status event_input_make(struct arena *a, const struct event_input *in,
                             const struct event_occasion *occasion, struct str *ret) MUST_CHECK;

/* JSON text without blanks between its parts; numbers and texts stay to the letter. */
struct str event_compact(struct arena *a, struct str json);

/* --- paths (event_path.c) --- */
bool event_path_valid(struct str path);
/* What the path leads to: JSON text in the arena; absent: nothing. */
struct str event_path_read(struct arena *a, struct str path, const struct json_value *event);

#endif
