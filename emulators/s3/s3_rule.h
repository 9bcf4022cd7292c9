/* Notification rules: which events exist, which rule wants which object, which two rules clash.
 * Pure; any thread. https://docs.aws.amazon.com/AmazonS3/latest/userguide/NotificationHowTo.html */
#ifndef CISTERN_S3_RULE_H
#define CISTERN_S3_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"

/* Stored in the database: never renumber. */
enum s3_rule_kind {
    S3_RULE_LAMBDA = 1,
    S3_RULE_QUEUE = 2,
    S3_RULE_TOPIC = 3,
    S3_RULE_EVENTBRIDGE = 4, /* no ARN, no filter, every event */
};

struct s3_rule {
    enum s3_rule_kind kind;
    struct str id;
    struct str arn;
    struct str events;         /* "s3:ObjectCreated:*,s3:ObjectRemoved:Delete" */
    struct str prefix, suffix; /* absent: no such filter; may be empty; decoded */
};

/* One of the names that S3 accepts in a configuration ("s3:ObjectCreated:*")? */
bool s3_event_known(struct str event);
/* Does the list of events include this one ("s3:ObjectCreated:Put")? */
bool s3_events_include(struct str events, struct str event);
/* Does the rule want this event on this key (plain, not encoded)? */
bool s3_rule_matches(const struct s3_rule *rule, struct str event, struct str key);

enum s3_clash { S3_CLASH_NONE, S3_CLASH_EVENT, S3_CLASH_FILTER };
/* May the two rules stand in one configuration? EVENT: they share an event type and neither has a
 * filter; FILTER: they share an event type and some key would fit both. */
enum s3_clash s3_rules_clash(const struct s3_rule *a, const struct s3_rule *b);

#endif
