/* Notification configurations: reading them from XML, refusing what AWS refuses, and showing them
 * again.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html */
#include "emulators/bus.h"
#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_event.h"
#include "emulators/s3/s3_integrity.h"
#include "emulators/s3/s3_model.h"
#include "server/base/id.h"

/* What the three kinds of target have in common. */
struct target {
    struct str id, arn;
    const struct s3_event_list *events;
    const struct s3_notification_configuration_filter *filter;
};

static const char *rule_argument(enum s3_rule_kind kind)
{
    switch (kind) {
    case S3_RULE_LAMBDA:
        return "CloudFunction";
    case S3_RULE_QUEUE:
        return "Queue";
    default:
        return "Topic";
    }
}

/* "arn:partition:service:region:account:resource" with the service of the kind. */
static bool arn_fits(struct str arn, enum s3_rule_kind kind)
{
    static const char *const kinds[] = {
        [S3_RULE_LAMBDA] = "lambda", [S3_RULE_QUEUE] = "sqs", [S3_RULE_TOPIC] = "sns"
    };
    struct str rest = arn, part[5] = { STR_NONE };
    for (size_t i = 0; i < 5; i++) {
        if (!str_cut(rest, ':', &part[i], &rest)) {
            return false;
        }
    }
    return str_eqz(part[0], "arn") && !str_empty(part[1]) && str_eqz(part[2], kinds[kind]) &&
           !str_empty(part[3]) && !str_empty(part[4]) && !str_empty(rest);
}

static enum status read_events(struct call *c, const struct s3_event_list *events, struct str *ret)
{
    *ret = STR_NONE;
    for (size_t i = 0; i < events->n; i++) {
        if (!s3_event_known(events->v[i])) {
            return s3_fail_argument(c, "Event", events->v[i],
                                    "A specified event is not supported for notifications.");
        }
        *ret = str_set(*ret)
                   ? arena_printf(c->arena, "%.*s,%.*s", STR_ARG(*ret), STR_ARG(events->v[i]))
                   : events->v[i];
    }
    return str_set(*ret) ? ST_OK : call_fail(c, &s3_MalformedXML, NULL);
}

static enum status read_filter_rule(struct call *c, const struct s3_filter_rule *given,
                                    struct s3_rule *rule)
{
    bool prefix = str_ieqz(given->Name, "prefix");
    if (!prefix && !str_ieqz(given->Name, "suffix")) {
        return s3_fail_argument(c, "FilterRule.Name", given->Name,
                                "filter rule name must be either prefix or suffix");
    }
    struct str *slot = prefix ? &rule->prefix : &rule->suffix;
    if (str_set(*slot)) {
        return s3_fail_argument(c, "FilterRule.Name", given->Name,
                                prefix ? "Cannot specify more than one prefix rule in a filter."
                                       : "Cannot specify more than one suffix rule in a filter.");
    }
    struct str value = str_set(given->Value) ? given->Value : STR("");
    if (value.n > S3_KEY_MAX) {
        return s3_fail_argument(c, "FilterRule.Value", value,
                                "Size of filter rule value cannot exceed 1024 bytes in UTF-8 "
                                "representation");
    }
    *slot = value;
    return ST_OK;
}

static enum status read_target(struct call *c, enum s3_rule_kind kind, const struct target *t,
                               struct s3_rule *rule)
{
    *rule = (struct s3_rule){ .kind = kind, .arn = t->arn };
    rule->id = str_empty(t->id) ? id_uuid(c->arena) : t->id;
    if (rule->id.n > 255) {
        return s3_fail_argument(c, "Id", rule->id, "Id must be at most 255 characters.");
    }
    if (!arn_fits(t->arn, kind)) {
        return s3_fail_argument(c, rule_argument(kind), t->arn, "The ARN could not be parsed");
    }
    enum status st = read_events(c, t->events, &rule->events);
    size_t n = t->filter && t->filter->Key ? t->filter->Key->FilterRules.n : 0;
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        st = read_filter_rule(c, &t->filter->Key->FilterRules.v[i], rule);
    }
    return st;
}

