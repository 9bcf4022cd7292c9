#include "emulators/s3/s3_rule.h"

#include "server/base/mem.h"

static const char *const known_events[] = {
    "s3:ReducedRedundancyLostObject",
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectRestore:*",
    "s3:ObjectRestore:Post",
    "s3:ObjectRestore:Completed",
    "s3:ObjectRestore:Delete",
    "s3:Replication:*",
    "s3:Replication:OperationFailedReplication",
    "s3:Replication:OperationNotTracked",
    "s3:Replication:OperationMissedThreshold",
    "s3:Replication:OperationReplicatedAfterThreshold",
    "s3:LifecycleTransition",
    "s3:IntelligentTiering",
    "s3:ObjectAcl:Put",
    "s3:LifecycleExpiration:*",
    "s3:LifecycleExpiration:Delete",
    "s3:LifecycleExpiration:DeleteMarkerCreated",
    "s3:ObjectTagging:*",
    "s3:ObjectTagging:Put",
    "s3:ObjectTagging:Delete",
};

bool s3_event_known(struct str event)
{
    for (size_t i = 0; i < ARRAY_LEN(known_events); i++) {
        if (str_eqz(event, known_events[i])) {
            return true;
        }
    }
    return false;
}

/* Equal, or one of them ends in '*' and covers the other. */
static bool event_types_meet(struct str a, struct str b)
{
    if (str_eq(a, b)) {
        return true;
    }
    bool a_all = a.n > 0 && a.p[a.n - 1] == '*';
    bool b_all = b.n > 0 && b.p[b.n - 1] == '*';
    return (a_all && str_starts(b, str_sub(a, 0, a.n - 1))) ||
           (b_all && str_starts(a, str_sub(b, 0, b.n - 1)));
}

bool s3_events_include(struct str events, struct str event)
{
    struct str rest = events, item = STR_NONE;
    while (str_next(&rest, ',', &item)) {
        if (event_types_meet(item, event)) {
            return true;
        }
    }
    return false;
}

bool s3_rule_matches(const struct s3_rule *rule, struct str event, struct str key)
{
    if (rule->kind != S3_RULE_EVENTBRIDGE && !s3_events_include(rule->events, event)) {
        return false;
    }
    return str_starts(key, rule->prefix) && str_ends(key, rule->suffix);
}

enum s3_clash s3_rules_clash(const struct s3_rule *a, const struct s3_rule *b)
{
    if (a->kind == S3_RULE_EVENTBRIDGE || b->kind == S3_RULE_EVENTBRIDGE) {
        return S3_CLASH_NONE;
    }
    bool shared = false;
    struct str rest = a->events, item = STR_NONE;
    while (!shared && str_next(&rest, ',', &item)) {
        shared = s3_events_include(b->events, item);
    }
    if (!shared) {
        return S3_CLASH_NONE;
    }
    /* A missing filter is the empty one and overlaps everything. */
    bool prefixes = str_starts(a->prefix, b->prefix) || str_starts(b->prefix, a->prefix);
    bool suffixes = str_ends(a->suffix, b->suffix) || str_ends(b->suffix, a->suffix);
    if (!prefixes || !suffixes) {
        return S3_CLASH_NONE;
    }
    bool bare = str_empty(a->prefix) && str_empty(a->suffix) && str_empty(b->prefix) &&
                str_empty(b->suffix);
    return bare ? S3_CLASH_EVENT : S3_CLASH_FILTER;
}
