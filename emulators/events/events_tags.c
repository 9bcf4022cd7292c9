/* Tags of rules and buses. */
#include "emulators/events/events_internal.h"

/* Is there a rule or bus of the caller with this ARN? Else the call fails. */
static enum status check_arn(struct call *c, struct str arn)
{
    struct str head = call_arn(c, "events", "%s", "");
    struct str rest = str_starts(arn, head) ? str_sub(arn, head.n, arn.n) : STR_NONE;
    struct str kind, name, bus = STR_NONE, tail;
    struct events_key key;
    struct events_rule_row rule;
    if (!str_cut(rest, '/', &kind, &name) ||
        (!str_eqz(kind, "rule") && !str_eqz(kind, "event-bus"))) {
        return call_fail(c, &events_ValidationException,
                         "Parameter %.*s is not valid. Reason: Provided Arn is not in correct "
                         "format.",
                         STR_ARG(arn));
    }
    if (str_eqz(kind, "event-bus")) {
        return events_find_bus(c, name, &key);
    }
    if (str_cut(name, '/', &bus, &tail)) {
        name = tail;
    } else {
        bus = STR_NONE;
    }
    return events_find_rule(c, bus, name, &rule);
}

enum status events_tag_resource(struct call *c, const struct events_tag_resource_request *in,
                                void *ret_out)
{
    (void)ret_out;
    enum status st = check_arn(c, in->ResourceARN);
    return st == ST_OK ? events_set_tags(c, in->ResourceARN, &in->Tags) : st;
}

enum status events_untag_resource(struct call *c, const struct events_untag_resource_request *in,
                                  void *ret_out)
{
    (void)ret_out;
    enum status st = check_arn(c, in->ResourceARN);
    return st == ST_OK
               ? call_status(c, tags_unset(c->db, &events_tags, in->ResourceARN, &in->TagKeys))
               : st;
}

enum status events_list_tags_for_resource(struct call *c,
                                          const struct events_list_tags_for_resource_request *in,
                                          struct events_list_tags_for_resource_response *ret_out)
{
    enum status st = check_arn(c, in->ResourceARN);
    return st == ST_OK ? call_status(c, tags_list(c->db, c->arena, &events_tags, in->ResourceARN,
                                                  &ret_out->Tags))
                       : st;
}