static enum status read_all(struct call *c, const struct s3_notification_configuration *conf,
                            struct s3_rule *rules, size_t *ret_n)
{
    size_t n = 0;
    enum status st = ST_OK;
    for (size_t i = 0; i < conf->LambdaFunctionConfigurations.n && st == ST_OK; i++) {
        const struct s3_lambda_function_configuration *f = &conf->LambdaFunctionConfigurations.v[i];
        struct target t = { f->Id, f->LambdaFunctionArn, &f->Events, f->Filter };
        st = read_target(c, S3_RULE_LAMBDA, &t, &rules[n++]);
    }
    for (size_t i = 0; i < conf->QueueConfigurations.n && st == ST_OK; i++) {
        const struct s3_queue_configuration *q = &conf->QueueConfigurations.v[i];
        struct target t = { q->Id, q->QueueArn, &q->Events, q->Filter };
        st = read_target(c, S3_RULE_QUEUE, &t, &rules[n++]);
    }
    for (size_t i = 0; i < conf->TopicConfigurations.n && st == ST_OK; i++) {
        const struct s3_topic_configuration *p = &conf->TopicConfigurations.v[i];
        struct target t = { p->Id, p->TopicArn, &p->Events, p->Filter };
        st = read_target(c, S3_RULE_TOPIC, &t, &rules[n++]);
    }
    if (st == ST_OK && conf->EventBridgeConfiguration) {
        rules[n++] = (struct s3_rule){ .kind = S3_RULE_EVENTBRIDGE, .id = STR("EventBridge") };
    }
    *ret_n = n;
    return st;
}

static enum status check_clashes(struct call *c, const struct s3_rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = i + 1; k < n; k++) {
            if (str_eq(rules[i].id, rules[k].id)) {
                return s3_fail_argument(c, "Id", rules[k].id,
                                        "Same ID used for multiple configurations. IDs must be "
                                        "unique.");
            }
            switch (s3_rules_clash(&rules[i], &rules[k])) {
            case S3_CLASH_EVENT:
                return call_fail(c, &s3_InvalidArgument,
                                 "Configurations overlap. Configurations on the same bucket cannot "
                                 "share a common event type.");
            case S3_CLASH_FILTER:
                return call_fail(c, &s3_InvalidArgument,
                                 "Configuration is ambiguously defined. Cannot have overlapping "
                                 "suffixes in two rules if the prefixes are overlapping for the "
                                 "same event type.");
            default:
                break;
            }
        }
    }
    return ST_OK;
}

static enum status fail_destination(struct call *c, const struct s3_rule *rule)
{
    struct str arn = rule->arn;
    bool lambda = rule->kind == S3_RULE_LAMBDA;
    enum status st = call_fail(c, &s3_InvalidArgument,
                               "Unable to validate the following destination configurations");
    call_fail_field(c, "ArgumentName1", arena_printf(c->arena, "%.*s, null", STR_ARG(arn)));
    call_fail_field(
        c, "ArgumentValue1",
        lambda ? arena_printf(c->arena, "Not authorized to invoke function [%.*s]", STR_ARG(arn))
               : STR("The destination queue or topic does not exist, or its policy "
                     "does not let S3 send to it"));
    return st;
}

static enum status check_destinations(struct call *c, const struct s3_bucket_row *bucket,
                                      const struct s3_rule *rules, size_t n, bool skip)
{
    for (size_t i = 0; i < n; i++) {
        struct bus_event ev;
        bool bridge = rules[i].kind == S3_RULE_EVENTBRIDGE;
        if (skip && !bridge) {
            continue;
        }
        s3_event_source(c->arena, bucket,
                        bridge ? s3_event_bus_arn(c->arena, bucket) : rules[i].arn, c->request_id,
                        &ev);
        enum status st = bus_check(c->core, &ev);
        if (st == ST_OK) {
            continue;
        }
        if (st != ST_NOT_FOUND && st != ST_CONFLICT) {
            return st;
        }
        return bridge ? call_fail(c, &s3_NotImplemented,
                                  "There is no EventBridge here that could receive the events.")
                      : fail_destination(c, &rules[i]);
    }
    return ST_OK;
}

static enum status send_tests(struct call *c, const struct s3_bucket_row *bucket,
                              const struct s3_rule *rules, size_t n)
{
    enum status st = ST_OK;
    struct s3_cause cause = s3_cause_of(c);
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        if (rules[i].kind == S3_RULE_QUEUE || rules[i].kind == S3_RULE_TOPIC) {
            st = s3_event_test(call_s3(c), c->arena, bucket, &rules[i], &cause);
        }
    }
    return st;
}

enum status s3_put_bucket_notification_configuration(
    struct call *c, const struct s3_put_bucket_notification_configuration_request *in,
    void *ret_out)
{
    (void)ret_out;
    struct s3_bucket_row bucket;
    size_t n = 0;
    const struct s3_notification_configuration *conf = in->NotificationConfiguration;
    bool skip = in->SkipDestinationValidation.set && in->SkipDestinationValidation.v;
    enum status st = s3_need_bucket(c, &bucket);
    if (st == ST_OK) {
        st = s3_integrity_check_bytes(c, false);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    if (!conf) {
        return call_fail(c, &s3_MalformedXML, NULL);
    }
    size_t most = conf->LambdaFunctionConfigurations.n + conf->QueueConfigurations.n +
                  conf->TopicConfigurations.n + 1;
    if (most > S3_RULES_MAX + 1) {
        return s3_fail_argument(c, "NotificationConfiguration", STR_NONE,
                                "The number of configurations is larger than 100.");
    }
    struct s3_rule *rules = ARENA_ARRAY(c->arena, struct s3_rule, most);
    st = read_all(c, conf, rules, &n);
    if (st == ST_OK) {
        st = check_clashes(c, rules, n);
    }
    if (st == ST_OK) {
        st = check_destinations(c, &bucket, rules, n, skip);
    }
    if (st == ST_OK) {
        st = s3_store_set_rules(c->db, c->bucket, rules, n);
    }
    if (st == ST_OK) {
        st = send_tests(c, &bucket, rules, n);
    }
    return call_status(c, st);
}

/* --- showing ---------------------------------------------------------------------------------- */

static struct s3_notification_configuration_filter *shown_filter(struct arena *a,
                                                                 const struct s3_rule *rule)
{
    if (!str_set(rule->prefix) && !str_set(rule->suffix)) {
        return NULL;
    }
    struct s3_notification_configuration_filter *filter =
        ARENA_NEW(a, struct s3_notification_configuration_filter);
    filter->Key = ARENA_NEW(a, struct s3_s3_key_filter);
    struct s3_filter_rule_list *list = &filter->Key->FilterRules;
    list->v = ARENA_ARRAY(a, struct s3_filter_rule, 2);
    if (str_set(rule->prefix)) {
        list->v[list->n++] = (struct s3_filter_rule){ STR("Prefix"), rule->prefix };
    }
    if (str_set(rule->suffix)) {
        list->v[list->n++] = (struct s3_filter_rule){ STR("Suffix"), rule->suffix };
    }
    return filter;
}

static struct s3_event_list shown_events(struct arena *a, struct str events)
{
    struct s3_event_list list = { 0, NULL };
    size_t most = 1;
    for (size_t i = 0; i < events.n; i++) {
        most += events.p[i] == ',';
    }
    list.v = ARENA_ARRAY(a, struct str, most);
    while (list.n < most && str_next(&events, ',', &list.v[list.n])) {
        list.n++;
    }
    return list;
}

enum status s3_get_bucket_notification_configuration(
    struct call *c, const struct s3_get_bucket_notification_configuration_request *in,
    struct s3_get_bucket_notification_configuration_response *ret_out)
{
    (void)in;
    struct s3_rule *rules = NULL;
    size_t n = 0;
    struct arena *a = c->arena;
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = s3_store_rules(c->db, a, c->bucket, &rules, &n);
    }
    if (st != ST_OK || n == 0) {
        return call_status(c, st);
    }
    struct s3_lambda_function_configuration_list *f = &ret_out->LambdaFunctionConfigurations;
    struct s3_queue_configuration_list *q = &ret_out->QueueConfigurations;
    struct s3_topic_configuration_list *t = &ret_out->TopicConfigurations;
    f->v = ARENA_ARRAY(a, struct s3_lambda_function_configuration, n);
    q->v = ARENA_ARRAY(a, struct s3_queue_configuration, n);
    t->v = ARENA_ARRAY(a, struct s3_topic_configuration, n);
    for (size_t i = 0; i < n; i++) {
        const struct s3_rule *r = &rules[i];
        struct s3_event_list events = shown_events(a, r->events);
        struct s3_notification_configuration_filter *filter = shown_filter(a, r);
        switch (r->kind) {
        case S3_RULE_LAMBDA:
            f->v[f->n++] =
                (struct s3_lambda_function_configuration){ r->id, r->arn, events, filter };
            break;
        case S3_RULE_QUEUE:
            q->v[q->n++] = (struct s3_queue_configuration){ r->id, r->arn, events, filter };
            break;
        case S3_RULE_TOPIC:
            t->v[t->n++] = (struct s3_topic_configuration){ r->id, r->arn, events, filter };
            break;
        default:
            ret_out->EventBridgeConfiguration = ARENA_NEW(a, struct s3_event_bridge_configuration);
            break;
        }
    }
    return ST_OK;
}
